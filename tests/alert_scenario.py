"""A school whose students are judged by the rules: LMS, poller, store and Zulip, on one clock that the test moves."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lms_bot.chat import Chat, RateLimiter
from lms_bot.config.settings import Settings
from lms_bot.handlers import dispatch
from lms_bot.pipeline.deliverer import Deliverer
from lms_bot.store import tables
from lms_bot.store.people import accounts
from tests.bot_process import Place
from tests.lms_rows import JANE, MARY, NOW, USERNAMES, VIDEO, Watch
from tests.questions import ADMIN_STREAM, incoming

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FAST = 100_000
_ids, _message_ids = itertools.count(1), itertools.count(5_000_000)


@dataclass
class AlertScenario:
    """Everything begins at NOW, with a first poll; `students` have been enrolled for a year and began long ago."""

    place: Place
    watch: Watch
    coming: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)
    chat: Chat = field(init=False)
    deliverer: Deliverer = field(init=False)

    @classmethod
    @contextmanager
    def at(cls, place: Place, **settings: str) -> Iterator[AlertScenario]:
        watch = Watch(place.lms_url, place.store_url, **settings)
        watch.rows.run("UPDATE students SET created = NULL")  # nobody is missed who never began
        scenario = cls(place, watch)
        zuliprc = place.zulip.write_zuliprc(place.folder / "ward_zuliprc")
        scenario.chat = Chat(zuliprc, RateLimiter(FAST))
        scenario.deliverer = Deliverer(watch.store, scenario.chat, watch.settings, lambda: watch.now)
        with watch.store.writing() as transaction:
            accounts.keep_zulip_users(transaction, scenario.chat.users(), NOW)
        try:
            yield scenario
        finally:
            watch.close()

    @property
    def now(self) -> datetime:
        return self.watch.now

    @property
    def true(self) -> str:
        """Truth as the LMS spells it."""
        return "true" if self.watch.rows.engine.dialect.name == "postgresql" else "1"

    @property
    def false(self) -> str:
        return "false" if self.true == "true" else "0"

    @property
    def settings(self) -> Settings:
        return self.watch.settings

    def poll(self, now: datetime | None = None) -> None:
        """A poll, of what has happened by then, and whatever is due."""
        self.happen(now or self.now + timedelta(minutes=1))
        self.watch.poll(now)
        self.deliverer.deliver_turn(5.0)

    def happen(self, now: datetime) -> None:
        """What was to happen by now does."""
        for when, happens in self.coming:
            if when <= now:
                happens()
        self.coming = [one for one in self.coming if one[0] > now]

    def live(self, until: datetime, every: timedelta = 6 * HOUR) -> None:
        """Poll and deliver again and again until a moment."""
        while self.now < until:
            self.poll(min(until, self.now + every))

    def ends(
        self, result: str, when: datetime, *, student: int = JANE, exam: int = 501, percent: int | None = None
    ) -> int:
        """A student finishes an exam, `pass` or `fail`, when it is time."""
        attempt_id = next(_ids)
        values = {
            "user_id": student,
            "username": USERNAMES.get(student),
            "exam_id": exam,
            "date": when - timedelta(minutes=30),
            "last_answer_updated_time": when,
            "state": "completed",
            "result": result,
            "percentage": percent,
        }
        self.coming.append((when, lambda: self.watch.rows.insert_attempt(attempt_id, **values)))
        return attempt_id

    def begins(self, when: datetime, *, student: int = JANE, exam: int = 501) -> int:
        """A student begins an exam."""
        attempt_id = next(_ids)
        self.watch.rows.insert_attempt(
            attempt_id, user_id=student, username=USERNAMES.get(student), exam_id=exam, date=when
        )
        return attempt_id

    def opens(self, when: datetime, *, student: int = JANE, content: int = VIDEO) -> int:
        """A student opens a piece of content."""
        row_id = next(_ids)
        self.watch.rows.insert_content_attempt(row_id, user_id=student, created=when, chapter_content_id=content)
        return row_id

    def alerts(self, rule: str | None = None, **wanted: Any) -> list[Any]:
        """The rows of student_alerts, oldest first."""
        c = tables.student_alerts.c
        query = sa.select(tables.student_alerts).order_by(c.alert_id)
        if rule is not None:
            query = query.where(c.rule == rule)
        for name, value in wanted.items():
            query = query.where(c[name] == value)
        with self.watch.store.reading() as transaction:
            return list(transaction.execute(query))

    def opened(self, rule: str | None = None) -> list[Any]:
        return [alert for alert in self.alerts(rule) if alert.closed_at is None]

    def name_of(self, student: int, mentor: int = MARY) -> str:
        """The name by which a mentor knows the newest alert about a student."""
        return str(self.alerts(student_id=student, mentor_id=mentor)[-1].name)

    def told(self, user_id: int | None = None) -> list[str]:
        """The alerts that a mentor (Mary, unless said otherwise) was sent, a message each."""
        texts = [one.content for one in self.place.zulip.direct_to(user_id or self.place.people.mary)]
        return [text for text in texts if "💡" in text]

    def ask(self, text: str, user_id: int | None = None, *, in_stream: bool = False) -> str:
        """What the bot answers to Mary, or to somebody else; `in_stream`: asked in the admin stream."""
        asker, stream_id = user_id or self.place.people.mary, ADMIN_STREAM if in_stream else None
        asked = incoming(text, asker, next(_message_ids), self.now, stream_id=stream_id)
        found = dispatch.answer(self.watch.store, asked, self.settings, self.now, ADMIN_STREAM)
        return found[0].content
