"""Mentors with notifications due, a Deliverer whose clock the test moves, and what was sent."""

from __future__ import annotations

import itertools
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from lms_bot.chat import Chat, RateLimiter
from lms_bot.chat.rate_limit import Purpose
from lms_bot.config.settings import Settings, load
from lms_bot.core.events import OBSERVED, Event, EventClass, EventType
from lms_bot.core.notifications import AT_ONCE, Recipient
from lms_bot.core.people import Mentor, Student, ZulipUser
from lms_bot.pipeline.deliverer import Delivered, Deliverer
from lms_bot.store import tables
from lms_bot.store.events import events
from lms_bot.store.notifications import queue
from lms_bot.store.people import people
from lms_bot.store.people.accounts import keep_zulip_users
from lms_bot.store.session import Store
from tests import NOW
from tests.bot_process import PATIENCE, wait_for
from tests.fake_zulip import FakeZulip
from tests.lms_rows import ATTEMPTS, CONTENT_ATTEMPTS

MARY = Mentor(1, "mary", "mary@school.example")
OMAR = Mentor(2, "omar", "omar@school.example")
JANE = Student(11, "jane", "jane@school.example")
RAVI = Student(12, "ravi", "ravi@school.example")
GULNORA = Student(13, "Гульнора", "gulnora@school.example")
OBRIEN = Student(14, "O'Brien", "obrien@school.example")
MENTORS = (MARY, OMAR)
STUDENTS = (JANE, RAVI, GULNORA, OBRIEN)
LINKS = frozenset({(1, 11), (1, 12), (2, 13), (2, 14)})

FAST = 100_000  # messages a minute: the pace is no part of these tests
CALL_TIMEOUT = 0.3  # seconds of a call that hangs; all others have as long as they need
SETTINGS = load(None, {"LMS_DATABASE_URL": "sqlite:///nothing_is_polled_here.db", "LMS_QUIET_MINUTES": "0"})
_source_ids = itertools.count(1)
TOLD = [kind for kind in OBSERVED if EventClass.of(kind) is not EventClass.PROGRESS]  # unless asked for


