"""A Zulip server on a real socket, which fails in all the ways of a real one when it is asked to."""

from __future__ import annotations

import base64
import contextlib
import json
import random
import re
import secrets
import socket
import socketserver
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from email.message import Message as Headers
from fnmatch import fnmatchcase
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.fake_zulip_state import (
    BEYOND_NEWEST,
    MAX_MESSAGE_LENGTH,
    MAX_TOPIC_LENGTH,
    HangUpError,
    Json,
    Message,
    RefusedError,
    Stream,
    User,
    ZulipState,
    render,
)

__all__ = ["FAULTS", "FakeZulip", "Message", "Stream", "User"]

API = "/api/v1"
SEND = f"POST {API}/messages"
VERSION: Json = {"zulip_version": "9.0-dev+git", "zulip_feature_level": 247, "zulip_merge_base": ""}
WINDOW_SECONDS = 60.0
MAX_UPLOAD_BYTES = 25 * 1024 * 1024
MAX_FETCHED_MESSAGES = 5000
LOGIN_METHODS = (
    *("password", "dev", "email", "ldap", "remoteuser", "github", "azuread", "gitlab"),
    *("google", "apple", "saml", "openid connect"),
)
# Everything else that looks like JSON is JSON.
TEXT_PARAMETERS = frozenset(
    ("content", "topic", "subject", "type", "emoji_name", "stream", "queue_id", "widget_content")
)
FAULTS = (
    "refuse",
    "unauthorized",
    "429",
    "500_before",
    "500_after",
    "json_500_before",
    "json_500_after",
    "502_before",
    "502_after",
    "close_before",
    "close_after",
    "hang_before",
    "hang_after",
    "garbage",
    "garbage_after",
)

