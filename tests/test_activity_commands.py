"""Mentors see what their own students did, newest first and in pages, and take it away as files."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import timedelta

import pytest

from lms_bot.core.events import EventType
from lms_bot.core.notifications import Message
from lms_bot.core.people import Student
from lms_bot.handlers.mentor import history
from lms_bot.render.export import file_name
from lms_bot.store.notifications import outbox
from lms_bot.store.session import Store
from tests import NOW
from tests.delivery_scenario import happened, owe
from tests.questions import GULNORA, JANE, JANET, LINKS, MARY, OMAR, OTHER_STREAM, RAVI, School
from tests.test_commands import LIVE

DAY = timedelta(days=1)
FAILED, WATCHED = EventType.EXAM_FAILED, EventType.CONTENT_WATCHED
HOSTILE = "@**all** | [x](http://evil.example.com) `a` ~~~\n| b |"
FORMULA = '=HYPERLINK("http://evil.example.com")'


@pytest.fixture
def school(store: Store) -> School:
    """Jane and Ravi did three things each in turn, Гульнора did another."""
    opened = School.open(store)
    made = [
        happened(
            (JANE, RAVI)[n % 2], f"Task {n}", (FAILED, WATCHED)[n % 2], at=NOW - n * DAY, course_title=f"Course {n}"
        )
        for n in range(1, 7)
    ]
    owe(store, [*made, happened(GULNORA, "Physics")])
    return opened


def tasks(answer: str) -> list[int]:
    return [int(number) for number in re.findall(r"Task (\d+)", answer)]


def file_of(school: School, message: Message) -> list[dict[str, str]]:
    """The lines of the file that goes with an answer."""
    with school.store.reading() as transaction:
        content = outbox.attachment(transaction, message)
    assert content is not None
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def exported(school: School, text: str, sender_id: int = MARY) -> tuple[str, Sequence[dict[str, str]]]:
    (message,) = school.answer(school.question(text, sender_id))
    return message.content, file_of(school, message)


# feed


def test_the_feed_has_all_students_newest_first(store: Store) -> None:
    school = School.open(store)
    owe(store, [happened(JANE, "Algebra", at=NOW - DAY, source_id=71, percentage=85)])
    owe(store, [happened(RAVI, "Film", WATCHED, source_id=9), happened(GULNORA, "Physics")])
    assert school.ask("feed") == (
        "**Your students**, newest first\n"
        "\n"
        "* 👀 **Ravi Patel** watched **Film** · <time:2026-03-02T12:00:00Z> · `c9`\n"
        "* 🎉 **Jane Smith** passed **Algebra** · 85% · <time:2026-03-01T12:00:00Z> · `e71`"
    )


def test_history_numbers_its_events_too(store: Store) -> None:
    school = School.open(store)
    owe(store, [happened(JANE, "Algebra", source_id=71)])
    assert school.ask("history jane").endswith("passed **Algebra** · <time:2026-03-02T12:00:00Z> · `e71`")


def test_more_goes_on_to_the_end_and_no_further(school: School) -> None:
    assert tasks(first := school.ask("feed 4")) == [1, 2, 3, 4]
    assert first.endswith("\n\nWrite `more` for the next ones.")
    last = school.ask("more")
    assert last.startswith("**Your students**, before that\n\n")
    assert tasks(last) == [5, 6]
    assert "`more`" not in last
    assert "no list" in school.ask("more")


def test_more_keeps_what_was_asked_for(school: School) -> None:
    assert tasks(school.ask("feed 1 type:failed since:5d")) == [2]
    assert tasks(school.ask("more")) == [4]
    assert "no list" in school.ask("more")


def test_what_is_gone_when_more_is_asked_for_is_said(school: School) -> None:
    school.ask("feed 4")
    school.link({(1, JANET.student_id)})
    assert school.ask("more") == "There is nothing more of **Your students**."


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ("", [1, 2, 3, 4, 5, 6]),
        ("2", [1, 2]),
        ("type:content", [1, 3, 5]),
        ("type:exam_failed,exam_passed 1", [2]),
        ("since:3d", [1, 2, 3]),
        ("since:1w", [1, 2, 3, 4, 5, 6]),
        ('course:"COURSE 5"', [5]),
        ("type:failed course:5", []),
        ("since:2d type:failed", [2]),
    ],
)
def test_the_feed_is_narrowed(school: School, arguments: str, shown: list[int]) -> None:
    assert tasks(school.ask(f"feed {arguments}")) == shown


def test_an_empty_feed_says_whether_it_was_narrowed(school: School) -> None:
    assert school.ask("feed type:passed") == "Your students have done nothing like that, as far as the LMS told me."
    school.link({(1, JANET.student_id)})
    assert school.ask("feed") == "Your students have done nothing yet, as far as the LMS told me."


@pytest.mark.parametrize("mistake", ["feed 0", "feed 51", "feed jane", "feed type:x", "feed since:x", "feed sinc:7d"])
def test_a_mistake_in_a_feed_is_explained(school: School, mistake: str) -> None:
    answer = school.ask(mistake)
    assert tasks(answer) == []
    assert "from 1 to 50" in answer or "`" in answer


# export


def test_a_file_has_everything_of_one_student_oldest_first(school: School) -> None:
    text, lines = exported(school, "export @jane_smith")
    assert text == "📄 **Jane Smith** · all time · 3 events"
    assert [(line["activity"], line["time"], line["course_title"]) for line in lines] == [
        ("Task 6", "2026-02-24T12:00:00Z", "Course 6"),
        ("Task 4", "2026-02-26T12:00:00Z", "Course 4"),
        ("Task 2", "2026-02-28T12:00:00Z", "Course 2"),
    ]
    assert {(line["student"], line["event"]) for line in lines} == {("jane_smith", "exam_failed")}


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("export @jane_smith", "Jane-Smith_all-time.csv"),
        ("export janet 30d", "Janet-O-Brien_last-30-days.csv"),
        ("export all 1d", "all-students_last-1-day.csv"),
    ],
)
def test_d18_a_file_is_named_after_student_and_period(school: School, question: str, name: str) -> None:
    owe(school.store, [happened(JANET, "Today", at=NOW)])
    (message,) = school.answer(school.question(question))
    assert message.attachment == name


def test_d18_a_name_that_is_no_file_name_becomes_one() -> None:
    jane = Student(1, "jane", display_name="../Гульнора \u202e К. " + "x" * 300, shares_name=True)
    assert file_name(jane, "all time", part=(1, 2)) == f"Гульнора-К-{'x' * 49}_all-time_1-2.csv"


def test_a_file_has_all_students_of_the_mentor_and_no_other(school: School) -> None:
    text, lines = exported(school, "export all")
    assert text == "📄 3 students · all time · 6 events"
    assert [line["student"] for line in lines] == ["jane_smith"] * 3 + ["ravi"] * 3
    assert [line["student"] for line in exported(school, "export all", OMAR)[1]] == ["gulnora"]


def test_a_file_is_of_the_period_that_was_asked_for(school: School) -> None:
    text, lines = exported(school, "export all 2d")
    assert text == "📄 3 students · the last 2 days · 2 events"
    assert [line["activity"] for line in lines] == ["Task 2", "Task 1"]


def test_what_is_more_than_a_file_comes_with_more_whatever_happens_meanwhile(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Minutes later an event that comes in the next file is older than six days, and others are new."""
    owe(school.store, [happened(RAVI, "Edge", at=NOW - 6 * DAY + timedelta(minutes=5))])
    monkeypatch.setattr(history, "FILE_EVENTS", 2)
    (message,) = school.answer(school.question("export all 6d"))
    assert message.content == (
        "📄 3 students · the last 6 days · 2 events, number 1 to 2\n"
        "\n"
        "There are more than fit one file: write `more` for the next one."
    )
    assert message.attachment == "all-students_last-6-days_1-2.csv"
    found = [line["activity"] for line in file_of(school, message)]
    school.forward(minutes=10)
    owe(school.store, [happened(JANE, "Older", at=NOW - 5.5 * DAY), happened(RAVI, "New", at=NOW)])
    while "`more`" in message.content:
        (message,) = school.answer(school.question("more"))
        found += [line["activity"] for line in file_of(school, message)]
    assert found == ["Task 6", "Task 4", "Task 2", "Edge", "Task 5", "Task 3", "Task 1", "New"]
    assert message.content.startswith("📄 3 students · the last 6 days · 2 events, number 7 to 8\n")
    assert message.attachment == "all-students_last-6-days_7-8.csv"


