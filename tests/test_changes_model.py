"""Whatever people, transactions and crashes do between polls, every state that a poll could see is recorded once.

For a deep search: `.venv/bin/python -m pytest -n0 -p tests.test_changes_model --hypothesis-profile=deep`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, ClassVar, NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from lms_bot.core.detect import FRESH_AGE, HISTORY_AGE
from lms_bot.store.people.readings import HOLDS_FOR
from lms_bot.store.session import Store, Transaction
from lms_bot.store.tables import logs
from lms_bot.store.tables import metadata as store_tables
from tests.lms_rows import (
    DAY,
    GULNORA,
    JANE,
    MARY,
    MINUTE,
    NOW,
    OMAR,
    SOFIA,
    USERNAMES,
    LmsTransaction,
    PollingWatch,
    Watch,
)

HURRIED = settings(max_examples=3, stateful_step_count=30, deadline=None, derandomize=True)
settings.register_profile("deep", max_examples=1_000, stateful_step_count=50, derandomize=False)

SLICE = "100"
STATES: dict[tuple[str | None, str | None], str | None] = {
    ("started", None): "exam_started",
    ("In_Progress", None): "exam_started",
    ("completed", None): "exam_completed",
    ("finished", "PASS"): "exam_passed",
    ("completed", "passed"): "exam_passed",
    ("completed", "fail"): "exam_failed",
    ("expired", "fail"): None,
    (None, None): None,
}
OPEN = {"exam_started", "exam_completed", None}
MENTORS = {JANE: [MARY], GULNORA: [MARY, OMAR], SOFIA: []}
LINKS, MENTOR_ROWS = '"_MentorToStudent"', "mentors"
FIRST_ID = 1_000  # what was there before anybody looked stands below
WEEKS = 21 * DAY
ids = st.integers(FIRST_ID - 40, FIRST_ID)
steps = st.integers(-6, 9) | st.integers(-60, 9)  # from the highest id so far: most come in order, but not quite
states = st.sampled_from(list(STATES))
students = st.sampled_from(list(MENTORS))
places = st.integers(0, 2)
picks = st.integers(0, 99)

State = tuple[str | None, str | None]
Key = tuple[str, int]
"""An event type and the student of whom it was said."""


class Crash(Exception):
    """The process ends here."""


class Row:
    """What the oracle knows of one committed row."""

    def __init__(self, values: dict[str, Any], *, surely_seen: bool) -> None:
        self.values = values
        self.surely_seen = surely_seen  # by the next poll, without the sweep
        self.was_polled = False  # to its end or not: since then it is found by the look that was planned
        self.may_be_done_with = False  # a poll that crashed may have recorded it in a final state

    @property
    def kind(self) -> str | None:
        return STATES[self.values["state"], self.values["result"]]

    @property
    def student(self) -> int:
        return int(self.values["user_id"])

    @property
    def stated(self) -> datetime | None:
        """When it happened, as the row itself says."""
        is_start = self.kind == "exam_started"
        at: datetime | None = self.values["date" if is_start else "last_answer_updated_time"]
        return at


class Version(NamedTuple):
    """What a row said when a poll could look at it; `key` is None where it stated nothing, or was not there."""

    key: Key | None
    is_sure: bool = False  # that poll did look at it
    is_history: bool = False  # by what it said of its time, or because it was there before anybody looked
    mark: tuple[Any, ...] = ()
    is_silent: bool = False  # it was there and stated nothing


class Seen(NamedTuple):
    """An event of the store."""

    event_id: int
    source_id: int
    episode: int
    key: Key
    is_current: bool
    is_history: bool
    is_withdrawn: bool
    found_at: datetime


class Pending:
    """A transaction under way, and what it will have done if it commits."""

    def __init__(
        self, transaction: LmsTransaction, opened: AbstractContextManager[LmsTransaction], highest_polled: int
    ) -> None:
        self.transaction = transaction
        self.opened = opened
        self.highest_polled = highest_polled
        self.polls = 0  # since it began, to their end or not
        self.deeds: list[Callable[[], None]] = []
        self.touched: set[int] = set()


class School(RuleBasedStateMachine):
    """Attempts come, change and go in several transactions while a poller looks on.

    The oracle keeps what each row said whenever a poll could look at it, in that order, and whether that poll surely
    did. A row is told at least as often as it surely came into a state, and at most as often as it could be seen to.
    """

    watch: ClassVar[Watch]
    filler: ClassVar[int]
    writers: ClassVar[int]
    changes_owners: ClassVar[bool] = True
    is_back_for_sure: ClassVar[bool] = True  # what was away and is as it was is known to be the same fact

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[int, Row] = {}
        self.pending: dict[int, Pending] = {}
        self.versions: dict[int, list[Version]] = {}  # of every id that was ever used
        self.looked_at: set[int] = set()  # rows that a poll found open, and will look at in the next
        self.highest_polled = 0
        self.furthest = NOW  # of all moments at which there was a poll
        self.links = {(mentor, student) for student, mentors in MENTORS.items() for mentor in mentors}
        self.moved: set[int] = set()  # students whose links were other ones for a time, as far as anybody could know
        self.emptied_at: datetime | None = None  # the tables of mentors or links

    @initialize(there=st.dictionaries(ids, st.tuples(states, students), max_size=6))
    def begin_with_some_history(self, there: dict[int, tuple[State, int]]) -> None:
        _empty(self.watch)
        self.watch.now = NOW
        if self.filler:
            self.watch.rows.insert_finished(1, self.filler)
        for source_id, (state, student) in there.items():
            self._insert(None, source_id, state, student)
        self._poll()
        self._polled(is_baseline=True)

    # --- What happens in the LMS

    @rule(place=places, step=steps, state=states, student=students)
    def insert(self, place: int, step: int, state: State, student: int) -> None:
        source_id = max(self.versions, default=FIRST_ID) + step
        if source_id not in self.versions and source_id > self.filler:
            self._insert(self.pending.get(place), source_id, state, student)

    @rule(place=places, pick=picks, state=states, student=students)
    @precondition(lambda self: self.changes_owners)
    def give_an_id_again(self, place: int, pick: int, state: State, student: int) -> None:
        free = sorted(self.versions.keys() - self.rows.keys() - self._locked())
        if free:
            self._insert(self.pending.get(place), free[pick % len(free)], state, student, is_again=True)

    @rule(place=places, pick=picks, state=states, is_dated=st.booleans())
    @precondition(lambda self: self.rows)
    def update(self, place: int, pick: int, state: State, is_dated: bool) -> None:
        source_id, doing = self._pick(place, pick)
        at = self.watch.now if is_dated else None
        self._change(doing, source_id, state=state[0], result=state[1], last_answer_updated_time=at)

    @rule(place=places, pick=picks, student=students)
    @precondition(lambda self: self.rows and self.changes_owners)
    def give_to_another(self, place: int, pick: int, student: int) -> None:
        source_id, doing = self._pick(place, pick)
        self._change(doing, source_id, user_id=student, username=USERNAMES[student])

    @rule(pick=picks, first=states, second=states, polls=st.integers(1, 3))
    @precondition(lambda self: self.rows and not self.pending)
    def go_back_to_a_state(self, pick: int, first: State, second: State, polls: int) -> None:
        for state in (first, second, first):
            self.update(0, pick, state, False)
            self.poll(polls)

    @rule(pick=picks, result=st.sampled_from(["passed", "fail"]), is_dated=st.booleans(), polls=st.integers(1, 3))
    @precondition(lambda self: self.rows and not self.pending)
    def be_graded_after_weeks(self, pick: int, result: str, is_dated: bool, polls: int) -> None:
        self.update(0, pick, ("completed", None), is_dated)
        self.poll(polls)
        self.move_clock(WEEKS)
        source_id, doing = self._pick(0, pick)
        self._change(doing, source_id, result=result)
        self.poll(polls)

    @rule(place=places, pick=picks)
    @precondition(lambda self: self.rows)
    def delete(self, place: int, pick: int) -> None:
        source_id, doing = self._pick(place, pick)
        if source_id is not None:
            self._do(doing, source_id, lambda t: t.delete("attempts", source_id), lambda: _drop(self.rows, source_id))

    @rule(polls=st.integers(0, 3))
    @precondition(lambda self: not self.pending)
    def empty_and_refill(self, polls: int) -> None:
        """A job that copies the table anew, whether anybody looks at it meanwhile or not."""
        kept, self.rows = self.rows, {}
        _empty_table(self.watch, "attempts")
        self.poll(polls)
        if self.filler:
            self.watch.rows.insert_finished(1, self.filler)
        with self.watch.rows.transaction() as transaction:
            for source_id, row in kept.items():
                transaction.insert_attempt(source_id, **row.values)
                row.surely_seen &= not polls
            transaction.commit()
        self.rows = kept

    @rule(mentor=st.sampled_from([MARY, OMAR]), student=students)
    @precondition(lambda self: not self.pending and self.emptied_at is None)
    def link_or_unlink(self, mentor: int, student: int) -> None:
        link = (mentor, student)
        if link in self.links:
            self.watch.rows.run(f'DELETE FROM {LINKS} WHERE "A" = {mentor} AND "B" = {student}')
        else:
            self.watch.rows.run(f'INSERT INTO {LINKS} (id, "A", "B") VALUES ({mentor}0{student}, {mentor}, {student})')
        self.links ^= {link}
        self.moved.add(student)

    @rule(table=st.sampled_from([LINKS, MENTOR_ROWS]), polls=st.integers(0, 3))
    @precondition(lambda self: not self.pending and self.emptied_at is None)
    def empty_people(self, table: str, polls: int) -> None:
        self.emptied_at = self.watch.now
        for each in [LINKS] if table == LINKS else [LINKS, MENTOR_ROWS]:
            _set_aside(self.watch, each)
        self.poll(polls)

    @rule()
    @precondition(lambda self: not self.pending and self.emptied_at is not None)
    def refill_people(self) -> None:
        self.emptied_at = None
        for each in (MENTOR_ROWS, LINKS):
            _bring_back(self.watch, each)

    @rule(place=places)
    def begin(self, place: int) -> None:
        if place in self.pending or len(self.pending) >= self.writers:
            return
        opened = self.watch.rows.transaction()
        transaction = opened.__enter__()
        # Its transaction id is what the safe cursor waits for, and only a write gives it one.
        transaction.insert("subject_stats", {"subject_name": "begun"})
        self.pending[place] = Pending(transaction, opened, self.highest_polled)

    @rule(pick=places, commits=st.sampled_from([True, True, True, False]))
    @precondition(lambda self: self.pending)
    def end(self, pick: int, commits: bool) -> None:
        self._end(sorted(self.pending)[pick % len(self.pending)], commits=commits)

    @rule(
        gap=st.integers(1, 5), younger_is_higher=st.booleans(), younger_commits=st.booleans(), polls=st.integers(0, 3)
    )
    @precondition(lambda self: self.writers > 1 and not self.pending)
    def two_begin_and_one_commits(self, gap: int, younger_is_higher: bool, younger_commits: bool, polls: int) -> None:
        """What the safe cursor is for, and what chance alone would hardly bring about."""
        for place in (0, 1):
            self.begin(place)
        higher = max(self.versions, default=FIRST_ID) + 10
        for source_id, place in ((higher - gap, not younger_is_higher), (higher, younger_is_higher)):
            self._insert(self.pending[int(place)], source_id, ("started", None), JANE)
        self._end(int(younger_commits), commits=True)
        self.poll(polls)

    # --- What the poller does

    @rule(times=st.integers(1, 3))
    def poll(self, times: int) -> None:
        for _ in range(times):
            self._poll()
            self._polled()

    @rule(number=st.integers(1, 4), before=st.booleans())
    def poll_and_crash(self, number: int, before: bool) -> None:
        with _crash_in_write(number, before) as crashed, suppress(Crash):
            self._poll()
        if crashed:
            self._may_have_polled()
        else:
            self._polled()
        self.watch.restart(LMS_SWEEP_ROWS=SLICE)

    @rule()
    def restart(self) -> None:
        self.watch.restart(LMS_SWEEP_ROWS=SLICE)

    @rule(by=st.sampled_from([-WEEKS, -2 * HISTORY_AGE, -90 * MINUTE, -MINUTE, 90 * MINUTE, 4 * DAY, WEEKS]))
    def move_clock(self, by: timedelta) -> None:
        """Time goes by without a poll, or a clock was wrong and is put right."""
        self.watch.now += by
        if by < timedelta():  # the next look was planned by the other clock
            self.looked_at.clear()
            for row in self.rows.values():
                row.surely_seen &= not row.was_polled

    def teardown(self) -> None:
        for place in list(self.pending):
            self._end(place, commits=place != 2)
        self.poll(1)
        if self.emptied_at is not None:
            self.refill_people()
        for _ in range(_polls_of_two_rounds(self.watch)):
            self._poll()
        self._polled(everything=True)
        for _ in range(2):
            self.watch.poll(self.watch.now + 6 * MINUTE)  # by now people are read again, and believed
        self._compare()

    # --- The oracle

    def _insert(
        self, doing: Pending | None, source_id: int, state: State, student: int, *, is_again: bool = False
    ) -> None:
        # One that is given again may be looked for under its old row, so nothing is sure of it.
        self.versions.setdefault(source_id, [])
        is_new = not is_again and source_id > (doing.highest_polled if doing else self.highest_polled)
        values = {"user_id": student, "username": USERNAMES[student], "state": state[0], "result": state[1]}
        values |= {"date": self.watch.now, "last_answer_updated_time": None}

        writer = doing or next(iter(self.pending.values()), None)

        def done() -> None:
            # On SQLite, where nobody else writes meanwhile, only what the last poll read is read again.
            is_behind = (
                self.writers == 1 and writer is not None and writer.polls > 1 and source_id < self.highest_polled
            )
            self.rows[source_id] = Row(values, surely_seen=is_new and not is_behind)

        self._do(doing, source_id, lambda t: t.insert_attempt(source_id, **values), done)

    def _change(self, doing: Pending | None, source_id: int | None, **values: Any) -> None:
        if source_id is None:
            return

        def done() -> None:
            row = self.rows[source_id]
            row.surely_seen = (row.surely_seen and not row.may_be_done_with) or source_id in self.looked_at
            row.values = row.values | values

        self._do(doing, source_id, lambda t: t.update_attempt(source_id, **values), done)

    def _locked(self) -> set[int]:
        return {source_id for pending in self.pending.values() for source_id in pending.touched}

    def _pick(self, place: int, pick: int) -> tuple[int | None, Pending | None]:
        """A committed row that no transaction under way has touched, for it would have to wait."""
        free = sorted(self.rows.keys() - self._locked())
        return (free[pick % len(free)] if free else None), self.pending.get(place)

    def _do(
        self,
        doing: Pending | None,
        source_id: int,
        write: Callable[[LmsTransaction], None],
        done: Callable[[], None],
    ) -> None:
        if doing is None and self.writers == 1 and self.pending:
            doing = next(iter(self.pending.values()))  # SQLite has one writer at a time
        if doing is not None:
            write(doing.transaction)
            doing.deeds.append(done)
            doing.touched.add(source_id)
            return
        with self.watch.rows.transaction() as transaction:
            write(transaction)
            transaction.commit()
        done()

    def _end(self, place: int, *, commits: bool) -> None:
        pending = self.pending.pop(place)
        if commits:
            pending.transaction.commit()
            for deed in pending.deeds:
                deed()
        else:
            pending.transaction.rollback()
        pending.opened.__exit__(None, None, None)

    def _poll(self) -> None:
        self.watch.poll(self.watch.now + timedelta(seconds=10))
        self.furthest = max(self.furthest, self.watch.now)
        if self.emptied_at is not None and abs(self.watch.now - self.emptied_at) >= HOLDS_FOR:
            self.moved |= MENTORS.keys()  # by now it is believed that nobody has a mentor

    def _note_versions(self, sure: set[int], *, is_baseline: bool = False) -> None:
        for source_id, versions in self.versions.items():
            row = self.rows.get(source_id)
            if row is None or row.kind is None:
                versions.append(Version(None, is_silent=row is not None))
                continue
            is_old = row.stated is not None and self.watch.now - row.stated > HISTORY_AGE
            mark = (row.values["state"], row.values["result"], row.values["date"], row.stated)
            key = (row.kind, row.student)
            versions.append(Version(key, source_id in sure, is_baseline or is_old, mark))
        self.highest_polled = max([self.highest_polled, self.filler, *self.rows])
        for pending in self.pending.values():
            pending.polls += 1

    def _polled(self, *, everything: bool = False, is_baseline: bool = False) -> None:
        """A poll came to its end: what it could not overlook is recorded from now on."""
        everything |= not self.filler  # the sweep goes through so small a table in every poll
        sure = {i for i, row in self.rows.items() if everything or row.surely_seen or i in self.looked_at}
        self._note_versions(sure, is_baseline=is_baseline)
        for row in self.rows.values():
            row.surely_seen = row.may_be_done_with = False
            row.was_polled = True
        self.looked_at = {i for i in sure if self._is_looked_at_next(self.rows[i])}
        told = _counted(self._seen())
        for source_id, versions in self.versions.items():
            missed = _runs([v for v in versions if v.is_sure and v.key]) - told[source_id]
            assert not missed, f"missed {missed} of {source_id}"

    def _is_looked_at_next(self, row: Row) -> bool:
        return row.kind in OPEN and self.watch.now - row.values["date"] < FRESH_AGE

    def _may_have_polled(self) -> None:
        """A poll came to no end: what it recorded in a final state, or as gone, is no longer looked at by the next."""
        self._note_versions(set())
        for row in self.rows.values():
            row.was_polled = True
            row.may_be_done_with |= row.kind not in OPEN
        self.looked_at &= {source_id for source_id, row in self.rows.items() if row.kind in OPEN}

    def _seen(self) -> list[Seen]:
        """The events of all rows but the filler, in the order of recording."""
        return [
            Seen(
                event.event_id,
                event.source_id,
                event.episode,
                (event.event_type, event.student_id),
                event.is_current,
                event.is_history,
                event.is_withdrawn,
                event.created_at,
            )
            for event in self.watch.events()
            if event.source_id > self.filler
        ]

    def _compare(self) -> None:
        seen = self._seen()
        assert len(self.watch.facts()) == len(seen) + self.filler
        self._compare_counts(seen)
        self._compare_owed(seen)
        for source_id, row in self.rows.items():
            current = [one.key for one in seen if one.source_id == source_id and one.is_current]
            assert current == ([(row.kind, row.student)] if row.kind else [])

    def _compare_counts(self, seen: Sequence[Seen]) -> None:
        told = _counted(seen)
        for source_id, versions in self.versions.items():
            invented = told[source_id] - _runs(versions, is_back_for_sure=self.is_back_for_sure)
            assert not invented, f"invented {invented} of {source_id}"
            self._compare_history([one for one in seen if one.source_id == source_id], versions)

    def _compare_history(self, seen: Sequence[Seen], versions: Sequence[Version]) -> None:
        is_followed = False
        for one in seen:
            places = [place for place, version in enumerate(versions) if version.key == one.key]
            could_be = {versions[place].is_history for place in places}
            if any(version.is_silent for version in versions[: places[-1]]):  # it may have been found before
                could_be.add(False)
            if is_followed:  # what becomes known of a row that was news is news
                could_be = {False} if self.is_back_for_sure else could_be | {False}
            assert one.is_history in could_be, one
            is_followed |= not one.is_history

    def _compare_owed(self, seen: Sequence[Seen]) -> None:
        """What is news waits for the student's mentors, and for nobody else."""
        waiting = _waiting(self.watch)
        for one in seen:
            student = one.key[1]
            mentors, to = {m for m, s in self.links if s == student}, waiting.get(one.event_id, set())
            if one.is_history or one.is_withdrawn:
                assert not to, one
            elif student not in self.moved:
                assert to == mentors, one
            elif mentors and self.furthest - one.found_at < HISTORY_AGE:
                assert to, one
                assert to <= mentors, one


