"""Whatever happens in the LMS, and whenever old events are removed: each state is recorded and owed once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis.stateful import rule, run_state_machine_as_test

from lms_bot.store import state
from lms_bot.store.retention import prune
from tests.lms_rows import PollingWatch
from tests.test_changes_model import MENTORS, SLICE, Said, School, chosen_settings

MUCH_LATER = timedelta(days=1_000)
Owed = tuple[int, str, int]


class ForgetfulSchool(School):
    """The same school, whose store is emptied again and again."""

    filler = 0

    def __init__(self) -> None:
        super().__init__()
        self.removed: set[Said] = set()
        self.owed_once: list[Owed] = []

    @rule()
    def remove_what_is_recorded(self) -> None:
        before, owed = self._kept(), self._owed()
        with self.watch.store.writing() as transaction:
            state.forget(transaction, prune.POSITION)
        prune.prune_slice(self.watch.store, 30, self.watch.now + MUCH_LATER)
        gone = before - self._kept()
        assert gone == before
        self.removed |= gone
        self.owed_once += [told for told in owed if told[:2] in gone]

    def _kept(self) -> set[Said]:
        return {(source_id, kind) for _, source_id, kind in self.watch.facts()}

    def _owed(self) -> list[Owed]:
        return [(source_id, kind, mentor_id) for _, source_id, kind, mentor_id in self.watch.owed()]

    def _recorded(self) -> set[Said]:
        kept = self._kept()
        assert not kept & self.removed, f"found again {sorted(kept & self.removed)}"
        return kept | self.removed

    def _compare(self) -> None:
        recorded = self._recorded()
        assert recorded <= self.may, f"invented {sorted(recorded - self.may)}"
        told = recorded - self.history
        owed = sorted(self._owed() + self.owed_once)
        assert owed == sorted((*said, mentor) for said in told for mentor in MENTORS[self.owner[said]])
        current = {
            (e.source_id, e.event_type) for e in self.watch.events() if e.is_current and e.source_id in self.rows
        }
        stated = {(source_id, row.kind) for source_id, row in self.rows.items() if row.kind}
        assert current == stated - self.removed


def test_every_state_is_recorded_and_owed_once_while_old_ones_are_removed(
    lms_url: str, request: pytest.FixtureRequest, tmp_path: Any
) -> None:
    on_sqlite = lms_url.startswith("sqlite")
    store_url = f"sqlite:///{tmp_path}/store.db" if on_sqlite else request.getfixturevalue("postgresql")
    watch = PollingWatch(lms_url, store_url, LMS_SWEEP_ROWS=SLICE)

    class Here(ForgetfulSchool):
        pass

    Here.watch, Here.writers = watch, 1 if on_sqlite else 3
    profile = request.config.getoption("--hypothesis-profile", default=None)
    try:
        run_state_machine_as_test(Here, settings=chosen_settings(profile))
    finally:
        watch.close()
