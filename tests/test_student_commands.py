"""Mentors see how their own students do: who needs attention first, a card of one, and a picture with its numbers."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from lms_bot.core.calendar import UNKNOWN_TIME
from lms_bot.core.events import EventType
from lms_bot.core.notifications import Message
from lms_bot.core.people import Student
from lms_bot.handlers.mentor import students
from lms_bot.store.alerts import facts
from lms_bot.store.notifications import outbox
from lms_bot.store.people import people
from lms_bot.store.session import Store
from tests import NOW
from tests.delivery_scenario import happened, owe
from tests.questions import GULNORA, JANE, JANET, LINKS, MARY, MENTORS, OMAR, OTHER_STREAM, RAVI, STUDENTS, School
from tests.test_commands import LIVE

DAY = timedelta(days=1)
FAILED, PASSED = EventType.EXAM_FAILED, EventType.EXAM_PASSED
SHOWN_NOW = "<time:2026-03-02T12:00:00Z>"
PNG = b"\x89PNG\r\n\x1a\n"
HOSTILE = "@**all** | [x](http://evil.example.com) `a` ~~~\n| b |"
QUESTIONS = ["students", "students failing", "student #1003", "profile #1003", "chart #1003"]


@pytest.fixture
def school(store: Store) -> School:
    """Ravi fails, Jane passes, Janet did something long ago, Гульнора is Omar's."""
    opened = School.open(store)
    owe(
        store,
        [
            happened(JANE, "Algebra", PASSED, at=NOW - DAY, percentage=70, course_title="Maths"),
            happened(JANE, "Geometry", PASSED, percentage=90, course_title="Maths"),
            happened(RAVI, "Algebra", FAILED, percentage=30),
            happened(JANET, "Old", PASSED, at=NOW - 30 * DAY, percentage=60),
            happened(GULNORA, "Physics", FAILED, percentage=10),
        ],
    )
    opened.count_days()
    return opened


def names(shown: str) -> list[str]:
    return re.findall(r"^\* \*\*(.+?)\*\* – ", shown, re.MULTILINE)


def picture(school: School, message: Message) -> bytes | None:
    with school.store.reading() as transaction:
        return outbox.attachment(transaction, message)


# students


def test_d2_the_list_has_everybody_of_the_mentor_who_needs_attention_first(school: School) -> None:
    assert school.ask("students") == (
        "**3 students** · 1 failing · 1 inactive\n"
        "\n"
        "* **Ravi Patel** – last exam failed\n"
        "* **Janet O'Brien** – away 30 d\n"
        "\n"
        "```spoiler 1 doing well\n"
        "* **Jane Smith** – 80% · 1 min ago · 🔥 2 d\n"
        "```"
    )
    assert names(school.ask("students all", OMAR)) == ["Гульнора Каримова"]


@pytest.mark.parametrize(
    ("which", "found"), [("failing", "Ravi Patel"), ("inactive", "Janet O'Brien"), ("INACTIVE", "Janet O'Brien")]
)
def test_the_list_can_be_of_some(school: School, which: str, found: str) -> None:
    assert names(school.ask(f"students {which}")) == [found]


def test_where_nobody_fails_that_is_said(store: Store) -> None:
    school = School.open(store)
    school.happens(JANE, 1)
    assert school.ask("students failing") == "None of your students is failing."
    school.link({(2, GULNORA.student_id)})
    assert school.ask("students") == "You have no students in the LMS."


@pytest.mark.parametrize("mistake", ["students failed", "students jane_smith", "students failing inactive"])
def test_a_word_that_selects_nobody_is_explained(school: School, mistake: str) -> None:
    answer = school.ask(mistake)
    assert names(answer) == []
    assert "`students [failing|inactive|all]`" in answer


def test_a_list_that_is_too_long_goes_on_with_more(school: School) -> None:
    many = [Student(2000 + number, f"student_{number:03}") for number in range(400)]
    with school.store.writing() as transaction:
        people.keep_people(transaction, many, MENTORS, {(1, one.student_id) for one in many}, NOW)
    shown = names(page := school.ask("students inactive"))
    assert page.endswith("\n```\n\nWrite `more` for the next ones.")
    while "`more`" in page:
        assert len(page) <= 10_000
        page = school.ask("more")
        assert page.startswith("**400 inactive students**")
        shown += names(page)
    assert shown == [one.username for one in many]
    assert "no list" in school.ask("more")


