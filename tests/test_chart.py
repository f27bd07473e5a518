"""A chart is a picture whatever the LMS says, and its numbers can be read without it."""

from __future__ import annotations

import struct
import subprocess
import sys
import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms_bot.core.events import Event, EventType
from lms_bot.core.people import Student
from lms_bot.render.chart import chart_png, chart_text, fonts, undrawn_text
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


def called(name: str) -> Student:
    return replace(JANE, display_name=name)


def legend(drawn: list[Any]) -> list[str]:
    return [text.get_text().strip() for text in drawn[0].axes[0].get_legend().get_texts()]


def test_c15_a_line_joins_the_attempts_at_one_exam_alone(drawn: list[Any]) -> None:
    found = [*exams(20, 60), *(event._replace(activity_id=7) for event in exams(80, 90, title="_$x^2$ ${"))]
    chart_png(JANE, found, UTC)
    lines = [list(line.get_ydata()) for line in drawn[0].axes[0].lines[:2]]
    assert sorted(lines) == [[20, 60], [80, 90]]
    assert legend(drawn)[1:] == ["Algebra", "_$x^2$ ${", "usual pass mark 50%", "average 62.5%"]


def test_c15_the_pass_mark_is_drawn(drawn: list[Any]) -> None:
    chart_png(JANE, exams(20, 90), UTC)
    (mark,) = [line for line in drawn[0].axes[0].lines if "pass mark" in str(line.get_label())]
    assert list(mark.get_ydata()) == [50, 50]


@pytest.mark.parametrize("count", [3, 12, 60])
def test_c15_numbers_of_one_day_do_not_cover_each_other(drawn: list[Any], count: int) -> None:
    same_day = [
        event._replace(timestamp=NOW + place * timedelta(minutes=5))
        for place, event in enumerate(exams(*[70.0] * count))
    ]
    chart_png(JANE, [*exams(40), *same_day], UTC)
    boxes = [label.get_window_extent() for label in drawn[0].axes[0].texts]
    assert len(boxes) > 1
    assert not any(one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place])


def test_c15_letters_are_drawn_with_any_font_that_has_them(
    drawn: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert undrawn_text(called("\u9673 Jane"), exams(50)).startswith("□ in the picture is a letter ")
    font_with("\u9673", tmp_path / "some.ttf")
    monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", lambda: [str(tmp_path / "some.ttf")])
    fonts._lettering.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chart_png(called("\u9673 Jane"), exams(50, title="\u9673"), UTC)
    assert drawn[0].axes[0].get_title(loc="left") == "\u9673 Jane: exam scores"
    assert legend(drawn)[1] == "\u9673"
    assert undrawn_text(called("\u9673 Jane"), exams(50)) == ""


def font_with(letter: str, path: Path) -> None:
    """Make a font that has one letter, a square."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 700), (700, 700), (700, 0)):
        pen.lineTo(corner)
    pen.closePath()
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder([".notdef", "one"])
    font.setupCharacterMap({ord(letter): "one"})
    font.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "one": pen.glyph()})
    font.setupHorizontalMetrics({".notdef": (800, 0), "one": (800, 0)})
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "One Letter", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(path)


def test_c15_a_chart_of_nothing_says_so(drawn: list[Any]) -> None:
    unscored = [happened(JANE, "Algebra", PASSED)]
    for found in ([], unscored):
        assert size(chart_png(JANE, found, UTC)) == (990, 550)
        assert chart_text(JANE, found, NOW) == "**jane** has no finished exam with a percentage in that time."
    assert [text.get_text() for text in drawn[0].axes[0].texts] == ["no finished exam with a percentage and a time"]


def test_a_chart_is_a_picture_wide_enough_to_read() -> None:
    assert size(chart_png(JANE, exams(40, 60, 80), UTC)) == (990, 550)


def test_passed_and_failed_differ_in_shape_and_colour(drawn: list[Any]) -> None:
    chart_png(JANE, [*exams(80), *exams(20, kind=FAILED), *exams(50, kind=COMPLETED)], UTC)
    (axes,) = drawn[0].axes
    shapes = {tuple(map(tuple, points.get_paths()[0].vertices)) for points in axes.collections}
    colours = {tuple(points.get_facecolor()[0]) for points in axes.collections}
    assert len(shapes) == len(colours) == 3
    assert legend(drawn)[:3] == ["passed (1)", "failed (1)", "no verdict (1)"]
    assert legend(drawn)[-1] == "average 50.0%"


@pytest.mark.parametrize("name", ["Гульнора", "O'Brien", "$x^2$ and \\frac{1}{2}", "$\\broken{", "_a_^b^"])
def test_a_name_is_drawn_as_it_is_written(drawn: list[Any], name: str) -> None:
    chart_png(called(name), exams(50), UTC)
    assert drawn[0].axes[0].get_title(loc="left") == f"{name}: exam scores"
    # Text that were formulas would be another picture than text that is not.
    title = drawn[0].axes[0]._left_title
    assert title.get_parse_math() is False
    assert title.get_usetex() is False


def test_what_the_font_cannot_draw_is_a_box_and_no_warning(drawn: list[Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chart_png(called("日本 🦄 Jane\u202e\n\x00"), exams(50), UTC)
    assert drawn[0].axes[0].get_title(loc="left") == "□□ □ Jane: exam scores"


def test_times_are_shown_in_the_readers_zone(drawn: list[Any]) -> None:
    chart_png(JANE, exams(50, 60), ZoneInfo("Asia/Tashkent"))
    zone = drawn[0].axes[0].xaxis.get_major_formatter()._tz
    assert str(zone) == "Asia/Tashkent"


def test_a_long_name_stays_inside_the_picture(drawn: list[Any]) -> None:
    chart_png(called("W" * 500), exams(50), UTC)
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
    assert size(chart_png(called(name), found, timezone(timedelta(hours=-11)))) == (990, 550)
    for line in chart_text(called(name), found, NOW).split("\n"):
        assert line == "" or line.startswith(("📈 **", "* ", "```"))


def test_exams_of_one_moment_make_a_picture() -> None:
    same = [happened(JANE, "Algebra", percentage=mark) for mark in (40, 60)]
    assert size(chart_png(JANE, same, UTC))


def test_d4_the_result_is_one_line_and_the_numbers_are_folded_newest_first() -> None:
    found = exams(40, 60.5, 90)
    assert chart_text(JANE, found, NOW + 3 * DAY).split("\n") == [
        "📈 **jane** · average 63.5% over 3 exams, last 90%",
        "",
        "```spoiler The numbers: 40% to 90%",
        "* 🎉 **Algebra** · 90% · 1 d",
        "* 🎉 **Algebra** · 60.5% · 2 d",
        "* 🎉 **Algebra** · 40% · 3 d",
        "```",
    ]


def test_many_numbers_fit_a_message() -> None:
    shown = chart_text(JANE, exams(*[50.0] * 400), NOW)
    lines = shown.split("\n")
    assert len(shown) <= 10_000
    assert lines[-2:] == [f"* … and {400 - (len(lines) - 5)} more", "```"]


def test_nothing_to_draw_is_said() -> None:
    shown = chart_text(called("**@all**"), [], NOW)
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
        "from lms_bot.render.chart import chart_png; from tests.delivery_scenario import JANE; "
        "chart_png(JANE, exams(1, 2), UTC)"
    )
    assert "matplotlib" in loaded
    assert "matplotlib.pyplot" not in loaded