class Killed(BaseException):
    """The process ends here, and nothing that comes after it happens."""


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class MortalChat(Chat):
    """A real Chat in a process that can be killed around a send, or once a look-up has its answer."""

    dies: str | None = None

    def __init__(self, zulip: FakeZulip, zuliprc: Path, rate_limiter: RateLimiter) -> None:
        super().__init__(zuliprc, rate_limiter, PATIENCE)
        self._zulip = zulip

    def send(self, recipient: Recipient, content: str, *, purpose: Purpose = Purpose.REPLY) -> int:
        self._perhaps_die("before")
        sent = super().send(recipient, content, purpose=purpose)
        self._perhaps_die("after")
        return sent

    def find(self, recipient: Recipient, content: str, above: int) -> list[int]:
        found = super().find(recipient, content, above)
        self._perhaps_die("looking")
        return found

    def _call(self, method: str, url: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        if not self._zulip.will_hang(method, f"/api/v1/{url}"):
            return super()._call(method, url, *arguments, **options)
        self._connected()  # that takes as long as it takes: only the call itself is to hang
        hung, self._timeout = self._zulip.hung, CALL_TIMEOUT
        try:
            return super()._call(method, url, *arguments, **options)
        finally:
            self._timeout = PATIENCE
            wait_for(lambda: self._zulip.hung > hung)  # the clocks here stand still: what was asked is done by now

    def _perhaps_die(self, moment: str) -> None:
        if self.dies == moment:
            self.dies = None
            raise Killed


class Row(NamedTuple):
    """A row of lms_event_logs with the title of its event."""

    title: str
    event_id: int
    mentor_id: int
    due_at: datetime | None
    is_sent: bool
    zulip_message_id: int | None
    error: str | None
    attempts: int
    processed_at: datetime | None
    message_id: int | None


class Frozen(NamedTuple):
    """A row of messages."""

    message_id: int
    mentor_id: int | None
    content: str
    state: str
    tried_at: datetime
    next_try_at: datetime | None
    zulip_message_id: int | None


def happened(
    student: Student,
    title: str,
    kind: EventType = EventType.EXAM_PASSED,
    *,
    at: datetime = NOW,
    source_id: int | None = None,
    **metadata: Any,
) -> Event:
    """An event of a student; each has a row of its own in the LMS unless `source_id` names one."""
    return Event(
        event_type=kind,
        source_table=ATTEMPTS if kind.startswith("exam") else CONTENT_ATTEMPTS,
        source_id=next(_source_ids) if source_id is None else source_id,
        student_id=student.student_id,
        student_username=student.username,
        activity_id=501,
        activity_title=title,
        metadata=metadata,
        timestamp=at,
        is_history=False,
        fingerprint=0,
        mirrors=None,
    )


def several(
    student: Student, count: int, kind: EventType = EventType.EXAM_PASSED, *, at: datetime = NOW
) -> list[Event]:
    """Events with titles of one width, so that no title is found inside another."""
    made = (happened(student, "", kind, at=at) for _ in range(count))
    return [event._replace(activity_title=f"Task {event.source_id:07d}") for event in made]


def owe(store: Store, found: Iterable[Event], *, at: datetime = NOW, found_at: datetime | None = None) -> list[Event]:
    """Record events, found `at` unless said otherwise, and owe them from `at` on to their students' mentors."""
    observed = list(found)
    with store.writing() as transaction:
        around = people.mentoring_of(transaction, {event.student_id or 0 for event in observed})
        for table in (ATTEMPTS, CONTENT_ATTEMPTS):
            of_table = [event for event in observed if event.source_table == table]
            events.record(transaction, of_table, around, found_at or at)
        column = tables.events.c
        query = sa.select(column.event_id, column.source_table, column.source_id, column.event_type)
        ids = {(row[1], row[2], row[3]): row[0] for row in transaction.execute(query)}
        recorded = [e._replace(event_id=ids[e.source_table, e.source_id, e.event_type]) for e in observed]
        rows = [
            (event.event_id, mentor_id, at, AT_ONCE)
            for event in recorded
            for mentor_id, _ in around.get(event.student_id or 0, people.UNKNOWN_STUDENT).mentors
        ]
        queue.enqueue(transaction, rows)
    return recorded


def notifications(store: Store, mentor: Mentor | None = None) -> list[Row]:
    """The rows of lms_event_logs, of one mentor if given, oldest first."""
    log, event = tables.logs.c, tables.events.c
    query = (
        sa.select(
            event.activity_title,
            log.event_id,
            log.mentor_id,
            log.due_at,
            log.notification_sent,
            log.notification_message_id,
            log.error_message,
            log.attempts,
            log.processed_at,
            log.message_id,
        )
        .join_from(tables.logs, tables.events, event.event_id == log.event_id)
        .order_by(log.log_id)
    )
    if mentor is not None:
        query = query.where(log.mentor_id == mentor.mentor_id)
    with store.reading() as transaction:
        return [Row._make(row) for row in transaction.execute(query)]


def frozen(store: Store) -> list[Frozen]:
    """The messages that the store knows, oldest first."""
    message = tables.messages.c
    query = sa.select(
        message.message_id,
        message.mentor_id,
        message.content,
        message.state,
        message.tried_at,
        message.next_try_at,
        message.zulip_message_id,
    ).order_by(message.message_id)
    with store.reading() as transaction:
        return [Frozen._make(row) for row in transaction.execute(query)]


def unsettled(store: Store) -> list[Frozen]:
    return [message for message in frozen(store) if message.next_try_at is not None]


@dataclass
class DeliveryScenario:
    """A school's store and its Zulip, with a Deliverer between them; `open` gives everybody an account."""

    store: Store
    zulip: FakeZulip
    zuliprc: Path
    clock: Clock = field(default_factory=Clock)
    mentors: tuple[Mentor, ...] = MENTORS
    students: tuple[Student, ...] = STUDENTS
    links: frozenset[tuple[int, int]] = LINKS
    accounts: dict[int, int] = field(default_factory=dict)
    settings: Settings = SETTINGS
    chat: MortalChat = field(init=False)
    deliverer: Deliverer = field(init=False)

    @classmethod
    def open(cls, store: Store, zulip: FakeZulip, folder: Path) -> DeliveryScenario:
        delivery = cls(store, zulip, zulip.write_zuliprc(folder / "zuliprc"))
        delivery.restart()
        for mentor in delivery.mentors:
            delivery.accounts[mentor.mentor_id] = zulip.add_user(mentor.username.title(), mentor.email or "")
        zulip.add_user("Ada", "ada@school.example")
        zulip.add_user("Eve", "eve@school.example")
        delivery.read_people()
        delivery.read_accounts()
        return delivery

    def restart(self, rate_limiter: RateLimiter | None = None) -> None:
        """A new process, which knows only what the store and Zulip know."""
        self.chat = MortalChat(self.zulip, self.zuliprc, rate_limiter or RateLimiter(FAST))
        self.deliverer = Deliverer(self.store, self.chat, self.settings, clock=self.clock)

    def read_people(
        self,
        *,
        mentors: Collection[Mentor] | None = None,
        students: Collection[Student] | None = None,
        links: Collection[tuple[int, int]] | None = None,
    ) -> None:
        """What the LMS says now about its people; what is not given stays as it was."""
        self.mentors = self.mentors if mentors is None else tuple(mentors)
        self.students = self.students if students is None else tuple(students)
        self.links = self.links if links is None else frozenset(links)
        with self.store.writing() as transaction:
            mapped = people.keep_people(transaction, self.students, self.mentors, self.links, self.clock()).mapped
            queue.make_mapped_due(transaction, mapped, self.clock())

    def read_accounts(self) -> None:
        """What Zulip says now about its accounts."""
        self.keep_accounts(Chat(self.zuliprc, RateLimiter(FAST), PATIENCE).users())

    def keep_accounts(self, users: Sequence[ZulipUser]) -> None:
        with self.store.writing() as transaction:
            mapped = keep_zulip_users(transaction, users, self.clock())
            queue.make_mapped_due(transaction, mapped, self.clock())

    def move(self, student: Student, mentor: Mentor | None) -> None:
        """The student has this mentor alone from now on."""
        others = {link for link in self.links if link[1] != student.student_id}
        mine = set() if mentor is None else {(mentor.mentor_id, student.student_id)}
        self.read_people(links=others | mine)

    def link(self, mentor: Mentor, student: Student) -> None:
        """The student has this mentor, too, from now on."""
        self.read_people(links=self.links | {(mentor.mentor_id, student.student_id)})

    def rename(self, student: Student, username: str, display_name: str | None = None) -> None:
        renamed = replace(student, username=username, display_name=display_name)
        self.read_people(students=[renamed if one == student else one for one in self.students])

    def owe(self, *found: Event) -> list[Event]:
        """Owe events that are found now."""
        return owe(self.store, found, at=self.clock())

    def turn(self) -> Delivered:
        """A turn, once Zulip lets us call again: that pause is in real time, which these clocks know nothing of."""
        while self.chat.is_blocked:
            time.sleep(0.005)
        return self.deliverer.deliver_turn(30.0)

    def wait(self, seconds: float, step: float = 1.0) -> None:
        """Time goes by, with a turn after every `step` seconds."""
        for _ in range(round(seconds / step)):
            self.clock.forward(step)
            self.turn()

    def account(self, mentor: Mentor) -> int:
        return self.accounts[mentor.mentor_id]

    def told(self, mentor: Mentor) -> list[str]:
        """The texts of all messages that the mentor got, oldest first."""
        return [message.content for message in self.zulip.direct_to(self.account(mentor))]

    def times_told(self, mentor: Mentor, event: Event) -> int:
        """How many messages to the mentor speak of the event."""
        return sum((event.activity_title or "") in text for text in self.told(mentor))

    def sends(self) -> int:
        """How often a message was offered to Zulip."""
        return sum(method == "POST" and path == "/api/v1/messages" for _, method, path in list(self.zulip.calls))
