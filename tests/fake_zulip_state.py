"""What a Zulip server knows: its people, streams, messages and event queues, as one bot may see them."""

from __future__ import annotations

import hashlib
import html
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

Json = dict[str, Any]
Test = Callable[["Message"], bool]

MAX_MESSAGE_LENGTH = 10_000
MAX_TOPIC_LENGTH = 60
EDIT_SECONDS = 600
BEYOND_NEWEST = 10_000_000_000_000_000
DATE_JOINED = "2026-11-20T20:51:10.940452+00:00"
# A name that is not here is refused as the server refuses a misspelled one; add what the product uses.
EMOJI = {
    "+1": "1f44d",
    "-1": "1f44e",
    "check": "2705",
    "check_mark": "2714",
    "cross_mark": "274c",
    "eyes": "1f440",
    "fire": "1f525",
    "heart": "2764",
    "hourglass": "231b",
    "octopus": "1f419",
    "question": "2753",
    "rocket": "1f680",
    "smile": "1f642",
    "tada": "1f389",
    "thumbs_up": "1f44d",
    "warning": "26a0",
    "wave": "1f44b",
    "working_on_it": "1f6e0",
}


class RefusedError(Exception):
    """An error answer in Zulip's JSON."""

    def __init__(self, msg: str, code: str = "BAD_REQUEST", status: int = 400, **fields: object) -> None:
        super().__init__(msg)
        self.status = status
        self.body: Json = {"result": "error", "msg": msg, **fields, "code": code}


class HangUpError(Exception):
    """The server goes down while a call waits for its answer."""


@dataclass(frozen=True, slots=True)
class User:
    user_id: int
    full_name: str
    delivery_email: str
    is_bot: bool = False
    is_active: bool = True
    is_guest: bool = False
    timezone: str = ""
    hidden_email: bool = False
    is_admin: bool = False

    @property
    def email(self) -> str:
        """The address that others see, and the only one by which they find the person."""
        return f"user{self.user_id}@zulip.example.com" if self.hidden_email else self.delivery_email


