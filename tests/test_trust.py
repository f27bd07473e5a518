"""Who is answered how often and where, what is written down, and what no text can do."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lms_bot.core.principal import Role
from lms_bot.errors import UserError
from lms_bot.handlers import dispatch, rate_limit
from lms_bot.handlers.argument_types import words
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Reply, Request
from lms_bot.store import state
from lms_bot.store.people import accounts, people
from lms_bot.store.session import Store, open_store
from tests import NOW
from tests.questions import ACCOUNTS, ADA, ADMIN_STREAM, EVE, JANE, MARY, OMAR, OTHER_STREAM, ROBOT, School
from tests.test_commands import LIVE


@pytest.fixture
def school(store: Store) -> School:
    return School.open(store)


@pytest.fixture(scope="module")
def lasting_school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """One for many questions, on SQLite, with something to tell of every student."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('lasting')}/store.db")
    school = School.open(store)
    school.happens(JANE, 30)
    yield school
    store.close()


def answers(school: School, count: int, sender_id: int = MARY, text: str = "help", **where: Any) -> list[str]:
    """What is answered to so many questions at once."""
    messages = [school.answer(school.question(text, sender_id, **where)) for _ in range(count)]
    return [message.content for message in itertools.chain(*messages)]


# How often


def test_thirty_questions_a_minute_are_answered_and_then_one_says_slower(school: School) -> None:
    told = answers(school, 100)
    assert len(told) == 31
    assert told[-1] == rate_limit.SLOWER
    assert rate_limit.SLOWER not in told[:-1]


def test_a_minute_later_all_is_forgiven(school: School) -> None:
    answers(school, 50)
    school.forward(seconds=59)
    assert answers(school, 1) == []
    school.forward(seconds=1)
    assert rate_limit.SLOWER not in answers(school, 30)


def test_one_who_floods_does_not_slow_the_others(school: School) -> None:
    answers(school, 100)
    assert rate_limit.SLOWER not in answers(school, 30, OMAR)


def test_questions_that_are_not_answered_are_claimed(school: School) -> None:
    answers(school, 31)
    asking = school.question("help")
    assert school.answer(asking) == ()
    school.forward(minutes=5)
    assert school.answer(asking) == ()


def test_slower_is_told_to_the_sender_alone(school: School) -> None:
    answers(school, 30)
    (message,) = school.answer(school.question("help", stream_id=OTHER_STREAM))
    assert message.recipient.user_ids == (MARY,)


def test_old_questions_count_when_they_were_asked(school: School) -> None:
    """An hour offline, and sixty questions of one mentor: each is answered."""
    hour_ago = school.now - timedelta(hours=1)
    asked = [school.question("help", at=hour_ago + timedelta(minutes=number)) for number in range(60)]
    assert sum(len(school.answer(asking)) for asking in asked) == 60


def test_a_clock_of_zulip_that_is_off_changes_nothing(school: School) -> None:
    for off in (timedelta(hours=-1), timedelta(hours=1)):
        asked = [school.question("help", OMAR, at=school.now + off) for _ in range(31)]
        assert [len(school.answer(asking)) for asking in asked] == [1] * 31
        school.forward(days=1)


@pytest.mark.parametrize("where", [{}, {"stream_id": OTHER_STREAM}, {"group": [MARY]}])
def test_a_bot_gets_one_sentence_a_day(school: School, where: dict[str, Any]) -> None:
    assert answers(school, 50, ROBOT, **where) == [dispatch.STRANGER]
    school.forward(hours=23)
    assert answers(school, 50, ROBOT, **where) == []
    school.forward(hours=1)
    assert answers(school, 50, ROBOT, **where) == [dispatch.STRANGER]


def test_two_bots_do_not_talk_for_ever(school: School) -> None:
    said, rounds = school.answer(school.question("hello", ROBOT)), 0
    while said and rounds < 100:
        said, rounds = school.answer(school.question(said[0].content, ROBOT)), rounds + 1
    assert rounds == 1


# Where


