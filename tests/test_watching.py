"""How much of a video was watched is never more than was played, however reports come: late, twice, or not at all."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lms_bot.core.web.watching import (
    LONGEST_STEP,
    LONGEST_STRETCH,
    MOST_STRETCHES,
    SAME_SITTING,
    Report,
    Stretch,
    Watching,
    union,
)
from tests import NOW

LENGTH = 600
SECOND = timedelta(seconds=1)

# A viewing is a list of where the video was played from, and for how long.
viewings = st.lists(st.tuples(st.integers(0, LENGTH - 1), st.integers(1, 60)), min_size=1, max_size=12)


def played(viewing: list[tuple[int, int]]) -> list[Stretch]:
    return [(begin, min(LENGTH, begin + seconds)) for begin, seconds in viewing]


def seconds_of(stretches: list[Stretch] | tuple[Stretch, ...]) -> set[int]:
    """The whole seconds that stretches cover."""
    return {second for begin, end in stretches for second in range(int(begin), int(end))}


def reports_of(viewing: list[tuple[int, int]], every: int = 7) -> list[Report]:
    """What a page reports that says from where it played."""
    found = []
    for begin, end in played(viewing):
        places = [*range(int(begin), int(end), every), end]
        found += [Report(100 * to / LENGTH, to, since, LENGTH) for since, to in pairwise(places)]
    return found


def positions_of(viewing: list[tuple[int, int]], every: int = 7) -> list[Report]:
    """What a page reports that only says where it is."""
    places = [place for begin, end in played(viewing) for place in [*range(int(begin), int(end), every), end]]
    return [Report(100 * place / LENGTH, place) for place in places]


def after(reports: list[Report], apart: timedelta = 5 * SECOND) -> Watching:
    watching = Watching()
    for number, report in enumerate(reports):
        watching = watching.after(report, NOW + number * apart)
    return watching


@given(viewings)
def test_what_was_played_counts_once(viewing: list[tuple[int, int]]) -> None:
    truth = seconds_of(played(viewing))
    watching = after(reports_of(viewing))
    assert seconds_of(watching.stretches) == truth
    assert watching.percentage == round(100 * len(truth) / LENGTH, 1)


@given(viewings, st.data())
def test_no_order_repetition_or_loss_makes_it_more(viewing: list[tuple[int, int]], data: st.DataObject) -> None:
    came = data.draw(st.lists(st.sampled_from(reports_of(viewing)), max_size=40))
    truth = seconds_of(played(viewing))
    watching = after(came)
    assert seconds_of(watching.stretches) <= truth
    assert watching.percentage <= round(100 * len(truth) / LENGTH, 1)


@given(viewings, st.data())
def test_the_order_and_repetition_change_nothing(viewing: list[tuple[int, int]], data: st.DataObject) -> None:
    reports = reports_of(viewing)
    shuffled = data.draw(st.permutations([*reports, *reports[:5]]))
    assert after(shuffled).stretches == after(reports).stretches


@given(viewings)
def test_positions_alone_count_no_jump_that_is_longer_than_a_step(viewing: list[tuple[int, int]]) -> None:
    parts = played(viewing)
    jumps = [to - end for (_, end), (to, _) in pairwise(parts)]
    assume(not any(0 < jump <= LONGEST_STEP for jump in jumps))
    assert seconds_of(after(positions_of(viewing)).stretches) <= seconds_of(parts)


def test_positions_that_come_every_seven_seconds_count_what_is_between_them() -> None:
    assert after(positions_of([(0, 600)])).percentage == 100


def test_jumping_to_the_end_counts_nothing() -> None:
    assert after([Report(0, 0), Report(95, 570), Report(100, 600)]).percentage == 0


def test_a_position_repeated_or_behind_the_last_counts_nothing() -> None:
    reports = [Report(50, 300), Report(50, 300), Report(49, 294), Report(50, 300)]
    assert after(reports).stretches == ((294, 300),)


def test_a_position_in_another_sitting_goes_on_from_nowhere() -> None:
    near = [Report(50, 300), Report(51, 306)]
    assert after(near, SAME_SITTING).stretches == ((300, 306),)
    assert after(near, SAME_SITTING + SECOND).stretches == ()
    assert after(near, -SECOND).stretches == ()  # the clock was put back


@pytest.mark.parametrize("since", [300, 301, 300 - LONGEST_STRETCH - 1])
def test_a_stretch_that_is_none_or_too_long_counts_nothing(since: float) -> None:
    assert after([Report(50, 300, since, LENGTH)]).stretches == ()


# How long the video is


def test_a_stated_length_counts_more_than_an_estimate_and_the_longest_of_several() -> None:
    assert after([Report(50, 300), Report(51, 306, length=900)]).length == 900
    assert after([Report(51, 306, length=900), Report(99, 310)]).length == 900
    assert after([Report(50, 300, length=900), Report(51, 306, length=310)]).length == 900


def test_the_highest_percentage_estimates_the_length() -> None:
    assert after([Report(1, 10)]).length == 1000  # 1.67, rounded down by the page
    assert after([Report(1, 10), Report(90, 540)]).length == 600
    assert after([Report(90, 540), Report(90, 10)]).length == 600  # the page shows the highest it ever came to


def test_without_a_percentage_the_length_is_not_known_and_nothing_is_claimed() -> None:
    watching = after([Report(0, 300), Report(0, 306)])
    assert (watching.length, watching.percentage) == (None, 0)


@given(st.lists(st.builds(Report, st.floats(0, 100), st.floats(0, 1_000)), max_size=30))
def test_no_position_is_beyond_the_length_and_no_percentage_beyond_a_hundred(reports: list[Report]) -> None:
    watching = after(reports)
    assert 0 <= watching.percentage <= 100
    if watching.length is not None and watching.position is not None:
        assert watching.length >= watching.position


# What is only claimed


def test_a_bare_percentage_is_kept_and_never_goes_back() -> None:
    assert after([Report(40), Report(70), Report(20)]).percentage == 70


def test_a_bare_percentage_counts_no_more_once_positions_are_known() -> None:
    watching = after([Report(95), Report(1, 6, 0, LENGTH), Report(99)])
    assert (watching.percentage, watching.reported) == (1.0, 99)


# The union


@given(st.lists(st.tuples(st.integers(0, 1_000), st.integers(1, 50)), max_size=40))
def test_a_union_covers_the_same_and_is_in_order_and_apart(parts: list[tuple[int, int]]) -> None:
    stretches: list[Stretch] = [(begin, begin + seconds) for begin, seconds in parts]
    found = union(stretches)
    assert seconds_of(found) == seconds_of(stretches)
    assert all(one[1] < other[0] for one, other in pairwise(found))


def test_of_too_many_stretches_the_shortest_are_let_go() -> None:
    found = union([(10 * number, 10 * number + 1 + number % 2) for number in range(2 * MOST_STRETCHES)])
    assert len(found) == MOST_STRETCHES
    assert {end - begin for begin, end in found} == {2}