@dataclass(frozen=True, slots=True)
class Stream:
    stream_id: int
    name: str
    private: bool
    subscribers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message; `to` are the recipients but the sender, sorted; `timestamp` is in epoch seconds."""

    id: int
    sender_id: int
    type: str
    to: tuple[int, ...]
    stream_id: int | None
    topic: str
    content: str
    timestamp: int
    client: str = "website"
    widget: str | None = None

    @property
    def people(self) -> frozenset[int]:
        return frozenset((*self.to, self.sender_id))


@dataclass(slots=True)
class Queue:
    queue_id: str
    event_types: frozenset[str] | None
    apply_markdown: bool
    matches: Test
    events: list[Json] = field(default_factory=list)
    next_id: int = 0
    newest_pruned: int = -1

    def wants(self, event_type: str) -> bool:
        return self.event_types is None or event_type in self.event_types

    def push(self, event: Json) -> None:
        self.events.append({**event, "id": self.next_id})
        self.next_id += 1

    def acknowledge(self, last_event_id: int) -> None:
        if last_event_id < self.newest_pruned:
            raise RefusedError(f"An event newer than {last_event_id} has already been pruned!")
        known = [event["id"] for event in self.events if event["id"] <= last_event_id]
        self.newest_pruned = max([self.newest_pruned, *known])
        self.events = [event for event in self.events if event["id"] > last_event_id]


class ZulipState:
    """One realm with one bot; `lock` guards everything, and every event wakes those who wait on it."""

    bot_id = 13
    bot_email = "lms-bot@zulip.example.com"
    bot_name = "LMS Bot"
    bot_owner_id = 6
    api_key = "abcdefghijklmnopqrstuvwxyz012345"

    def __init__(self, first_message_id: int) -> None:
        self.lock = threading.Condition()
        self.running = False
        self.clock_offset = 0.0
        self.heartbeat_seconds = 20.0
        self.emoji = dict(EMOJI)
        self.uploads: list[tuple[str, bytes]] = []
        self._users = {self.bot_id: User(self.bot_id, self.bot_name, self.bot_email, is_bot=True)}
        self._streams: dict[int, Stream] = {}
        self._messages: dict[int, Message] = {}
        self._flags: dict[int, set[str]] = {}
        self._reactions: dict[int, list[tuple[int, str]]] = {}
        self._queues: dict[str, Queue] = {}
        self._recipient_ids: dict[object, int] = {}
        self._edits: dict[int, list[Json]] = {}
        self._first_message_id = self._next_message_id = first_message_id

    def now(self) -> float:
        return time.time() + self.clock_offset

    # People

    def add_user(
        self,
        full_name: str,
        email: str,
        *,
        user_id: int | None = None,
        is_bot: bool = False,
        is_active: bool = True,
        is_guest: bool = False,
        timezone: str = "",
        hidden_email: bool = False,
        is_admin: bool = False,
    ) -> int:
        with self.lock:
            new_id = max(self._users) + 1 if user_id is None else user_id
            if new_id in self._users or email in {user.delivery_email for user in self._users.values()}:
                raise ValueError(f"{email} or user id {new_id} is there already")
            person = User(new_id, full_name, email, is_bot, is_active, is_guest, timezone, hidden_email, is_admin)
            self._users[new_id] = person
            return new_id

    def deactivate(self, user_id: int) -> None:
        with self.lock:
            self._users[user_id] = replace(self._users[user_id], is_active=False)

    def reactivate(self, user_id: int) -> None:
        with self.lock:
            self._users[user_id] = replace(self._users[user_id], is_active=True)

    def change_user(self, user_id: int, **values: Any) -> None:
        """Let somebody be another kind of account, or hide their address, or show it."""
        with self.lock:
            self._users[user_id] = replace(self._users[user_id], **values)
            self._announce("realm_user", op="update", person={"user_id": user_id, **values})

    def rename_bot(self, full_name: str) -> None:
        with self.lock:
            self.bot_name = full_name
            self.change_user(self.bot_id, full_name=full_name)

    def users(self) -> list[User]:
        return sorted(self._users.values(), key=lambda user: user.delivery_email)

    def find_user(self, wanted: object) -> User | None:
        """The person with this user id or visible e-mail address."""
        if isinstance(wanted, str):
            return next((u for u in self._users.values() if u.email.lower() == wanted.strip().lower()), None)
        return self._users.get(wanted) if isinstance(wanted, int) else None

    def user_json(self, user: User, *, gravatar: bool) -> Json:
        digest = hashlib.md5(user.email.encode()).hexdigest()
        avatar = f"https://secure.gravatar.com/avatar/{digest}?d=identicon&version=1"
        found: Json = {
            "email": user.email,
            "user_id": user.user_id,
            "avatar_version": 1,
            "is_admin": user.is_admin,
            "is_owner": False,
            "is_guest": user.is_guest,
            "is_billing_admin": False,
            "role": 600 if user.is_guest else 200 if user.is_admin else 400,
            "is_bot": user.is_bot,
            "full_name": user.full_name,
            "timezone": user.timezone,
            "is_active": user.is_active,
            "date_joined": DATE_JOINED,
            "delivery_email": None if user.hidden_email else user.delivery_email,
            "avatar_url": avatar if gravatar or user.hidden_email else None,
        }
        if user.is_bot:
            found |= {"bot_type": 1, "bot_owner_id": self.bot_owner_id}
        return found

    # Streams

    def add_stream(self, name: str, *, private: bool = True, subscribers: Iterable[int] = ()) -> int:
        """A new stream with exactly these subscribers; the bot is in it only if it is named."""
        with self.lock:
            if self.find_stream(name):
                raise ValueError(f"stream {name!r} is there already")
            stream_id = max(self._streams, default=0) + 1
            people = frozenset(self._users[user_id].user_id for user_id in subscribers)
            self._streams[stream_id] = Stream(stream_id, name, private, people)
            return stream_id

    def make_public(self, name: str) -> None:
        with self.lock:
            stream = self._stream(name)
            self._streams[stream.stream_id] = replace(stream, private=False)
            self._announce("stream", op="update", property="invite_only", value=False, stream_id=stream.stream_id)

    def make_private(self, name: str) -> None:
        with self.lock:
            stream = self._stream(name)
            self._streams[stream.stream_id] = replace(stream, private=True)
            self._announce("stream", op="update", property="invite_only", value=True, stream_id=stream.stream_id)

    def rename_stream(self, name: str, new_name: str) -> None:
        with self.lock:
            stream = self._stream(name)
            self._streams[stream.stream_id] = replace(stream, name=new_name)
            self._announce("stream", op="update", property="name", value=new_name, stream_id=stream.stream_id)

    def subscribe(self, name: str, user_id: int) -> None:
        with self.lock:
            stream = self._stream(name)
            people = stream.subscribers | {self._users[user_id].user_id}
            self._streams[stream.stream_id] = replace(stream, subscribers=people)
            self._announce("subscription", op="add" if user_id == self.bot_id else "peer_add")

    def unsubscribe(self, name: str, user_id: int) -> None:
        with self.lock:
            stream = self._stream(name)
            self._streams[stream.stream_id] = replace(stream, subscribers=stream.subscribers - {user_id})
            self._announce("subscription", op="remove" if user_id == self.bot_id else "peer_remove")

    def streams(self) -> list[Stream]:
        return list(self._streams.values())

    def find_stream(self, wanted: object) -> Stream | None:
        if isinstance(wanted, str):
            return next((s for s in self._streams.values() if s.name.lower() == wanted.lower()), None)
        return self._streams.get(wanted) if isinstance(wanted, int) else None

    def visible_stream(self, wanted: object) -> Stream | None:
        stream = self.find_stream(wanted)
        return stream if stream and (not stream.private or self.bot_id in stream.subscribers) else None

    def subscriber_ids(self, stream: Stream) -> list[int]:
        return sorted(user_id for user_id in stream.subscribers if self._users[user_id].is_active)

    def stream_json(self, stream: Stream) -> Json:
        ids = [message.id for message in self._messages.values() if message.stream_id == stream.stream_id]
        return {
            "can_remove_subscribers_group": 11,
            "date_created": 1795207873,
            "description": "",
            "first_message_id": min(ids, default=None),
            "history_public_to_subscribers": True,
            "invite_only": stream.private,
            "is_web_public": False,
            "message_retention_days": None,
            "name": stream.name,
            "rendered_description": "",
            "stream_id": stream.stream_id,
            "stream_post_policy": 1,
            "is_announcement_only": False,
            "stream_weekly_traffic": None,
        }

    def _stream(self, wanted: object) -> Stream:
        stream = self.find_stream(wanted)
        if stream is None:
            raise ValueError(f"no stream {wanted!r}")
        return stream

    # Messages

    def say(
        self,
        user_id: int,
        content: str,
        *,
        to_stream: str | int | None = None,
        topic: str = "bot",
        group: Iterable[int] = (),
    ) -> int:
        """A person writes to the bot (and to `group`), or to a stream; gives the id of the message."""
        with self.lock:
            if not self._users[user_id].is_active:
                raise ValueError(f"{self._users[user_id].full_name} is deactivated and cannot write")
            if to_stream is None:
                people = {self.bot_id, *(self._users[other].user_id for other in group)}
                return self.store(user_id, content, to=people).id
            stream = self._stream(to_stream)
            if stream.private and user_id not in stream.subscribers:
                raise ValueError(f"{self._users[user_id].full_name} is not in {stream.name} and cannot write there")
            return self.store(user_id, content, stream=stream, topic=topic).id

    def react(self, user_id: int, message_id: int, emoji_name: str) -> None:
        """A person (or the bot) reacts to a message."""
        with self.lock:
            reactions = self._reactions[message_id]
            if (user_id, emoji_name) in reactions:
                raise RefusedError("Reaction already exists.", "REACTION_ALREADY_EXISTS")
            if emoji_name not in self.emoji:
                raise RefusedError(f"Emoji '{emoji_name}' does not exist")
            reactions.append((user_id, emoji_name))
            self._announce_reaction("add", user_id, message_id, emoji_name)

    def unreact(self, user_id: int, message_id: int, emoji_name: str) -> None:
        with self.lock:
            if (user_id, emoji_name) not in self._reactions[message_id]:
                raise RefusedError("Reaction doesn't exist.", "REACTION_DOES_NOT_EXIST")
            self._reactions[message_id].remove((user_id, emoji_name))
            self._announce_reaction("remove", user_id, message_id, emoji_name)

    @property
    def messages(self) -> list[Message]:
        with self.lock:
            return list(self._messages.values())

    def sent_by_bot(self) -> list[Message]:
        return [message for message in self.messages if message.sender_id == self.bot_id]

    def direct_to(self, user_id: int) -> list[Message]:
        """The direct messages, group ones too, that the bot sent to this person, oldest first."""
        return [m for m in self.sent_by_bot() if m.type == "private" and user_id in m.to]

    def reactions_to(self, message_id: int) -> list[tuple[int, str]]:
        """Who reacted with what, oldest first."""
        with self.lock:
            return list(self._reactions[message_id])

    def is_read(self, message_id: int) -> bool:
        """Whether the bot has marked the message as read."""
        with self.lock:
            return "read" in self._flags[message_id]

    def store(
        self,
        sender_id: int,
        content: str,
        *,
        to: Iterable[int] = (),
        stream: Stream | None = None,
        topic: str = "",
        client: str = "website",
        widget: str | None = None,
    ) -> Message:
        recipients = tuple(sorted({*to} - {sender_id})) or (() if stream else (sender_id,))
        message = Message(
            id=self._next_message_id,
            sender_id=sender_id,
            type="stream" if stream else "private",
            to=recipients,
            stream_id=stream.stream_id if stream else None,
            topic=shorten(topic.strip(), MAX_TOPIC_LENGTH, "..."),
            content=clean(content),
            timestamp=int(self.now()),
            client=client,
            widget=widget,
        )
        self._next_message_id += 1
        self._messages[message.id] = message
        self._reactions[message.id] = []
        flags = self._first_flags(message)
        # A mention reaches the bot in a channel that it is not in, too.
        if self.bot_id in (stream.subscribers if stream else message.people) or (stream and flags):
            self._flags[message.id] = flags
            self._announce_message(message)
        return message

    def access(self, message_id: int) -> Message:
        """The message, if the bot may see it."""
        message = self._messages.get(message_id)
        if message and (message_id in self._flags or self.visible_stream(message.stream_id)):
            return message
        raise RefusedError("Invalid message(s)")

    def edit(self, message_id: int, content: str) -> None:
        message = self._own(message_id, "edit")
        self._messages[message_id] = replace(message, content=clean(content or "(deleted)"))

    def delete(self, message_id: int) -> None:
        self._own(message_id, "delete")
        del self._messages[message_id], self._reactions[message_id]
        self._flags.pop(message_id, None)

    def set_flag(self, message_ids: Iterable[int], flag: str, *, add: bool) -> None:
        wanted = list(message_ids)
        if not set(wanted) <= set(self._flags):
            raise RefusedError("Invalid message(s)")
        for message_id in wanted:
            (self._flags[message_id].add if add else self._flags[message_id].discard)(flag)

    def flags_of(self, message_id: int) -> set[str]:
        return self._flags.get(message_id, {"read", "historical"})

    def newest_received(self) -> int:
        """The highest id among the messages that the bot received: what Zulip calls max_message_id."""
        return max(self._flags, default=self._first_message_id - 1 or -1)

    def received(self, *, history_of: Stream | None) -> list[Message]:
        """What the bot received, or everything ever written in one stream; oldest first."""
        if history_of:
            return [m for m in self._messages.values() if m.stream_id == history_of.stream_id]
        return [m for m in self._messages.values() if m.id in self._flags]

    def message_json(self, message: Message, *, apply_markdown: bool) -> Json:
        sender = self._users[message.sender_id]
        found: Json = {
            "id": message.id,
            "sender_id": sender.user_id,
            "content": render(message.content) if apply_markdown else message.content,
            "recipient_id": self._recipient_id(message),
            "timestamp": message.timestamp,
            "client": message.client,
            "subject": message.topic,
            "topic_links": [],
            "is_me_message": message.content.startswith("/me "),
            "reactions": [self._reaction_json(*reaction) for reaction in self._reactions[message.id]],
            "submessages": self._submessages(message),
            "sender_full_name": sender.full_name,
            "sender_email": sender.email,
            "sender_realm_str": "",
            "display_recipient": self._display_recipient(message),
            "type": message.type,
            "avatar_url": None,
            "content_type": "text/html" if apply_markdown else "text/x-markdown",
        }
        if message.id in self._edits:
            edits = self._edits[message.id]
            found |= {"edit_history": edits, "last_edit_timestamp": edits[0]["timestamp"]}
        return found if message.stream_id is None else {**found, "stream_id": message.stream_id}

    def _own(self, message_id: int, verb: str) -> Message:
        message = self.access(message_id)
        if message.sender_id != self.bot_id:
            raise RefusedError(f"You don't have permission to {verb} this message")
        if self.now() - message.timestamp > EDIT_SECONDS:
            gerund = {"edit": "editing", "delete": "deleting"}[verb]
            raise RefusedError(f"The time limit for {gerund} this message has passed")
        return message

    def _first_flags(self, message: Message) -> set[str]:
        """Own messages are unread too: only the official clients mark what they send as read."""
        mention = rf"@\*\*(?:{re.escape(self.bot_name)}|[^*\n]*\|{self.bot_id})\*\*"
        return {"mentioned"} if re.search(mention, message.content) else set()

    def _recipient_id(self, message: Message) -> int:
        if message.stream_id is None and len(message.to) == 1:
            return message.to[0] + 2
        key = message.stream_id or message.people
        return self._recipient_ids.setdefault(key, 1000 + len(self._recipient_ids))

    def _display_recipient(self, message: Message) -> str | list[Json]:
        if message.stream_id is not None:
            return self._streams[message.stream_id].name
        people = sorted((self._users[user_id] for user_id in message.people), key=lambda user: user.email)
        return [{"email": u.email, "full_name": u.full_name, "id": u.user_id, "is_mirror_dummy": False} for u in people]

    def _submessages(self, message: Message) -> list[Json]:
        if message.widget is None:
            return []
        earlier = sum(1 for other in self._messages.values() if other.widget and other.id < message.id)
        return [
            {
                "id": earlier + 1,
                "message_id": message.id,
                "sender_id": message.sender_id,
                "msg_type": "widget",
                "content": message.widget,
            }
        ]

    def _reaction_json(self, user_id: int, emoji_name: str) -> Json:
        user = self._users[user_id]
        return {
            "emoji_name": emoji_name,
            "emoji_code": self.emoji[emoji_name],
            "reaction_type": "unicode_emoji",
            "user": {"email": user.email, "id": user_id, "full_name": user.full_name},
            "user_id": user_id,
        }

    # Events

    def register(self, event_types: list[str] | None, narrow: object, *, apply_markdown: bool) -> str:
        queue_id = str(uuid.uuid4())
        wanted = None if event_types is None else frozenset(event_types)
        self._queues[queue_id] = Queue(queue_id, wanted, apply_markdown, self.parse_narrow(narrow))
        return queue_id

    def poll(self, queue_id: str, last_event_id: int, *, block: bool) -> list[Json]:
        """The events after `last_event_id`; with `block`, waits for one, at most until the next heartbeat."""
        queue = self.queue(queue_id)
        queue.acknowledge(last_event_id)

        def has_news() -> bool:
            return bool(queue.events) or not self.running or queue_id not in self._queues

        if block and not self.lock.wait_for(has_news, self.heartbeat_seconds):
            queue.push({"type": "heartbeat"})
        if not self.running:
            raise HangUpError
        return list(self.queue(queue_id).events)

    def queue(self, queue_id: str) -> Queue:
        if queue_id not in self._queues:
            raise RefusedError(f"Bad event queue ID: {queue_id}", "BAD_EVENT_QUEUE_ID", queue_id=queue_id)
        return self._queues[queue_id]

    def drop_queue(self, queue_id: str) -> None:
        self.queue(queue_id)
        del self._queues[queue_id]
        self.lock.notify_all()

    def lose_queues(self) -> None:
        """Forgets every event queue, as a restart does."""
        with self.lock:
            self._queues.clear()
            self.lock.notify_all()

    @property
    def queue_count(self) -> int:
        with self.lock:
            return len(self._queues)

    def _announce_message(self, message: Message) -> None:
        for queue in self._queues.values():
            if queue.wants("message") and queue.matches(message):
                body = self.message_json(message, apply_markdown=queue.apply_markdown)
                flags = sorted(self._flags[message.id])
                queue.push({"type": "message", "message": body, "flags": flags})
        self.lock.notify_all()

    def change_text(self, message_id: int, content: str, *, seconds: float = 0.0) -> None:
        """A person edits what they wrote, so many seconds after they wrote it."""
        with self.lock:
            before = self._messages[message_id]
            self._messages[message_id] = after = replace(before, content=clean(content))
            at = before.timestamp + int(seconds)
            self._edits.setdefault(message_id, []).insert(0, {"timestamp": at, "prev_content": before.content})
            if self._first_flags(after):
                self._flags[message_id] = self._flags.get(message_id, set()) | {"mentioned"}
            edit = {"user_id": before.sender_id, "message_id": message_id, "edit_timestamp": at}
            texts = {"orig_content": before.content, "content": after.content}
            self._announce("update_message", **edit, **texts, flags=sorted(self._flags.get(message_id, ())))

    def _announce(self, event_type: str, **event: Any) -> None:
        for queue in self._queues.values():
            if queue.wants(event_type):
                queue.push({"type": event_type, **event})
        self.lock.notify_all()

    def _announce_reaction(self, op: str, user_id: int, message_id: int, emoji_name: str) -> None:
        user = self._users[user_id]
        event = {
            "type": "reaction",
            "op": op,
            "user_id": user_id,
            "user": {"user_id": user_id, "email": user.email, "full_name": user.full_name},
            "message_id": message_id,
            "emoji_name": emoji_name,
            "emoji_code": self.emoji[emoji_name],
            "reaction_type": "unicode_emoji",
        }
        for queue in self._queues.values():
            if queue.wants("reaction") and message_id in self._flags:
                queue.push(event)
        self.lock.notify_all()

    # Narrows

    def parse_narrow(self, narrow: object) -> Test:
        tests = [self._term_test(*term) for term in narrow_terms(narrow)]
        return lambda message: all(test(message) for test in tests)

    def history_stream(self, narrow: object) -> Stream | None:
        """The stream whose whole history a narrow may show; Zulip gives none when it asks for flags too."""
        terms = narrow_terms(narrow)
        if any(operator == "is" for operator, _, _ in terms):
            return None
        named = [term for term in terms if term[0] in ("stream", "channel") and not term[2]]
        return self.visible_stream(named[0][1]) if named else None

    def _term_test(self, operator: str, operand: Any, negated: bool) -> Test:
        test = self._positive_test(operator, operand)
        return (lambda message: not test(message)) if negated else test

    def _positive_test(self, operator: str, operand: Any) -> Test:
        match operator:
            case "dm" | "pm-with":
                return self._conversation_test(operand)
            case "sender":
                sender = self._narrow_user(operand, "unknown user")
                return lambda message: message.sender_id == sender
            case "is":
                return self._flag_test(operand)
            case "stream" | "channel":
                stream = self.visible_stream(operand)
                if stream is None:
                    raise bad_narrow(f"unknown {operator} {operand}")
                return lambda message: message.stream_id == stream.stream_id
            case "topic" | "subject":
                topic = str(operand).lower()
                return lambda message: message.stream_id is not None and message.topic.lower() == topic
            case "id":
                wanted = str(operand)
                return lambda message: str(message.id) == wanted
        raise bad_narrow(f"unknown operator {operator}")

    def _conversation_test(self, operand: Any) -> Test:
        addresses = operand.split(",") if isinstance(operand, str) else operand
        if not isinstance(addresses, list) or (isinstance(operand, list) and not all_ints(operand)):
            raise RefusedError('elem["operand"] is not a string or an integer list')
        found = {self._narrow_user(address, f"unknown user in {operand}") for address in addresses}
        people = frozenset(found | {self.bot_id})
        return lambda message: message.type == "private" and message.people == people

    def _flag_test(self, operand: Any) -> Test:
        match operand:
            case "dm" | "private":
                return lambda message: message.type == "private"
            case "unread":
                return lambda message: "read" not in self.flags_of(message.id)
            case "mentioned" | "starred":
                return lambda message: operand in self.flags_of(message.id)
        raise bad_narrow(f"unknown 'is' operand {operand}")

    def _narrow_user(self, wanted: object, problem: str) -> int:
        user = self.find_user(wanted)
        if user is None:
            raise bad_narrow(problem)
        return user.user_id


def bad_narrow(desc: str) -> RefusedError:
    return RefusedError(f"Invalid narrow operator: {desc}", "BAD_NARROW", desc=desc)


def all_ints(values: Iterable[object]) -> bool:
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)


def narrow_terms(narrow: object) -> list[tuple[str, Any, bool]]:
    """Operator, operand and negation of each term, in the form of dicts or of pairs of strings."""
    if narrow is None:
        return []
    if not isinstance(narrow, list):
        raise RefusedError("Bad value for 'narrow'", "REQUEST_VARIABLE_INVALID", var_name="narrow")
    return [narrow_term(term) for term in narrow]


def narrow_term(term: object) -> tuple[str, Any, bool]:
    if isinstance(term, list) and len(term) == 2 and all(isinstance(part, str) for part in term):
        operator, operand = term
        return operator.removeprefix("-"), operand, operator.startswith("-")
    if isinstance(term, dict) and "operator" in term and "operand" in term:
        return term["operator"], term["operand"], bool(term.get("negated", False))
    raise RefusedError("Bad value for 'narrow'", "REQUEST_VARIABLE_INVALID", var_name="narrow")


def clean(content: str) -> str:
    """The text as Zulip stores it: no white space at its end, at most 10,000 characters."""
    body = content.rstrip().lstrip("\n")
    if not body:
        raise RefusedError("Message must not be empty")
    if "\x00" in body:
        raise RefusedError("Message must not contain null bytes")
    return shorten(body, MAX_MESSAGE_LENGTH, "\n[message truncated]")


def shorten(text: str, limit: int, ending: str) -> str:
    return text if len(text) <= limit else text[: limit - len(ending)] + ending


def render(content: str) -> str:
    return "<p>" + html.escape(content).replace("\n", "<br>\n") + "</p>"