@pytest.mark.parametrize("where", [{"stream_id": OTHER_STREAM}, {"group": [OMAR, EVE]}])
@pytest.mark.parametrize("text", ["history jane_smith", "history jan", "more", "stats", "stats jane_smith"])
def test_personal_data_stays_private_and_the_others_see_where_it_went(
    school: School, text: str, where: dict[str, Any]
) -> None:
    school.happens(JANE, 3)
    school.ask("history jane_smith n:1")
    private, note = school.answer(school.question(text, **where))
    assert private.recipient.user_ids == (MARY,)
    assert note.content == "I answered you in private."
    assert (note.recipient.stream_id or note.recipient.user_ids) in (OTHER_STREAM, (MARY, OMAR, EVE))


def test_a_choice_offered_in_private_can_be_made_in_the_stream(school: School) -> None:
    school.answer(school.question("history jan", stream_id=OTHER_STREAM))
    private, note = school.answer(school.question("1", stream_id=OTHER_STREAM))
    assert private.content.startswith("**Jane Smith**")
    assert note.content == "I answered you in private."


# When


def test_an_answer_a_day_late_says_what_it_is_about(school: School) -> None:
    late = school.question("history @**all** jane", at=school.now - timedelta(days=1, seconds=1))
    (message,) = school.answer(late)
    note, _, rest = message.content.partition("\n\n")
    assert "I can only answer now" in note
    assert "<time:2026-03-01T11:59:59Z>" in note
    assert not LIVE.search(note)
    assert rest


def test_an_answer_within_a_day_has_no_note(school: School) -> None:
    (message,) = school.answer(school.question("help", at=school.now - timedelta(days=1)))
    assert "only answer now" not in message.content


# What is written down


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    """An admin command that changes something, and fails when it is told to."""
    monkeypatch.setattr(REGISTRY, "_commands", dict(REGISTRY._commands))

    @REGISTRY.command("label", Role.ADMIN, words("text", "What to write on it."), changes=True)
    def label(request: Request, arguments: Arguments) -> str:
        """Write a label."""
        state.note(request.transaction, "label", arguments["text"], request.now)
        if arguments["text"] == "refuse":
            raise UserError("Not on this shelf.")
        if arguments["text"] == "break":
            raise RuntimeError("secret of the shelf")
        return "Labelled."

    @REGISTRY.command("long", Role.ADMIN)
    def long(request: Request, arguments: Arguments) -> Reply:
        """Say a lot."""
        return Reply("```spoiler All\n" + "| a | b |\n" * 5000 + "```")


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("text", "outcome", "kept"),
    [("new", "done", "new"), ("refuse", "refused: Not on this shelf.", None), ("break", "failed: Something", None)],
)
def test_what_an_admin_changes_is_in_the_audit_and_a_failure_changes_nothing(
    school: School, text: str, outcome: str, kept: str | None
) -> None:
    school.ask_as_admin(f"label {text}")
    with school.store.reading() as transaction:
        assert state.value(transaction, "label") == kept
    line = school.ask_as_admin("audit").splitlines()[-1]
    assert line.startswith(f"* <time:2026-03-02T12:00:00Z> **Ada ∗Admin∗** · “label {text}”: {outcome}")


@pytest.mark.usefixtures("shelf")
def test_a_failure_is_answered_with_a_reference_that_is_in_the_log(
    school: School, caplog: pytest.LogCaptureFixture
) -> None:
    answer = school.ask_as_admin("label break")
    (reference,) = re.findall(r"\b[0-9a-f]{8}\b", answer)
    assert f"reference {reference}" in caplog.text
    assert "secret of the shelf" not in answer
    assert "secret of the shelf" in caplog.text


@pytest.mark.usefixtures("shelf")
def test_what_is_only_asked_or_mistyped_is_not_in_the_audit(school: School) -> None:
    for text in ("help", "stats", "audit", "labl x", "label"):
        school.ask_as_admin(text)
    assert "No admin has changed anything yet." in school.ask_as_admin("audit")