def _counted(seen: Sequence[Seen]) -> dict[int, Counter[Key]]:
    counted: dict[int, Counter[Key]] = defaultdict(Counter)
    for one in seen:
        counted[one.source_id][one.key] += 1
    return counted


def _runs(versions: Sequence[Version], *, is_back_for_sure: bool = True) -> Counter[Key]:
    """How often a row came into each state; one that was away and came back just as it was did not."""
    marks: dict[Key, set[tuple[Any, ...]]] = defaultdict(set)
    for version in versions:
        if version.key:
            marks[version.key].add(version.mark)
    runs: Counter[Key] = Counter()
    last, was_away = None, False
    for version in versions:
        is_another = version.key is not None and (len(marks[version.key]) > 1 or not is_back_for_sure)
        if version.key and (version.key != last or (was_away and is_another)):
            runs[version.key] += 1
        was_away = version.key is None
        last = version.key or last
    return runs


def _waiting(watch: Watch) -> dict[int, set[int]]:
    """The mentors for whom each event waits, by its id."""
    waiting: dict[int, set[int]] = defaultdict(set)
    query = sa.select(logs.c.event_id, logs.c.mentor_id).where(logs.c.due_at.is_not(None))
    with watch.store.reading() as transaction:
        for event_id, mentor_id in transaction.execute(query):
            waiting[event_id].add(mentor_id)
    return waiting


