"""Plays Zulip in the demo: a few accounts, a private admin channel, and messages that appear on the screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from lms_bot.chat import Bot, Chat, RateLimiter
from lms_bot.chat.client import Stream
from lms_bot.chat.rate_limit import Purpose
from lms_bot.core.notifications import Recipient
from lms_bot.core.people import ZulipUser
from lms_bot.fixtures import school

BOT = Bot(user_id=9, full_name="LMS Bot", max_message_id=1000)
ADMIN_STREAM = Stream(stream_id=5, name="lms-admin", is_private=True)
TOPIC = "questions"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, whom one becomes by typing their `handle`."""

    handle: str
    user_id: int
    full_name: str
    email: str
    is_admin: bool = False
    is_student: bool = False


JANE = next(row for row in school.rows()["students"] if row["username"] == "jane_smith")
PEOPLE = {
    person.handle: person
    for person in (
        *(
            Person(row["username"], 10 + row["id"], f"{row['first_name']} {row['last_name']}", row["email"])
            for row in school.rows()["mentors"]
        ),
        Person("jane", 19, JANE["display_name"], JANE["email"], is_student=True),
        Person("ada", 20, "Ada Byrne", "ada@example.org", is_admin=True),
    )
}


class TerminalChat(Chat):
    """Accepts every message and shows it, and puts files into a folder; inherits the pace of calls."""

    def __init__(self, rate_limiter: RateLimiter, show: Callable[[Recipient, str], None], folder: Path) -> None:
        super().__init__(None, rate_limiter)
        self._show = show
        self._folder = folder
        self._ids = count(BOT.max_message_id + 1)
        self._sent: list[tuple[int, Recipient, str]] = []

    def send(self, recipient: Recipient, content: str, *, purpose: Purpose = Purpose.REPLY) -> int:
        message_id = next(self._ids)
        self._sent.append((message_id, recipient, content))
        self._show(recipient, content)
        return message_id

    def upload(self, name: str, content: bytes) -> str:
        path = self._folder / Path(name).name
        path.write_bytes(content)
        return str(path)

    def find(self, recipient: Recipient, content: str, above: int) -> list[int]:
        return [sent[0] for sent in self._sent if sent[0] > above and sent[1:] == (recipient, content)]

    def profile(self) -> Bot:
        return BOT

    def users(self) -> list[ZulipUser]:
        bot = ZulipUser(BOT.user_id, BOT.full_name, "lms-bot@example.org", is_active=True, is_bot=True)
        people = [ZulipUser(p.user_id, p.full_name, p.email, is_active=True, is_bot=False) for p in PEOPLE.values()]
        return [bot, *people]

    def organisation(self) -> str:
        return ""

    def stream(self, name: str | int) -> Stream | None:
        return ADMIN_STREAM if name in (ADMIN_STREAM.name, ADMIN_STREAM.stream_id) else None

    def questions(self, above: int) -> list[Mapping[str, Any]]:
        return []

    def question(self, asker: Person, text: str) -> dict[str, Any]:
        """Return what somebody typed as Zulip would hand it to the bot; admins write in the admin channel."""
        message = {"id": next(self._ids), "sender_id": asker.user_id, "content": text}
        if not asker.is_admin:
            return {**message, "type": "private", "display_recipient": [{"id": asker.user_id}, {"id": BOT.user_id}]}
        mention = f"@**{BOT.full_name}** {text}"
        return {**message, "type": "stream", "stream_id": ADMIN_STREAM.stream_id, "subject": TOPIC, "content": mention}
