"""Mentors choose what they are told, and are shown what holds and how to take it back."""

from __future__ import annotations

import re

import pytest

from lms_bot.core.events import EventClass, EventType
from lms_bot.core.notifications import Preferences, Timing
from lms_bot.store.notifications import preferences
from lms_bot.store.people import people
from lms_bot.store.session import Store
from tests.questions import GULNORA, JANE, MARY, OMAR, School

STARTED = EventType.EXAM_STARTED
CHANGES = [
    "notify content digest",
    "notify off all",
    "digest",
    "digest 8, 17",
    "digest off",
    "quiet 22:00-7:00",
    "quiet sat sun",
    "quiet 22-7 sun",
    "mute @jane_smith",
    "mute jane_smith 3d",
    "pause 2h",
    "pause",
]


@pytest.fixture
def school(store: Store) -> School:
    return School.open(store)


def asked(school: School, mentor_id: int = 1) -> Preferences:
    with school.store.reading() as transaction:
        return preferences.chosen(transaction, mentor_id)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_says_what_holds_and_its_way_back_leads_back(school: School, change: str) -> None:
    before = school.ask("settings")
    answer = school.ask(change)
    (back,) = re.findall(r"To take it back: `(.+)`", answer)
    assert school.ask("settings") in answer
    school.ask(back)
    if not change.startswith("digest off"):
        assert school.ask("settings") == before


def test_each_preference_is_kept_as_it_was_written(school: School) -> None:
    school.ask("notify started off")
    school.ask("quiet 22:30-7 sat")
    school.ask("mute jane_smith 3d")
    chosen = asked(school)
    assert chosen.timings == {EventClass.STARTED: Timing.OFF}
    assert (chosen.quiet_from, chosen.quiet_to, chosen.quiet_days) == (22 * 60 + 30, 7 * 60, frozenset({5}))
    assert chosen.muted.keys() == {JANE.student_id}
    assert asked(school, mentor_id=2) == Preferences()


@pytest.mark.parametrize(
    ("typed", "begin", "end"), [("8:00-20:00", 8, 20), ("8-23", 8, 23), ("21-22:00", 21, 22), ("09:00 – 10", 9, 10)]
)
def test_quiet_hours_are_read_whole(school: School, typed: str, begin: int, end: int) -> None:
    school.ask(f"quiet {typed}")
    chosen = asked(school)
    assert (chosen.quiet_from, chosen.quiet_to) == (begin * 60, end * 60)


def test_a_digest_puts_all_into_one_message_but_what_is_chosen_again(school: School) -> None:
    school.ask("digest 7 19")
    school.ask("notify failed now")
    answer = school.ask("settings")
    assert "* **At once:** failed exams\n" in answer
    assert "In a digest at 7:00, 19:00:** passed exams" in answer


@pytest.mark.parametrize(
    "mistake",
    [
        "notify content",
        "notify now",
        "notify content sometimes",
        "digest 25",
        "digest noon",
        "digest 1 2 3 4 5 6 7 8",
        "quiet whenever",
        "quiet 25:00-7:00",
        "quiet mon tue wed thu fri sat sun",
        "mute",
        "mute jane_smith 0d",
        "pause 400d",
        "pause -1h",
    ],
)
def test_a_mistake_changes_nothing_and_says_what_is_allowed(school: School, mistake: str) -> None:
    answer = school.ask(mistake)
    assert "`" in answer
    assert asked(school) == Preferences()


def test_somebody_elses_student_can_be_muted_no_more_than_one_that_does_not_exist(school: School) -> None:
    words = school.ask("mute @nobody").replace("nobody", "X")
    assert school.ask(f"mute @{GULNORA.username}").replace(GULNORA.username, "X") == words


def test_pending_says_why_something_waits(school: School) -> None:
    school.ask("pause 2d")
    school.happens(JANE, 1, kind=STARTED)
    school.ask("pause 3d")
    assert "paused, due <time:" in school.ask("pending")
    school.ask("resume")
    assert "paused" not in school.ask("pending")


def test_what_is_turned_off_leaves_pending(school: School) -> None:
    school.happens(JANE, 1, kind=STARTED)
    assert "Task 1" in school.ask("pending")
    school.ask("notify started off")
    assert "Nothing is waiting" in school.ask("pending")


def test_an_admin_maps_by_hand_and_back_and_it_is_written_down(school: School) -> None:
    assert school.ask_as_admin("unmapped") == "Every mentor has a Zulip account."
    answer = school.ask_as_admin("map #1 @**Omar Haddad|21**")
    assert f"is account {OMAR} now" in answer
    school.ask_as_admin("map #1 off")
    with school.store.reading() as transaction:
        mentor = people.mentor(transaction, 1)
    assert mentor is not None
    assert mentor.zulip_user_id == MARY
    assert "map #1 off" in school.ask_as_admin("audit")


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ("map #404 omar@example.org", "no mentor #404"),
        ("map #1 nobody@example.org", "no account"),
        ("map #1 robot@example.org", "no account"),
        ("map omar", "`map"),
        ("retry 404", "No such message"),
        ("retry", "`retry"),
    ],
)
def test_an_admins_mistake_is_explained(school: School, mistake: str, words: str) -> None:
    assert words in school.ask_as_admin(mistake)


def test_status_shows_what_waits_and_no_names(school: School) -> None:
    school.happens(JANE, 3)
    answer = school.ask_as_admin("status")
    assert "3 notifications" in answer
    assert "jane" not in answer
    assert "**attempts:** not read yet" in answer
