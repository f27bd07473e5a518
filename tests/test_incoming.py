"""A message to the bot is read the same way wherever it comes from, and nothing in it can stop the reading."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_bot.chat import Incoming
from lms_bot.core.notifications import Recipient

RECORDINGS = Path(__file__).parent / "zulip_recordings"
BOT_ID, BOT_NAME = 13, "LMS Bot"


def recorded(name: str) -> Any:
    return json.loads((RECORDINGS / f"{name}.json").read_text("utf-8"))["response"]["body"]


def event_message(name: str) -> Mapping[str, Any]:
    """A message as the event queue brings it to zulip_bots: the flags stand beside it."""
    (event,) = [event for event in recorded(name)["events"] if event["type"] == "message"]
    return dict(event["message"])


def parse(message: Mapping[str, Any]) -> Incoming:
    return Incoming.parse(message, BOT_ID, BOT_NAME)


def direct(content: Any = "stats", **changes: Any) -> dict[str, Any]:
    people = [{"id": 7, "email": "mary@example.org", "full_name": "Mary"}, {"id": BOT_ID, "email": "bot@example.org"}]
    message = {"id": 21, "sender_id": 7, "type": "private", "content": content, "display_recipient": people}
    return {**message, "timestamp": 1795208674, **changes}


# Recordings


def test_a_recorded_direct_message_is_read() -> None:
    incoming = parse(event_message("events_direct_message"))
    assert incoming.message_id == 21
    assert incoming.sender_id == 7
    assert incoming.text == "history @_**Mentor Two**"
    assert incoming.sent_at == datetime.fromtimestamp(1795208674, UTC)
    assert incoming.is_direct
    assert not incoming.is_group
    assert incoming.is_addressed
    assert incoming.stream_id is None
    assert incoming.sender == incoming.reply_to == Recipient(user_ids=(7,))


def test_a_recorded_mention_in_a_stream_is_read() -> None:
    incoming = parse(event_message("events_stream_mention"))
    assert incoming.message_id == 22
    assert incoming.sender_id == 6
    assert incoming.text == "status"
    assert not incoming.is_direct
    assert not incoming.is_group
    assert incoming.stream_id == 3
    assert incoming.reply_to == Recipient(stream_id=3, topic="bot")
    assert incoming.sender == Recipient(user_ids=(6,))


def test_recorded_messages_that_are_caught_up_are_read_like_those_of_the_event_queue() -> None:
    first, *own = recorded("messages_get_unread_direct")["messages"]
    assert parse(first) == parse(event_message("events_direct_message"))
    assert {parse(message).sender_id for message in own} == {BOT_ID}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("please @**LMS Bot** status", "please status"),
        ("status, @**lms bot|13**", "status,"),
        ("Hello @**LMS Bot**, how is Jane doing?", "Hello how is Jane doing?"),
    ],
)
def test_d12_a_mention_counts_wherever_it_stands(content: str, text: str) -> None:
    asked = {**event_message("events_stream_mention"), "content": content}
    assert parse(asked).is_addressed
    assert parse(asked).text == text
    for other in ("I like @**Mary Jones**", "I like @_**LMS Bot**", "LMS Bot"):
        assert not parse({**asked, "content": other}).is_addressed


def test_b17_each_name_of_the_bot_is_its_own() -> None:
    asked = {**event_message("events_stream_mention"), "content": "@**LMS Assistant** status"}
    assert not parse(asked).is_addressed
    assert Incoming.parse(asked, BOT_ID, BOT_NAME, "LMS Assistant").text == "status"


def test_what_zulip_bots_hands_over_is_read_like_the_original() -> None:
    original = event_message("events_stream_mention")
    handed_over = {**original, "full_content": original["content"], "content": "status"}
    assert parse(handed_over) == parse(original)


# Mentions of the bot


@pytest.mark.parametrize(
    "content",
    [
        "@**LMS Bot** stats",
        "@**lms bot** stats",
        "@**LMS Bot|13** stats",
        "@**An Older Name|13** stats",
        "@_**LMS Bot** stats",
        "  @**LMS Bot**   stats  ",
        "@**LMS Bot**: stats",
        "@**LMS Bot**, stats",
        "@**LMS Bot**\nstats",
        "stats",
    ],
)
def test_the_leading_mention_of_the_bot_is_removed(content: str) -> None:
    assert parse(direct(content)).text == "stats"


@pytest.mark.parametrize(
    "content", ["@**Mary Jones** stats", "@**LMS Bot Two** stats", "@**LMS Bot|14** stats", "stats @_**LMS Bot**"]
)
def test_other_mentions_stay(content: str) -> None:
    assert parse(direct(content)).text == content


def test_a_mention_alone_is_an_empty_text() -> None:
    assert parse(direct("@**LMS Bot**")).text == ""


def test_invisible_characters_of_a_copied_name_are_left_out() -> None:
    assert parse(direct("history @\u200b**Jane\u200b Smith**\ufeff")).text == "history @**Jane Smith**"


# Groups


def test_a_group_conversation_is_answered_to_everybody_but_the_bot() -> None:
    people = [{"id": user_id, "email": f"user{user_id}@example.org"} for user_id in (7, BOT_ID, 9, 8)]
    incoming = parse(direct(display_recipient=people))
    assert incoming.is_group
    assert incoming.is_direct
    assert set(incoming.reply_to.user_ids) == {7, 8, 9}
    assert incoming.sender == Recipient(user_ids=(7,))


# Test tools


def test_a_message_of_the_stub_without_a_type_is_a_direct_one() -> None:
    incoming = Incoming.parse({"content": "help", "sender_email": "foo@example.com"}, 0, "test-bot")
    assert incoming.text == "help"
    assert incoming.is_direct
    assert incoming.message_id is None
    assert incoming.sender_id is None
    assert incoming.sender == Recipient()


def test_a_sender_id_in_letters_of_digits_is_a_number() -> None:
    incoming = Incoming.parse({"content": "help", "sender_id": "7", "sender_email": "foo@example.com"}, 0, "test-bot")
    assert incoming.sender_id == 7


@pytest.mark.parametrize("sender_id", [None, "", "mary", [], {}, 7.5, True, float("nan"), float("inf")])
def test_an_odd_sender_is_nobody(sender_id: Any) -> None:
    """Rights follow the sender's id: what is not one must never become somebody's."""
    assert parse(direct(sender_id=sender_id)).sender_id is None


# Hostile

ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 5, 7.5, 10**30, float("inf"), float("nan")),
    *("", "x", "7", b"7", [], [None], [5], {}, {"id": []}),
)
ANYTHING = st.sampled_from(ODD) | st.text(max_size=20) | st.integers() | st.floats()
KEYS = (
    *("id", "sender_id", "type", "content", "full_content", "display_recipient", "stream_id"),
    *("subject", "topic", "flags", "timestamp"),
)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_no_odd_value_can_stop_the_reading(key: str, value: Any) -> None:
    assert_sound(parse(direct(**{key: value})))


@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING))
def test_no_message_can_stop_the_reading(message: dict[str, Any]) -> None:
    assert_sound(parse(message))


def assert_sound(incoming: Incoming) -> None:
    """Of the types that are promised, and never to be answered to the bot itself."""
    assert isinstance(incoming.text, str)
    assert type(incoming.sender_id) in (int, type(None))
    assert type(incoming.message_id) in (int, type(None))
    assert type(incoming.stream_id) in (int, type(None))
    assert incoming.sent_at is None or incoming.sent_at.tzinfo is not None
    assert isinstance(incoming.is_direct, bool)
    assert BOT_ID not in incoming.reply_to.user_ids or incoming.sender_id == BOT_ID


@given(st.text(max_size=200))
def test_no_text_can_stop_the_reading(content: str) -> None:
    text = parse(direct(content)).text
    assert text == text.strip()
    assert len(text) <= len(content)


@pytest.mark.parametrize("stream_id", [3, "3"])
def test_a_message_of_a_stream_is_never_taken_for_a_direct_one(stream_id: Any) -> None:
    """What is taken for direct is answered in full where it was asked."""
    incoming = parse(direct(type="stream", stream_id=stream_id, display_recipient="general", subject="x"))
    assert not incoming.is_direct
    without_type = direct(stream_id=stream_id, display_recipient="general", subject="x")
    del without_type["type"]
    assert not parse(without_type).is_direct