Params = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One request; JSON in its parameters is parsed already."""

    method: str
    path: str
    params: Params
    files: tuple[tuple[str, bytes], ...] = ()
    authorization: str = ""
    client: str = ""

    @property
    def is_for_events(self) -> bool:
        return self.path == f"{API}/events"

    @property
    def needs_key(self) -> bool:
        return self.path != f"{API}/server_settings"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Fault:
    kind: str
    on: str
    when: Callable[[Params], bool] | None
    times: int

    def hits(self, call: Call) -> bool:
        if not fnmatchcase(f"{call.method} {call.path}", self.on):
            return False
        return self.when is None or self.when(call.params)


@dataclass(frozen=True, slots=True)
class Chaos:
    dice: random.Random
    rate: float
    kinds: tuple[str, ...]


class FakeZulip(ZulipState):
    """The server; `with FakeZulip() as zulip:` starts it on a free port and stops it."""

    def __init__(self, *, rate_limit: int | None = None, first_message_id: int = 20) -> None:
        super().__init__(first_message_id)
        self.rate_limit = rate_limit
        self.retry_after = 1.0
        self.hang_seconds = 3600.0  # unless the server is stopped before
        self.calls: list[tuple[float, str, str]] = []
        self.unknown_calls: list[tuple[str, str]] = []
        self.limited = 0
        self.hung = 0
        self._windows: dict[bool, deque[float]] = {True: deque(), False: deque()}
        self._faults: list[Fault] = []
        self._chaos: Chaos | None = None
        self._server: _Server | None = None
        self._reserved: socket.socket | None = None

    # Running

    def __enter__(self) -> FakeZulip:
        self._reserved = reserve_port()
        self.port: int = self._reserved.getsockname()[1]
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
        if self._reserved:
            self._reserved.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listens, on the same port as before and with what was known before."""
        if self._server is None:
            self.running = True
            self._server = _Server(self)

    def stop(self) -> None:
        """Refuses connections from now on; calls that are under way lose theirs."""
        server, self._server = self._server, None
        if server:
            with self.lock:
                self.running = False
                self.lock.notify_all()
            server.close()

    def write_zuliprc(self, path: Path | str) -> Path:
        zuliprc = Path(path)
        zuliprc.touch(0o600)
        zuliprc.write_text(f"[api]\nemail={self.bot_email}\nkey={self.api_key}\nsite={self.url}\n")
        return zuliprc

    # Watching

    def count_calls(self, method: str, path_prefix: str) -> int:
        with self.lock:
            return sum(1 for _, verb, path in self.calls if verb == method and path.startswith(path_prefix))

    def story(self) -> str:
        """Say what happened last, for a test that waited in vain."""
        with self.lock:
            calls = [f"{method} {path}" for _, method, path in self.calls[-5:]]
        sent = [(message.to or message.topic, message.content[:80]) for message in self.sent_by_bot()[-5:]]
        return f"last calls {calls}; last messages of the bot {sent}; unknown calls {self.unknown_calls}"

    # Failing

    def fail(self, kind: str, *, times: int = 1, on: str = SEND, when: Callable[[Params], bool] | None = None) -> None:
        """The next `times` calls that match fail; `on` is a method and a path and may hold `*`.

        What ends in `_after` happens once the call is carried out, everything else instead of it.
        """
        check_kinds([kind])
        with self.lock:
            self._faults.append(Fault(kind, on, when, times))

    def chaos(self, seed: int, rate: float, kinds: Iterable[str]) -> None:
        """Until `calm`, each message sent fails with the probability `rate`, in one of these ways."""
        with self.lock:
            self._chaos = Chaos(random.Random(seed), rate, check_kinds(kinds))

    def calm(self) -> None:
        """Ends the chaos and takes back the faults that nobody has met yet."""
        with self.lock:
            self._chaos = None
            self._faults.clear()

    def will_hang(self, method: str, path: str) -> bool:
        """Say whether the next such call will find a server that hangs."""
        with self.lock:
            fault = next((fault for fault in self._faults if fnmatchcase(f"{method} {path}", fault.on)), None)
            return self.running and fault is not None and fault.kind.startswith("hang")

    def _next_fault(self, call: Call) -> str | None:
        for fault in self._faults:
            if fault.hits(call):
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
                return fault.kind
        chaos = self._chaos
        if chaos and f"{call.method} {call.path}" == SEND and chaos.dice.random() < chaos.rate:
            return chaos.dice.choice(chaos.kinds)
        return None

    def _misbehave(self, kind: str, call: Call, endpoint: BoundEndpoint) -> Reply | None:
        answer = kind.removesuffix("_before").removesuffix("_after")
        done = self._obey(call, endpoint) if kind.endswith("_after") else None
        match answer:
            case "refuse":
                raise RefusedError("Refused")
            case "unauthorized":
                raise unauthorized()
            case "429":
                raise self._too_many(self.retry_after)
            case "hang":
                self.hung += 1
                self.lock.wait_for(lambda: not self.running, self.hang_seconds)
                return done
        return BROKEN_REPLIES.get(answer)

    # Answering

    def answer(self, call: Call) -> Reply | None:
        """The reply to one request; None closes the connection without one."""
        with self.lock:
            self.calls.append((time.monotonic(), call.method, call.path))
            try:
                reply = self._admit(call)
            except RefusedError as refused:
                reply = json_reply(refused.body, refused.status)
                if refused.status == 429:
                    reply = replace(reply, headers={"Retry-After": str(refused.body["retry-after"])})
            except HangUpError:
                return None
            return self._with_limits(call, reply) if reply else None

    def _admit(self, call: Call) -> Reply | None:
        endpoint = find_endpoint(call)
        if endpoint is None:
            self.unknown_calls.append((call.method, call.path))
            raise RefusedError("Resource not found.", status=404)
        if call.needs_key:
            self._identify(call)
            self._count(call)
        kind = self._next_fault(call)
        return self._misbehave(kind, call, endpoint) if kind else self._obey(call, endpoint)

    def _obey(self, call: Call, endpoint: BoundEndpoint) -> Reply:
        try:
            return json_reply({"result": "success", "msg": "", **endpoint(self, call)})
        except RefusedError as refused:
            return json_reply(refused.body, refused.status)

    def _identify(self, call: Call) -> None:
        credentials = base64.b64encode(f"{self.bot_email}:{self.api_key}".encode()).decode()
        if call.authorization != f"Basic {credentials}":
            raise unauthorized()
        if not self._users[self.bot_id].is_active:
            raise RefusedError("Account is deactivated", "USER_DEACTIVATED", 401)

    def _count(self, call: Call) -> None:
        window, now = self._windows[call.is_for_events], time.monotonic()
        while window and window[0] <= now - WINDOW_SECONDS:
            window.popleft()
        if self.rate_limit is not None and len(window) >= self.rate_limit:
            raise self._too_many(window[0] + WINDOW_SECONDS - now)
        window.append(now)

    def _too_many(self, seconds: float) -> RefusedError:
        self.limited += 1
        fields = {"retry-after": seconds}
        return RefusedError("API usage exceeded rate limit", "RATE_LIMIT_HIT", 429, **fields)

    def _with_limits(self, call: Call, reply: Reply) -> Reply:
        if not call.needs_key or reply.status in (401, 404) or reply.content_type != "application/json":
            return reply
        limit = 200 if self.rate_limit is None else self.rate_limit
        used = 1 if self.rate_limit is None else len(self._windows[call.is_for_events])
        limits = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": "0" if reply.status == 429 else str(max(limit - used, 0)),
            "X-RateLimit-Reset": str(int(self.now() + WINDOW_SECONDS)),
        }
        return replace(reply, headers={**reply.headers, **limits})