@pytest.mark.usefixtures("shelf")
def test_nobody_but_an_admin_in_the_private_stream_can_change_anything(school: School) -> None:
    for sender, where in ((MARY, {}), (ADA, {}), (ADA, {"stream_id": OTHER_STREAM}), (ROBOT, {"stream_id": 3})):
        school.answer(school.question("label x", sender, **where))  # type: ignore[arg-type]
    public = school.question("label x", ADA, stream_id=ADMIN_STREAM)
    dispatch.answer(school.store, public, school.settings, school.now, None)
    with school.store.reading() as transaction:
        assert state.value(transaction, "label") is None
    assert "No admin has changed anything yet." in school.ask_as_admin("audit")


@pytest.mark.usefixtures("shelf")
def test_an_audit_line_is_harmless(school: School) -> None:
    school.ask_as_admin("label @**all** [x](http://evil.example.com) ```\n# **b**")
    answer = school.ask_as_admin("audit")
    assert not LIVE.search(answer)
    assert len(answer.splitlines()) == 3


@pytest.mark.usefixtures("shelf")
def test_an_answer_that_is_too_long_is_cut_between_lines(school: School) -> None:
    answer = school.ask_as_admin("long")
    assert len(answer) <= 10_000
    assert answer.endswith("| a | b |\n```\n\n… The rest is too long for one message.")


# What no text can do

WORDS = st.sampled_from(
    [
        *(command.name for audience in Role for command in REGISTRY.of(audience)),
        *("jan", "jane_smith", "gulnora", "Гульнора", "#1004", "#1001", "1", "2", "more", "@**", "**", "@_**", "|20**"),
        *(
            "type:",
            "course:",
            "n:5",
            "7d",
            "all",
            '"',
            "“",
            "O'Brien",
            "`",
            "```",
            "~~~",
            "```spoiler x",
            "| a |",
            "\n",
        ),
        *("@**all**", "@all", "[x](http://evil.example.com)", "<time:x>", "$$", "~~", ":smile:", "/me ", "> ", "\x00"),
        *(
            "\ud800",
            "\u202e",
            "#**general**",
            "9" * 30,
            "%",
            "_",
            "'; DROP TABLE students; --",
            "{0}",
            "%s",
            "gulnora ",
        ),
    ]
)
TEXTS = st.lists(WORDS | st.text(max_size=6), max_size=8).flatmap(
    lambda parts: st.sampled_from([" ", ""]).map(lambda glue: glue.join(parts))
)


@hypothesis_settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(TEXTS, min_size=1, max_size=3), sender=st.sampled_from([MARY, ADA, EVE, ROBOT]))
def test_whatever_is_written_is_answered_without_harm(lasting_school: School, texts: list[str], sender: int) -> None:
    school = lasting_school
    stream_id = ADMIN_STREAM if sender == ADA else None
    for text in texts:
        asking = school.question(text, sender, stream_id=stream_id)
        with school.store.writing() as transaction:
            reply = dispatch.reply_to(transaction, asking, school.settings, school.now, ADMIN_STREAM)
        assert reply.text.strip()
        assert "wrote it down as" not in reply.text
        assert not LIVE.search(reply.text)
        assert reply.text.encode()
        if sender == MARY:
            assert "Каримова" not in reply.text.replace(text, "")
            assert "**Гульнора Каримова**" not in reply.text


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_bot": True}])
def test_an_account_that_is_gone_is_a_stranger(school: School, change: dict[str, Any]) -> None:
    school.ask("history jan")
    mary = replace(next(user for user in ACCOUNTS if user.user_id == MARY), **change)
    with school.store.writing() as transaction:
        accounts.keep_zulip_users(transaction, [mary, *(u for u in ACCOUNTS if u.user_id != MARY)], NOW)
    school.forward(days=2)
    assert school.ask("1") == dispatch.STRANGER


def test_a_mentor_who_is_gone_from_the_lms_is_a_stranger(school: School) -> None:
    with school.store.writing() as transaction:
        people.keep_people(transaction, [JANE], [], [], NOW)
    assert school.ask("history jane_smith") == school.ask("history jane_smith", EVE) == dispatch.STRANGER