def test_events_of_one_moment_are_in_one_file_each(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "FILE_EVENTS", 3)
    school = School.open(store)
    owe(store, [happened(JANE, f"Task {number}") for number in range(9)])
    found = [line["activity"] for text in ("export jane", "more", "more") for line in exported(school, text)[1]]
    assert found == [f"Task {number}" for number in range(9)]
    assert "no list" in school.ask("more")


def test_a_file_of_exactly_so_many_has_no_more(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "FILE_EVENTS", 6)
    text, lines = exported(school, "export all")
    assert "`more`" not in text
    assert len(lines) == 6


def test_a_file_that_goes_on_is_of_the_students_of_then(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "FILE_EVENTS", 2)
    school.ask("export all")
    school.link(LINKS - {(1, RAVI.student_id)})
    assert [line["activity"] for line in exported(school, "more")[1]] == ["Task 2"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("export janet", "Janet O'Brien**, all time."), ("export all 1d", "3 students, the last 1 day.")],
)
def test_where_there_is_nothing_there_is_no_file(school: School, text: str, words: str) -> None:
    school.forward(seconds=1)
    (message,) = school.answer(school.question(text))
    assert message.attachment is None
    assert message.content.endswith(words)


@pytest.mark.parametrize("mistake", ["export", "export jane 0d", "export all jane 7d 8d", "export 7d"])
def test_a_mistake_in_an_export_gives_no_file(school: School, mistake: str) -> None:
    (message,) = school.answer(school.question(mistake))
    assert message.attachment is None
    assert "`" in message.content


