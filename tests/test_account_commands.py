"""An admin asks who somebody is, and is told in private."""

from __future__ import annotations

import pytest

from lms_bot.core.people import Student
from lms_bot.handlers.dispatch import IN_PRIVATE
from lms_bot.store.people import accounts, people
from lms_bot.store.session import Store
from tests import NOW
from tests.questions import ADA, ADMIN_STREAM, GULNORA, LINKS, MARY, MENTORS, OTHER_STREAM, STUDENTS, School
from tests.test_commands import LIVE

HOSTILE = "@**all** [x](http://evil.example.com) <time:now> `code` | # 👋"


@pytest.fixture
def school(store: Store) -> School:
    return School.open(store)


def user(school: School, who: str) -> str:
    """The private answer to Ada, who asks in the admin stream, which sees only that she was answered."""
    private, public = school.answer(school.question(f"user {who}", ADA, stream_id=ADMIN_STREAM))
    assert private.recipient.user_ids == (ADA,)
    assert (public.recipient.stream_id, public.content) == (ADMIN_STREAM, IN_PRIVATE)
    return private.content


@pytest.mark.parametrize("who", ["mary", "MARY", "mary@example.org", "#1", "@**Mary Jones|20**", "@**Mary Jones**"])
def test_a_mentor_is_shown_with_account_students_and_preferences(school: School, who: str) -> None:
    school.ask("quiet 22:00-7:00")
    text = user(school, who)
    assert "**Mentor mary** (#1)" in text
    assert f"* **Zulip:** **Mary Jones**, account {MARY}" in text
    assert "* **3 students:** Jane Smith, Janet O'Brien, Ravi Patel" in text
    assert "* **Quiet:** 22:00 to 7:00" in text
    assert "Student" not in text


@pytest.mark.parametrize("who", ["gulnora", "Гульнора", "ГУЛЬНОРА КАРИМОВА", "#1004", "gulnora@example.org"])
def test_a_student_is_shown_with_mentors(school: School, who: str) -> None:
    text = user(school, who)
    assert "**Student Гульнора Каримова** (#1004)" in text
    assert "* **Username:** gulnora" in text
    assert "* **Zulip:** no account" in text
    assert "* **Active in the LMS:** yes" in text
    assert "* **1 mentor:** omar (#2)" in text


def test_why_a_mentor_cannot_be_written_to_and_who_mapped_them(school: School) -> None:
    with school.store.writing() as transaction:
        accounts.map_by_hand(transaction, 1, MARY, NOW)
        accounts.map_by_hand(transaction, 2, 99, NOW)
    assert "mapped by hand" in user(school, "mary")
    assert "no account: the account mapped by hand is gone" in user(school, "omar")


def test_an_account_that_is_nobody_in_the_lms_is_said_to_be_that(school: School) -> None:
    assert user(school, f"@**Eve Stranger|{23}**") == (
        "**Eve Stranger**, account 23 is neither mentor nor student in the LMS."
    )


@pytest.mark.parametrize("who", ["nobody", "#9999", "@**Nobody|99999**", "#" + "9" * 5000, "%", "' OR 1=1 --", HOSTILE])
def test_nobody_is_nobody(school: School, who: str) -> None:
    text = user(school, who)
    assert text.startswith("I know no mentor, student or account “")
    assert not LIVE.search(text)


def test_many_who_match_are_only_named(school: School) -> None:
    many = [Student(number, f"jane {number}", f"j{number}@example.org") for number in range(2000, 2030)]
    with school.store.writing() as transaction:
        people.keep_people(transaction, [*STUDENTS, *many], MENTORS, LINKS, NOW)
    text = user(school, "jane")
    assert text.startswith("**31 match “jane”**")
    assert "* … and " in text
    assert "example" not in text


def test_names_are_harmless(school: School) -> None:
    with school.store.writing() as transaction:
        evil = Student(1001, HOSTILE, f"x{HOSTILE}", HOSTILE)
        people.keep_people(transaction, [evil, GULNORA], MENTORS, LINKS, NOW)
    assert not LIVE.search(user(school, "#1001"))
    assert not LIVE.search(user(school, "mary"))


@pytest.mark.parametrize("sender", [ADA, MARY])
def test_nobody_is_told_outside_the_admin_stream(school: School, sender: int) -> None:
    for stream_id in (None, OTHER_STREAM):
        for message in school.answer(school.question("user omar", sender, stream_id=stream_id)):
            assert "omar@" not in message.content
            assert "#2" not in message.content


def test_d10_an_admin_reads_what_the_mentor_is_told_and_not_you(school: School) -> None:
    text = user(school, "mary")
    assert "**What Mary Jones is told**" in text
    assert "you are told" not in text.casefold()
    assert "**What you are told**" in school.ask("settings")