# student


def test_a_card_shows_all_about_one(school: School) -> None:
    assert school.ask("student @jane_smith") == (
        "👤 **Jane Smith** · last active 1 min ago\n"
        "* **Average:** 80% over 2 exams\n"
        "* **Trend:** — (it takes 8 exams)\n"
        "* **Pass rate:** 100% (2 of 2)\n"
        "* **Open exams:** 0\n"
        "* **Streak:** 2 days, longest 2\n"
        "* 🎉 Exam Passed 2\n"
        "\n"
        "**Last exams**\n"
        "* 🎉 **Geometry** · 90% · 1 min\n"
        "* 🎉 **Algebra** · 70% · 1 d\n"
        "\n"
        "**Courses**\n"
        "* **Maths** · 2 events · average 80% over 2 exams"
    )


def test_a_card_of_one_who_did_nothing_is_a_card(store: Store) -> None:
    answer = School.open(store).ask("student ravi")
    assert answer.startswith("👤 **Ravi Patel** · no known activity\n**Needs attention:** 💤 inactive\n")


# chart


def test_a_chart_is_a_picture_with_its_numbers_as_text(school: School) -> None:
    (message,) = school.answer(school.question("chart jane"))
    assert message.content == (
        "📈 **Jane Smith** · average 80% over 2 exams, last 90%\n"
        "\n"
        "```spoiler The numbers: 70% to 90%\n"
        "* 🎉 **Geometry** · 90% · 1 min\n"
        "* 🎉 **Algebra** · 70% · 1 d\n"
        "```"
    )
    assert message.attachment == "scores-1001.png"
    assert (picture(school, message) or b"").startswith(PNG)


def test_a_chart_is_of_the_period_that_was_asked_for(school: School) -> None:
    school.forward(hours=12)
    (message,) = school.answer(school.question("chart jane 1d"))
    assert "Geometry" in message.content
    assert "Algebra" not in message.content
    assert message.attachment


def test_where_there_is_nothing_to_draw_there_is_no_picture(school: School) -> None:
    (message,) = school.answer(school.question("chart janet 7d"))
    assert message.content == "**Janet O'Brien** has no finished exam with a percentage in that time."
    assert message.attachment is None


def test_a_chart_of_very_many_exams_says_that_it_shows_the_last(store: Store) -> None:
    school = School.open(store)
    most = students.MOST_SCORES
    owe(store, [happened(RAVI, "Old", at=NOW - 300 * DAY, percentage=1)])
    owe(store, [happened(RAVI, "E", at=NOW - number * timedelta(hours=1), percentage=50) for number in range(most)])
    answer = school.ask("chart ravi")
    assert f"· average 50% over {most} exams, last 50%" in answer
    assert answer.endswith(f"These are the last {most} exams; a shorter period, like `30d`, shows fewer.")
    assert "These are the last" not in school.ask("chart ravi 30d")


@pytest.mark.parametrize("mistake", ["chart", "student", "chart jane 0d", "chart jane 99999d", "chart jane 7d 8d"])
def test_a_mistake_is_explained_and_draws_nothing(school: School, mistake: str) -> None:
    (message,) = school.answer(school.question(mistake))
    assert message.attachment is None
    assert "`" in message.content
    assert SHOWN_NOW not in message.content


# stats


def test_b19_stats_begins_with_what_mentors_count(school: School) -> None:
    owe(
        school.store,
        [happened(JANE, "Essay", EventType.EXAM_COMPLETED), happened(JANET, "Art", EventType.EXAM_STARTED)],
    )
    answer = school.ask("stats")
    assert answer.startswith(
        "📊 **Statistics**\n\n"
        "* **Exams tried:** 5\n* **Passed:** 3\n* **Failed:** 1\n* **Average:** 62.5%\n"
        "* **Active:** 3 of 3 students, the last 7 days\n\n"
        "Events, and what you were told of them:\n\n"
        "* **Total Events:** 6\n* **Processed Events:** "
    )
    one = school.ask("stats jane 2d")
    assert "* **Exams tried:** 3\n* **Passed:** 2\n* **Failed:** 0\n* **Average:** 80%\n" in one
    assert "* **Active:** 1 of 1 student, the last 2 days\n" in one
    assert "* **Exams tried:** 1\n* **Passed:** 0\n* **Failed:** 1\n" in school.ask("stats", OMAR)


# Times that nobody knows


