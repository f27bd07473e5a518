"""Whatever happens in the LMS, and whenever old events are removed: each state is recorded and owed once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis.stateful import rule, run_state_machine_as_test

from lms_bot.store import state
from lms_bot.store.retention import prune
from tests.test_changes_model import School, Seen, chosen_settings, school

MUCH_LATER = timedelta(days=1_000)


class ForgetfulSchool(School):
    """The same school, whose store is emptied again and again; what it keeps of a row does not say whose that was."""

    filler = 0
    changes_owners = False
    is_back_for_sure = False

    def __init__(self) -> None:
        super().__init__()
        self.removed: list[Seen] = []

    @rule()
    def remove_what_is_recorded(self) -> None:
        before = super()._seen()
        with self.watch.store.writing() as transaction:
            state.forget(transaction, prune.POSITION)
        prune.prune_slice(self.watch.store, 30, max(self.furthest, self.watch.now) + MUCH_LATER)
        assert super()._seen() == []
        self.removed += before

    def _seen(self) -> list[Seen]:
        kept = super()._seen()
        highest_gone = max((one.event_id for one in self.removed), default=0)
        assert all(one.event_id > highest_gone for one in kept)
        again = {_fact(one) for one in kept} & {_fact(one) for one in self.removed}
        assert not again, f"found again {sorted(again)}"
        return [*self.removed, *kept]

    def _compare(self) -> None:
        kept = super()._seen()
        self._compare_counts(self._seen())
        self._compare_owed(kept)
        for source_id, row in self.rows.items():
            last = [one for one in self._seen() if one.source_id == source_id][-1:]
            current = [one.key for one in kept if one.source_id == source_id and one.is_current]
            assert current == ([(row.kind, row.student)] if row.kind and last[0] not in self.removed else [])


def _fact(one: Seen) -> tuple[int, int, str]:
    return one.source_id, one.episode, one.key[0]


def test_e2_every_state_is_recorded_and_owed_once_while_old_ones_are_removed(
    lms_url: str, request: pytest.FixtureRequest, tmp_path: Any
) -> None:
    profile = request.config.getoption("--hypothesis-profile", default=None)
    with school(lms_url, request, tmp_path, ForgetfulSchool) as here:
        run_state_machine_as_test(here, settings=chosen_settings(profile))
