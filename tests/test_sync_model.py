"""Whatever changes in an LMS, vanishes and comes back, between syncs and during them, the store comes to hold the same.

For a deep search: `.venv/bin/python -m pytest -n0 -p tests.test_changes_model --hypothesis-profile=deep`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from lms_bot.core.sync import SyncResult
from lms_bot.pipeline.sync import academics
from lms_bot.pipeline.sync.run import Sync
from lms_bot.store.academics import conflicts, drift
from lms_bot.store.tables import metadata as store_tables
from tests.lms_rows import DAY, GULNORA, JANE, MARY, MINUTE, NOW, OBRIEN, OMAR, RAVI, Watch
from tests.sync_recount import after_reading, changes, conflicts_of_people, differences, in_lms, in_store, said_changes
from tests.test_changes_model import Crash, _crash_in_write, chosen_settings

HURRIED = settings(max_examples=3, stateful_step_count=25, deadline=None, derandomize=True)
SLICE = "100"
LABELS = ("Algebra", " Geometry ", "", None)
DAYS = tuple(f"2026-02-{day}" for day in (20, 21, 22, 23))
EMAILS = (None, "jane@example.org", " JANE@example.org", "ravi@example.org")
picks = st.integers(0, 99)
students = st.sampled_from([JANE, RAVI, GULNORA])
steps = st.integers(-6, 9)
leaves = st.sampled_from([None, True, False])
labels = st.sampled_from(LABELS)


class School(RuleBasedStateMachine):
    """Rows come, change and go while syncs, turns, polls and crashes happen; the two are compared by plain SQL."""

    watch: ClassVar[Watch]

    def __init__(self) -> None:
        super().__init__()
        self.results: dict[int, tuple[int, Any, Any]] = {}  # attempt, label, is_leaf
        self.days: dict[int, tuple[int, str]] = {}
        self.attempts: set[int] = set()
        self.links = {(MARY, JANE)}
        self.members = {(301, JANE)}
        self.highest = 1_000
        self.has_lost = False  # something vanished of which nothing says so before the next comparison

    @initialize(polls=st.booleans())
    def begin(self, polls: bool) -> None:
        _empty(self.watch)
        self.highest = 1_000
        if polls:
            self.poll()

    # --- What happens in the LMS

    @rule()
    def attempt(self) -> None:
        number = len(self.attempts) + 1
        self.attempts.add(number)
        self.watch.rows.insert_attempt(number, state="completed", result="pass", percentage=80, date=self.watch.now)

    @rule(step=steps, pick=picks, label=labels, is_leaf=leaves)
    def add_result(self, step: int, pick: int, label: str | None, is_leaf: bool | None) -> None:
        row_id = self._free(step, self.results)
        if row_id is not None and self.attempts:
            self.results[row_id] = (self._attempt(pick), label, is_leaf)
            self._write("subject_stats", row_id, self._result(row_id))

    @rule(pick=picks, attempt=picks, label=labels, is_leaf=leaves, correct=st.integers(-1, 3))
    @precondition(lambda self: self.results)
    def change_result(self, pick: int, attempt: int, label: str | None, is_leaf: bool | None, correct: int) -> None:
        row_id = self._pick(pick, self.results)
        self.results[row_id] = (self._attempt(attempt), label, is_leaf)
        values = self._result(row_id) | {"correct_answers_count": correct if correct >= 0 else None}
        self._update("subject_stats", row_id, values)

    @rule(pick=picks)
    @precondition(lambda self: self.results)
    def delete_result(self, pick: int) -> None:
        row_id = self._pick(pick, self.results)
        del self.results[row_id]
        self._delete("subject_stats", row_id)

    @rule(step=steps, student=students, day=st.sampled_from(DAYS), streak=st.integers(0, 9))
    def add_day(self, step: int, student: int, day: str, streak: int) -> None:
        row_id = self._free(step, self.days)
        if row_id is not None and (student, day) not in self.days.values():
            self.days[row_id] = (student, day)
            values = {"timestamp": NOW.isoformat(), "student_id": str(student), "fetch_date": day}
            self._write("student_activities", row_id, values | {"current_streak": streak})

    @rule(pick=picks, student=students, day=st.sampled_from(DAYS), streak=st.integers(0, 9))
    @precondition(lambda self: self.days)
    def change_day(self, pick: int, student: int, day: str, streak: int) -> None:
        row_id = self._pick(pick, self.days)
        if (student, day) not in self.days.values() or self.days[row_id] == (student, day):
            self.days[row_id] = (student, day)
            values = {"student_id": str(student), "fetch_date": day, "current_streak": streak}
            self._update("student_activities", row_id, values)

    @rule(pick=picks)
    @precondition(lambda self: self.days)
    def delete_day(self, pick: int) -> None:
        row_id = self._pick(pick, self.days)
        del self.days[row_id]
        self._delete("student_activities", row_id)

    @rule(student=students, email=st.sampled_from(EMAILS), is_active=st.booleans())
    def change_student(self, student: int, email: str | None, is_active: bool) -> None:
        self._update("students", student, {"email": email, "is_active": is_active})

    @rule(mentor=st.sampled_from([MARY, OMAR]), student=students)
    def link_or_unlink(self, mentor: int, student: int) -> None:
        self._toggle("_MentorToStudent", (mentor, student))

    @rule(batch=st.sampled_from([301, 302]), student=students)
    def enrol_or_not(self, batch: int, student: int) -> None:
        self._toggle("_BatchToStudent", (batch, student))

    @rule(title=st.sampled_from(["Calculus", "Logic"]))
    def rename_course(self, title: str) -> None:
        self._update("courses", 1, {"title": title})

    # --- What is done about it

    @rule()
    def sync(self) -> None:
        before = in_store(self.watch.store)
        result = self._sync()
        after, lms = in_store(self.watch.store), in_lms(self.watch.rows)
        assert said_changes(result) == changes(before, after)
        read = [result.kinds[kind].changes.read for kind in ("students", "mentors", "links")]
        assert read == [len(lms[name]) for name in ("students", "mentors", "mentor_students")]
        assert not self._differences() or self.has_lost, self._differences()
        with self.watch.store.reading() as transaction:
            marks = {one[:3] for one in conflicts.standing(transaction)}
        assert marks == conflicts_of_people(lms)
        again = said_changes(self._sync())
        assert set(again.values()) == {(0, 0, 0)}

    @rule(after=st.integers(1, 12), pick=picks, student=students, day=st.sampled_from(DAYS))
    def change_during_a_sync(self, after: int, pick: int, student: int, day: str) -> None:
        def change() -> None:
            if self.results:
                self.change_result(pick, pick, LABELS[0], None, 2)
            self.add_result(5, pick, LABELS[1], None)
            self.add_day(5, student, day, 7)
            if self.days:
                self.change_day(pick, student, day, 8)
            self.link_or_unlink(OMAR, student)

        with after_reading(self.watch, after, change):
            self._sync()
        self.sync()

    @rule(number=st.integers(1, 8), before=st.booleans())
    def sync_and_crash(self, number: int, before: bool) -> None:
        with _crash_in_write(number, before), suppress(Crash):
            self._sync()
        self.watch.restart(LMS_SWEEP_ROWS=SLICE)

    @rule()
    def turn(self) -> None:
        academics.read_turn(self.watch.store, self.watch.lms, self.watch.now)

    @rule()
    def poll(self) -> None:
        self.watch.poll()

    @rule()
    def compare_at_night(self) -> None:
        """What vanished is found; and once it is, both are the same."""
        self._sync()
        self.watch.polls(2)  # an attempt and its results, wherever the sweep is
        self.watch.poll(self.watch.now + DAY)
        self.has_lost = False
        assert not self._differences(), self._differences()
        self.watch.poll(self.watch.now + DAY)
        with self.watch.store.reading() as transaction:
            found = drift.last(transaction)
        assert found is not None
        assert sum(one.distance for one in found[0].values()) == 0

    def teardown(self) -> None:
        self.compare_at_night()
        self.sync()

    # --- How it is done

    def _sync(self) -> SyncResult:
        self.watch.now += MINUTE
        return Sync(self.watch.store, self.watch.lms, self.watch.settings).run(self.watch.now)

    def _differences(self) -> dict[str, tuple[Any, Any]]:
        return differences(in_lms(self.watch.rows), in_store(self.watch.store))

    def _free(self, step: int, taken: dict[int, Any]) -> int | None:
        """A row's id near the highest; it may be one that was there before."""
        row_id = self.highest + step
        self.highest = max(self.highest, row_id)
        return None if row_id in taken else row_id

    def _pick(self, pick: int, among: dict[int, Any]) -> int:
        return sorted(among)[pick % len(among)]

    def _attempt(self, pick: int) -> int:
        return sorted(self.attempts)[pick % len(self.attempts)]

    def _result(self, row_id: int) -> dict[str, Any]:
        attempt, label, is_leaf = self.results[row_id]
        return {"attempt_id": attempt, "subject_name": label, "is_leaf": is_leaf, "total_count": 5}

    def _write(self, table: str, row_id: int, values: dict[str, Any]) -> None:
        with self.watch.rows.transaction() as transaction:
            transaction.insert(table, {"id": row_id} | values)
            transaction.commit()

    def _update(self, table: str, row_id: int, values: dict[str, Any]) -> None:
        with self.watch.rows.transaction() as transaction:
            transaction.update(table, row_id, values)
            transaction.commit()

    def _delete(self, table: str, row_id: int) -> None:
        self.watch.rows.delete(table, row_id)
        self.has_lost = True

    def _toggle(self, table: str, pair: tuple[int, int]) -> None:
        pairs = self.links if table == "_MentorToStudent" else self.members
        first, second = pair
        if pair in pairs:
            self.watch.rows.run(f'DELETE FROM "{table}" WHERE "A" = {first} AND "B" = {second}')
        else:
            values = {"id": first * 10_000 + second, "A": first, "B": second}
            with self.watch.rows.transaction() as transaction:
                transaction.insert(table, values)
                transaction.commit()
        pairs ^= {pair}


