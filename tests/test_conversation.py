"""A number chooses one of those I named, and `more` goes on where I ended."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lms_bot.core.events import EventType
from lms_bot.core.people import Student
from lms_bot.core.principal import Role
from lms_bot.handlers.registry import REGISTRY
from lms_bot.store.people import people
from lms_bot.store.questions import audit
from lms_bot.store.session import Store, open_store
from tests import NOW
from tests.databases import store_in_file
from tests.delivery_scenario import happened, owe
from tests.questions import ADA, ADMIN_STREAM, JANE, JANET, LINKS, MARY, MENTORS, OMAR, RAVI, STUDENTS, School

NO_LIST = "There is no list that I could go on with."


@pytest.fixture
def school(store: Store) -> School:
    opened = School.open(store)
    opened.happens(JANE, 5)
    opened.happens(JANET, 3, kind=EventType.EXAM_FAILED)
    return opened


@pytest.fixture
def small_school(tmp_path: Path) -> Iterator[School]:
    """The same on SQLite only, without events."""
    store = open_store(store_in_file(tmp_path / "store.db"))
    yield School.open(store)
    store.close()


def tasks(answer: str) -> list[int]:
    return [int(number) for number in re.findall(r"Task (\d+)", answer)]


# Choosing


def test_several_matches_are_a_numbered_list_and_the_number_is_enough(school: School) -> None:
    choice = school.ask("history jan")
    assert choice.endswith("Answer with a number:\n1. Jane Smith\n2. Janet O'Brien")
    assert school.ask("2") == school.ask("history janet")


def test_the_rest_of_the_question_goes_with_the_choice(school: School) -> None:
    school.ask("history jan n:2 type:failed")
    chosen = school.ask(" 2 ")
    assert tasks(chosen) == [3, 2]
    assert tasks(school.ask("more")) == [1]


def test_a_choice_is_made_once(school: School) -> None:
    school.ask("history jan")
    school.ask("1")
    assert "I do not know “1”" in school.ask("1")


@pytest.mark.parametrize("number", ["0", "3", "999999999999999999999"])
def test_a_number_that_is_not_in_the_list_asks_again(school: School, number: str) -> None:
    school.ask("history jan")
    assert "from 1 to 2" in school.ask(number)
    assert school.ask("1").startswith("**Jane Smith**")


def test_a_number_without_a_question_before_means_nothing(school: School) -> None:
    assert "I do not know “2”" in school.ask("2")


def test_the_choice_is_open_for_a_quarter_of_an_hour(school: School) -> None:
    school.ask("history jan")
    school.forward(minutes=15)
    assert school.ask("1").startswith("**Jane Smith**")
    school.ask("history jan")
    school.forward(minutes=15, seconds=1)
    assert "I do not know “1”" in school.ask("1")


def test_the_next_command_ends_the_choice(school: School) -> None:
    school.ask("history jan")
    school.ask("pending")
    assert "I do not know “1”" in school.ask("1")


def test_a_misspelled_command_does_not_end_the_choice(school: School) -> None:
    school.ask("history jan")
    school.ask("qwertz")
    school.ask("history nobody")
    assert school.ask("1").startswith("**Jane Smith**")


def test_the_choice_is_the_askers_alone(school: School) -> None:
    school.ask("history jan")
    assert "I do not know “1”" in school.ask("1", OMAR)
    assert school.ask("1").startswith("**Jane Smith**")


def test_the_choice_survives_a_restart(store_url: str) -> None:
    before = open_store(store_url)
    School.open(before).ask("history jan")
    before.close()
    after = open_store(store_url)
    assert School(after).ask("2").startswith("**Janet O'Brien**")
    after.close()


def test_a_chosen_student_who_is_no_longer_theirs_is_nobody(school: School) -> None:
    school.ask("history jan")
    school.link({(1, RAVI.student_id), (2, JANE.student_id)})
    gone = school.ask("1")
    assert gone == school.ask(f"history #{JANE.student_id}")
    assert gone.replace("#1001", "#9999") == school.ask("history #9999")


def test_many_matches_are_cut_to_ten(small_school: School) -> None:
    many = [replace(RAVI, student_id=2000 + number, username=f"twin{number:02}") for number in range(30)]
    links = {(1, student.student_id) for student in many}
    with small_school.store.writing() as transaction:
        people.keep_people(transaction, [*STUDENTS, *many], MENTORS, links, NOW)
    answer = small_school.ask("history twin")
    assert "(the first 10 of them)" in answer
    assert answer.splitlines()[-1] == "10. Ravi Patel (twin09)"
    assert small_school.ask("10").startswith("**Ravi Patel** (twin09)")


# Going on


def test_more_goes_on_where_the_list_ended(school: School) -> None:
    assert tasks(first := school.ask("history jane_smith n:2")) == [5, 4]
    assert first.endswith("Write `more` for the next ones.")
    assert tasks(school.ask("More")) == [3, 2]
    assert tasks(last := school.ask("more")) == [1]
    assert "`more`" not in last
    assert NO_LIST in school.ask("more")


def test_a_list_that_ends_on_the_page_has_no_more(school: School) -> None:
    assert "`more`" not in school.ask("history janet n:3")
    assert NO_LIST in school.ask("more")


def test_more_is_about_the_last_list_only(school: School) -> None:
    school.ask("history jane_smith n:2")
    school.ask("stats")
    assert NO_LIST in school.ask("more")


def test_more_waits_a_quarter_of_an_hour_from_the_last_page(school: School) -> None:
    school.ask("history jane_smith n:2")
    school.forward(minutes=10)
    assert tasks(school.ask("more")) == [3, 2]
    school.forward(minutes=10)
    assert tasks(school.ask("more")) == [1]
    school.ask("history jane_smith n:2")
    school.forward(minutes=16)
    assert NO_LIST in school.ask("more")


def test_more_about_a_student_who_is_no_longer_theirs_shows_nothing(school: School) -> None:
    school.ask("history jane_smith n:2")
    school.link({(2, JANE.student_id)})
    assert "You have no student “jane_smith”." in school.ask("more")


def test_a_number_is_no_answer_to_a_list_that_goes_on(school: School) -> None:
    school.ask("history jane_smith n:2")
    assert "I do not know “1”" in school.ask("1")


def test_long_titles_never_cost_a_line(small_school: School) -> None:
    """Fifty lines of the longest titles do not fit into one message: the others come with `more`."""
    titles = [f"Task {number} " + "x" * 500 for number in range(60)]
    owe(small_school.store, [happened(JANE, title) for title in titles])
    shown = tasks(small_school.ask("history jane_smith n:50"))
    assert len(shown) < 50
    while "`more`" in (page := small_school.ask("more")):
        assert len(page) <= 10_000
        shown += tasks(page)
    assert sorted(shown + tasks(page)) == list(range(60))


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ("", [5, 4, 3, 2, 1]),
        ("1d", [5, 4, 3, 2, 1]),
        ("type:failed,passed n:2", [5, 4]),
        ("type:failed", []),
        ("type:passed n:1", [5]),
        ("course:algebra", [5]),
        ('course:"ALGEBRA 1"', [5]),
        ("course:100%", []),
        ("course:_", []),
    ],
)
def test_history_is_narrowed(store: Store, arguments: str, shown: list[int]) -> None:
    school = School.open(store)
    school.happens(JANE, 4)
    owe(store, [happened(JANE, "Task 5", course_title="Algebra 1")])
    assert tasks(school.ask(f"history jane_smith {arguments}")) == shown


def test_statistics_of_one_student_and_period(school: School) -> None:
    assert "**Total Events:** 8" in school.ask("stats")
    assert "of **Janet O'Brien**, all time" in (of_janet := school.ask("stats @janet"))
    assert "**Total Events:** 3" in of_janet
    assert "**Pending Events:** 3" in of_janet
    school.forward(days=1, hours=-1)
    assert "**Total Events:** 2" in school.ask("stats janet 1d")
    assert "**Total Events:** 4" in school.ask("stats 1d")
    assert "the last 7 days" in school.ask("stats 1w")
    assert "You have no student" in school.ask("stats janet", OMAR)


# Where rights end


def test_what_an_admin_lists_goes_on_in_the_admin_stream_only(school: School) -> None:
    with school.store.writing() as transaction:
        for number in range(5):
            audit.note(transaction, ADA, f"poll {number}", "done", NOW)
    school.link(LINKS | {(1, JANE.student_id)})
    first = school.ask_as_admin("audit 2")
    assert re.findall(r"poll \d", first) == ["poll 4", "poll 3"]
    assert "poll" not in school.ask("more", ADA)
    assert "poll" not in school.ask("more", MARY, stream_id=ADMIN_STREAM)
    assert re.findall(r"poll \d", school.ask_as_admin("more")) == ["poll 2", "poll 1"]
    assert re.findall(r"poll \d", school.ask_as_admin("more")) == ["poll 0"]


def test_what_a_mentor_lists_as_an_admin_does_not_go_on_in_a_direct_message(school: School) -> None:
    with school.store.writing() as transaction:
        for number in range(5):
            audit.note(transaction, ADA, f"poll {number}", "done", NOW)
    assert "poll 4" in school.ask("audit 2", MARY, stream_id=ADMIN_STREAM)
    assert NO_LIST in school.ask("more")
    assert "poll 2" in school.ask("more", MARY, stream_id=ADMIN_STREAM)


def test_letters_that_no_database_keeps_do_not_break_the_choice(school: School) -> None:
    assert "Answer with a number" in school.ask('history jan\x00 course:"a\x00b\ud800"')
    assert "**Jane Smith** has done nothing like that" in school.ask("1")


def test_a_mentors_choice_cannot_be_used_by_whom_is_no_mentor_any_more(school: School) -> None:
    school.ask("history jan")
    with school.store.writing() as transaction:
        people.keep_people(transaction, STUDENTS, MENTORS[1:], LINKS, NOW)
    assert school.ask("1") == school.ask("1", ADA)


def test_a_command_that_is_gone_after_an_update_is_no_dialogue(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    school.ask("history jan")
    commands = {key: one for key, one in REGISTRY._commands.items() if key != (Role.MENTOR, "history")}
    monkeypatch.setattr(REGISTRY, "_commands", commands)
    assert "I do not know “1”" in school.ask("1")


@pytest.mark.parametrize("student", [JANE, JANET], ids=lambda student: student.username)
def test_the_number_shown_is_the_student_chosen(school: School, student: Student) -> None:
    lines = school.ask("stats jan").splitlines()
    (number,) = (line.partition(".")[0] for line in lines if str(student.display_name) in line)
    assert f"of **{student.display_name}**" in school.ask(number)


# Mistyped, and as people speak


@pytest.mark.parametrize(
    "typed", ["histry @jane_smith", "Histroy: jane_smith", "/hist jane_smith", "hstory jane_smith?"]
)
def test_b13_a_unique_correction_runs_and_says_so(school: School, typed: str) -> None:
    assert school.ask(typed) == "I take that for `history`.\n\n" + school.ask("history jane_smith")


def test_b13_several_corrections_are_offered_by_number_and_keep_the_arguments(school: School) -> None:
    offered = school.ask("stre jane_smith")
    beginning, *lines = offered.splitlines()
    assert beginning.endswith("Answer with a number:")
    numbers = {line[3:]: line[0] for line in lines}
    assert numbers.keys() == {"`streak`", "`streaks`"}
    assert school.ask(numbers["`streak`"]) == school.ask("streak jane_smith")


def test_b13_a_choice_of_commands_is_asked_again_when_it_is_none(school: School) -> None:
    school.ask("stre jane_smith")
    assert "from 1 to 2" in school.ask("3")
    assert NO_LIST in school.ask("more")


def test_b13_a_missing_student_is_offered_by_number(school: School) -> None:
    offered = school.ask("history 30d n:2")
    assert "`history @student" in offered
    assert offered.endswith("Answer with a number:\n1. Jane Smith\n2. Janet O'Brien\n3. Ravi Patel")
    assert school.ask("2") == school.ask("history janet 30d n:2")


def test_b13_no_student_of_others_is_offered(school: School) -> None:
    assert school.ask("student", OMAR).endswith("\n1. Гульнора Каримова")
    school.link(frozenset())
    assert "Something is missing, `@student`" in school.ask("student", OMAR)


@pytest.mark.parametrize("text", ["history", "how are Ravi and Janet?", "history jan"])
def test_b13_whom_one_may_choose_from_is_for_the_asker_alone(school: School, text: str) -> None:
    private, note = school.answer(school.question(text, MARY, stream_id=ADMIN_STREAM))
    assert private.recipient.user_ids == (MARY,)
    assert "Janet" in private.content
    assert "Janet" not in note.content


def test_b13_what_an_admin_would_change_is_not_guessed(school: School) -> None:
    offered = school.ask_as_admin("paus polling")
    assert offered.endswith("Do you mean this? Answer with a number:\n1. `pause`")
    assert "is paused" not in school.ask_as_admin("status")
    assert "is paused" in school.ask_as_admin("paus polling") + school.ask_as_admin("1")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/stats", "stats"),
        ("Stats.", "stats"),
        ("!stats", "stats"),
        ("stats:", "stats"),
        ("please stats", "stats"),
        ("Stats, please!", "stats"),
        ("show me the stats", "stats"),
        ("hello, history @jane_smith", "history jane_smith"),
        ("history jane_smith.", "history jane_smith"),
        ("why–not jane_smith", "why-not jane_smith"),
        ("why not jane_smith?", "why-not jane_smith"),
        ("my students", "students"),
    ],
)
def test_b12_what_people_type_is_understood(school: School, typed: str, meant: str) -> None:
    assert school.ask(typed) == school.ask(meant)


@pytest.mark.parametrize(
    "sentence",
    [
        "How is Ravi doing?",
        "how is ravi patel",
        "What about Ravi's exams?",
        "tell me about RAVI",
        "why is Ravi failing?",
        "Ravi",
        "and @**Ravi Patel** ?",
    ],
)
def test_d12_a_sentence_with_one_students_name_gets_their_card(school: School, sentence: str) -> None:
    card, hint = school.ask(sentence).rsplit("\n\n", 1)
    assert card == school.ask("student ravi")
    assert "`student @ravi`" in hint


def test_d12_a_sentence_with_two_students_offers_both(school: School) -> None:
    assert school.ask("How are Ravi and Janet?").endswith("1. Janet O'Brien\n2. Ravi Patel")
    assert school.ask("2") == school.ask("student ravi")


@pytest.mark.parametrize("name", ["Gulnora", "Гульнора", "Nobody", "Smithers"])
def test_d12_a_sentence_with_anybody_elses_name_is_answered_as_ever(school: School, name: str) -> None:
    assert "I do not know “how”" in school.ask(f"How is {name} doing?")


@pytest.mark.parametrize("typed", ["müller", "MÜLLER", "mu\u0308ller", "Eve Mu\u0308ller", "@**Eve Müller**"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_b11_how_accents_are_composed_does_not_matter(small_school: School, typed: str, form: str) -> None:
    name = unicodedata.normalize(form, "müller")  # type: ignore[arg-type]
    eve = replace(RAVI, student_id=2000, username=name, email=None, display_name=f"Eve {name.title()}")
    with small_school.store.writing() as transaction:
        people.keep_people(transaction, [*STUDENTS, eve], MENTORS, LINKS | {(1, 2000)}, NOW)
    assert small_school.ask(f"student {typed}") == small_school.ask("student #2000")
    assert (
        "(#2000)" in small_school.answer(small_school.question(f"user {typed}", ADA, stream_id=ADMIN_STREAM))[0].content
    )
    assert "I do not know" not in small_school.ask(f"How is {typed} doing?")


def test_addresses_are_found_only_by_the_case_of_a_to_z(small_school: School) -> None:
    strauss = replace(RAVI, student_id=2000, username="s2000", email="strauß@example.org", display_name=None)
    with small_school.store.writing() as transaction:
        people.keep_people(transaction, [*STUDENTS, strauss], MENTORS, LINKS | {(1, 2000)}, NOW)
    assert small_school.ask("student STRAUß@EXAMPLE.ORG") == small_school.ask("student #2000")
    assert "You have no student" in small_school.ask("student strauss@example.org")


# Names


def namesakes(school: School, mine: str, theirs: str) -> None:
    """Jane is Mary's and called the same as another student of hers (`mine`) and one of Omar's (`theirs`)."""
    alike = [
        replace(RAVI, student_id=2001, username=mine, display_name="JANE Smith"),
        replace(RAVI, student_id=2002, username=theirs, display_name="Jane Smith"),
    ]
    with school.store.writing() as transaction:
        people.keep_people(transaction, [*STUDENTS, *alike], MENTORS, LINKS | {(1, 2001), (2, 2002)}, NOW)


NAMING = ["students", "streaks", "feed", "history #1001", "student #1001", "streak #1001", "chart #1001", "pending"]
NAMING += ["stats #1001", "why-not #1001", "export #1001", "whoami", "history jane smith"]


@pytest.mark.parametrize("text", NAMING)
def test_d3_names_are_shown_and_usernames_only_where_two_are_alike(school: School, text: str) -> None:
    school.happens(JANE, 2, percentage=70)
    if text != "history jane smith":
        alone = school.ask(text)
        assert "Jane Smith" in alone
        assert "jane_smith" not in alone
    namesakes(school, "jane2", "jane3")
    shown = school.ask(text)
    assert re.search(r"Jane Smith(\*\*)? \(jane_smith\)", shown)
    assert "jane3" not in shown


def test_d3_a_namesake_of_another_mentor_is_not_betrayed(school: School) -> None:
    school.happens(JANE, 1)
    before = [school.ask(text) for text in NAMING[:-1]]
    with school.store.writing() as transaction:
        twin = replace(JANE, student_id=2002, username="jane3")
        people.keep_people(transaction, [*STUDENTS, twin], MENTORS, LINKS | {(2, 2002)}, NOW)
    assert [school.ask(text) for text in NAMING[:-1]] == before


def test_d3_an_admin_reads_names_too(school: School) -> None:
    school.happens(JANE, 1)
    namesakes(school, "jane2", "jane3")
    assert "**Jane Smith** (jane_smith)" in school.ask_as_admin("pending")