def check_kinds(kinds: Iterable[str]) -> tuple[str, ...]:
    wanted = tuple(kinds)
    if not wanted or not set(wanted) <= set(FAULTS):
        raise ValueError(f"{wanted} should be some of {FAULTS}")
    return wanted


def unauthorized() -> RefusedError:
    return RefusedError("Not logged in: API authentication or user session required", "UNAUTHORIZED", status=401)


def json_reply(body: Json, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body).encode())


def html_reply(status: int, title: str) -> Reply:
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return Reply(status, page.encode(), "text/html; charset=utf-8")


BROKEN_REPLIES = {
    "500": html_reply(500, "Internal server error"),
    "502": html_reply(502, "502 Bad Gateway"),
    "json_500": json_reply({"result": "error", "msg": "Internal server error"}, 500),
    "garbage": html_reply(200, "Welcome to the hotel's wireless network"),
}


# The parameters of a call


def required(params: Params, name: str) -> Any:
    if name not in params:
        raise RefusedError(f"Missing '{name}' argument", "REQUEST_VARIABLE_MISSING", var_name=name)
    return params[name]


def bad_value(params: Params, name: str) -> RefusedError:
    value = str(params[name])
    return RefusedError(f"Bad value for '{name}': {value}", "REQUEST_VARIABLE_INVALID", var_name=name, bad_value=value)


