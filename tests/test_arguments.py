"""What follows a command is read from one description: forgiving, and never surprised."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from lms_bot.config.settings import load
from lms_bot.core.events import EventType
from lms_bot.core.notifications import Recipient
from lms_bot.core.principal import Principal, Role
from lms_bot.errors import UserError
from lms_bot.handlers import arguments, reference
from lms_bot.handlers.argument_types import (
    COURSE,
    DURATION,
    PERIOD,
    SINCE,
    STUDENT,
    STUDENTS,
    TYPES,
    choice,
    count,
    number,
    words,
)
from lms_bot.handlers.arguments import Argument, given
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Request
from lms_bot.store.session import Store
from tests import NOW
from tests.questions import ACCOUNTS

HISTORY = (STUDENT, PERIOD, TYPES, COURSE, count(50, 20))
WHICH = choice("which", ("failing", "inactive", "all"), "Whom to show.")
ROOT = Path(__file__).parents[1]
MENTOR = frozenset({Role.MENTOR})


def refusal(expected: Sequence[Argument], text: str) -> str:
    with pytest.raises(UserError) as caught:
        given(expected, text)
    return str(caught.value)


@pytest.fixture
def request_(store: Store) -> Any:
    settings = load(None, {"LMS_DATABASE_URL": "sqlite:///none.db"})
    with store.reading() as transaction:
        yield Request(transaction, NOW, settings, ACCOUNTS[1], Principal(MENTOR), MENTOR, Recipient())


def value(request: Request, argument: Argument, text: str) -> Any:
    return arguments.read([argument], request, {argument.key: text})[argument.key]


# Whose word it is


@pytest.mark.parametrize(
    ("text", "student"),
    [
        ("jane", "jane"),
        ("@jane", "@jane"),
        ("Jane Smith", "Jane Smith"),
        ('"Jane Smith"', "Jane Smith"),
        ("“Jane Smith”", "Jane Smith"),
        ("«Гульнора Каримова»", "Гульнора Каримова"),
        ("Sean O'Brien", "Sean O'Brien"),
        ("Sean O’Brien", "Sean O’Brien"),
        ("@**Jane Smith|31**", "@**Jane Smith|31**"),
        ("@_**Sean type:x 30d**", "@_**Sean type:x 30d**"),
        ("#1001", "#1001"),
        ("jane.smith@example.org", "jane.smith@example.org"),
        ('"30d"', "30d"),
        ('Jane "the type:x all" Smith', "Jane the type:x all Smith"),
        ('"Jane Smith', '"Jane Smith'),
        ("a:b", "a:b"),
        ("http://evil.example.com", "http://evil.example.com"),
    ],
)
def test_what_nothing_else_takes_is_the_student(text: str, student: str) -> None:
    assert given(HISTORY, text) == {"student": student}


@pytest.mark.parametrize(
    "text",
    [
        "@jane 30d type:exam_failed course:Python n:5",
        "n:5 course:Python type:exam_failed 30d @jane",
        "30d @jane TYPE:exam_failed Course:Python N:5",
        "@jane type: exam_failed course :Python n : 5 30d",
        '@jane 30d type:"exam_failed" course:“Python” n:5',
        "course:'Python' n:5 30d type:exam_failed @jane",
    ],
)
def test_order_case_and_spaces_do_not_matter(text: str) -> None:
    expected = {"student": "@jane", "period": "30d", "type": "exam_failed", "course": "Python", "n": "5"}
    assert given(HISTORY, text) == expected


def test_a_value_of_two_words_is_quoted() -> None:
    assert given(HISTORY, 'jane course:"Python 1: Basics" smith') == {
        "course": "Python 1: Basics",
        "student": "jane smith",
    }


def test_values_with_commas_go_together() -> None:
    assert given(HISTORY, "jane type:exam_failed , exam_passed,started")["type"] == "exam_failed , exam_passed,started"


def test_all_of_the_students_or_all_of_the_time() -> None:
    expected = (STUDENTS, PERIOD)
    assert given(expected, "all") == {"students": "all"}
    assert given(expected, "all 30d") == {"students": "all", "period": "30d"}
    assert given(expected, "all all") == {"students": "all", "period": "all"}
    assert given(expected, "jane all") == {"students": "jane", "period": "all"}


def test_two_free_arguments_share_the_words() -> None:
    expected = (words("mentor", "A mentor."), words("account", "An account."))
    assert given(expected, "mary @**Mary Jones|20**") == {"mentor": "mary", "account": "@**Mary Jones|20**"}
    assert given(expected, '"mary jones" Mary Jones') == {"mentor": "mary jones", "account": "Mary Jones"}
    assert "`<account>`" in refusal(expected, "mary")


# What is refused


@pytest.mark.parametrize(
    ("expected", "text", "said"),
    [
        (HISTORY, "", "`@student`"),
        (HISTORY, "30d", "`@student`"),
        (HISTORY, "jane tpye:exam_failed", "Did you mean `type:`?"),
        (HISTORY, "jane coures:Python", "Did you mean `course:`?"),
        (HISTORY, "jane type:", "nothing in `type:`"),
        (HISTORY, 'jane course:""', "nothing in `course:`"),
        (HISTORY, "jane 7d 30d", "two of `[30d]`"),
        (HISTORY, "jane n:5 n:6", "two of `[n:50]`"),
        ((WHICH,), "failling", "Did you mean `failing`?"),
        ((WHICH,), "failing inactive", "two of"),
        ((), "please", "what “please” means"),
        ((number("event", "An event."),), "", "`<event>`"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_is_allowed(
    expected: Sequence[Argument], text: str, said: str
) -> None:
    assert said in refusal(expected, text)


def test_a_refusal_shows_how_the_command_is_written() -> None:
    command = REGISTRY.get(Role.MENTOR, "history")
    assert command is not None
    with pytest.raises(UserError, match="`help history` says more"):
        command.given("jane n:5 n:6")


# What it means


@pytest.mark.parametrize(
    ("text", "days"),
    [("7d", 7), ("1D", 1), ("2w", 14), ("30days", 30), ("1week", 7), ("all", None), ("ALL", None), ("3650d", 3650)],
)
def test_a_period_is_days_until_now(request_: Request, text: str, days: int | None) -> None:
    since = None if days is None else NOW - timedelta(days=days)
    assert value(request_, PERIOD, text) == value(request_, SINCE, text) == (days, since)


@pytest.mark.parametrize("text", ["0d", "3651d", "9" * 30 + "d", "-1d", "30", "30h", "d", "٣d", "1.5d", "\x00"])
def test_a_period_that_is_none_is_refused(request_: Request, text: str) -> None:
    with pytest.raises(UserError, match="`7d`"):
        value(request_, SINCE, text)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("exam_failed", {EventType.EXAM_FAILED}),
        ("Exam-Failed", {EventType.EXAM_FAILED}),
        ("failed, passed", {EventType.EXAM_FAILED, EventType.EXAM_PASSED, EventType.CERTIFICATION_ISSUED}),
        ("progress", {EventType.CONTENT_PROGRESS}),
        ("Certification issued", {EventType.CERTIFICATION_ISSUED}),
        ("content", {EventType.CONTENT_STARTED, EventType.CONTENT_COMPLETED, EventType.CONTENT_WATCHED}),
    ],
)
def test_kinds_of_events_are_read(request_: Request, text: str, kinds: set[EventType]) -> None:
    assert value(request_, TYPES, text) == kinds


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("exam_faild", "exam_failed"),
        ("pased", "passed"),
        ("certificaton_issued", "certification_issued"),
        ("content_progres", "content_progress"),
        ("progres", "progress"),
    ],
)
def test_an_unknown_kind_is_refused_with_all_there_are(request_: Request, text: str, meant: str) -> None:
    with pytest.raises(UserError, match=f"Did you mean `{meant}`") as caught:
        value(request_, TYPES, text)
    assert all(f"`{kind}`" in str(caught.value) for kind in EventType if not kind.is_alert)


@pytest.mark.parametrize(("text", "hours"), [("2h", 2), ("30m", 0.5), ("90min", 1.5), ("3d", 72), ("1W", 168)])
def test_a_duration_is_read(request_: Request, text: str, hours: float) -> None:
    assert value(request_, DURATION, text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["0h", "2", "h", "999999999h", "367d", "-2h", "2 h h"])
def test_a_duration_that_is_none_is_refused(request_: Request, text: str) -> None:
    with pytest.raises(UserError, match="`2h`"):
        value(request_, DURATION, text)


def test_a_count_has_bounds(request_: Request) -> None:
    at_most_50 = count(50, 20)
    assert [value(request_, at_most_50, text) for text in ("1", "50")] == [1, 50]
    assert arguments.read([at_most_50], request_, {})["n"] == 20
    for text in ("0", "51", "-1", "x", "5.0", "９", "9" * 5000):
        with pytest.raises(UserError, match="from 1 to 50"):
            value(request_, at_most_50, text)


def test_an_id_is_a_number_that_a_database_can_hold(request_: Request) -> None:
    event = number("event", "An event.", also=("all",))
    assert [value(request_, event, text) for text in ("#12", "12", "ALL")] == [12, 12, "all"]
    for text in ("9223372036854775808", "-1", "#", "１２", "every"):
        with pytest.raises(UserError, match="write its number"):
            value(request_, event, text)


def test_what_is_read_cannot_be_changed(request_: Request) -> None:
    values = arguments.read([PERIOD], request_, {})
    with pytest.raises(TypeError):
        values["period"] = None  # type: ignore[index]


COMMANDS = [command.arguments for audience in Role for command in REGISTRY.of(audience)]
PIECES = st.sampled_from(
    [
        *('"', "“", "”", "«", "'", "@**", "**", "@_**", "|31**", ":", "type:", "n:", "course:", "type :", "all", "30d"),
        *(
            " ",
            "  ",
            "\t",
            ",",
            "#",
            "#1",
            "9" * 40,
            "O'Brien",
            "Гульнора",
            "`",
            "\x00",
            "\ud800",
            "jane",
            "a",
            "\u200b",
        ),
    ]
)


@over(expected=st.sampled_from(COMMANDS), text=st.lists(PIECES | st.text(max_size=5), max_size=15).map("".join))
def test_whatever_is_typed_is_understood_or_refused(expected: Sequence[Argument], text: str) -> None:
    try:
        found = given(expected, text)
    except UserError:
        return
    assert found.keys() <= {argument.key for argument in expected}
    assert all(typed.strip() for typed in found.values())
    assert json.loads(json.dumps(dict(found))) == found


@pytest.mark.parametrize("piece", ['"', "a:", "@**", "“", "«", "a:'", "a ", " ,", "aaaaaaaa"])
def test_a_long_message_is_read_whole(piece: str) -> None:
    text = "x" + piece * (10_000 // len(piece))
    assert given((STUDENT.optional(), TYPES), text) == {"student": text.strip()}


# What is said about it


def test_the_command_reference_is_made_from_the_commands() -> None:
    """Write it anew with `make commands`."""
    assert (ROOT / "docs/commands.md").read_text(encoding="utf-8") == reference.page()


@pytest.mark.parametrize("audience", Role)
def test_every_command_and_argument_is_explained(audience: Role) -> None:
    for command in REGISTRY.of(audience):
        assert command.summary.endswith(".")
        explanation = command.explanation()
        for argument in command.arguments:
            assert argument.meaning.endswith(".")
            assert f"* `{argument.usage}` – {argument.meaning}" in explanation
