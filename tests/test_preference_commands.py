"""Mentors choose what they are told, and are shown what holds and how to take it back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lms_bot.core.events import EventClass, EventType
from lms_bot.core.notifications import Preferences, Timing
from lms_bot.store.notifications import preferences
from lms_bot.store.people import people
from lms_bot.store.session import Store, open_store
from tests.databases import store_in_file
from tests.questions import GULNORA, JANE, MARY, OMAR, School

STARTED = EventType.EXAM_STARTED
CHANGES = [
    "notify content digest",
    "notify off all",
    "notify progress now",
    "notify all now",
    "notify all digest",
    "digest on",
    "digest 8, 17",
    "digest off",
    "quiet 22:00-7:00",
    "quiet sat sun",
    "quiet 22-7 sun",
    "mute @jane_smith",
    "mute jane_smith 3d",
    "pause 2h",
    "pause",
    "resume",
    "quiet off",
    "unmute jane_smith",
    "notify all off",
]
SETTINGS = [
    "notify content off; notify failed digest",
    "digest 7, 19; notify failed now",
    "quiet 22:00-7:00; pause 2h",
    "quiet sun; mute jane_smith 2d",
    "notify all off; digest 6",
    "notify progress now; digest 7",
]


@pytest.fixture
def school(store: Store) -> School:
    return School.open(store)


@pytest.fixture
def small_school(tmp_path: Path) -> Iterator[School]:
    """The same on SQLite only."""
    store = open_store(store_in_file(tmp_path / "store.db"))
    yield School.open(store)
    store.close()


def asked(school: School, mentor_id: int = 1) -> Preferences:
    with school.store.reading() as transaction:
        return preferences.chosen(transaction, mentor_id)


@pytest.mark.parametrize("setting", ["", *SETTINGS])
@pytest.mark.parametrize("change", CHANGES)
def test_b6_a_change_says_what_holds_and_its_way_back_leads_back(
    small_school: School, setting: str, change: str
) -> None:
    """Also where something else held before than the defaults."""
    school = small_school
    for command in filter(None, setting.split("; ")):
        school.ask(command)
    before = school.ask("settings")
    answer = school.ask(change)
    assert school.ask("settings") in answer
    if answer.startswith("That is so already."):
        assert school.ask("settings") == before
        return
    (back,) = re.findall(r"To take it back: (.+)\.$", answer)
    for command in re.findall("`(.+?)`", back):
        assert school.ask(command).startswith("✅")
    assert school.ask("settings") == before


def test_b6_the_way_back_names_the_real_former_state(small_school: School) -> None:
    small_school.ask("notify content digest")
    assert small_school.ask("notify content off").endswith("To take it back: `notify content digest`.")
    small_school.ask("quiet 21-6:30 sun")
    assert small_school.ask("quiet off").endswith("To take it back: `quiet 21:00-6:30 sun`.")
    small_school.ask("pause 3d")
    small_school.forward(hours=12)
    assert small_school.ask("resume").endswith("To take it back: `pause 60h`.")
    assert small_school.ask("resume").startswith("That is so already.")


def test_b6_what_a_mentor_turned_off_is_no_error(school: School) -> None:
    school.happens(JANE, 2, kind=STARTED)
    school.ask("notify started off")
    for answer in (school.ask("stats"), school.ask_as_admin("stats")):
        assert "**Events with Errors:** 0" in answer
        assert "**Pending Events:** 0" in answer


@pytest.mark.parametrize("command", ["notify", "digest", "quiet", "mute", "settings"])
def test_d16_a_command_alone_only_shows(school: School, command: str) -> None:
    school.ask("mute jane_smith 3d")
    before = asked(school)
    answer = school.ask(command)
    assert answer.startswith(school.ask("settings"))
    assert command == "settings" or f"Change it with `{command} " in answer
    assert "**Muted:**" in answer
    assert asked(school) == before


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
    ("typed", "begin", "end"),
    [
        *(("8:00-20:00", 8, 20), ("8-23", 8, 23), ("21-22:00", 21, 22), ("09:00 – 10", 9, 10)),
        *(("10pm-7am", 22, 7), ("22.00-7.00", 22, 7), ("10 PM to 7 AM", 22, 7), ("from 22h until 7h", 22, 7)),
        *(("12am-12pm", 0, 12), ("22:00-24:00", 22, 0), ("24:00-7:00", 0, 7), ("10 p.m. - 7 a.m.", 22, 7)),
    ],
)
def test_b12_quiet_hours_are_read_as_people_write_them(school: School, typed: str, begin: int, end: int) -> None:
    school.ask(f"quiet {typed}")
    chosen = asked(school)
    assert (chosen.quiet_from, chosen.quiet_to) == (begin * 60, end * 60)


@pytest.mark.parametrize(
    ("typed", "days"),
    [
        ("mon-wed", {0, 1, 2}),
        ("fri to sun", {4, 5, 6}),
        ("Sat, Sunday", {5, 6}),
        ("weekend", {5, 6}),
        ("sun-mon", {0, 6}),
    ],
)
def test_b12_quiet_days_are_read_as_people_write_them(school: School, typed: str, days: set[int]) -> None:
    school.ask(f"quiet {typed}")
    assert asked(school).quiet_days == days


@pytest.mark.parametrize(
    ("typed", "hours"),
    [
        *(("8 am", {8}), ("8am, 5pm", {8, 17}), ("8.00", {8}), ("8:00 and 17:00", {8, 17}), ("at 8", {8})),
        *(("12am", {0}), ("24:00", {0}), ("8h 17h", {8, 17})),
    ],
)
def test_b12_hours_of_a_digest_are_read_as_people_write_them(school: School, typed: str, hours: set[int]) -> None:
    school.ask(f"digest {typed}")
    assert set(asked(school).digest_hours) == hours


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("quiet 7:00-7:00", "ends when it begins"),
        ("quiet 7am-7:00", "ends when it begins"),
        ("quiet 0:00-24:00", "whole of every day"),
        ("quiet 12am-24:00", "whole of every day"),
        ("quiet 25:00-7:00", "is no time of the day"),
        ("quiet 13pm-7am", "is no time of the day"),
        ("quiet 22:60-7", "is no time of the day"),
        ("quiet 22-7 8-9", "one span"),
        ("quiet mon-sun", "every day"),
        ("quiet soon", "neither a day nor hours"),
        ("digest 8:30", "no full hour"),
        ("digest 25", "no time of the day"),
        ("digest noon", "no hour"),
    ],
)
def test_b12_what_cannot_be_is_refused_with_the_reason(school: School, typed: str, reason: str) -> None:
    assert reason in school.ask(typed)
    assert asked(school) == Preferences()


def test_a_digest_puts_all_into_one_message_but_what_is_chosen_again(school: School) -> None:
    school.ask("digest 7 19")
    school.ask("notify failed now")
    answer = school.ask("settings")
    assert "* **At once:** failed exams\n" in answer
    assert "In a digest at 7:00, 19:00:** passed exams" in answer


@pytest.mark.parametrize("everything", ["notify all now", "notify all digest", "digest on", "digest off"])
def test_progress_is_told_only_to_who_asks_for_it_by_name(school: School, everything: str) -> None:
    off = "* **Not told:** progress in content\n"
    assert off in school.ask("settings")
    school.ask(everything)
    assert off in school.ask("settings")
    school.ask("notify progress digest")
    assert "Not told" not in school.ask("settings")
    school.ask(everything)
    assert "Not told" not in school.ask("settings")
    school.ask("notify all off")
    assert "progress in content" in school.ask("settings").partition("Not told:")[2]


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
        "mute 3d",
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
    assert answer.endswith("To take it back: `map #1 off`.")
    assert f"`map #1 {OMAR}`" in school.ask_as_admin("map #1 off")
    with school.store.reading() as transaction:
        mentor = people.mentor(transaction, 1)
    assert mentor is not None
    assert mentor.zulip_user_id == MARY
    assert "map #1 off" in school.ask_as_admin("audit")


@pytest.mark.parametrize(
    "account",
    ["21", "#21", "omar@example.org", "@**Omar Haddad**", "@**Omar Haddad|21**", "Omar Haddad", '"Omar Haddad"'],
)
@pytest.mark.parametrize("mentor", ["1", "#1"])
def test_b14_a_mentor_is_mapped_as_documented(small_school: School, mentor: str, account: str) -> None:
    assert f"is account {OMAR} now" in small_school.ask_as_admin(f"map {mentor} {account}")


def test_b6_mapping_says_which_account_it_was_before(small_school: School) -> None:
    small_school.ask_as_admin(f"map 1 {OMAR}")
    assert small_school.ask_as_admin("map 1 23").endswith(f"To take it back: `map #1 {OMAR}`.")
    assert small_school.ask_as_admin("map 1 off").endswith("To take it back: `map #1 23`.")
    assert "To take it back" not in small_school.ask_as_admin("map 1 off")


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
