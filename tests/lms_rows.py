"""Writes rows into an LMS as its own programs do, polls them, and reads what the store made of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lms_bot.config.settings import Settings, load
from lms_bot.core.alerts import Rule
from lms_bot.core.events import ALERTING
from lms_bot.db.engine import UtcDateTime
from lms_bot.errors import LmsUnavailable
from lms_bot.lms import Lms
from lms_bot.pipeline.poller import Polled, Poller
from lms_bot.store.alerts import watchlist
from lms_bot.store.alerts.watchlist import RulesState
from lms_bot.store.session import Store, open_store
from lms_bot.worker.clock import ClockJobs, Ran

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

MARY, OMAR = 1, 2
JANE, RAVI, GULNORA, OBRIEN, SOFIA = 1001, 1002, 1003, 1004, 1007  # Sofia has no mentor, Gulnora has both
USERNAMES = {JANE: "jane_smith", RAVI: "ravi_patel", GULNORA: "gulnora", OBRIEN: "obrien", SOFIA: "sofia_rossi"}
QUIZ, TEST, ENTRANCE_TEST = 501, 502, 507  # the entrance test belongs to no course
VIDEO, QUIZ_CONTENT = 1101, 1103
CROWD = 100_000

ATTEMPTS, CONTENT_ATTEMPTS = "attempts", "content_attempts"

SWEEP_ROWS = "100"  # a poll

Fact = tuple[str, int, str]
"""Source table, source id, event type."""

_events = sa.table(
    "lms_activity_events",
    *(
        sa.column(name)
        for name in (
            "episode",
            "is_withdrawn",
            "event_id",
            "event_type",
            "student_id",
            "student_username",
            "mentor_id",
            "mentor_username",
            "activity_id",
            "activity_title",
            "source_table",
            "source_id",
        )
    ),
    sa.column("activity_metadata", sa.JSON),
    sa.column("timestamp", UtcDateTime),
    sa.column("created_at", UtcDateTime),
    sa.column("is_current", sa.Boolean),
    sa.column("is_history", sa.Boolean),
)
_logs = sa.table(
    "lms_event_logs",
    sa.column("event_id"),
    sa.column("mentor_id"),
    sa.column("due_at", UtcDateTime),
    sa.column("notification_sent", sa.Boolean),
)


def classic_lms(url: str) -> Lms:
    """The classic LMS at a URL, read in small pages."""
    return Lms.of(load(None, {"LMS_DATABASE_URL": url, "LMS_SWEEP_ROWS": SWEEP_ROWS}))


class LmsRows:
    """One connection's worth of writing: each call commits, but for those inside `transaction`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)

    def run(self, statement: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Execute one statement, outside of a transaction block on PostgreSQL so that VACUUM is allowed too."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text(statement), parameters)

    def value(self, query: str) -> Any:
        with self.engine.connect() as connection:
            return connection.scalar(sa.text(query))

    @contextmanager
    def transaction(self) -> Iterator[LmsTransaction]:
        """A transaction that stays open until it is told to commit; rolled back at the end if it was not."""
        with self.engine.connect() as connection:
            yield LmsTransaction(connection)

    def insert_attempt(self, attempt_id: int, **values: Any) -> None:
        with self.transaction() as transaction:
            transaction.insert_attempt(attempt_id, **values)
            transaction.commit()

    def insert_content_attempt(self, attempt_id: int, **values: Any) -> None:
        with self.transaction() as transaction:
            transaction.insert_content_attempt(attempt_id, **values)
            transaction.commit()

    def update_attempt(self, attempt_id: int, **values: Any) -> None:
        with self.transaction() as transaction:
            transaction.update_attempt(attempt_id, **values)
            transaction.commit()

    def update_content_attempt(self, attempt_id: int, **values: Any) -> None:
        with self.transaction() as transaction:
            transaction.update("content_attempts", attempt_id, values)
            transaction.commit()

    def delete(self, table: str, row_id: int) -> None:
        self.run(f'DELETE FROM "{table}" WHERE id = {row_id}')

    def insert_crowd(self, size: int) -> None:
        """Enrol so many more students, with ids from CROWD on, who have no mentor."""
        active = "true" if self.engine.dialect.name == "postgresql" else "1"
        self.run(
            "INSERT INTO students (id, username, is_active)"
            f" SELECT s.id, 'student_' || s.id, {active} FROM ({self._series(CROWD, CROWD + size - 1)}) AS s"
        )

    def insert_finished(self, first: int, last: int, *, at: datetime = NOW - DAY, crowd: int = 0) -> None:
        """Fill the table of attempts with passes, ids `first` to `last`: Jane's, or those of the crowd in turn."""
        moment = at.isoformat()
        student = f"{CROWD} + s.id % {crowd}" if crowd else str(JANE)
        self.run(
            "INSERT INTO attempts (id, date, exam_id, user_id, username, score, percentage, percentile, time_taken,"
            " result, state, last_started_time, last_answer_updated_time)"
            f" SELECT s.id, '{moment}', {QUIZ}, {student}, NULL, 80, 80, 77.5, '45 minutes', 'pass', 'completed',"
            f" '{moment}', '{moment}' FROM ({self._series(first, last)}) AS s"
        )

    def _series(self, first: int, last: int) -> str:
        if self.engine.dialect.name == "postgresql":
            return f"SELECT generate_series({first}, {last}) AS id"
        return (
            f"WITH RECURSIVE n(id) AS (SELECT {first} UNION ALL SELECT id + 1 FROM n WHERE id < {last})"
            " SELECT id FROM n"
        )


class LmsTransaction:
    """An open transaction in the LMS."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def insert_attempt(self, attempt_id: int, **values: Any) -> None:
        """Insert an attempt: by default Jane began the Python quiz just now."""
        student = values.get("user_id", JANE)
        begun = {
            "id": attempt_id,
            "user_id": student,
            "username": USERNAMES.get(student),
            "exam_id": QUIZ,
            "state": "started",
            "date": NOW,
        }
        self.insert("attempts", begun | values)

    def insert_content_attempt(self, attempt_id: int, **values: Any) -> None:
        """Insert a piece of content: by default Jane opened a video just now."""
        begun = {
            "id": attempt_id,
            "user_id": JANE,
            "course_id": 1,
            "chapter_id": 11,
            "chapter_content_id": VIDEO,
            "content_type": "video",
            "state": "started",
            "created": NOW,
        }
        self.insert("content_attempts", begun | values)

    def update_attempt(self, attempt_id: int, **values: Any) -> None:
        self.update("attempts", attempt_id, values)

    def insert(self, table: str, values: Mapping[str, Any]) -> None:
        columns = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join(f":{name}" for name in values)
        self._connection.execute(sa.text(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})'), _plain(values))

    def update(self, table: str, row_id: int, values: Mapping[str, Any]) -> None:
        settings = ", ".join(f'"{name}" = :{name}' for name in values)
        statement = sa.text(f'UPDATE "{table}" SET {settings} WHERE id = :row_id')
        self._connection.execute(statement, {**_plain(values), "row_id": row_id})

    def delete(self, table: str, row_id: int) -> None:
        self._connection.execute(sa.text(f'DELETE FROM "{table}" WHERE id = {row_id}'))

    def commit(self) -> None:
        self._connection.commit()

    def rollback(self) -> None:
        self._connection.rollback()


class Watch:
    """One LMS, one store and the polls from one to the other; `now` moves on by a minute with each poll."""

    def __init__(self, lms_url: str, store_url: str, **settings: str) -> None:
        self.rows = LmsRows(lms_url)
        self._urls = {"LMS_DATABASE_URL": lms_url, "LMS_STORE_DATABASE_URL": store_url}
        for url in self._urls.values():
            _hurry(url)
        self.now = NOW
        self.settings: Settings
        self.store: Store
        self.lms: Lms
        self.poller: Poller
        self.clock_jobs: ClockJobs
        self._open(settings)

    def poll(self, now: datetime | None = None) -> Polled:
        """Poll, and run the jobs of the clock; those that read no LMS also when that is away."""
        self.now = now or self.now + MINUTE
        try:
            polled = self.poller.poll(self.now)
        except LmsUnavailable:
            self.run_clock_jobs(lms_is_away=True)
            raise
        self.run_clock_jobs()
        return polled

    def run_clock_jobs(self, *, lms_is_away: bool = False) -> Ran:
        """Run the jobs of the clock once. Raises what one of them raised, after the others were run."""
        ran = self.clock_jobs.run(self.now, lms_is_away=lms_is_away)
        if ran.error:
            raise ran.error
        return ran

    def polls(self, count: int) -> None:
        for _ in range(count):
            self.poll()

    def restart(self, **settings: str) -> None:
        """Go on as a new process does: with nothing but the two databases and the settings."""
        self.close()
        self._open(settings)

    def close(self) -> None:
        self.lms.close()
        self.store.close()

    def without_rules(self) -> None:
        """From now on nobody needs anybody, however long nothing happens."""
        with self.store.writing() as transaction:
            watchlist.save_rules_state(transaction, RulesState(self.now, frozenset(Rule)), self.now)

    def _open(self, settings: Mapping[str, str]) -> None:
        self.settings = load(None, {"LMS_QUIET_MINUTES": "0", **self._urls, **settings})
        self.store = open_store(self.settings.store_database_url)
        self.lms = Lms.of(self.settings)
        self.poller = Poller(self.store, self.lms, self.settings)
        self.clock_jobs = ClockJobs(self.store, self.lms, self.settings)

    def events(self, source_id: int | None = None, source_table: str = ATTEMPTS) -> list[Any]:
        """The rows of lms_activity_events but for alerts about students, in the order of recording; or of one row."""
        query = sa.select(_events).order_by(_events.c.event_id)
        if source_id is None:
            query = query.where(_events.c.event_type.not_in(ALERTING))
        else:
            query = query.where(_events.c.source_table == source_table, _events.c.source_id == source_id)
        with self.store.engine.connect() as connection:
            return list(connection.execute(query))

    def event(self, source_id: int, source_table: str = ATTEMPTS) -> Any:
        """The one event of a source row."""
        (event,) = self.events(source_id, source_table)
        return event

    def kinds(self, source_id: int, source_table: str = ATTEMPTS) -> list[str]:
        """What a source row was seen in, in that order."""
        return [event.event_type for event in self.events(source_id, source_table)]

    def current(self, source_id: int, source_table: str = ATTEMPTS) -> list[str]:
        """What the store believes a source row to say now."""
        return [event.event_type for event in self.events(source_id, source_table) if event.is_current]

    def facts(self) -> list[Fact]:
        return sorted((event.source_table, event.source_id, event.event_type) for event in self.events())

    def owed(self) -> list[tuple[str, int, str, int]]:
        """(source table, source id, event type, mentor id) of every notification owed, alerts about students aside."""
        query = sa.select(_events.c.source_table, _events.c.source_id, _events.c.event_type, _logs.c.mentor_id)
        query = query.select_from(_logs.join(_events, _events.c.event_id == _logs.c.event_id))
        query = query.where(_events.c.event_type.not_in(ALERTING))
        with self.store.engine.connect() as connection:
            return sorted((row[0], row[1], row[2], row[3]) for row in connection.execute(query))

    def owed_for(self, source_id: int, source_table: str = ATTEMPTS) -> list[tuple[str, int]]:
        """(event type, mentor id) of what is owed about one source row."""
        return [(row[2], row[3]) for row in self.owed() if row[:2] == (source_table, source_id)]


def _hurry(url: str) -> None:
    """No test here pulls the plug of a PostgreSQL server, so its commits need not wait for the disk."""
    if not url.startswith("sqlite"):
        rows = LmsRows(url)
        rows.run(f"ALTER DATABASE {rows.engine.url.database} SET synchronous_commit = off")


def metadata(event: Any) -> dict[str, Any]:
    """The metadata of an event, whichever way the driver gave them."""
    value = event.activity_metadata
    return dict(json.loads(value) if isinstance(value, str) else value)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


class PollingWatch(Watch):
    """The same without the jobs of the clock, where all that counts is what a poll finds."""

    def poll(self, now: datetime | None = None) -> Polled:
        self.now = now or self.now + MINUTE
        return self.poller.poll(self.now)
