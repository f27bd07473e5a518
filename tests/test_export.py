"""A file for a spreadsheet holds what happened as it is, and nothing in it is a formula."""

from __future__ import annotations

import csv
import io
import unicodedata
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_bot.core.reports.feed import Exported
from lms_bot.render.export import COLUMNS, csv_pages, harmless
from tests import NOW
from tests.test_render import HOSTILE

FORMULA = "=+-@"
TOKENS = (
    "=1+1", "+", "-", "@SUM(A1)", "\t", "\r", "\n", " ", ";", ",", '"', "'", "＝", "＋", "－", "＠", "−", "\u00a0",
    "\u3000", "\u200b", "\ufeff", "\x00", "=cmd|' /C calc'!A0", "Jane", "Гульнора", "\ud800",
)  # fmt: skip
NASTY = st.lists(st.sampled_from(TOKENS) | st.text(max_size=4), max_size=8).map("".join)


def line(title: str | None = "Algebra", name: str | None = "jane", **metadata: Any) -> Exported:
    return Exported(NOW, 11, name, "exam_passed", 501, title, metadata, True)


def read(raw: bytes, separator: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), delimiter=separator, strict=True))


def row(*lines: Exported) -> dict[str, str]:
    heading, first = read(csv_pages([lines]))[:2]
    return dict(zip(heading, first, strict=True))


def is_formula(cell: str) -> bool:
    """What a spreadsheet may take for one: the sign first, or behind what it drops, in any width."""
    seen = [c for c in cell if not (c.isspace() or unicodedata.category(c) in ("Cf", "Cc") or c == '"')]
    if cell[:1] in ("\t", "\r", "\n"):
        return True
    return bool(seen) and unicodedata.normalize("NFKC", seen[0]).replace("−", "-")[:1] in tuple(FORMULA)


def test_a_file_has_a_heading_and_a_line_for_each_event() -> None:
    first = line(score=85, percentage=85.5, result="pass", course_title="Maths", attempt_number=2)
    raw = csv_pages([[first], [line(name=None)._replace(student_id=None, is_current=False)]])
    heading, one, two = read(raw)
    assert tuple(heading) == COLUMNS
    found = dict(zip(heading, one, strict=True))
    assert found["time"] == "2026-03-02T12:00:00Z"
    assert (found["student"], found["event"], found["activity"]) == ("jane", "exam_passed", "Algebra")
    assert (found["score"], found["percentage"], found["course_title"]) == ("85", "85.5", "Maths")
    assert found["is_current"] == "yes"
    assert (two[heading.index("student")], two[heading.index("is_current")]) == ("", "no")


def test_a_file_of_nothing_has_its_heading() -> None:
    assert csv_pages([]) == ("\ufeff" + ",".join(COLUMNS) + "\r\n").encode()


def test_a_file_follows_rfc_4180_and_says_that_it_is_utf_8() -> None:
    raw = csv_pages([[line('Say "hi", Гульнора')]])
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.endswith(b"\r\n")
    assert raw.count(b"\r\n") == raw.count(b"\n") == raw.count(b"\r") == 2
    assert '"Say ""hi"", Гульнора"' in raw.decode("utf-8-sig")


def test_a_time_of_any_zone_is_given_in_utc() -> None:
    tashkent = timezone(timedelta(hours=5))
    assert row(line()._replace(timestamp=datetime(2026, 3, 2, 17, tzinfo=tashkent)))["time"] == "2026-03-02T12:00:00Z"


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u3000=1", "\u00a0=1", "\u200b=1", "\ufeff=1", "＝1",
        "＋1", "－1", "＠x", "−1", "'=1", '"=1', "a;=1", "a; =1", 'a;"=1', "=cmd|' /C calc'!A0", "\x00=1", "\n=1",
    ],
)  # fmt: skip
def test_text_that_a_spreadsheet_takes_for_a_formula_is_defused(text: str) -> None:
    shown = harmless(text)
    assert isinstance(shown, str)
    assert not any(is_formula(part) for part in shown.split(";"))
    assert "'" in shown


@pytest.mark.parametrize("value", [-5, -5.5, 0, 85, None])
def test_numbers_stay_numbers(value: float | None) -> None:
    assert harmless(value) == value
    assert row(line(score=value))["score"] == ("" if value is None else str(value))


@pytest.mark.parametrize("text", ["Jane", "O'Brien", "C++ & C#", "a-b", "x = y", "a@b.example", "50%", "Гульнора"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


@given(NASTY | HOSTILE, NASTY | HOSTILE, NASTY | st.integers() | st.floats() | st.none())
def test_no_text_is_a_formula_or_leaves_its_cell(title: str, name: str, value: Any) -> None:
    raw = csv_pages([[line(title, name, result=value, course_title=title), line("last", "last")]])
    heading, found, last = read(raw)
    assert len(heading) == len(found) == len(last) == len(COLUMNS)
    texts = [found[heading.index(name)] for name in ("student", "activity", "course_title")]
    assert not [cell for cell in texts if is_formula(cell)]
    for cell in texts:  # where the separator is a semicolon
        assert not [part for part in cell.split(";") if is_formula(part)]
