"""A small school whose people ask: a store with students, mentors and accounts, and questions put to it."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lms_bot.chat import Incoming
from lms_bot.config.settings import Settings, load
from lms_bot.core.events import Event
from lms_bot.core.notifications import Message
from lms_bot.core.people import Mentor, Student, ZulipUser
from lms_bot.handlers import dispatch
from lms_bot.store import state
from lms_bot.store.people import accounts, people
from lms_bot.store.session import Store
from lms_bot.store.state import POLLED
from lms_bot.store.streaks import days
from tests import NOW
from tests.delivery_scenario import happened, owe

BOT_ID, BOT_NAME = 13, "LMS Bot"
ADMIN_STREAM, OTHER_STREAM = 3, 4
MARY, OMAR, ADA, EVE, ROBOT = range(20, 25)
JANE = Student(1001, "jane_smith", "jane@example.org", "Jane Smith")
JANET = Student(1002, "janet", "janet@example.org", "Janet O'Brien")
RAVI = Student(1003, "ravi", "ravi@example.org", "Ravi Patel")
GULNORA = Student(1004, "gulnora", "gulnora@example.org", "Гульнора Каримова")
STUDENTS = (JANE, JANET, RAVI, GULNORA)
MENTORS = (Mentor(1, "mary", "mary@example.org"), Mentor(2, "omar", "omar@example.org"))
LINKS = frozenset({(1, 1001), (1, 1002), (1, 1003), (2, 1004)})
ACCOUNTS = (
    ZulipUser(BOT_ID, BOT_NAME, "bot@example.org", True, True),
    ZulipUser(MARY, "Mary Jones", "mary@example.org", True, False),
    ZulipUser(OMAR, "Omar Haddad", "omar@example.org", True, False),
    ZulipUser(ADA, "Ada *Admin*", "ada@example.org", True, False),
    ZulipUser(EVE, "Eve Stranger", "eve@example.org", True, False),
    ZulipUser(ROBOT, "Robot", "robot@example.org", True, True),
)
_message_ids = itertools.count(1000)


@dataclass
class School:
    """Who asks what, and when: `now` is moved by the tests."""

    store: Store
    now: datetime = NOW
    settings: Settings = field(
        default_factory=lambda: load(None, {"LMS_DATABASE_URL": "sqlite:///nowhere.db"}),
    )

    @classmethod
    def open(cls, store: Store) -> School:
        school = cls(store)
        school.link(LINKS)
        with store.writing() as transaction:
            accounts.keep_zulip_users(transaction, ACCOUNTS, NOW)
            state.note(transaction, POLLED, True, NOW)
        return school

    def link(self, links: Collection[tuple[int, int]]) -> None:
        """From now on these mentors have these students."""
        with self.store.writing() as transaction:
            people.keep_people(transaction, STUDENTS, MENTORS, links, self.now)

    def happens(self, student: Student, count: int, **what: Any) -> list[Event]:
        """`count` events of a student, the last of them the newest, named Task 1, Task 2, ..."""
        found = [
            happened(student, f"Task {number}", at=NOW - timedelta(hours=count - number), **what)
            for number in range(1, count + 1)
        ]
        return owe(self.store, found)

    def count_days(self) -> None:
        """Count the days of what has happened, as a poll does."""
        with self.store.writing() as transaction:
            days.recount(transaction, self.settings.timezone, self.now)

    def forward(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def answer(self, asking: Incoming) -> Sequence[Message]:
        return dispatch.answer(self.store, asking, self.settings, self.now, ADMIN_STREAM)

    def ask(self, text: str, sender_id: int = MARY, **where: Any) -> str:
        """The text of the one message that answers."""
        (message,) = self.answer(self.question(text, sender_id, **where))
        return message.content

    def ask_as_admin(self, text: str) -> str:
        return self.ask(text, ADA, stream_id=ADMIN_STREAM)

    def question(
        self,
        text: str,
        sender_id: int = MARY,
        *,
        stream_id: int | None = None,
        group: Sequence[int] = (),
        at: datetime | None = None,
    ) -> Incoming:
        """A question that is asked now, unless `at` says otherwise."""
        return incoming(text, sender_id, next(_message_ids), at or self.now, stream_id=stream_id, group=group)


def incoming(
    text: str, sender_id: int, message_id: int, at: datetime, *, stream_id: int | None = None, group: Sequence[int] = ()
) -> Incoming:
    """A message as Zulip gives it: direct, with `group` besides the bot, or with a mention in a stream."""
    message: dict[str, Any] = {
        "id": message_id,
        "sender_id": sender_id,
        "content": text,
        "timestamp": int(at.timestamp()),
        "type": "private",
        "display_recipient": [{"id": user_id} for user_id in (sender_id, BOT_ID, *group)],
    }
    if stream_id is not None:
        message |= {"type": "stream", "stream_id": stream_id, "display_recipient": "s", "subject": "a topic"}
        message["content"] = f"@**{BOT_NAME}** {text}"
    return Incoming.parse(message, BOT_ID, BOT_NAME)
