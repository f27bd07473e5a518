"""Who reads events as they are recorded reads each once, in whatever order they become visible."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_bot.core.web.positions import OVERLAP, Position, read

NUMBERS = st.lists(st.integers(1, 60), unique=True)


@given(NUMBERS, st.data())
def test_each_number_is_read_once_in_any_order_and_with_any_break(numbers: list[int], data: st.DataObject) -> None:
    position, seen = Position(0), []
    visible: list[int] = []
    for number in numbers:
        visible.append(number)
        if data.draw(st.booleans()):
            continue
        for one in sorted(visible):
            if position.lacks(one):
                seen.append(one)
                position = position.then(one)
                if data.draw(st.booleans()):
                    position = read(str(position))
    assert len(seen) == len(set(seen))
    left = {one for one in visible if position.lacks(one)}
    assert left | set(seen) == set(numbers)
    assert all(one > position.floor for one in left)


@given(NUMBERS.filter(bool))
def test_who_begins_now_lacks_what_is_not_visible_yet(numbers: list[int]) -> None:
    position = Position.after(max(numbers), numbers)
    assert {one for one in range(1, 70) if position.lacks(one)} == set(range(1, 70)) - set(numbers)


def test_a_number_long_before_the_last_is_not_waited_for() -> None:
    position = Position(0).then(10 * OVERLAP)
    assert not position.lacks(9 * OVERLAP)
    assert position.lacks(9 * OVERLAP + 1)
    assert position.then(20 * OVERLAP).floor == 19 * OVERLAP


def test_a_position_is_a_short_text() -> None:
    assert str(Position(7)) == "7"
    assert str(Position.after(9, [1, 2, 4, 5, 8])) == "9/3,6-7"
    full = Position(0)
    for number in range(2, 2 * OVERLAP, 2):
        full = full.then(number)
    assert len(str(full)) < 200
    assert read(str(full)).lacks(2 * OVERLAP - 3)


@pytest.mark.parametrize("text", ["", "-1", "1/", "1/2-", "x", "1,2", "9" * 16, "١", "1\n", "1/1/1"])
def test_a_text_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no position"):
        read(text)


def test_numbers_in_a_foreign_text_change_nothing_but_what_is_read_again() -> None:
    assert read("10/5-2") == Position(10)
    assert read("1000/1-2000") == Position(1000, ((501, 999),))