def test_d5_history_without_a_time_is_shown_so_and_is_no_last_activity(store: Store) -> None:
    school = School.open(store)
    owe(store, [happened(RAVI, "Undated", FAILED, at=UNKNOWN_TIME, percentage=20)])
    owe(store, [happened(JANE, "Undated", at=UNKNOWN_TIME, percentage=60), happened(JANE, "Dated", at=NOW - DAY)])
    school.count_days()
    assert "* **Ravi Patel** – last exam failed\n" in school.ask("students")
    assert "👤 **Ravi Patel** · no known activity\n" in school.ask("student ravi")
    assert "👤 **Jane Smith** · last active 1 d ago\n" in school.ask("student jane")
    for shown in (school.ask("history ravi"), school.ask("student ravi"), school.ask("chart ravi")):
        assert "**Undated** · 20% · unknown time" in shown
        assert "1970" not in shown
    assert [line.count("Dated") for line in school.ask("history jane").splitlines()[2:]] == [1, 0]
    assert "🟨" not in (streak := school.ask("streak ravi"))[: streak.index("\n")]
    assert "🟩" not in streak[: streak.index("\n")]
    (message,) = school.answer(school.question("export ravi"))
    assert b"1970" not in (picture(school, message) or b"1970")


def test_d5_an_unknown_time_is_no_absence_of_fifty_years(store: Store) -> None:
    School.open(store)
    owe(store, [happened(RAVI, "Undated", at=UNKNOWN_TIME)])
    with store.reading() as transaction:
        (found,) = facts.facts_of(transaction, [RAVI.student_id], ZoneInfo("UTC"), NOW)
    assert found.learned_at == NOW, "nothing was finished since it was found"


# Who may know what


@pytest.mark.parametrize("command", ["student", "profile", "chart"])
def test_somebody_elses_student_and_nobody_are_the_same_words(school: School, command: str) -> None:
    words = school.ask(f"{command} nobodyy").replace("nobodyy", "X")
    for name in (GULNORA.username, "Гульнора", "gulnora@example.org", "#1004"):
        (message,) = school.answer(school.question(f"{command} {name}"))
        assert message.attachment is None
        assert re.sub("“.*”", "“X”", message.content) == words
    assert "Physics" in school.ask(f"{command} gulnora", OMAR)


@pytest.mark.parametrize("text", QUESTIONS)
def test_asked_in_a_stream_the_answer_is_private(school: School, text: str) -> None:
    private, note = school.answer(school.question(text, stream_id=OTHER_STREAM))
    assert private.recipient.user_ids == (MARY,)
    assert "Ravi Patel" in private.content
    assert (note.content, note.attachment) == ("I answered you in private.", None)
    assert note.recipient.stream_id == OTHER_STREAM


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_student_of_another_mentor_from_now_on_is_not_shown(school: School, text: str) -> None:
    school.link((LINKS - {(1, RAVI.student_id)}) | {(2, RAVI.student_id)})
    answer = school.ask(text)
    assert "ravi" not in answer.casefold()
    assert "Algebra" not in answer


@pytest.mark.parametrize("text", QUESTIONS)
def test_no_name_and_no_title_means_anything_to_zulip(store: Store, text: str) -> None:
    school = School.open(store)
    with store.writing() as transaction:
        everybody = [replace(one, username=HOSTILE, display_name=HOSTILE) if one == RAVI else one for one in STUDENTS]
        people.keep_people(transaction, everybody, MENTORS, LINKS, NOW)
    owe(store, [happened(RAVI, HOSTILE, FAILED, percentage=HOSTILE), happened(RAVI, HOSTILE, FAILED, percentage=9)])
    owe(store, [happened(RAVI, "Last", FAILED, percentage=9, course_title=HOSTILE)])
    answer = re.sub(r"^```(spoiler .*)?$", "", school.ask(text), flags=re.MULTILINE)
    assert "Last" in answer or "failed" in answer
    assert not LIVE.search(answer)
    assert "`" not in answer
    assert "|" not in answer


@pytest.mark.parametrize("text", ["students", "student jane", "profile jane", "chart jane", "chart jane subjects"])
def test_an_answer_from_old_data_says_how_old_it_is(school: School, text: str) -> None:
    assert "⏳" not in school.ask(text)
    school.forward(hours=5)
    note = f"\n\n⏳ The LMS could last be read at {SHOWN_NOW}: newer events are missing here."
    assert school.ask(text).endswith(note)