def test_several_matches_are_chosen_from_for_a_file_too(school: School) -> None:
    assert "Answer with a number" in school.ask("export jan")
    assert exported(school, "1")[0].startswith("📄 **Jane Smith** · ")


# Who may know what, and foreign text


def test_somebody_elses_student_and_nobody_are_the_same_words(school: School) -> None:
    words = school.ask("export nobodyy").replace("nobodyy", "X")
    for name in (GULNORA.username, "Гульнора", "#1004"):
        (message,) = school.answer(school.question(f"export {name}"))
        assert message.attachment is None
        assert re.sub("“.*”", "“X”", message.content) == words


@pytest.mark.parametrize("text", ["feed", "export all", "history jane"])
def test_asked_in_a_stream_the_answer_is_private(school: School, text: str) -> None:
    private, note = school.answer(school.question(text, stream_id=OTHER_STREAM))
    assert private.recipient.user_ids == (MARY,)
    assert bool(private.attachment) == text.startswith("export")
    assert (note.content, note.attachment) == ("I answered you in private.", None)


@pytest.mark.parametrize("text", ["feed", "history jane"])
def test_no_title_means_anything_to_zulip(store: Store, text: str) -> None:
    school = School.open(store)
    owe(store, [happened(JANE, HOSTILE, FAILED, percentage=HOSTILE, score=HOSTILE)])
    answer = school.ask(text)
    assert "evil" in answer
    assert not LIVE.search(answer)
    assert answer.count("`") == 2, "those of the event's number"
    assert answer.count("\n") == 2


def test_no_title_is_a_formula(store: Store) -> None:
    school = School.open(store)
    owe(store, [happened(JANE, FORMULA, course_title=f" {FORMULA}", result="@SUM(A1)")])
    _, (line,) = exported(school, "export jane")
    assert line["activity"] == f"'{FORMULA}"
    assert line["course_title"] == f"'{FORMULA}"
    assert line["result"] == "'@SUM(A1)"
