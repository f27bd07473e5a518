"""Mentors see the streaks of their own students, and students their own and nobody else's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from lms_bot.core.events import EventType
from lms_bot.core.people import Student, ZulipUser
from lms_bot.handlers.dispatch import STRANGER
from lms_bot.store.people import accounts, people
from lms_bot.store.session import Store
from tests import NOW
from tests.delivery_scenario import happened, owe
from tests.questions import (
    ACCOUNTS,
    ADA,
    EVE,
    GULNORA,
    JANE,
    JANET,
    LINKS,
    MARY,
    MENTORS,
    OMAR,
    OTHER_STREAM,
    RAVI,
    STUDENTS,
    School,
)

DAY = timedelta(days=1)
JANES_ACCOUNT, RAVIS_ACCOUNT = 31, 32
STUDENT_ACCOUNTS = (
    ZulipUser(JANES_ACCOUNT, "Jane Smith", "jane@example.org", True, False),
    ZulipUser(RAVIS_ACCOUNT, "Ravi Patel", "ravi@example.org", True, False, is_guest=True),
)
OTHERS = [
    "history",
    "students",
    "streaks",
    "streak ravi",
    "student jane_smith",
    "help",
    "stats",
    "hello",
    "why e1",
    "1",
]


@pytest.fixture
def school(store: Store) -> School:
    """Jane learned on three days until yesterday, Janet long ago, Ravi began something today; two have accounts."""
    opened = School.open(store)
    with store.writing() as transaction:
        accounts.keep_zulip_users(transaction, (*ACCOUNTS, *STUDENT_ACCOUNTS), NOW)
    found = [happened(JANE, f"Task {day}", at=NOW - DAY * day) for day in (1, 2, 3)]
    found += [happened(JANE, f"More {number}", at=NOW - DAY) for number in (1, 2)]
    found += [happened(JANET, f"Old {day}", at=NOW - DAY * day) for day in range(40, 48)]
    found += [happened(RAVI, "Begun", EventType.EXAM_STARTED), happened(GULNORA, "Physics")]
    owe(store, found)
    opened.count_days()
    return opened


# Mentors


def test_the_streak_of_one_says_how_long_and_shows_the_last_days(school: School) -> None:
    assert school.ask("streak @jane_smith") == (
        "🔥 **Jane Smith** · ⬜⬜⬜⬜⬜⬜⬜⬜⬜⬜🟨🟨🟩⬜\n"
        "* **Learning:** 3 days, longest 3 (days in a row with something finished)\n"
        "* **Present:** 3 days, longest 3 (days in a row with any activity)\n"
        "\n"
        "The last 14 days, today on the right: 🟩 3 or more finished, 🟨 some activity, ⬜ none"
    )


def test_a_streak_of_days_that_were_missed_is_over(school: School) -> None:
    assert "* **Learning:** 0 days, longest 8 " in school.ask("streak janet")
    school.forward(days=1)
    assert "* **Learning:** 0 days, longest 3 " in school.ask("streak jane_smith")


def test_the_goal_of_the_settings_makes_a_day_complete(school: School) -> None:
    school.settings = replace(school.settings, daily_goal=4)
    assert "🟨🟨🟨⬜\n" in school.ask("streak jane_smith")


def test_d2_streaks_has_all_of_the_mentors_students_and_nobody_elses(school: School) -> None:
    assert school.ask("streaks") == (
        "🔥 **3 students** · 1 with 1 to 6 days · 2 with none\n"
        "\n"
        "* **Jane Smith** – 3 d\n"
        "\n"
        "```spoiler 2 with none\n"
        "* **Janet O'Brien** – no streak, best 8\n"
        "* **Ravi Patel** – no streak\n"
        "```"
    )
    assert "Гульнора" in school.ask("streaks", OMAR)


def test_somebody_elses_student_is_as_unknown_as_one_who_does_not_exist(school: School) -> None:
    not_mine, nobody = school.ask("streak gulnora"), school.ask("streak nosuch")
    assert not_mine.replace("gulnora", "X") == nobody.replace("nosuch", "X")


def test_a_long_list_goes_on_with_more(school: School) -> None:
    many = [Student(2000 + number, f"student_{number:03}") for number in range(400)]
    with school.store.writing() as transaction:
        people.keep_people(transaction, many, MENTORS, {(1, one.student_id) for one in many}, NOW)
    page = school.ask("streaks")
    shown = page.count("* **student_")
    while "`more`" in page:
        assert len(page) <= 10_000
        page = school.ask("more")
        shown += page.count("* **student_")
    assert shown == 400


def test_who_has_no_students_is_told_so(school: School) -> None:
    school.link({(2, GULNORA.student_id)})
    assert school.ask("streaks") == "You have no students in the LMS."


# Students


def test_a_student_sees_their_own_streak_and_figures(school: School) -> None:
    assert school.ask("streak", JANES_ACCOUNT) == school.ask("streak jane_smith")
    mine = school.ask("me", JANES_ACCOUNT)
    assert mine.startswith("👤 **Jane Smith** · last active")
    assert "* **Streak:** 3 days, longest 3" in mine
    assert "Needs attention" not in school.ask("ME!", RAVIS_ACCOUNT)


def test_a_student_learns_what_their_mentor_sees(school: School) -> None:
    answer = school.ask("What does my  mentor see?", JANES_ACCOUNT)
    assert answer.startswith("👀 **mary** can see each exam")
    assert answer.endswith(school.ask("student jane_smith"))
    school.link(LINKS - {(1, JANE.student_id)})
    assert school.ask("what does my mentor see", JANES_ACCOUNT).startswith("You have no mentor in the LMS")


@pytest.mark.parametrize("student", [JANES_ACCOUNT, RAVIS_ACCOUNT])
@pytest.mark.parametrize("text", OTHERS)
def test_everything_else_is_answered_as_to_a_stranger(school: School, student: int, text: str) -> None:
    assert school.ask(text, student) == school.ask(text, EVE) == STRANGER


@pytest.mark.parametrize("text", ["me jane_smith", "me #1001", "streak #1001", "what does my mentor see of jane_smith"])
def test_a_student_can_ask_about_nobody_else(school: School, text: str) -> None:
    assert "jane" not in school.ask(text, RAVIS_ACCOUNT)


def test_what_a_student_asks_in_a_stream_is_answered_in_private(school: School) -> None:
    answers = school.answer(school.question("me", JANES_ACCOUNT, stream_id=OTHER_STREAM))
    assert [message.recipient.user_ids for message in answers] == [(JANES_ACCOUNT,), ()]
    assert "jane" not in answers[1].content


@pytest.mark.parametrize("asker", [MARY, ADA, EVE])
def test_who_is_no_student_has_no_commands_of_students(school: School, asker: int) -> None:
    assert "👤" not in school.ask("me", asker)
    assert "👀" not in school.ask("what does my mentor see", asker)


def test_a_mentor_who_is_a_student_too_has_both(school: School) -> None:
    both = replace(RAVI, email="mary@example.org")
    with school.store.writing() as transaction:
        people.keep_people(transaction, (*STUDENTS[:2], both, GULNORA), MENTORS, LINKS, NOW)
    assert school.ask("me").startswith("👤 **Ravi Patel**")
    assert school.ask("streak jane_smith").startswith("🔥 **Jane Smith**")
    assert "* `me` – " in school.ask("help")


def test_a_student_who_left_the_lms_is_a_stranger(school: School) -> None:
    with school.store.writing() as transaction:
        people.keep_people(transaction, STUDENTS[1:], MENTORS, LINKS, NOW)
    assert school.ask("me", JANES_ACCOUNT) == STRANGER
