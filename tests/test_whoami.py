"""Everybody learns whom they are taken for, and a stranger nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lms_bot.core.people import Student
from lms_bot.handlers import dispatch
from lms_bot.store.people import accounts, people
from lms_bot.store.session import Store
from tests import NOW
from tests.questions import (
    ACCOUNTS,
    ADA,
    ADMIN_STREAM,
    EVE,
    LINKS,
    MARY,
    MENTORS,
    OMAR,
    OTHER_STREAM,
    ROBOT,
    STUDENTS,
    School,
)
from tests.test_commands import LIVE

HOSTILE = "@**all** [x](http://evil.example.com) `a`\n* b"


@pytest.fixture
def school(store: Store) -> School:
    return School.open(store)


def be(school: School, **of_mary: object) -> None:
    """Mary's account is like this from now on."""
    users = [replace(user, **of_mary) if user.user_id == MARY else user for user in ACCOUNTS]  # type: ignore[arg-type]
    with school.store.writing() as transaction:
        accounts.keep_zulip_users(transaction, users, NOW)


def test_a_mentor_learns_whom_they_are_taken_for(school: School) -> None:
    assert school.ask("whoami") == (
        "👤 **Mary Jones**, Zulip account 20\n"
        "\n"
        "* **Mentor in the LMS:** mary (#1), mary@\u200bexample.\u200borg · 3 students: "
        "Jane Smith, Janet O'Brien, Ravi Patel\n"
        "* **Time zone:** UTC\n"
        "* **Admin:** not here, only in the private channel “lms-admin”"
    )
    assert "omar (#2), omar@\u200bexample.\u200borg · 1 student: Гульнора Каримова\n" in school.ask("whoami", OMAR)


@pytest.mark.parametrize(("of_zulip", "shown"), [("Asia/Tashkent", "Asia/Tashkent"), ("Mars/Base", "UTC"), ("", "UTC")])
def test_the_time_zone_is_that_of_the_account_where_it_is_one(school: School, of_zulip: str, shown: str) -> None:
    be(school, timezone=of_zulip)
    assert f"\n* **Time zone:** {shown}\n" in school.ask("whoami")


def test_one_account_of_two_mentors_is_both(school: School) -> None:
    with school.store.writing() as transaction:
        accounts.map_by_hand(transaction, 2, MARY, NOW)
    answer = school.ask("whoami")
    assert "* **Mentor in the LMS:** mary (#1)" in answer
    assert "* **Mentor in the LMS:** omar (#2), omar@\u200bexample.\u200borg · 1 student: Гульнора Каримова" in answer


def test_of_many_students_some_are_named_and_all_counted(school: School) -> None:
    many = [Student(2000 + number, f"student_{number:03}") for number in range(200)]
    with school.store.writing() as transaction:
        people.keep_people(transaction, many, MENTORS, {(1, one.student_id) for one in many}, NOW)
    answer = school.ask("whoami")
    assert "· 200 students: student_000, student_001, " in answer
    assert "student_009 and 190 more (`students` has them all)\n" in answer
    assert answer.count("student_") == 10
    assert school.ask("whoami", OMAR).count("· no students\n") == 1


def test_an_admin_is_one_in_the_admin_stream_and_no_guest_is(school: School) -> None:
    private, note = school.answer(school.question("whoami", stream_id=ADMIN_STREAM))
    assert private.recipient.user_ids == (MARY,)
    assert private.content.endswith("* **Admin:** yes, here in the admin channel")
    assert note.content == "I answered you in private."
    assert "**Admin:** not here" in school.answer(school.question("whoami", stream_id=OTHER_STREAM))[0].content
    be(school, is_guest=True)
    for where in (None, ADMIN_STREAM):
        asking = school.question("whoami", stream_id=where)
        assert school.answer(asking)[0].content.endswith("* **Admin:** no, a guest is none")


@pytest.mark.parametrize("sender", [EVE, ADA, ROBOT, 999])
@pytest.mark.parametrize("text", ["whoami", "students", "student ravi", "feed", "chart ravi", "export all", "why e1"])
def test_a_stranger_gets_one_polite_sentence(school: School, text: str, sender: int) -> None:
    (message,) = school.answer(school.question(text, sender))
    assert message.content == dispatch.STRANGER
    assert message.attachment is None


def test_no_name_means_anything_to_zulip(school: School) -> None:
    be(school, full_name=HOSTILE, timezone=HOSTILE)
    with school.store.writing() as transaction:
        students = [replace(one, username=HOSTILE, display_name=HOSTILE) for one in STUDENTS]
        mentors = [replace(one, username=HOSTILE) for one in MENTORS]
        people.keep_people(transaction, students, mentors, LINKS, NOW)
    answer = school.ask("whoami")
    assert answer.count("evil") == 1 + 1 + 3, "the account, the mentor, the students"
    assert not LIVE.search(answer)
    assert "`" not in answer
    assert answer.count("\n") == 4
