"""A chart is a picture whatever the LMS says, and its numbers can be read without it."""

from __future__ import annotations

import struct
import subprocess
import sys
import warnings
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms_bot.core.events import Event, EventType
from lms_bot.render import event_line
from lms_bot.render.chart import chart_png, chart_text
from tests import NOW
from tests.delivery_scenario import JANE, happened
from tests.test_render import HOSTILE, live_tokens

DAY = timedelta(days=1)
PASSED, FAILED, COMPLETED = EventType.EXAM_PASSED, EventType.EXAM_FAILED, EventType.EXAM_COMPLETED


def exams(*marks: float, kind: EventType = PASSED, title: str = "Algebra") -> list[Event]:
    """One exam a day, oldest first."""
    return [happened(JANE, title, kind, at=NOW + at * DAY, percentage=mark) for at, mark in enumerate(marks)]


def size(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert picture.endswith(b"IEND\xaeB`\x82")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures that were drawn, as matplotlib keeps them."""
    from matplotlib.figure import Figure

    figures: list[Any] = []
    save = Figure.savefig

    def note(figure: Any, *arguments: Any, **options: Any) -> None:
        figures.append(figure)
        save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", note)
    return figures


def test_a_chart_is_a_picture_wide_enough_to_read() -> None:
    assert size(chart_png("jane", exams(40, 60, 80), UTC)) == (990, 550)


def test_passed_and_failed_differ_in_shape_and_colour(drawn: list[Any]) -> None:
    chart_png("jane", [*exams(80), *exams(20, kind=FAILED), *exams(50, kind=COMPLETED)], UTC)
    (axes,) = drawn[0].axes
    shapes = {tuple(map(tuple, points.get_paths()[0].vertices)) for points in axes.collections}
    colours = {tuple(points.get_facecolor()[0]) for points in axes.collections}
    assert len(shapes) == len(colours) == 3
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["passed (1)", "failed (1)", "no verdict (1)", "average 50.0%"]


@pytest.mark.parametrize("name", ["Гульнора", "O'Brien", "$x^2$ and \\frac{1}{2}", "$\\broken{", "_a_^b^"])
def test_a_name_is_drawn_as_it_is_written(drawn: list[Any], name: str) -> None:
    chart_png(name, exams(50), UTC)
    assert drawn[0].axes[0].get_title(loc="left") == f"{name}: exam scores"
    # Text that were formulas would be another picture than text that is not.
    title = drawn[0].axes[0]._left_title
    assert title.get_parse_math() is False
    assert title.get_usetex() is False


def test_what_the_font_cannot_draw_is_a_box_and_no_warning(drawn: list[Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chart_png("日本 🦄 Jane\u202e\n\x00", exams(50), UTC)
    assert drawn[0].axes[0].get_title(loc="left") == "□□ □ Jane: exam scores"


def test_times_are_shown_in_the_readers_zone(drawn: list[Any]) -> None:
    chart_png("jane", exams(50, 60), ZoneInfo("Asia/Tashkent"))
    zone = drawn[0].axes[0].xaxis.get_major_formatter()._tz
    assert str(zone) == "Asia/Tashkent"


def test_a_long_name_stays_inside_the_picture(drawn: list[Any]) -> None:
    chart_png("W" * 500, exams(50), UTC)
    title = drawn[0].axes[0].get_title(loc="left")
    assert title == "W" * 59 + "…: exam scores"


@settings(max_examples=15, deadline=None)
@given(
    HOSTILE,
    st.lists(
        st.tuples(
            st.sampled_from([PASSED, FAILED, COMPLETED]),
            st.floats(-1000, 1000) | st.just("70%"),
            st.datetimes(timezones=st.just(UTC)),
        ),
        min_size=1,
        max_size=30,
    ),
)
def test_whatever_the_lms_says_there_is_a_picture(name: str, rows: list[tuple[EventType, Any, datetime]]) -> None:
    rows.sort(key=lambda row: row[2])
    found = [happened(JANE, name, kind, at=when, percentage=mark) for kind, mark, when in rows]
    assert size(chart_png(name, found, timezone(timedelta(hours=-11)))) == (990, 550)
    for line in chart_text(name, found).split("\n"):
        assert line == "" or line.startswith(("📈 **", "* "))


def test_exams_of_one_moment_make_a_picture() -> None:
    same = [happened(JANE, "Algebra", percentage=mark) for mark in (40, 60)]
    assert size(chart_png("jane", same, UTC))


def test_the_numbers_are_told_newest_first() -> None:
    found = exams(40, 60.5, 90)
    assert chart_text("jane", found).split("\n")[:3] == [
        "📈 **jane** · 3 exams · average 63.5% · lowest 40% · highest 90%",
        "",
        "* 🎉 **Algebra** · 90% · <time:2026-03-04T12:00:00Z>",
    ]
    assert event_line(found[2]).endswith("· 90% · <time:2026-03-04T12:00:00Z>")


def test_many_numbers_fit_a_message() -> None:
    shown = chart_text("jane", exams(*[50.0] * 400))
    lines = shown.split("\n")
    assert len(shown) <= 10_000
    assert lines[-1] == f"* … and {400 - (len(lines) - 3)} more"


def test_nothing_to_draw_is_said() -> None:
    shown = chart_text("**@all**", [])
    assert shown.endswith("has no finished exam with a percentage in that time.")
    assert live_tokens(shown.replace("**", "")) == []


def loaded_after(code: str) -> set[str]:
    """The modules that a new process has after running this."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"], check=True, capture_output=True, text=True
    )
    return set(done.stdout.split())


def test_nothing_is_loaded_for_drawing_before_something_is_drawn() -> None:
    loaded = loaded_after("import lms_bot.render.chart")
    assert "lms_bot.render.chart" in loaded
    assert "matplotlib" not in loaded


def test_drawing_never_asks_for_a_screen() -> None:
    loaded = loaded_after(
        "from datetime import UTC; from tests.test_chart import exams; "
        "from lms_bot.render.chart import chart_png; chart_png('jane', exams(1, 2), UTC)"
    )
    assert "matplotlib" in loaded
    assert "matplotlib.pyplot" not in loaded
