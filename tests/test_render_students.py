"""What is shown of students fits one message, leaves out whole entries and counts them, and breaks no line."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_bot.core.attention import AttentionScore, Part, Reason
from lms_bot.core.events import Event, EventType
from lms_bot.core.people import Student
from lms_bot.core.reports import students
from lms_bot.core.reports.attention import Attention
from lms_bot.core.reports.students import Card, Concern, StudentSummary, Tally
from lms_bot.core.streaks import Lasting
from lms_bot.render import EMOJI, event_line, event_text
from lms_bot.render.feed import feed_text
from lms_bot.render.students import card_text, students_text
from tests import NOW
from tests.delivery_scenario import JANE, RAVI, happened, several
from tests.test_render import HOSTILE, live_tokens

PUPILS: dict[str, int] = {}


def summary(name: str = "jane", title: str = "Algebra", *why: Concern) -> StudentSummary:
    result = happened(JANE, title, EventType.EXAM_FAILED, percentage=34)
    return StudentSummary(replace(JANE, username=name), NOW, 1, result, 45.25, why)


def numbered(*summaries: StudentSummary) -> list[StudentSummary]:
    """The same of students with ids of their own, which are noted by name."""
    found = []
    for number, one in enumerate(summaries, start=1):
        PUPILS[one.student.username] = number
        found.append(replace(one, student=replace(one.student, student_id=number)))
    return found


def card(name: str, title: str, courses: Sequence[str | None]) -> Card:
    exams = [happened(JANE, title, EventType.EXAM_PASSED, percentage=90) for _ in range(6)]
    tallies = [Tally(EventType.EXAM_PASSED, course, 2, 1, 90.0) for course in courses]
    return students.card(replace(JANE, username=name), NOW, tallies, [90.0] * 10, exams)


def attention(*summaries: StudentSummary) -> Attention:
    return Attention(summaries, defaultdict(lambda: Lasting(0, 0)), {})


def scores(**mains: Reason) -> dict[int, AttentionScore]:
    """What is most wrong with each of these students, by name."""
    return {PUPILS[name]: AttentionScore((Part(main, 10, "So it is."),)) for name, main in mains.items()}


def test_d2_who_needs_something_is_seen_at_once_and_the_others_are_folded_and_counted() -> None:
    failing = [summary(f"f{n}", "Algebra", Concern.LAST_FAILED, Concern.LOW_AVERAGE) for n in range(7)]
    low, away = summary("low", "Algebra", Concern.LOW_AVERAGE), summary("away", "Algebra", Concern.INACTIVE)
    nothing = StudentSummary(RAVI, None, 0, None, None, (Concern.INACTIVE,))
    broken, well = summary("broken", "Algebra", Concern.STREAK_BROKEN), replace(summary("well"), average=80)
    gone = replace(well, student=replace(well.student, username="gone", is_active=False))
    everybody = numbered(*failing, low, away, nothing, broken, well, gone)
    points = {"low": Reason.RESULTS, "away": Reason.SILENCE, "ravi": Reason.SILENCE}
    found = Attention(
        tuple(everybody),
        dict.fromkeys(PUPILS.values(), Lasting(3, 5)),
        scores(**dict.fromkeys((f"f{n}" for n in range(7)), Reason.FAILURES), **points),
    )
    shown = students_text(found, NOW + timedelta(days=9))
    assert shown.entries == 13
    assert shown.text == (
        "**13 students** · 8 failing · 2 inactive\n\n"
        + "".join(f"* **f{n}** – last exam failed\n" for n in range(7))
        + "* **low** – average 45.2%\n\n"
        "```spoiler 3 more to look at\n"
        "* **away** – away 9 d · 45.2% · 🔥 3 d\n"
        "* **ravi** – no known activity · 🔥 3 d\n"
        "* **broken** – streak broken · 45.2% · 9 d ago · 🔥 3 d\n"
        "```\n\n"
        "```spoiler 1 doing well\n"
        "* **well** – 80% · 9 d ago · 🔥 3 d\n"
        "```\n\n"
        "```spoiler 1 who left\n"
        "* **gone** – 80% · 9 d ago · 🔥 3 d\n"
        "```"
    )


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (Reason.FAILURES, "exam failed, not passed"),
        (Reason.SILENCE, "finishes nothing"),
        (Reason.RESULTS, "average 45.2%"),
        (Reason.ACTIVITY, "does less than before"),
        (Reason.DEADLINES, "deadline missed"),
        (Reason.STUCK, "stuck"),
    ],
)
def test_the_part_with_the_most_points_is_said_in_few_words(main: Reason, words: str) -> None:
    (jane,) = numbered(summary("jane"))
    found = Attention((jane,), {}, scores(jane=main))
    assert students_text(found, NOW).text.endswith(f"\n\n* **jane** – {words}")


def test_d2_more_of_a_kind_is_folded_as_more() -> None:
    shown = students_text(attention(*(summary(f"f{n}", "Algebra", Concern.LAST_FAILED) for n in range(10))), NOW)
    assert shown.text.count("\n* ") == 10
    assert "* **f7** – last exam failed\n\n```spoiler 2 more to look at\n* **f8** – " in shown.text


def test_a_list_of_some_says_of_whom() -> None:
    assert students_text(attention(summary()), NOW, "failing").text.startswith("**1 failing student**\n\n")
    assert students_text(attention(), NOW, "inactive").text == "**0 inactive students**"


def test_a_list_too_long_leaves_out_whole_lines() -> None:
    shown = students_text(attention(*(summary(f"student_{n}") for n in range(500))), NOW)
    lines = re.findall(r"^\* \*\*student_\d+\*\* – .*$", shown.text, re.MULTILINE)
    assert len(shown.text) <= 10_000
    assert len(lines) == shown.entries > 50
    assert shown.text.endswith("\n```\n\nWrite `more` for the next ones.")


@given(st.lists(st.tuples(HOSTILE, HOSTILE), min_size=1, max_size=5))
def test_no_name_breaks_its_line(people: list[tuple[str, str]]) -> None:
    failing = [summary(name, title, Concern.LAST_FAILED) for name, title in people]
    shown = students_text(attention(*failing), NOW)
    lines = shown.text.split("\n")[2:]
    assert len(lines) == len(people)
    for line in lines:
        name = line.removeprefix("* **").removesuffix("** – last exam failed")
        assert len(name) <= 60
        assert live_tokens(name) == []


@given(st.lists(st.tuples(HOSTILE, HOSTILE), max_size=40), st.integers(500, 3_000))
def test_a_table_and_a_feed_are_never_too_long(people: list[tuple[str, str]], limit: int) -> None:
    table = students_text(attention(*(summary(name, title) for name, title in people)), NOW, limit=limit)
    events = [happened(replace(JANE, username=name), title) for name, title in people]
    lines = feed_text(events, 20, limit=limit)
    assert max(len(table.text), len(lines.text)) <= limit
    assert table.entries <= len(people)
    assert sum(line.startswith(f"* {EMOJI[EventType.EXAM_PASSED]}") for line in lines.text.split("\n")) == lines.entries


def test_a_card_says_all_at_a_glance() -> None:
    tallies = [
        Tally(EventType.EXAM_PASSED, "Maths", 9, 9, 530.0),
        Tally(EventType.EXAM_FAILED, "Maths", 1, 1, 20.0),
        Tally(EventType.EXAM_STARTED, None, 1, 0, 0.0),
    ]
    exams = [happened(JANE, "Algebra", EventType.EXAM_FAILED, percentage=20)]
    shown = card_text(students.card(JANE, NOW, tallies, [60.0] * 5 + [55.75] * 5, exams), NOW + timedelta(hours=2))
    assert shown == (
        "👤 **jane** · last active 2 h ago\n"
        "**Needs attention:** ❗ last exam failed\n"
        "* **Average:** 55% over 10 exams\n"
        "* **Trend:** ↗ +4.2 points, the last 5 exams against the 5 before\n"
        "* **Pass rate:** 90% (9 of 10)\n"
        "* **Open exams:** 1\n"
        "* 📝 Exam Started 1 · 🎉 Exam Passed 9 · ❌ Exam Failed 1\n"
        "\n"
        "**Last exams**\n"
        "* ❌ **Algebra** · 20% · 2 h\n"
        "\n"
        "**Courses**\n"
        "* **Maths** · 10 events · average 55% over 10 exams"
    )


def test_a_card_of_nothing_is_a_card() -> None:
    assert card_text(students.card(JANE, None, [], [], []), NOW) == (
        "👤 **jane** · no known activity\n"
        "* **Average:** —\n"
        "* **Trend:** — (it takes 8 exams)\n"
        "* **Pass rate:** —\n"
        "* **Open exams:** 0"
    )


@pytest.mark.parametrize(
    ("last", "before", "shown"),
    [
        (50.0, 60.0, "↘ -10 points"),
        (50.0, 50.0, "→ 0 points"),
        (50.04, 50.0, "→ 0 points"),
        (90.0, 60.0, "↗ +30 points"),
    ],
)
def test_the_trend_points_where_the_scores_go(last: float, before: float, shown: str) -> None:
    scored = [Tally(EventType.EXAM_PASSED, None, 10, 10, 5 * (last + before))]
    found = students.card(JANE, NOW, scored, [last] * 5 + [before] * 5, [])
    assert f"**Trend:** {shown}," in card_text(found, NOW)


def test_b3_the_trend_names_the_exams_that_there_are_and_takes_three_before() -> None:
    for count, shown in ((10, "the last 5 exams against the 5 before"), (8, "the last 5 exams against the 3 before")):
        scored = [Tally(EventType.EXAM_PASSED, None, count, count, 60.0 * count)]
        assert shown in card_text(students.card(JANE, NOW, scored, [60.0] * count, []), NOW)
    for count in (6, 7):
        scored = [Tally(EventType.EXAM_PASSED, None, count, count, 60.0 * count)]
        assert "(it takes 8 exams)" in card_text(students.card(JANE, NOW, scored, [60.0] * count, []), NOW)


@given(HOSTILE, HOSTILE, st.lists(st.none() | HOSTILE, max_size=8), st.integers(900, 4_000))
def test_no_card_is_too_long_or_broken_by_what_the_lms_says(
    name: str, title: str, courses: list[str | None], limit: int
) -> None:
    shown = card_text(card(name, title, courses), NOW, limit)
    assert len(shown) <= limit
    for line in shown.split("\n"):
        own = re.sub(r"<time:[^>]*>", "", line).removeprefix("* ").replace("**", "")
        assert live_tokens(own) == []
        assert line.count("**") % 2 == 0


def test_a_card_leaves_out_courses_and_counts_them() -> None:
    shown = card_text(card("jane", "Algebra", [f"Course {n}" for n in range(500)]), NOW)
    listed = re.findall(r"^\* \*\*Course \d+\*\*", shown, re.MULTILINE)
    assert len(shown) <= 10_000
    assert shown.endswith(f"\n* … and {500 - len(listed)} more")


def newest(count: int) -> list[Event]:
    return several(Student(11, "jane"), count, EventType.EXAM_PASSED, at=NOW + timedelta(days=1))


def test_a_feed_of_all_there_is_says_nothing_of_more() -> None:
    events = [event._replace(source_id=number) for number, event in enumerate(newest(3), start=7)]
    shown = feed_text(events, 3, "**Feed**")
    assert shown.entries == 3
    lines = [f"* {event_line(event)} · `e{number}`" for number, event in enumerate(events, start=7)]
    assert shown.text == "\n".join(["**Feed**", "", *lines])


def test_a_feed_of_which_there_is_more_says_how_to_see_it() -> None:
    shown = feed_text(newest(21), 20)
    assert shown.entries == 20
    assert shown.text.endswith("`\n\nWrite `more` for the next ones.")


def test_a_feed_that_was_cut_says_how_many_it_shows() -> None:
    cut = feed_text(newest(20), 20, limit=500)
    assert 0 < cut.entries < 20
    assert cut.text.count("\n* ") + 1 == cut.entries
    assert cut.text.endswith("`\n\nWrite `more` for the next ones.")


def test_a_list_goes_on_where_it_ended_and_counts_them_all() -> None:
    everybody = [summary(f"student_{n}") for n in range(200)]
    shown: list[str] = []
    while len(shown) < 200:
        page = students_text(attention(*everybody), NOW, skip=len(shown))
        assert page.text.startswith("**200 students** · ")
        names = re.findall(r"^\* \*\*(student_\d+)\*\*", page.text, re.MULTILINE)
        assert len(names) == page.entries > 0
        shown += names
    assert shown == [one.student.username for one in everybody]
    assert "`more`" not in page.text


@pytest.mark.parametrize(
    ("name", "is_alike", "alone", "listed"),
    [
        ("Jane Smith", False, "**Jane Smith** (jane)", "**Jane Smith**"),
        ("Jane Smith", True, "**Jane Smith** (jane)", "**Jane Smith** (jane)"),
        (None, True, "**jane**", "**jane**"),
        ("jane", True, "**jane**", "**jane**"),
    ],
)
def test_d3_a_message_about_one_event_has_name_and_username(
    name: str | None, is_alike: bool, alone: str, listed: str
) -> None:
    passed = happened(JANE, "Algebra")._replace(student_name=name, shares_name=is_alike)
    assert f"\n\n{alone} has passed: **Algebra**\n" in event_text(passed)
    assert event_line(passed).startswith(f"🎉 {listed} passed **Algebra**")
