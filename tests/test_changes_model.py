"""Whatever people, transactions and crashes do between polls, every state that a poll could see is recorded once.

For a deep search: `.venv/bin/python -m pytest -n0 -p tests.test_changes_model --hypothesis-profile=deep`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from lms_bot.store.session import Store, Transaction
from lms_bot.store.tables import metadata as store_tables
from tests.lms_rows import GULNORA, JANE, MARY, NOW, OMAR, SOFIA, LmsTransaction, PollingWatch, Watch

HURRIED = settings(max_examples=8, stateful_step_count=30, deadline=None, derandomize=True)
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
FIRST_ID = 1_000  # what was there before anybody looked stands below
ids = st.integers(FIRST_ID - 40, FIRST_ID)
steps = st.integers(-6, 9) | st.integers(-60, 9)  # from the highest id so far: most come in order, but not quite
states = st.sampled_from(list(STATES))
students = st.sampled_from(list(MENTORS))
places = st.integers(0, 2)

Said = tuple[int, str]
"""A source id and the event type that its row stated."""


class Crash(Exception):
    """The process ends here."""


class Row:
    """What the oracle knows of one committed row."""

    def __init__(self, student: int, kind: str | None, *, surely_seen: bool) -> None:
        self.student = student
        self.kind = kind
        self.surely_seen = surely_seen  # by the next poll, without the sweep
        self.may_be_done_with = False  # a poll that crashed may have recorded it in a final state


class Pending:
    """A transaction under way, and what it will have done if it commits."""

    def __init__(
        self, transaction: LmsTransaction, opened: AbstractContextManager[LmsTransaction], highest_polled: int
    ) -> None:
        self.transaction = transaction
        self.opened = opened
        self.highest_polled = highest_polled
        self.deeds: list[Callable[[], None]] = []
        self.touched: set[int] = set()


class School(RuleBasedStateMachine):
    """Attempts come, change and go in several transactions while a poller looks on.

    The oracle keeps `must`, what a poll surely had before its eyes, and `may`, what any poll could have seen. The
    former is recorded and owed, the latter is all that is.
    """

    watch: ClassVar[Watch]
    filler: ClassVar[int]
    writers: ClassVar[int]

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[int, Row] = {}
        self.used: set[int] = set()
        self.pending: dict[int, Pending] = {}
        self.owner: dict[Said, int] = {}
        self.must: set[Said] = set()
        self.may: set[Said] = set()
        self.history: set[Said] = set()
        self.looked_at: set[int] = set()  # rows that a poll found open, and will look at in the next
        self.highest_polled = 0

    @initialize(there=st.dictionaries(ids, st.tuples(states, students), max_size=6))
    def begin_with_some_history(self, there: dict[int, tuple[tuple[str | None, str | None], int]]) -> None:
        _empty(self.watch)
        self.watch.now = NOW
        if self.filler:
            self.watch.rows.insert_finished(1, self.filler)
        for source_id, (state, student) in there.items():
            self._insert(None, source_id, state, student)
        self.history = {(source_id, row.kind) for source_id, row in self.rows.items() if row.kind}
        self._poll()
        self._polled()

    # --- What happens in the LMS

    @rule(place=places, step=steps, state=states, student=students)
    def insert(self, place: int, step: int, state: tuple[str | None, str | None], student: int) -> None:
        source_id = max(self.used, default=FIRST_ID) + step
        # An id that was used once may still be looked for, so it says nothing sure if it comes again.
        if source_id not in self.used and source_id > self.filler:
            self._insert(self.pending.get(place), source_id, state, student)

    @rule(place=places, pick=st.integers(0, 99), state=states)
    @precondition(lambda self: self.rows)
    def update(self, place: int, pick: int, state: tuple[str | None, str | None]) -> None:
        source_id, doing = self._pick(place, pick)
        if source_id is None:
            return

        def done() -> None:
            row = self.rows[source_id]
            row.surely_seen = (row.surely_seen and not row.may_be_done_with) or source_id in self.looked_at
            row.kind = STATES[state]

        values = {"state": state[0], "result": state[1]}
        self._do(doing, source_id, lambda t: t.update_attempt(source_id, **values), done)

    @rule(place=places, pick=st.integers(0, 99))
    @precondition(lambda self: self.rows)
    def delete(self, place: int, pick: int) -> None:
        source_id, doing = self._pick(place, pick)
        if source_id is not None:
            self._do(doing, source_id, lambda t: t.delete("attempts", source_id), lambda: _drop(self.rows, source_id))

    @rule(place=places)
    def begin(self, place: int) -> None:
        if place in self.pending or len(self.pending) >= self.writers:
            return
        opened = self.watch.rows.transaction()
        transaction = opened.__enter__()
        # Its transaction id is what the safe cursor waits for, and only a write gives it one.
        transaction.insert("subject_stats", {"subject_name": "begun"})
        self.pending[place] = Pending(transaction, opened, self.highest_polled)

    @rule(pick=st.integers(0, 2), commits=st.sampled_from([True, True, True, False]))
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
        higher = max(self.used, default=FIRST_ID) + 10
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
        self._could_see()
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

    def teardown(self) -> None:
        for place in list(self.pending):
            self._end(place, commits=place != 2)
        self.poll(1)
        for _ in range(_polls_of_two_rounds(self.watch)):
            self._poll()
        self._polled(everything=True)
        self._compare()

    # --- The oracle

    def _insert(
        self, doing: Pending | None, source_id: int, state: tuple[str | None, str | None], student: int
    ) -> None:
        self.used.add(source_id)
        highest_before = doing.highest_polled if doing else self.highest_polled

        def done() -> None:
            self.rows[source_id] = Row(student, STATES[state], surely_seen=source_id > highest_before)

        values = {"user_id": student, "state": state[0], "result": state[1]}
        self._do(doing, source_id, lambda t: t.insert_attempt(source_id, **values), done)

    def _pick(self, place: int, pick: int) -> tuple[int | None, Pending | None]:
        """A committed row that no transaction under way has touched, for it would have to wait."""
        locked = {source_id for pending in self.pending.values() for source_id in pending.touched}
        free = sorted(set(self.rows) - locked)
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

    def _could_see(self) -> None:
        for source_id, row in self.rows.items():
            self.owner[source_id, row.kind or ""] = row.student
            if row.kind:
                self.may.add((source_id, row.kind))
        self.highest_polled = max([self.highest_polled, self.filler, *self.rows])

    def _polled(self, *, everything: bool = False) -> None:
        """A poll came to its end: what it could not overlook is recorded from now on."""
        self._could_see()
        seen_open = set()
        for source_id, row in self.rows.items():
            if everything or row.surely_seen or (source_id, row.kind) in self.history:
                if row.kind:
                    self.must.add((source_id, row.kind))
                if row.kind in OPEN:
                    seen_open.add(source_id)
            row.surely_seen = row.may_be_done_with = False
        self.looked_at = seen_open
        missed = self.must - self._recorded()
        assert not missed, f"missed {sorted(missed)}"

    def _may_have_polled(self) -> None:
        """A poll came to no end: what it recorded in a final state is no longer looked at by the next."""
        for source_id, row in self.rows.items():
            if row.kind not in OPEN:
                row.may_be_done_with = True
                self.looked_at.discard(source_id)

    def _recorded(self) -> set[Said]:
        return {(source_id, kind) for _, source_id, kind in self.watch.facts() if source_id > self.filler}

    def _compare(self) -> None:
        recorded = self._recorded()
        assert len(self.watch.facts()) == len(recorded) + self.filler
        assert recorded <= self.may, f"invented {sorted(recorded - self.may)}"
        owed = [(source_id, kind, mentor_id) for _, source_id, kind, mentor_id in self.watch.owed()]
        told = recorded - self.history
        assert sorted(owed) == sorted((*said, mentor) for said in told for mentor in MENTORS[self.owner[said]])
        current: dict[int, list[str]] = {}
        for event in self.watch.events():
            if event.is_current:
                current.setdefault(event.source_id, []).append(event.event_type)
        for source_id, row in self.rows.items():
            assert current.get(source_id, []) == ([row.kind] if row.kind else [])


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
    on_sqlite = watch.rows.engine.dialect.name == "sqlite"
    for table in ("subject_stats", "attempts"):
        watch.rows.run(f"DELETE FROM {table}" if on_sqlite else f"TRUNCATE {table} CASCADE")
    with watch.store.writing() as transaction:
        for stored in reversed(store_tables.sorted_tables):
            transaction.execute(sa.delete(stored))


@pytest.fixture(params=["one slice", "many slices"])
def size(request: pytest.FixtureRequest) -> int:
    """How much finished history stands in the way of the sweep."""
    return {"one slice": 0, "many slices": 400}[request.param]


def chosen_settings(chosen: Any) -> settings:
    """Those of a profile named on the command line, else ours, which take seconds and always do the same."""
    given = settings() if chosen else HURRIED
    return settings(given, deadline=None, suppress_health_check=list(HealthCheck))


def test_every_state_that_a_poll_could_see_is_recorded_and_owed_once(
    lms_url: str, request: pytest.FixtureRequest, tmp_path: Any, size: int
) -> None:
    on_sqlite = lms_url.startswith("sqlite")
    store_url = f"sqlite:///{tmp_path}/store.db" if on_sqlite else request.getfixturevalue("postgresql")
    watch = PollingWatch(lms_url, store_url, LMS_SWEEP_ROWS=SLICE)

    class Here(School):
        pass

    Here.watch, Here.filler, Here.writers = watch, size, 1 if on_sqlite else 3
    profile = request.config.getoption("--hypothesis-profile", default=None)
    try:
        run_state_machine_as_test(Here, settings=chosen_settings(profile))
    finally:
        watch.close()