def _empty(watch: Watch) -> None:
    for table in ("subject_stats", "difficulty_level_stats", "student_activities", "attempts"):
        watch.rows.run(f"DELETE FROM {table}")
    for table, first in (("_MentorToStudent", MARY), ("_BatchToStudent", 301)):
        watch.rows.run(f'DELETE FROM "{table}"')
        watch.rows.run(f'INSERT INTO "{table}" (id, "A", "B") VALUES (1, {first}, {JANE}), (2, {first}, {OBRIEN})')
    watch.rows.run("UPDATE students SET email = NULL")
    with watch.store.writing() as transaction:
        for stored in reversed(store_tables.sorted_tables):
            transaction.execute(sa.delete(stored))
    watch.now = NOW
    watch.restart(LMS_SWEEP_ROWS=SLICE)


def test_the_store_comes_to_hold_what_the_lms_does(
    lms_url: str, store_beside: str, request: pytest.FixtureRequest
) -> None:
    watch = Watch(lms_url, store_beside, LMS_SWEEP_ROWS=SLICE)
    try:
        watch.without_rules()
        profile = request.config.getoption("--hypothesis-profile", default=None)
        run_state_machine_as_test(type("Here", (School,), {"watch": watch}), settings=chosen_settings(profile, HURRIED))
    finally:
        watch.close()
