"""Calls to Zulip whose outcome is always one of three: accepted, refused, unknown."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from lms_bot.chat.connection import Connection, connect
from lms_bot.chat.rate_limit import Purpose, RateLimiter
from lms_bot.core.notifications import Recipient
from lms_bot.core.operations.meter import Meter, SendOutcome
from lms_bot.core.people import ZulipUser
from lms_bot.errors import ConfigError, OutcomeUnknown, Refused, SendError

TIMEOUT = 10.0  # seconds for one call
EVENTS_TIMEOUT = 90.0  # seconds; Zulip sends a heartbeat every 45 to 55
LONGEST_WAIT = 45.0  # seconds that a call waits for its turn: less than a message is left to its sender (LOOK_AFTER)
PAGE = 100  # messages read in one call
GUEST = 600  # Zulip's role number


@dataclass(frozen=True, slots=True)
class Bot:
    """Who we are in Zulip; `max_message_id` is the highest id that Zulip had given us when it was asked."""

    user_id: int
    full_name: str
    max_message_id: int
    is_bot: bool = True


@dataclass(frozen=True, slots=True)
class Stream:
    """A channel that the bot can see."""

    stream_id: int
    name: str
    is_private: bool


@dataclass(frozen=True, slots=True)
class Server:
    """A Zulip server; `ahead` says how far its clock is ahead of ours, give or take a second; None if it has no say."""

    version: str
    feature_level: int
    ahead: timedelta | None


class Chat:
    """Zulip as one thread uses it; several share a RateLimiter. Connects when it is first needed."""

    def __init__(
        self,
        config_file: Path | str | None,
        rate_limiter: RateLimiter,
        timeout: float = TIMEOUT,
        meter: Meter | None = None,
    ) -> None:
        self.meter = meter or Meter()
        self._config_file = str(config_file) if config_file is not None else None
        self._rate_limiter = rate_limiter
        self._timeout = timeout
        self._client: Connection | None = None
        self._bot: Bot | None = None
        self._organisation: str | None = None

    def wait_for_turn(self, most_seconds: float) -> bool:
        """Wait for the next delivery's turn; return False if it does not come within `most_seconds`."""
        return self._rate_limiter.acquire(Purpose.DELIVER, most_seconds)

    @property
    def is_blocked(self) -> bool:
        """Return whether Zulip asked for a pause that is not over."""
        return self._rate_limiter.is_blocked

    @property
    def version(self) -> str | None:
        """Return Zulip's version, as it said when we connected; None before that."""
        return self._client.zulip_version if self._client else None

    def send(self, recipient: Recipient, content: str, *, purpose: Purpose = Purpose.REPLY) -> int:
        """Send a message and return its id. Raises Refused or OutcomeUnknown. A delivery has taken its turn before."""
        if recipient.stream_id is None:
            where: dict[str, Any] = {"type": "private", "to": list(recipient.user_ids)}
        else:
            where = {"type": "stream", "to": recipient.stream_id, "topic": recipient.topic}
        kind = "delivery" if purpose is Purpose.DELIVER else "reply"
        try:
            answer = self._call("POST", "messages", {**where, "content": content}, purpose)
            if not isinstance(answer.get("id"), int):
                raise OutcomeUnknown("Zulip's answer has no message id")
        except SendError as error:
            self.meter.sent(kind, _outcome(error))
            raise
        self.meter.sent(kind, SendOutcome.ACCEPTED)
        return int(answer["id"])

    def edit(self, message_id: int, content: str) -> None:
        """Replace the text of one of our messages. Raises SendError; twice does no harm."""
        self._call("PATCH", f"messages/{message_id}", {"content": content})

    def delete(self, message_id: int) -> None:
        """Delete one of our messages. Raises SendError; Zulip refuses for good what is gone already."""
        self._call("DELETE", f"messages/{message_id}", {})

    def upload(self, name: str, content: bytes) -> str:
        """Upload a file and return its URI, for a link; twice does no harm. Raises Refused or OutcomeUnknown."""
        file = io.BytesIO(content)
        file.name = name
        answer = self._call("POST", "user_uploads", {}, Purpose.REPLY, files=[file])
        if not isinstance(answer.get("uri"), str):
            raise OutcomeUnknown("Zulip's answer has no URI")
        return str(answer["uri"])

    def find(self, recipient: Recipient, content: str, above: int) -> list[int]:
        """Return ids above `above` of our messages to this recipient with exactly this text, oldest first."""
        if recipient.stream_id is None:
            where: list[dict[str, Any]] = [{"operator": "dm", "operand": list(recipient.user_ids)}]
        else:
            where = [
                {"operator": "stream", "operand": recipient.stream_id},
                {"operator": "topic", "operand": recipient.topic},
            ]
        narrow = [*where, {"operator": "sender", "operand": self.bot().user_id}]
        return [m["id"] for m in self._messages_above(narrow, above) if m.get("content") == content]

    def questions(self, above: int) -> list[Mapping[str, Any]]:
        """Return direct messages and mentions with ids above `above` that are not our own, oldest first."""
        me = self.bot().user_id
        found: dict[int, Mapping[str, Any]] = {}
        for operand in ("dm", "mentioned"):
            for message in self._messages_above([{"operator": "is", "operand": operand}], above):
                if message.get("sender_id") != me:
                    found[message["id"]] = message
        return [found[message_id] for message_id in sorted(found)]

    def message(self, message_id: int) -> Mapping[str, Any] | None:
        """Return a message that we received, as it is now; None if it is gone or not for us."""
        request = {"anchor": message_id, "num_before": 0, "num_after": 0, "apply_markdown": False}
        found = self._call("GET", "messages", request)["messages"]
        return next((message for message in found if message["id"] == message_id), None)

    def register(self, event_types: Collection[str]) -> tuple[str, int]:
        """Register a queue for these events; return its id and the number of the last event before it."""
        request = {"event_types": list(event_types), "fetch_event_types": ["message"], "apply_markdown": False}
        answer = self._call("POST", "register", request)
        return answer["queue_id"], answer["last_event_id"]

    def events(self, queue_id: str, last_event_id: int) -> list[Mapping[str, Any]]:
        """Wait for what comes after an event. Raises Refused for good where the queue is gone.

        Zulip counts these calls apart from all others.
        """
        request = {"queue_id": queue_id, "last_event_id": last_event_id}
        client = self._connected()
        answer = client.call("GET", "events", request, None, EVENTS_TIMEOUT)
        return list(self._accepted(answer, client.status or 0)["events"])

    def bot(self) -> Bot:
        """Return who we are; Zulip is asked once. Raises ConfigError where we would be a person."""
        if self._bot is None:
            me = self.profile()
            if not me.is_bot:
                raise ConfigError(
                    "the zuliprc is that of a person, who would answer everybody: download the one of a bot, of the "
                    "type Generic bot"
                )
            self._bot = me
        return self._bot

    def profile(self) -> Bot:
        """Return who we are and the highest message id now."""
        me = self._call("GET", "users/me", {})
        return Bot(me["user_id"], me["full_name"], me.get("max_message_id") or 0, bool(me.get("is_bot", True)))

    def users(self) -> list[ZulipUser]:
        """Return every account of the organisation."""
        members = self._call("GET", "users", {"client_gravatar": True})["members"]
        return [
            ZulipUser(
                user_id=member["user_id"],
                full_name=member.get("full_name") or "",
                email=member.get("delivery_email") or member.get("email"),
                is_active=bool(member.get("is_active", True)),
                is_bot=bool(member.get("is_bot")),
                is_guest=bool(member.get("is_guest")) or member.get("role") == GUEST,
                timezone=member.get("timezone") or "",
                is_administrator=_is_administrator(member),
            )
            for member in members
        ]

    def is_administrator(self, user_id: int) -> bool:
        """Return whether somebody administers the organisation now; neither a bot nor a deactivated account does."""
        return _is_administrator(self._call("GET", f"users/{user_id}", {"client_gravatar": True})["user"])

    def stream(self, name: str | int) -> Stream | None:
        """Return the channel of this name (any case) or id, if the bot can see it."""
        streams = self._call("GET", "streams", {"include_public": True, "include_subscribed": True})["streams"]
        for stream in streams:
            if name == stream["stream_id"] or (isinstance(name, str) and stream["name"].casefold() == name.casefold()):
                return Stream(stream["stream_id"], stream["name"], bool(stream.get("invite_only")))
        return None

    def members(self, stream_id: int) -> list[int]:
        """Return the user ids of everybody in a channel that the bot can see."""
        return list(self._call("GET", f"streams/{stream_id}/members", {})["subscribers"])

    def server(self) -> Server:
        """Return which server this is."""
        settings = self._call("GET", "server_settings", {})
        ahead = self._connected().ahead
        return Server(settings.get("zulip_version") or "", settings.get("zulip_feature_level") or 0, ahead)

    def organisation(self) -> str:
        """Return the host of the organisation that we are in, "" if the server does not say; it is asked once.

        Raises SendError.
        """
        if self._organisation is None:
            settings = self._call("GET", "server_settings", {})
            url = settings.get("realm_url") or settings.get("realm_uri") or ""
            self._organisation = urlsplit(url).netloc.casefold()
        return self._organisation

    def is_subscribed(self, stream_id: int) -> bool:
        """Return whether the bot is in this channel, and so gets what is written there."""
        subscriptions = self._call("GET", "users/me/subscriptions", {})["subscriptions"]
        return any(stream["stream_id"] == stream_id for stream in subscriptions)

    def _messages_above(self, narrow: list[dict[str, Any]], above: int) -> Iterator[dict[str, Any]]:
        while True:
            request = {
                "anchor": above,
                "include_anchor": False,
                "num_before": 0,
                "num_after": PAGE,
                "narrow": narrow,
                "apply_markdown": False,
            }
            answer = self._call("GET", "messages", request)
            messages = [m for m in answer["messages"] if m["id"] > above]
            yield from messages
            if answer.get("found_newest", True) or not messages:
                return
            above = messages[-1]["id"]

    def _call(
        self,
        method: str,
        url: str,
        request: dict[str, Any],
        purpose: Purpose = Purpose.READ,
        files: list[IO[bytes]] | None = None,
    ) -> dict[str, Any]:
        if purpose is not Purpose.DELIVER and not self._rate_limiter.acquire(purpose, LONGEST_WAIT):
            raise Refused("no turn came within the pace of calls")
        client = self._connected()
        return self._accepted(client.call(method, url, request, files, self._timeout), client.status or 0)

    def _accepted(self, answer: Any, status: int) -> dict[str, Any]:
        """Return the answer if it says success. Source: Zulip's error handling; `msg` is translated, `code` is not."""
        if not isinstance(answer, dict):
            raise OutcomeUnknown("Zulip's answer is no JSON object")
        if answer.get("result") == "success":
            return answer
        if status == 413:
            raise Refused("Zulip refused: too large", permanent=True)
        if answer.get("result") != "error" or not 400 <= status < 500:
            raise OutcomeUnknown(f"Zulip answered with status {status or answer.get('status_code')}")
        code = answer.get("code") or "BAD_REQUEST"
        if status == 429:
            pause = float(answer.get("retry-after") or 1.0)
            self._rate_limiter.block(pause)
            raise Refused("Zulip asked us to slow down", retry_after=pause)
        raise Refused(f"Zulip refused: {code}: {answer.get('msg')}", permanent=status == 400)

    def _connected(self) -> Connection:
        if self._client is None:
            self._client = connect(self._config_file)
        return self._client


def _is_administrator(member: Mapping[str, Any]) -> bool:
    """Return whether an account is an active person who is administrator or owner."""
    is_person = bool(member.get("is_active", True)) and not member.get("is_bot")
    return is_person and bool(member.get("is_admin") or member.get("is_owner"))


def _outcome(error: SendError) -> SendOutcome:
    if not isinstance(error, Refused):
        return SendOutcome.UNKNOWN
    return SendOutcome.REFUSED if error.permanent else SendOutcome.PUT_OFF