@contextmanager
def _crash_in_write(number: int, before: bool) -> Iterator[list[bool]]:
    """Crash before or just after the `number`-th transaction of the store commits."""
    writing, count = Store.writing, 0
    crashed: list[bool] = []

    @contextmanager
    def crashing(store: Store) -> Iterator[Transaction]:
        nonlocal count
        count += 1
        dies = count == number
        with writing(store) as transaction:
            yield transaction
            if dies and before:
                crashed.append(True)
                raise Crash
        if dies:
            crashed.append(True)
            raise Crash

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "writing", crashing)
        yield crashed


def _drop(rows: dict[int, Row], source_id: int) -> None:
    rows.pop(source_id)


def _polls_of_two_rounds(watch: Watch) -> int:
    if watch.rows.engine.dialect.name == "sqlite":
        return 2 * (int(watch.rows.value("SELECT count(*) FROM attempts")) // int(SLICE) + 1) + 1
    return 2 * int(watch.rows.value("SELECT pg_relation_size('attempts') / 8192")) + 2


def _empty(watch: Watch) -> None:
    for table in ("subject_stats", "attempts"):
        _empty_table(watch, table)
    for table in (MENTOR_ROWS, LINKS):
        _bring_back(watch, table)
    own = " AND ".join(f'NOT ("A" = {m} AND "B" = {s})' for s, mentors in MENTORS.items() for m in mentors)
    watch.rows.run(f'DELETE FROM {LINKS} WHERE "B" IN ({", ".join(map(str, MENTORS))}) AND {own}')
    for student, mentors in MENTORS.items():
        for mentor in mentors:
            values = f"VALUES ({mentor}0{student}, {mentor}, {student})"
            watch.rows.run(f'INSERT INTO {LINKS} (id, "A", "B") {values} ON CONFLICT DO NOTHING')
    with watch.store.writing() as transaction:
        for stored in reversed(store_tables.sorted_tables):
            transaction.execute(sa.delete(stored))
    watch.restart(LMS_SWEEP_ROWS=SLICE)


def _empty_table(watch: Watch, table: str) -> None:
    on_sqlite = watch.rows.engine.dialect.name == "sqlite"
    watch.rows.run(f"DELETE FROM {table}" if on_sqlite else f"TRUNCATE {table} CASCADE")


def _set_aside(watch: Watch, table: str) -> None:
    watch.rows.run(f"CREATE TABLE {_aside(table)} AS SELECT * FROM {table}")
    watch.rows.run(f"DELETE FROM {table}")


def _bring_back(watch: Watch, table: str) -> None:
    watch.rows.run(f"CREATE TABLE IF NOT EXISTS {_aside(table)} AS SELECT * FROM {table} WHERE false")
    watch.rows.run(f"INSERT INTO {table} SELECT * FROM {_aside(table)}")
    watch.rows.run(f"DROP TABLE {_aside(table)}")


def _aside(table: str) -> str:
    return table.strip('"').lower() + "_aside"


@pytest.fixture(params=["one slice", "many slices"])
def size(request: pytest.FixtureRequest) -> int:
    """How much finished history stands in the way of the sweep."""
    return {"one slice": 0, "many slices": 400}[request.param]


def chosen_settings(chosen: Any, otherwise: settings = HURRIED) -> settings:
    """Those of a profile named on the command line, else others, which take seconds and always do the same."""
    given = settings() if chosen else otherwise
    without_shrinking = [Phase.explicit, Phase.reuse, Phase.generate]  # each step asks databases: it takes minutes
    return settings(given, deadline=None, phases=without_shrinking, suppress_health_check=list(HealthCheck))


@contextmanager
def school(lms_url: str, request: pytest.FixtureRequest, tmp_path: Any, kind: type[School]) -> Iterator[type[School]]:
    """The class of a school of this kind, in an LMS of its own."""
    on_sqlite = lms_url.startswith("sqlite")
    store_url = f"sqlite:///{tmp_path}/store.db" if on_sqlite else request.getfixturevalue("postgresql")
    watch = PollingWatch(lms_url, store_url, LMS_SWEEP_ROWS=SLICE)
    here = type("Here", (kind,), {"watch": watch, "writers": 1 if on_sqlite else 3})
    try:
        yield here
    finally:
        watch.close()


def test_e2_every_state_that_a_poll_could_see_is_recorded_and_owed_once(
    lms_url: str, request: pytest.FixtureRequest, tmp_path: Any, size: int
) -> None:
    profile = request.config.getoption("--hypothesis-profile", default=None)
    with school(lms_url, request, tmp_path, School) as here:
        here.filler = size
        run_state_machine_as_test(here, settings=chosen_settings(profile))


def test_e2_each_kind_of_change_of_a_row_is_recorded_and_owed_once(
    lms_url: str, request: pytest.FixtureRequest, tmp_path: Any
) -> None:
    """What chance brings about now and then, one after the other."""
    with school(lms_url, request, tmp_path, School) as here:
        here.filler = 0
        story = here()
        passed, failed, open_, silent = ("completed", "passed"), ("completed", "fail"), ("started", None), (None, None)
        story.begin_with_some_history({990: (failed, JANE), 991: (open_, GULNORA), 992: (open_, JANE)})
        for student, state in ((JANE, failed), (GULNORA, passed), (SOFIA, failed), (JANE, passed), (GULNORA, open_)):
            story.insert(0, 5, state, student)  # 1005, 1010, 1015, 1020, 1025, numbered 3 to 7 below
            story.poll(1)
        after: list[State] = [silent, open_, silent, passed]
        for change in after:
            story.update(0, 7, change, False)
            story.poll(1)
        for student in (GULNORA, JANE):
            story.give_to_another(0, 3, student)
            story.poll(1)
        story.delete(0, 6)
        story.poll(1)
        story.give_an_id_again(0, 0, failed, GULNORA)
        story.go_back_to_a_state(4, failed, passed, 1)
        for polls in (0, 2):
            story.empty_and_refill(polls)
        story.be_graded_after_weeks(3, "fail", True, 1)
        story.teardown()


@pytest.mark.parametrize("polls", [1, 3])
def test_e2_what_a_transaction_inserts_below_what_was_polled_meanwhile_is_recorded(
    lms_url: str, request: pytest.FixtureRequest, tmp_path: Any, polls: int
) -> None:
    """At once, but for a SQLite LMS, where the sweep finds it if more than one poll lies between."""
    with school(lms_url, request, tmp_path, School) as here:
        here.filler = 400
        story = here()
        story.begin_with_some_history({})
        story.insert(0, 5, ("completed", "passed"), JANE)
        story.begin(0)
        story.poll(polls)
        story.insert(0, -2, ("completed", "fail"), GULNORA)
        story.end(0, True)
        assert story.rows[FIRST_ID + 3].surely_seen == (polls == 1 or here.writers > 1)
        story.poll(1)
        story.teardown()


def test_e2_what_is_news_follows_links_that_come_and_go(
    lms_url: str, request: pytest.FixtureRequest, tmp_path: Any
) -> None:
    with school(lms_url, request, tmp_path, School) as here:
        here.filler = 0
        story = here()
        story.begin_with_some_history({990: (("started", None), JANE)})
        for student in MENTORS:
            story.insert(0, 5, ("completed", "fail"), student)
            story.poll(1)
        story.link_or_unlink(OMAR, SOFIA)
        story.watch.poll(story.watch.now + 6 * MINUTE)
        for _ in range(2):
            story.link_or_unlink(OMAR, GULNORA)
            story.watch.poll(story.watch.now + 6 * MINUTE)
        for table in (MENTOR_ROWS, LINKS):
            story.empty_people(table, 2)
            story.insert(0, 5, ("completed", "fail"), GULNORA)
            story.poll(1)
            story.refill_people()
            story.poll(1)
        for by in (90 * MINUTE, -90 * MINUTE):
            story.move_clock(by)
            story.poll(2)
        story.link_or_unlink(OMAR, JANE)
        story.link_or_unlink(MARY, JANE)
        story.teardown()