def number(params: Params, name: str) -> int:
    value = required(params, name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise bad_value(params, name)
    return value


def flag(params: Params, name: str, default: bool) -> bool:
    value = params.get(name, default)
    if not isinstance(value, bool):
        raise bad_value(params, name)
    return value


def some(params: Params, name: str, kind: type[T]) -> list[T]:
    values = required(params, name)
    if not isinstance(values, list) or not all(isinstance(value, kind) for value in values):
        raise bad_value(params, name)
    return values


# The endpoints

Endpoint = Callable[..., Json]
BoundEndpoint = Callable[[ZulipState, Call], Json]
ENDPOINTS: list[tuple[str, re.Pattern[str], Endpoint]] = []


def endpoint(method: str, path: str) -> Callable[[Endpoint], Endpoint]:
    def enlist(answer: Endpoint) -> Endpoint:
        ENDPOINTS.append((method, re.compile(re.escape(API) + path), answer))
        return answer

    return enlist


def answer_parts(answer: Endpoint, parts: tuple[str, ...], zulip: ZulipState, call: Call) -> Json:
    return answer(zulip, call, *parts)


def find_endpoint(call: Call) -> BoundEndpoint | None:
    for method, path, answer in ENDPOINTS:
        if method == call.method and (match := path.fullmatch(call.path)):
            return partial(answer_parts, answer, match.groups())
    return None


@endpoint("GET", "/server_settings")
def server_settings(zulip: FakeZulip, call: Call) -> Json:
    return {
        "authentication_methods": {method: method in ("password", "email") for method in LOGIN_METHODS},
        **VERSION,
        "push_notifications_enabled": False,
        "is_incompatible": False,
        "email_auth_enabled": True,
        "require_email_format_usernames": True,
        "realm_uri": zulip.url,
        "realm_name": "LMS Test Org",
        "realm_icon": "https://secure.gravatar.com/avatar/d41d8cd98f00b204e9800998ecf8427e?d=identicon",
        "realm_description": "<p>The coolest place in the universe.</p>",
        "realm_web_public_access_enabled": False,
        "external_authentication_methods": [],
    }


@endpoint("GET", "/users/me")
def own_user(zulip: ZulipState, call: Call) -> Json:
    bot = zulip.user_json(known_user(zulip, zulip.bot_id), gravatar=True)
    return {**bot, "max_message_id": zulip.newest_received()}


@endpoint("GET", "/users")
def list_users(zulip: ZulipState, call: Call) -> Json:
    gravatar = not flag(call.params, "client_gravatar", True)
    return {"members": [zulip.user_json(user, gravatar=gravatar) for user in zulip.users()]}


@endpoint("GET", "/users/([^/]+)")
def one_user(zulip: ZulipState, call: Call, wanted: str) -> Json:
    user = known_user(zulip, int(wanted) if wanted.isdecimal() else wanted)
    return {"user": zulip.user_json(user, gravatar=not flag(call.params, "client_gravatar", True))}


def known_user(zulip: ZulipState, wanted: int | str) -> User:
    user = zulip.find_user(wanted)
    if user is None:
        raise RefusedError("No such user")
    return user


@endpoint("POST", "/register")
def register(zulip: ZulipState, call: Call) -> Json:
    types = some(call.params, "event_types", str) if "event_types" in call.params else None
    fetched = call.params.get("fetch_event_types", types)
    queue_id = zulip.register(
        types, call.params.get("narrow"), apply_markdown=flag(call.params, "apply_markdown", False)
    )
    limits = {"max_message_length": MAX_MESSAGE_LENGTH, "max_topic_length": MAX_TOPIC_LENGTH}
    newest = {"max_message_id": zulip.newest_received()}
    return {
        "queue_id": queue_id,
        **VERSION,
        **(newest if fetched is None or "message" in fetched else {}),
        **(limits if fetched is None or "realm" in fetched else {}),
        "last_event_id": -1,
    }


@endpoint("GET", "/events")
def get_events(zulip: ZulipState, call: Call) -> Json:
    queue_id = required(call.params, "queue_id")
    block = not flag(call.params, "dont_block", False)
    return {"events": zulip.poll(queue_id, number(call.params, "last_event_id"), block=block)}


@endpoint("DELETE", "/events")
def delete_queue(zulip: ZulipState, call: Call) -> Json:
    zulip.drop_queue(required(call.params, "queue_id"))
    return {}


@endpoint("POST", "/messages")
def send_message(zulip: ZulipState, call: Call) -> Json:
    kind, to, content = (required(call.params, name) for name in ("type", "to", "content"))
    widget = checked_widget(call.params.get("widget_content"))
    if kind in ("private", "direct"):
        people = direct_recipients(zulip, to)
        message = zulip.store(zulip.bot_id, content, to=people, client=call.client, widget=widget)
    elif kind in ("stream", "channel"):
        stream, topic = stream_to_write(zulip, to), topic_to_write(call.params)
        message = zulip.store(zulip.bot_id, content, stream=stream, topic=topic, client=call.client, widget=widget)
    else:
        raise RefusedError("Invalid type")
    return {"id": message.id}


def checked_widget(widget: str | None) -> str | None:
    try:
        return None if widget is None else json.dumps(json.loads(widget))
    except ValueError:
        raise RefusedError("Widgets: API programmer sent invalid JSON content") from None


def direct_recipients(zulip: ZulipState, to: object) -> list[int]:
    wanted = to.split(",") if isinstance(to, str) else to if isinstance(to, list) else [to]
    if not wanted:
        raise RefusedError("Message must have recipients")
    if len({type(one) for one in wanted}) > 1:
        raise RefusedError("Recipient lists may contain emails or user IDs, but not both.")
    return [writable_user(zulip, one).user_id for one in wanted]


def writable_user(zulip: ZulipState, wanted: object) -> User:
    user = zulip.find_user(wanted)
    if user is None:
        raise RefusedError(f"Invalid email '{wanted}'" if isinstance(wanted, str) else f"Invalid user ID {wanted}")
    if not user.is_active:
        raise RefusedError(f"'{user.email}' is no longer using Zulip.")
    return user


def stream_to_write(zulip: ZulipState, to: object) -> Stream:
    if isinstance(to, list):
        if len(to) != 1:
            raise RefusedError("Expected exactly one stream")
        return stream_to_write(zulip, to[0])
    stream = zulip.find_stream(to)
    if stream is None and isinstance(to, int):
        msg = f"Stream with ID '{to}' does not exist"
        raise RefusedError(msg, "STREAM_WITH_ID_DOES_NOT_EXIST", stream_id=to)
    if stream is None:
        raise RefusedError(f"Stream '{to}' does not exist", "STREAM_DOES_NOT_EXIST", stream=to)
    if zulip.visible_stream(to) is None:
        raise RefusedError(f"Not authorized to send to stream '{stream.name}'")
    return stream


def topic_to_write(params: Params) -> str:
    topic: str | None = params.get("topic", params.get("subject"))
    if topic is None:
        raise RefusedError("Missing topic")
    if not topic.strip():
        raise RefusedError("Topic can't be empty!")
    return topic


@endpoint("GET", "/messages")
def get_messages(zulip: ZulipState, call: Call) -> Json:
    before, after = number(call.params, "num_before"), number(call.params, "num_after")
    if before < 0 or after < 0:
        raise bad_value(call.params, "num_before" if before < 0 else "num_after")
    if before + after > MAX_FETCHED_MESSAGES:
        raise RefusedError(f"Too many messages requested (maximum {MAX_FETCHED_MESSAGES}).")
    narrow = call.params.get("narrow")
    matches = zulip.parse_narrow(narrow)
    found = [m for m in zulip.received(history_of=zulip.history_stream(narrow)) if matches(m)]
    anchor = find_anchor(zulip, call.params, found)
    page = Page.around(anchor, before, after, flag(call.params, "include_anchor", True), found)
    raw = not flag(call.params, "apply_markdown", True)
    return {
        "messages": [fetched_message(zulip, message, raw=raw) for message in page.messages],
        "found_anchor": page.found_anchor,
        "found_oldest": page.found_oldest,
        "found_newest": page.found_newest,
        "history_limited": False,
        "anchor": anchor,
    }


def fetched_message(zulip: ZulipState, message: Message, *, raw: bool) -> Json:
    flags = sorted(zulip.flags_of(message.id))
    return {**zulip.message_json(message, apply_markdown=not raw), "flags": flags}


def find_anchor(zulip: ZulipState, params: Params, found: list[Message]) -> int:
    if "anchor" not in params:
        raise RefusedError("Missing 'anchor' argument.")
    match params["anchor"]:
        case "newest":
            return BEYOND_NEWEST
        case "oldest":
            return 0
        case "first_unread":
            unread = (message.id for message in found if "read" not in zulip.flags_of(message.id))
            return next(unread, BEYOND_NEWEST)
        case bool() | float() | list() | dict() | str() | None:
            raise RefusedError("Invalid anchor")
    return min(max(int(params["anchor"]), 0), BEYOND_NEWEST)


@dataclass(frozen=True, slots=True)
class Page:
    messages: list[Message]
    found_anchor: bool
    found_oldest: bool
    found_newest: bool

    @classmethod
    def around(cls, anchor: int, before: int, after: int, include: bool, found: list[Message]) -> Page:
        """The messages around `anchor`; with room on neither side only the anchor itself is looked for."""
        at_start, at_end = anchor == 0, anchor == BEYOND_NEWEST
        older = [m for m in found if m.id < anchor and not at_start]
        newer = [m for m in found if m.id > anchor and not at_end]
        exact = [m for m in found if m.id == anchor and (include or not (before or after))]
        older, newer = older[len(older) - min(before, len(older)) :], newer[:after]
        oldest, newest = at_start or len(older) < before, at_end or len(newer) < after
        return cls([*older, *exact, *newer], bool(exact), oldest, newest)


@endpoint("POST", "/messages/flags")
def update_flags(zulip: ZulipState, call: Call) -> Json:
    message_ids = some(call.params, "messages", int)
    op, name = required(call.params, "op"), required(call.params, "flag")
    if name not in ("read", "starred"):
        raise RefusedError(f"Invalid flag: '{name}'")
    if op not in ("add", "remove"):
        raise RefusedError(f"Invalid message flag operation: '{op}'")
    zulip.set_flag(message_ids, name, add=op == "add")
    return {"messages": message_ids}


@endpoint("POST", "/messages/render")
def render_message(zulip: ZulipState, call: Call) -> Json:
    return {"rendered": render(required(call.params, "content"))}


@endpoint("PATCH", r"/messages/(\d+)")
def edit_message(zulip: ZulipState, call: Call, message_id: str) -> Json:
    if "content" not in call.params:
        raise RefusedError("Nothing to change")
    zulip.edit(int(message_id), call.params["content"])
    return {}


@endpoint("DELETE", r"/messages/(\d+)")
def delete_message(zulip: ZulipState, call: Call, message_id: str) -> Json:
    zulip.delete(int(message_id))
    return {}


@endpoint("POST", r"/messages/(\d+)/reactions")
def add_reaction(zulip: ZulipState, call: Call, message_id: str) -> Json:
    message = zulip.access(int(message_id))
    zulip.react(zulip.bot_id, message.id, required(call.params, "emoji_name"))
    return {}


@endpoint("DELETE", r"/messages/(\d+)/reactions")
def remove_reaction(zulip: ZulipState, call: Call, message_id: str) -> Json:
    message = zulip.access(int(message_id))
    zulip.unreact(zulip.bot_id, message.id, required(call.params, "emoji_name"))
    return {}


@endpoint("POST", "/user_uploads")
def upload(zulip: ZulipState, call: Call) -> Json:
    if not call.files:
        raise RefusedError("You must specify a file to upload")
    if len(call.files) > 1:
        raise RefusedError("You may only upload one file at a time")
    name, content = call.files[0]
    if len(content) > MAX_UPLOAD_BYTES:
        raise RefusedError("Uploaded file is larger than the allowed limit of 25 MiB")
    safe_name = re.sub(r"[^\w.-]", "", name.replace(" ", "-")) or "uploaded-file"
    path = f"/user_uploads/2/{secrets.token_hex(1)}/{secrets.token_urlsafe(18)}/{safe_name}"
    zulip.uploads.append((path, content))
    return {"uri": path}


@endpoint("GET", "/streams")
def list_streams(zulip: ZulipState, call: Call) -> Json:
    public = flag(call.params, "include_public", True)
    subscribed = flag(call.params, "include_subscribed", True)
    return {
        "streams": [
            zulip.stream_json(stream)
            for stream in zulip.streams()
            if (public and not stream.private) or (subscribed and zulip.bot_id in stream.subscribers)
        ]
    }


@endpoint("GET", "/get_stream_id")
def stream_id_by_name(zulip: ZulipState, call: Call) -> Json:
    name = required(call.params, "stream")
    return {"stream_id": seen_stream(zulip, name, f"Invalid stream name '{name}'").stream_id}


@endpoint("GET", r"/streams/(\d+)/members")
def stream_members(zulip: ZulipState, call: Call, stream_id: str) -> Json:
    return {"subscribers": zulip.subscriber_ids(seen_stream(zulip, int(stream_id), "Invalid stream ID"))}


@endpoint("GET", r"/streams/(\d+)")
def one_stream(zulip: ZulipState, call: Call, stream_id: str) -> Json:
    return {"stream": zulip.stream_json(seen_stream(zulip, int(stream_id), "Invalid stream ID"))}


def seen_stream(zulip: ZulipState, wanted: int | str, problem: str) -> Stream:
    stream = zulip.visible_stream(wanted)
    if stream is None:
        raise RefusedError(problem)
    return stream


@endpoint("GET", "/users/me/subscriptions")
def list_subscriptions(zulip: ZulipState, call: Call) -> Json:
    own = [stream for stream in zulip.streams() if zulip.bot_id in stream.subscribers]
    personal = {"color": "#76ce90", "is_muted": False, "pin_to_top": False, "in_home_view": True}
    return {"subscriptions": [{**zulip.stream_json(stream), **personal} for stream in own]}


@endpoint("POST", "/users/me/subscriptions")
def subscribe(zulip: ZulipState, call: Call) -> Json:
    joined: dict[str, list[str]] = {}
    already: dict[str, list[str]] = {}
    for wanted in some(call.params, "subscriptions", dict):
        name = wanted["name"]
        stream = joinable_stream(zulip, name, private=flag(call.params, "invite_only", False))
        outcome = already if zulip.bot_id in stream.subscribers else joined
        outcome.setdefault(zulip.bot_email, []).append(stream.name)
        zulip.subscribe(stream.name, zulip.bot_id)
    return {"subscribed": joined, "already_subscribed": already}


def joinable_stream(zulip: ZulipState, name: str, *, private: bool) -> Stream:
    """The stream of that name; as on the real server, one that is not there is made."""
    if zulip.find_stream(name) is None:
        zulip.add_stream(name, private=private, subscribers=[])
        stream = zulip.find_stream(name)
    else:
        stream = zulip.visible_stream(name)
    if stream is None:
        raise RefusedError(f"Unable to access stream ({name}).")
    return stream


# The socket


def reserve_port() -> socket.socket:
    """A bound socket that never listens: the port stays ours while the server is down, and refuses."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, zulip: FakeZulip) -> None:
        self.zulip = zulip
        self.open: dict[threading.Thread, socket.socket] = {}
        super().__init__(("127.0.0.1", zulip.port), _Handler)
        self.loop = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self.loop.start()

    def server_bind(self) -> None:
        """Binds without asking a name server for this machine's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.zulip.port

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self.open[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.open.pop(threading.current_thread(), None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing about clients that went away, and prints the traceback of anything else."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def close(self) -> None:
        self.shutdown()
        self.loop.join()
        self.server_close()
        for thread, connection in list(self.open.items()):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = self.server.zulip.answer(read_call(self.command, self.path, self.headers, body))
        if reply is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(self.server.zulip.now() if timestamp is None else timestamp)

    def log_message(self, format: str, *args: Any) -> None:
        """Keeps the log of requests out of the tests' output; see `calls`."""


def read_call(method: str, target: str, headers: Headers, body: bytes) -> Call:
    url = urlsplit(target)
    fields = parse_qsl(url.query, keep_blank_values=True)
    files: list[tuple[str, bytes]] = []
    if headers.get_content_type() == "application/x-www-form-urlencoded":
        fields += parse_qsl(body.decode(), keep_blank_values=True)
    elif headers.get_content_type() == "multipart/form-data":
        files = read_files(headers.get_boundary(""), body)
    return Call(
        method,
        unquote(url.path),
        {name: read_parameter(name, value) for name, value in fields},
        tuple(files),
        headers.get("Authorization", ""),
        re.split("[/ ]", headers.get("User-Agent", ""))[0],
    )


def read_files(boundary: str, body: bytes) -> list[tuple[str, bytes]]:
    parts = (part.partition(b"\r\n\r\n") for part in body.split(b"--" + boundary.encode())[1:-1])
    named = ((re.search(rb'filename="([^"]*)"', head), content) for head, _, content in parts)
    return [(name[1].decode(), content.removesuffix(b"\r\n")) for name, content in named if name]


def read_parameter(name: str, value: str) -> Any:
    if name in TEXT_PARAMETERS:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
