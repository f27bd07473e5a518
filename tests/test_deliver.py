"""Every notification reaches its mentor once, whatever Zulip, the clock or a kill does to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.chat import RateLimiter
from lms_bot.core.events import EventClass, EventType
from lms_bot.core.notifications import Preferences, Recipient, Timing
from lms_bot.core.people import Mentor
from lms_bot.core.schedule import MentorSchedule, zone_of
from lms_bot.pipeline import recheck
from lms_bot.store import tables
from lms_bot.store.events import events
from lms_bot.store.notifications import outbox, preferences, queue, recipients
from lms_bot.store.session import open_store
from tests import NOW
from tests.delivery_scenario import (
    FAST,
    GULNORA,
    JANE,
    LINKS,
    MARY,
    OBRIEN,
    OMAR,
    RAVI,
    DeliveryScenario,
    Killed,
    frozen,
    happened,
    notifications,
    several,
    unsettled,
)

SEND = "POST /api/v1/messages"
LOOK_UP = "GET /api/v1/messages"
NEVER_STORED = ("500_before", "json_500_before", "502_before", "close_before", "hang_before", "garbage")
STORED = ("500_after", "json_500_after", "502_after", "close_after", "hang_after", "garbage_after")
PASSED, FAILED = EventType.EXAM_PASSED, EventType.EXAM_FAILED
STARTED, WATCHED = EventType.EXAM_STARTED, EventType.CONTENT_WATCHED
HOUR, DAY = 3600.0, 86400.0


def introduce(delivery: DeliveryScenario) -> None:
    """Both mentors have had their first message."""
    delivery.owe(happened(JANE, "Introduction"), happened(GULNORA, "Introduction"))
    delivery.turn()


# One message


def test_one_event_is_told_in_the_words_of_the_contract(any_delivery: DeliveryScenario) -> None:
    john = replace(JANE, username="john_doe")
    any_delivery.rename(JANE, "john_doe", "John Doe")
    any_delivery.owe(
        happened(
            john, "Mathematics Final Exam", score=85, percentage=85, result="pass", time_taken="45 minutes", speed=3
        )
    )
    any_delivery.turn()
    [text] = any_delivery.told(MARY)
    assert text.startswith(
        "🎉 **Exam Passed!**\n\n"
        "**John Doe** (john_doe) has passed: **Mathematics Final Exam**\n"
        "📊 **Score:** 85 | **Percentage:** 85% | **Result:** pass | **Time Taken:** 45 minutes\n"
        "🎉 Congratulations to the student!"
    )


def test_content_is_told_in_the_words_of_the_contract(delivery: DeliveryScenario) -> None:
    introduce(delivery)
    delivery.owe(
        happened(
            RAVI,
            "Python Programming Tutorial",
            EventType.CONTENT_COMPLETED,
            at=datetime.fromisoformat("2026-03-02T11:30:00+00:00"),
            course_title="Programming 101",
            chapter_name="Introduction to Python",
            content_type="video",
        )
    )
    delivery.turn()
    assert delivery.told(MARY)[-1] == (
        "📚 **Content Completed**\n\n"
        "**ravi** has completed: **Python Programming Tutorial**\n"
        "📚 **Course:** Programming 101 | **Chapter:** Introduction to Python | **Type:** video\n"
        "📅 Completed at: <time:2026-03-02T11:30:00Z>"
    )


def test_only_the_students_own_mentor_is_told(delivery: DeliveryScenario) -> None:
    delivery.owe(happened(OBRIEN, "Chemistry"))
    delivery.turn()
    assert [message.to for message in delivery.zulip.sent_by_bot()] == [(delivery.account(OMAR),)]


def test_up_to_three_events_stand_in_full_in_one_message(delivery: DeliveryScenario) -> None:
    introduce(delivery)
    owed = delivery.owe(*several(JANE, 2), *several(RAVI, 1))
    delivery.turn()
    [_, text] = delivery.told(MARY)
    assert all(f"has passed: **{event.activity_title}**" in text for event in owed)
    assert "spoiler" not in text


def test_four_events_become_one_summary_with_failed_exams_first(delivery: DeliveryScenario) -> None:
    introduce(delivery)
    delivery.owe(*several(JANE, 3), happened(RAVI, "Algebra retake", FAILED, at=NOW - timedelta(hours=3)))
    delivery.turn()
    [_, text] = delivery.told(MARY)
    assert "has passed:" not in text
    assert "```spoiler" in text
    assert text.index("Algebra retake") < text.index("Task ")
    counts = text[: text.index("Algebra retake")]
    assert "🎉" in counts
    assert "❌" in counts


def test_ten_thousand_due_events_are_one_message_below_the_limit_of_zulip(any_delivery: DeliveryScenario) -> None:
    any_delivery.owe(*several(JANE, 10_000))
    any_delivery.turn()
    any_delivery.wait(5)
    [message] = any_delivery.zulip.direct_to(any_delivery.account(MARY))
    assert len(message.content) < 10_000
    assert "10,000" in message.content
    assert "history" in message.content
    rows = notifications(any_delivery.store)
    assert len(rows) == 10_000
    assert {row.zulip_message_id for row in rows} == {message.id}
    assert {row.due_at for row in rows} == {None}
    assert any_delivery.sends() == 1


def test_each_mentor_gets_one_message_of_a_poll(delivery: DeliveryScenario) -> None:
    delivery.owe(*several(JANE, 40), *several(RAVI, 2), *several(GULNORA, 50))
    delivery.turn()
    assert [len(delivery.told(mentor)) for mentor in (MARY, OMAR)] == [1, 1]


def test_every_notification_of_a_message_is_settled_with_it(any_delivery: DeliveryScenario) -> None:
    any_delivery.owe(*several(JANE, 3), *several(RAVI, 2))
    any_delivery.clock.forward(30)
    done = any_delivery.turn()
    [message] = any_delivery.zulip.direct_to(any_delivery.account(MARY))
    for row in notifications(any_delivery.store):
        assert row.is_sent
        assert row.zulip_message_id == message.id
        assert (row.due_at, row.error, row.attempts) == (None, None, 1)
        assert row.processed_at == any_delivery.clock()
    assert (done.sent, done.postponed, done.is_done) == (5, 0, True)


def test_what_is_not_due_yet_waits(delivery: DeliveryScenario) -> None:
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.clock.now -= timedelta(hours=1)
    delivery.turn()
    assert delivery.told(MARY) == []
    delivery.clock.forward(HOUR)
    delivery.turn()
    assert delivery.times_told(MARY, event) == 1


def test_a_turn_for_some_kinds_of_event_leaves_the_others_owed(delivery: DeliveryScenario) -> None:
    passed, watched = delivery.owe(happened(JANE, "Biology"), happened(JANE, "Cells", WATCHED))
    assert delivery.deliverer.deliver_turn(30.0, only={PASSED}).sent == 1
    assert (delivery.times_told(MARY, passed), delivery.times_told(MARY, watched)) == (1, 0)
    delivery.turn()
    assert delivery.times_told(MARY, watched) == 1


def test_no_transaction_is_open_while_zulip_is_asked(any_delivery: DeliveryScenario) -> None:
    used: list[tuple[str, int]] = []

    def note(call: str) -> Callable[[dict[str, Any]], bool]:
        return lambda _: bool(used.append((call, any_delivery.store.engine.pool.checkedout())))  # type: ignore[func-returns-value, attr-defined]

    for call in (SEND, LOOK_UP, "GET /api/v1/users", "GET /api/v1/users/me"):
        any_delivery.zulip.fail("refuse", times=100, on=call, when=note(call))
    any_delivery.owe(happened(JANE, "Biology"))
    any_delivery.zulip.fail("500_after", on=SEND)
    any_delivery.turn()
    any_delivery.wait(10)
    any_delivery.zulip.deactivate(any_delivery.account(OMAR))
    any_delivery.owe(happened(GULNORA, "Biology"))
    any_delivery.turn()
    assert {call for call, _ in used} == {SEND, LOOK_UP, "GET /api/v1/users", "GET /api/v1/users/me"}
    assert {connections for _, connections in used} == {0}


# Starts, stale events, the introduction


def test_a_start_folded_into_its_end_takes_the_message_id_of_the_end(any_delivery: DeliveryScenario) -> None:
    introduce(any_delivery)
    any_delivery.owe(
        happened(JANE, "Physics", STARTED, source_id=9001),
        happened(JANE, "Physics", FAILED, source_id=9001),
    )
    any_delivery.turn()
    [_, text] = any_delivery.told(MARY)
    assert "Exam Failed" in text
    assert "tarted" not in text
    ids = {row.zulip_message_id for row in notifications(any_delivery.store, MARY) if row.title == "Physics"}
    assert ids == {any_delivery.zulip.direct_to(any_delivery.account(MARY))[-1].id}


def test_only_the_start_of_the_same_attempt_is_folded(delivery: DeliveryScenario) -> None:
    introduce(delivery)
    delivery.owe(
        happened(JANE, "Physics", STARTED, source_id=9001),
        happened(JANE, "Physics", PASSED, source_id=9002),
        happened(JANE, "Optics", EventType.CONTENT_STARTED, source_id=9002),
    )
    delivery.turn()
    text = delivery.told(MARY)[-1]
    assert "has started: **Physics**" in text
    assert "has passed: **Physics**" in text
    assert "has started: **Optics**" in text


@pytest.mark.parametrize("is_together", [True, False])
def test_a_start_is_not_folded_into_progress_which_is_no_end(delivery: DeliveryScenario, is_together: bool) -> None:
    introduce(delivery)
    with delivery.store.writing() as transaction:
        asked = Preferences(timings={EventClass.PROGRESS: Timing.NOW})
        preferences.save(transaction, MARY.mentor_id, asked, delivery.clock())
    delivery.owe(happened(JANE, "Optics", EventType.CONTENT_PROGRESS, source_id=9002, progress=50))
    if not is_together:
        delivery.turn()
    delivery.owe(happened(JANE, "Optics", EventType.CONTENT_STARTED, source_id=9002))
    delivery.turn()
    said = "\n".join(delivery.told(MARY)[1:])
    assert "has started: **Optics**" in said
    assert "has watched 50 % of: **Optics**" in said


def test_what_is_folded_does_not_count_towards_a_summary(delivery: DeliveryScenario) -> None:
    introduce(delivery)
    delivery.owe(
        happened(JANE, "Physics", STARTED, source_id=9001),
        happened(JANE, "Physics", PASSED, source_id=9001),
        *several(RAVI, 2),
    )
    delivery.turn()
    text = delivery.told(MARY)[-1]
    assert "spoiler" not in text
    assert text.count(" has passed: ") == 3


def test_an_end_after_its_start_was_told_is_told_too(delivery: DeliveryScenario) -> None:
    introduce(delivery)
    delivery.owe(happened(JANE, "Physics", STARTED, source_id=9001))
    delivery.turn()
    delivery.owe(happened(JANE, "Physics", PASSED, source_id=9001))
    delivery.turn()
    assert "has started: **Physics**" in delivery.told(MARY)[1]
    assert "has passed: **Physics**" in delivery.told(MARY)[2]


def test_events_found_late_stand_in_a_summary_only(delivery: DeliveryScenario) -> None:
    introduce(delivery)
    [late] = delivery.owe(happened(JANE, "Old exam", at=NOW - timedelta(hours=25)))
    delivery.turn()
    text = delivery.told(MARY)[-1]
    assert delivery.times_told(MARY, late) == 1
    assert "has passed: **Old exam**" not in text
    assert "```spoiler" in text


def test_a_late_event_among_fresh_ones_is_not_told_in_full(delivery: DeliveryScenario) -> None:
    introduce(delivery)
    late, fresh = delivery.owe(happened(JANE, "Old exam", at=NOW - timedelta(hours=25)), happened(JANE, "New exam"))
    delivery.turn()
    assert "has passed: **Old exam**" not in delivery.told(MARY)[-1]
    assert (delivery.times_told(MARY, late), delivery.times_told(MARY, fresh)) == (1, 1)


def test_an_event_of_yesterday_is_told_in_full(delivery: DeliveryScenario) -> None:
    introduce(delivery)
    delivery.owe(happened(JANE, "Morning exam", at=NOW - timedelta(hours=23)))
    delivery.turn()
    assert "has passed: **Morning exam**" in delivery.told(MARY)[-1]


def test_an_event_found_in_time_does_not_grow_stale_while_it_waits_for_zulip(delivery: DeliveryScenario) -> None:
    introduce(delivery)
    delivery.owe(happened(JANE, "Patience"))
    delivery.zulip.stop()
    delivery.wait(3 * DAY, step=HOUR)
    delivery.zulip.start()
    delivery.wait(2 * HOUR, step=60)
    assert "has passed: **Patience**" in delivery.told(MARY)[-1]


def test_the_introduction_is_the_end_of_the_first_message_only(any_delivery: DeliveryScenario) -> None:
    for title in ("First", "Second", "Third"):
        any_delivery.owe(happened(JANE, title))
        any_delivery.turn()
    first, second, third = any_delivery.told(MARY)
    assert "`help`" in first.splitlines()[-1]
    assert "First" not in first.splitlines()[-1]
    assert "`help`" not in second + third


def test_the_introduction_ends_a_long_first_summary_too(delivery: DeliveryScenario) -> None:
    delivery.owe(*several(JANE, 2_000))
    delivery.turn()
    [text] = delivery.told(MARY)
    assert "`help`" in text.splitlines()[-1]
    assert len(text) < 10_000


def test_a_first_message_that_was_refused_leaves_the_introduction_to_the_next(delivery: DeliveryScenario) -> None:
    delivery.zulip.fail("refuse")
    delivery.owe(happened(JANE, "First"))
    delivery.turn()
    delivery.owe(happened(JANE, "Second"))
    delivery.turn()
    assert "`help`" in delivery.told(MARY)[0]


# What Zulip may do to a message


@pytest.mark.parametrize("kind", NEVER_STORED)
def test_what_zulip_never_stored_is_sent_again_after_a_minute_and_not_before(
    delivery: DeliveryScenario, kind: str
) -> None:
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail(kind)
    delivery.turn()
    delivery.wait(58)
    assert (delivery.told(MARY), delivery.sends()) == ([], 1)
    delivery.wait(80)
    assert delivery.times_told(MARY, event) == 1
    delivery.wait(200)
    [row] = notifications(delivery.store)
    [message] = delivery.zulip.direct_to(delivery.account(MARY))
    assert (row.is_sent, row.zulip_message_id, row.due_at, row.error) == (True, message.id, None, None)
    assert delivery.sends() == 2


@pytest.mark.parametrize("kind", STORED)
def test_what_zulip_stored_without_saying_so_is_found_and_never_sent_again(
    delivery: DeliveryScenario, kind: str
) -> None:
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail(kind)
    delivery.turn()
    assert not notifications(delivery.store)[0].is_sent
    delivery.wait(5)
    [row] = notifications(delivery.store)
    [message] = delivery.zulip.direct_to(delivery.account(MARY))
    assert (row.is_sent, row.zulip_message_id, row.due_at, row.error) == (True, message.id, None, None)
    delivery.wait(200)
    assert delivery.times_told(MARY, event) == 1
    assert delivery.sends() == 1


@pytest.mark.parametrize("kind", ["500_before", "500_after"])
def test_an_unknown_outcome_is_settled_on_either_database(any_delivery: DeliveryScenario, kind: str) -> None:
    owed = any_delivery.owe(*several(JANE, 3), *several(GULNORA, 5))
    any_delivery.zulip.fail(kind, times=2)
    any_delivery.turn()
    any_delivery.wait(90)
    told = [any_delivery.times_told(MARY, event) + any_delivery.times_told(OMAR, event) for event in owed]
    assert told == [1] * 8
    assert all(row.is_sent and row.due_at is None for row in notifications(any_delivery.store))


@pytest.mark.parametrize("kinds", list(itertools.product(("500_before", "close_after"), repeat=2)))
def test_two_lost_answers_in_a_row_still_make_one_message(delivery: DeliveryScenario, kinds: tuple[str, str]) -> None:
    [event] = delivery.owe(happened(JANE, "Biology"))
    for kind in kinds:
        delivery.zulip.fail(kind)
    delivery.turn()
    delivery.wait(400, step=2)
    assert delivery.times_told(MARY, event) == 1


def test_not_found_counts_a_minute_after_the_last_send(delivery: DeliveryScenario) -> None:
    [event] = delivery.owe(happened(JANE, "Biology"))
    offered: list[datetime] = []
    delivery.zulip.fail("500_before", times=4, when=lambda _: not offered.append(delivery.clock()))  # type: ignore[func-returns-value]
    delivery.turn()
    delivery.wait(900)
    gaps = [(after - before).total_seconds() for before, after in itertools.pairwise(offered)]
    assert len(offered) == 4
    assert min(gaps) >= 60
    assert delivery.times_told(MARY, event) == 1


def test_an_unauthorized_send_is_tried_again_after_two_seconds(delivery: DeliveryScenario) -> None:
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail("unauthorized")
    delivery.turn()
    delivery.clock.forward(1.9)
    delivery.turn()
    assert delivery.sends() == 1
    delivery.wait(2)
    assert delivery.times_told(MARY, event) == 1
    delivery.wait(200)
    assert delivery.sends() == 2
    assert notifications(delivery.store)[0].attempts == 2


def test_a_rate_limit_is_waited_out(delivery: DeliveryScenario) -> None:
    delivery.zulip.retry_after = 0.5
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail("429")
    delivery.turn()
    delivery.wait(3)
    assert delivery.times_told(MARY, event) == 1
    sent_at = [at for at, method, path in delivery.zulip.calls if (method, path) == ("POST", "/api/v1/messages")]
    assert len(sent_at) == 2
    assert sent_at[1] - sent_at[0] >= 0.5


def test_a_rate_limit_of_a_minute_keeps_everybody_quiet(delivery: DeliveryScenario) -> None:
    delivery.zulip.retry_after = 57.0
    delivery.owe(happened(JANE, "Biology"), happened(GULNORA, "Biology"))
    delivery.zulip.fail("429")
    delivery.deliverer.deliver_turn(0.2)
    delivery.deliverer.deliver_turn(0.2)
    assert delivery.sends() == 1


def test_zulip_being_down_is_waited_out_and_everything_arrives(delivery: DeliveryScenario) -> None:
    owed = delivery.owe(*several(JANE, 2), *several(GULNORA, 5))
    delivery.zulip.stop()
    delivery.turn()
    delivery.wait(3 * HOUR, step=60)
    owed += delivery.owe(*several(RAVI, 1), *several(OBRIEN, 1))
    delivery.wait(HOUR, step=60)
    assert not any(row.is_sent or row.due_at is None for row in notifications(delivery.store))
    delivery.zulip.start()
    delivery.wait(75 * 60, step=60)
    told = [delivery.times_told(MARY, event) + delivery.times_told(OMAR, event) for event in owed]
    assert told == [1] * 9
    assert all(row.is_sent for row in notifications(delivery.store))


def test_a_process_that_starts_while_zulip_is_down_delivers_once_it_is_back(delivery: DeliveryScenario) -> None:
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.stop()
    delivery.restart()
    delivery.wait(30)
    delivery.zulip.start()
    delivery.wait(80)
    assert delivery.times_told(MARY, event) == 1
    assert delivery.sends() == 1


@pytest.mark.parametrize("kind", ["500_before", "garbage", "close_before", "unauthorized", "429"])
def test_a_look_up_that_fails_proves_nothing(delivery: DeliveryScenario, kind: str) -> None:
    delivery.zulip.retry_after = 0.1
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail("close_after")
    delivery.zulip.fail(kind, times=8, on=LOOK_UP)
    delivery.turn()
    delivery.wait(1000, step=2)
    assert delivery.times_told(MARY, event) == 1
    assert delivery.sends() == 1
    assert notifications(delivery.store)[0].is_sent


@pytest.mark.parametrize("kind", ["500_before", "garbage", "close_before", "unauthorized"])
def test_nothing_is_sent_before_zulip_says_who_we_are(delivery: DeliveryScenario, kind: str) -> None:
    delivery.restart()
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail(kind, times=3, on="GET /api/v1/users/me")
    delivery.turn()
    assert delivery.sends() == 0
    delivery.wait(60)
    assert delivery.times_told(MARY, event) == 1


def test_a_look_up_that_zulip_refuses_for_one_mentor_does_not_hold_up_the_others(delivery: DeliveryScenario) -> None:
    introduce(delivery)
    mary = delivery.account(MARY)
    delivery.zulip.fail(
        "refuse", times=10_000, on=LOOK_UP, when=lambda p: {"operator": "dm", "operand": [mary]} in p["narrow"]
    )
    delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail("500_before")
    delivery.turn()
    [event] = delivery.owe(happened(GULNORA, "Biology for Omar"))
    delivery.wait(HOUR, step=5)
    assert delivery.times_told(OMAR, event) == 1


def test_a_zulip_whose_clock_is_an_hour_off_changes_nothing(delivery: DeliveryScenario) -> None:
    for offset in (-3600.0, 3600.0):
        delivery.zulip.clock_offset = offset
        for kind in ("500_after", "500_before"):
            [event] = delivery.owe(*several(JANE, 1))
            delivery.zulip.fail(kind)
            delivery.turn()
            delivery.wait(200)
            assert delivery.times_told(MARY, event) == 1
    assert all(row.is_sent for row in notifications(delivery.store))


# Pauses


def attempts_while(delivery: DeliveryScenario, kind: str, hours: float) -> list[datetime]:
    """When one message was offered to a Zulip that always fails in the same way."""
    offered: list[datetime] = []
    delivery.zulip.fail(kind, times=10**6, when=lambda _: not offered.append(delivery.clock()))  # type: ignore[func-returns-value]
    delivery.owe(happened(JANE, "Biology"))
    delivery.turn()
    delivery.wait(200)
    delivery.wait(HOUR - 200, step=20)
    delivery.wait((hours - 1) * HOUR, step=60)
    return offered


def test_pauses_after_refusals_double_from_two_seconds_to_an_hour(delivery: DeliveryScenario) -> None:
    offered = attempts_while(delivery, "unauthorized", hours=9)
    gaps = [(after - before).total_seconds() for before, after in itertools.pairwise(offered)]
    planned = [min(2.0 * 2**n, 3600.0) for n in range(len(gaps))]
    assert len(gaps) > 14
    for gap, pause in zip(gaps, planned, strict=True):
        step = 1 if pause < 64 else 20 if pause < 1024 else 60  # how finely the clock of this test moves then
        assert pause <= gap <= pause * 1.25 + step


def test_a_zulip_that_answers_500_all_day_is_asked_ever_more_seldom(delivery: DeliveryScenario) -> None:
    offered = attempts_while(delivery, "500_before", hours=5)
    gaps = [(after - before).total_seconds() for before, after in itertools.pairwise(offered)]
    assert min(gaps) >= 60
    assert max(gaps) <= 3600 * 1.25 + 60 + 60
    assert max(gaps) >= 3600
    assert delivery.told(MARY) == []


def test_a_zulip_that_works_again_starts_the_pauses_anew(delivery: DeliveryScenario) -> None:
    delivery.zulip.fail("unauthorized", times=6)
    delivery.owe(happened(JANE, "Biology"))
    delivery.turn()
    delivery.wait(400)
    assert len(delivery.told(MARY)) == 1
    delivery.zulip.fail("unauthorized")
    [event] = delivery.owe(happened(JANE, "Chemistry"))
    delivery.turn()
    delivery.wait(4)
    assert delivery.times_told(MARY, event) == 1


# Messages that look the same


def same_text(delivery: DeliveryScenario) -> str:
    """Tell Mary of something, and owe her something else that is told in the same words."""
    introduce(delivery)
    delivery.owe(happened(JANE, "Biology"))
    delivery.turn()
    delivery.owe(happened(JANE, "Biology"))
    return delivery.told(MARY)[-1]


@pytest.mark.parametrize("kind", NEVER_STORED)
def test_an_earlier_message_with_the_same_text_is_not_mistaken_for_it(delivery: DeliveryScenario, kind: str) -> None:
    text = same_text(delivery)
    delivery.zulip.fail(kind)
    delivery.turn()
    delivery.wait(200)
    assert delivery.told(MARY).count(text) == 2
    assert len({row.zulip_message_id for row in notifications(delivery.store, MARY)}) == 3


def test_a_message_of_an_earlier_store_is_not_mistaken_for_it(delivery: DeliveryScenario, tmp_path: Path) -> None:
    text = same_text(delivery)
    forgetful = open_store(f"sqlite:///{tmp_path}/new.db")
    again = DeliveryScenario(forgetful, delivery.zulip, delivery.zuliprc, accounts=delivery.accounts)
    again.restart()
    again.read_people()
    again.read_accounts()
    introduce(again)
    again.restart()
    again.owe(happened(JANE, "Biology"))
    again.zulip.fail("500_before")
    again.turn()
    again.wait(200)
    assert again.told(MARY).count(text) == 2
    forgetful.close()


def test_a_reply_with_the_same_text_is_not_mistaken_for_it(delivery: DeliveryScenario) -> None:
    text = same_text(delivery)
    delivery.zulip.fail("500_before")
    delivery.turn()
    to_mary = Recipient(user_ids=(delivery.account(MARY),))
    with delivery.store.writing() as transaction:
        reply = outbox.freeze(transaction, outbox.Draft(to_mary, text), delivery.clock())
    sent = delivery.chat.send(to_mary, text)
    with delivery.store.writing() as transaction:
        outbox.settle_sent(transaction, reply, sent, delivery.clock())
    delivery.wait(200)
    assert delivery.told(MARY).count(text) == 3
    assert sent not in {row.zulip_message_id for row in notifications(delivery.store)}


def test_the_same_words_from_the_mentor_are_not_mistaken_for_it(delivery: DeliveryScenario) -> None:
    text = same_text(delivery)
    delivery.zulip.fail("500_before")
    delivery.turn()
    delivery.zulip.say(delivery.account(MARY), text)
    delivery.wait(200)
    assert delivery.told(MARY).count(text) == 2


def test_the_same_words_to_another_mentor_are_not_mistaken_for_it(delivery: DeliveryScenario) -> None:
    delivery.read_people(links=LINKS | {(OMAR.mentor_id, JANE.student_id)})
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail("500_before", when=lambda p: p["to"] == [delivery.account(MARY)])
    delivery.turn()
    assert (delivery.times_told(MARY, event), delivery.times_told(OMAR, event)) == (0, 1)
    delivery.wait(200)
    assert (delivery.times_told(MARY, event), delivery.times_told(OMAR, event)) == (1, 1)


@pytest.mark.parametrize("lost", list(itertools.product(("500_before", "500_after"), repeat=2)))
def test_a10_one_person_who_is_two_mentors_is_told_once(delivery: DeliveryScenario, lost: tuple[str, str]) -> None:
    twin = Mentor(3, "mary2", (MARY.email or "").upper())
    delivery.read_people(mentors=[MARY, OMAR, twin], links=LINKS | {(3, JANE.student_id)})
    [event] = delivery.owe(happened(JANE, "Biology"))
    for kind in lost:
        delivery.zulip.fail(kind)
    delivery.turn()
    delivery.wait(300)
    assert delivery.times_told(MARY, event) == 1
    assert [row.is_sent for row in notifications(delivery.store)] == [True]


def test_a10_what_was_owed_to_two_mentors_who_turn_out_to_be_one_person_is_one_message(
    any_delivery: DeliveryScenario,
) -> None:
    twin = Mentor(3, "mary2", "elsewhere@school.example")
    any_delivery.read_people(mentors=[MARY, OMAR, twin], links=LINKS | {(3, JANE.student_id), (3, OBRIEN.student_id)})
    [event, other] = any_delivery.owe(happened(JANE, "Biology"), happened(OBRIEN, "Physics"))
    any_delivery.read_people(mentors=[MARY, OMAR, replace(twin, email=MARY.email)])
    any_delivery.turn()
    assert len(any_delivery.told(MARY)) == 1
    assert (any_delivery.times_told(MARY, event), any_delivery.times_told(MARY, other)) == (1, 1)
    rows = notifications(any_delivery.store)
    assert [(row.mentor_id, row.is_sent) for row in rows] == [(1, True), (3, True), (2, True), (3, True)]


def test_a10_a_row_that_comes_later_has_the_preferences_of_the_person(delivery: DeliveryScenario) -> None:
    with delivery.store.writing() as transaction:
        chosen = Preferences(timings={EventClass.PASSED: Timing.DIGEST})
        preferences.save(transaction, MARY.mentor_id, chosen, delivery.clock())
    twin = Mentor(3, "mary2", MARY.email)
    delivery.read_people(mentors=[MARY, OMAR, twin], links=LINKS | {(3, OBRIEN.student_id)})
    with delivery.store.reading() as transaction:
        assert preferences.chosen(transaction, 3) == chosen
        assert preferences.effective(transaction, [3])[3].timings == chosen.timings


# Frozen messages


def test_a_message_is_frozen_until_its_outcome_is_known(any_delivery: DeliveryScenario) -> None:
    [first] = any_delivery.owe(happened(JANE, "Biology"))
    any_delivery.zulip.fail("close_after")
    any_delivery.turn()
    [before] = frozen(any_delivery.store)
    [second] = any_delivery.owe(happened(JANE, "Chemistry"))
    any_delivery.rename(JANE, "jane.married")
    with any_delivery.store.writing() as transaction:
        retitled = first._replace(activity_title="Biology, second edition", metadata={"score": 3})
        events.restate(transaction, {first.event_id: retitled})
    any_delivery.turn()
    assert [message.content for message in frozen(any_delivery.store)] == [before.content]
    any_delivery.wait(200)
    one, two = any_delivery.told(MARY)
    assert one == before.content
    assert "Chemistry" in two
    assert "Biology" not in two
    assert any_delivery.times_told(MARY, second) == 1
    assert any_delivery.sends() == 2


def test_a_mentor_has_at_most_one_unsettled_message(delivery: DeliveryScenario) -> None:
    owed = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail("500_before")
    delivery.turn()
    [before] = unsettled(delivery.store)
    for second in range(55):
        owed += delivery.owe(*several(RAVI, 1))
        delivery.wait(1)
        assert [message.content for message in unsettled(delivery.store)] == [before.content], second
    assert delivery.sends() == 1
    delivery.wait(120)
    assert [delivery.times_told(MARY, event) for event in owed] == [1] * 56


def test_one_mentors_unsettled_message_does_not_hold_up_another_mentor(delivery: DeliveryScenario) -> None:
    delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail("close_before")
    delivery.turn()
    [event] = delivery.owe(happened(OBRIEN, "Chemistry"))
    delivery.turn()
    assert delivery.times_told(OMAR, event) == 1


def test_a_refusal_unfreezes_a_message_and_the_retry_tells_newer_events_too(delivery: DeliveryScenario) -> None:
    owed = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail("unauthorized")
    delivery.turn()
    owed += delivery.owe(happened(JANE, "Chemistry"))
    delivery.wait(5)
    [text] = delivery.told(MARY)
    assert "Biology" in text
    assert "Chemistry" in text
    assert len({row.zulip_message_id for row in notifications(delivery.store)}) == 1


# Kills


@pytest.mark.parametrize("lost", ["500_after", "500_before", None])
def test_a_kill_before_the_send_loses_nothing_and_repeats_nothing(
    any_delivery: DeliveryScenario, lost: str | None
) -> None:
    [event] = any_delivery.owe(happened(JANE, "Biology"))
    any_delivery.chat.dies = "before"
    with pytest.raises(Killed):
        any_delivery.turn()
    assert any_delivery.sends() == 0
    any_delivery.restart()
    any_delivery.wait(58)
    assert any_delivery.sends() == 0
    if lost:
        any_delivery.zulip.fail(lost)
    any_delivery.wait(200)
    assert any_delivery.times_told(MARY, event) == 1
    assert notifications(any_delivery.store)[0].is_sent


def test_a_kill_between_send_and_settling_repeats_nothing(any_delivery: DeliveryScenario) -> None:
    [event] = any_delivery.owe(happened(JANE, "Biology"))
    any_delivery.chat.dies = "after"
    with pytest.raises(Killed):
        any_delivery.turn()
    [message] = any_delivery.zulip.direct_to(any_delivery.account(MARY))
    any_delivery.restart()
    any_delivery.wait(200)
    assert any_delivery.times_told(MARY, event) == 1
    assert any_delivery.sends() == 1
    [row] = notifications(any_delivery.store)
    assert (row.is_sent, row.zulip_message_id, row.due_at) == (True, message.id, None)


@pytest.mark.parametrize("kind", ["500_before", "500_after"])
def test_a_kill_while_a_message_is_looked_up_repeats_nothing(delivery: DeliveryScenario, kind: str) -> None:
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail(kind)
    delivery.turn()
    delivery.chat.dies = "looking"
    with pytest.raises(Killed):
        delivery.wait(60)
    delivery.restart()
    delivery.wait(200)
    assert delivery.times_told(MARY, event) == 1
    assert notifications(delivery.store)[0].is_sent


def test_what_comes_in_after_a_kill_goes_into_a_message_of_its_own(delivery: DeliveryScenario) -> None:
    owed = delivery.owe(happened(JANE, "Biology"))
    delivery.chat.dies = "after"
    with pytest.raises(Killed):
        delivery.turn()
    delivery.restart()
    owed += delivery.owe(happened(JANE, "Chemistry"))
    delivery.wait(200)
    assert [delivery.times_told(MARY, event) for event in owed] == [1, 1]
    assert len(delivery.told(MARY)) == 2


def test_kills_again_and_again_end_in_one_message(delivery: DeliveryScenario) -> None:
    [event] = delivery.owe(happened(JANE, "Biology"))
    for _ in range(5):
        delivery.chat.dies = "before"
        with pytest.raises(Killed):
            delivery.wait(300)
        delivery.restart()
    delivery.wait(100)
    assert delivery.times_told(MARY, event) == 1
    assert delivery.sends() == 1


# Accounts


def test_a_deactivated_account_is_waited_for_and_then_gets_one_message(any_delivery: DeliveryScenario) -> None:
    introduce(any_delivery)
    any_delivery.zulip.deactivate(any_delivery.account(MARY))
    owed = any_delivery.owe(*several(JANE, 1))
    any_delivery.turn()
    for row in notifications(any_delivery.store, MARY)[1:]:
        assert row.due_at is not None
        assert not row.is_sent
        assert row.error
    assert unsettled(any_delivery.store) == []
    for _ in range(3):
        any_delivery.wait(DAY, step=HOUR)
        owed += any_delivery.owe(*several(RAVI, 2))
        any_delivery.turn()
    assert len(any_delivery.told(MARY)) == 1
    any_delivery.zulip.reactivate(any_delivery.account(MARY))
    any_delivery.read_accounts()
    any_delivery.turn()
    assert len(any_delivery.told(MARY)) == 2
    assert [any_delivery.times_told(MARY, event) for event in owed] == [1] * 7
    assert all(row.is_sent for row in notifications(any_delivery.store, MARY))


def test_a_deactivated_mentor_holds_up_nobody_else(delivery: DeliveryScenario) -> None:
    delivery.zulip.deactivate(delivery.account(MARY))
    delivery.owe(happened(JANE, "Biology"))
    [event] = delivery.owe(happened(GULNORA, "Biology for Omar"))
    delivery.turn()
    assert delivery.times_told(OMAR, event) == 1


@pytest.mark.parametrize("kind", ["500_before", "close_before", "unauthorized"])
def test_a_refused_message_waits_if_zulip_does_not_say_who_has_an_account(
    delivery: DeliveryScenario, kind: str
) -> None:
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.deactivate(delivery.account(MARY))
    delivery.zulip.fail(kind, on="GET /api/v1/users")
    delivery.turn()
    delivery.wait(300)
    [row] = notifications(delivery.store)
    assert row.due_at is not None
    delivery.zulip.reactivate(delivery.account(MARY))
    delivery.read_accounts()
    delivery.wait(5)
    assert delivery.times_told(MARY, event) == 1


def test_an_account_that_is_deactivated_while_the_outcome_is_unknown_is_waited_for(delivery: DeliveryScenario) -> None:
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail("500_before")
    delivery.turn()
    delivery.zulip.deactivate(delivery.account(MARY))
    delivery.wait(600)
    [row] = notifications(delivery.store)
    assert (row.is_sent, row.due_at is None) == (False, False)
    delivery.zulip.reactivate(delivery.account(MARY))
    delivery.read_accounts()
    delivery.wait(100)
    assert delivery.times_told(MARY, event) == 1


def test_a_message_that_zulip_will_never_take_is_parked_with_the_error(any_delivery: DeliveryScenario) -> None:
    any_delivery.owe(*several(JANE, 2))
    any_delivery.zulip.fail("refuse")
    any_delivery.turn()
    for row in notifications(any_delivery.store):
        assert (row.due_at, row.is_sent, row.zulip_message_id, row.attempts) == (None, False, None, 1)
        assert "Refused" in (row.error or "")
        assert row.processed_at == any_delivery.clock()
    any_delivery.wait(3 * DAY, step=HOUR)
    any_delivery.restart()
    any_delivery.wait(HOUR, step=60)
    assert any_delivery.sends() == 1
    assert any_delivery.told(MARY) == []


def test_a_parked_message_does_not_hold_up_what_comes_after_it(delivery: DeliveryScenario) -> None:
    [parked] = delivery.owe(*several(JANE, 1))
    delivery.zulip.fail("refuse")
    delivery.turn()
    [event] = delivery.owe(*several(JANE, 1))
    delivery.turn()
    assert (delivery.times_told(MARY, parked), delivery.times_told(MARY, event)) == (0, 1)


@pytest.mark.parametrize(
    ("email", "accounts", "reason"),
    [
        (None, [], "e-mail"),
        ("", [], "e-mail"),
        ("   ", [], "e-mail"),
        ("lucy@school.example", [], "no Zulip account"),
        ("lucy@school.example", [("lucy@school.example", {}), ("Lucy@School.example", {})], "several"),
        ("lucy@school.example", [("lucy@school.example", {"is_bot": True})], "bot"),
        ("lucy@school.example", [("lucy@school.example", {"is_active": False})], "deactivated"),
    ],
)
def test_a_mentor_without_a_certain_account_is_not_guessed_and_waits_with_the_reason(
    delivery: DeliveryScenario, email: str | None, accounts: list[tuple[str, dict[str, bool]]], reason: str
) -> None:
    for address, traits in accounts:
        delivery.zulip.add_user("Lucy", address, **traits)  # type: ignore[arg-type]
    lucy = Mentor(3, "mary", email, display_name="Mary")
    delivery.read_people(mentors=[MARY, OMAR, lucy], links={(3, JANE.student_id)})
    delivery.read_accounts()
    delivery.owe(happened(JANE, "Biology"))
    delivery.turn()
    delivery.wait(2 * DAY, step=HOUR)
    assert delivery.zulip.sent_by_bot() == []
    [row] = notifications(delivery.store)
    assert row.due_at is not None
    assert reason in (row.error or "")
    assert not row.is_sent


@pytest.mark.parametrize(
    ("in_lms", "in_zulip"),
    [
        ("  Lucy@School.Example ", "lucy@school.example"),
        ("lucy@school.example", "LUCY@school.example"),
        ("lucy@school.example\n", " lucy@School.EXAMPLE"),
    ],
)
def test_an_address_in_other_case_and_with_spaces_is_found(
    delivery: DeliveryScenario, in_lms: str, in_zulip: str
) -> None:
    lucy = Mentor(3, "lucy", in_lms)
    account = delivery.zulip.add_user("Lucy", in_zulip)
    delivery.read_people(mentors=[MARY, OMAR, lucy], links={(3, JANE.student_id)})
    delivery.read_accounts()
    delivery.owe(happened(JANE, "Biology"))
    delivery.turn()
    assert len(delivery.zulip.direct_to(account)) == 1


def test_what_waited_for_an_account_comes_as_one_message_when_there_is_one(delivery: DeliveryScenario) -> None:
    lucy = Mentor(3, "lucy", "lucy@school.example")
    delivery.read_people(mentors=[MARY, OMAR, lucy], links={(3, JANE.student_id)})
    for _ in range(4):
        delivery.owe(*several(JANE, 2))
        delivery.wait(DAY, step=HOUR)
    account = delivery.zulip.add_user("Lucy", "lucy@school.example")
    delivery.read_accounts()
    delivery.turn()
    [message] = delivery.zulip.direct_to(account)
    assert {row.zulip_message_id for row in notifications(delivery.store)} == {message.id}


def test_a_second_account_with_the_same_address_ends_certainty(delivery: DeliveryScenario) -> None:
    delivery.zulip.add_user("Also Mary", "MARY@school.example")
    delivery.read_accounts()
    delivery.owe(happened(JANE, "Biology"))
    delivery.turn()
    assert delivery.zulip.sent_by_bot() == []


# Mentors who change


def test_a_mentor_who_is_no_longer_the_students_is_not_told_and_the_new_one_is(any_delivery: DeliveryScenario) -> None:
    stays, moves = any_delivery.owe(happened(JANE, "Biology"), happened(RAVI, "Chemistry"))
    any_delivery.move(RAVI, OMAR)
    any_delivery.turn()
    assert (any_delivery.times_told(MARY, stays), any_delivery.times_told(MARY, moves)) == (1, 0)
    assert (any_delivery.times_told(OMAR, stays), any_delivery.times_told(OMAR, moves)) == (0, 1)
    given_up = notifications(any_delivery.store, MARY)[1]
    assert (given_up.is_sent, given_up.due_at, given_up.zulip_message_id) == (False, None, None)
    assert given_up.error
    [taken_over] = notifications(any_delivery.store, OMAR)
    assert (taken_over.event_id, taken_over.is_sent, taken_over.due_at) == (moves.event_id, True, None)


def test_a_mentor_who_was_removed_from_the_lms_is_not_told_and_the_new_one_is(any_delivery: DeliveryScenario) -> None:
    [event] = any_delivery.owe(happened(JANE, "Biology"))
    any_delivery.read_people(mentors=[OMAR], links={(OMAR.mentor_id, JANE.student_id)})
    any_delivery.turn()
    assert any_delivery.told(MARY) == []
    assert any_delivery.times_told(OMAR, event) == 1


def test_a_mentor_who_was_removed_without_a_successor_is_not_told(delivery: DeliveryScenario) -> None:
    """The LMS may still list the link to a mentor who is gone."""
    delivery.owe(happened(JANE, "Biology"))
    delivery.read_people(mentors=[OMAR])
    assert delivery.deliverer.deliver_turn(2.0).is_done
    delivery.wait(DAY, step=HOUR)
    assert delivery.zulip.sent_by_bot() == []


def test_a_second_mentor_who_was_told_already_is_not_told_again_for_the_first(delivery: DeliveryScenario) -> None:
    delivery.read_people(links=LINKS | {(OMAR.mentor_id, JANE.student_id)})
    delivery.zulip.deactivate(delivery.account(MARY))
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.turn()
    delivery.move(JANE, OMAR)
    delivery.wait(2 * DAY, step=HOUR)
    assert (delivery.times_told(MARY, event), delivery.times_told(OMAR, event)) == (0, 1)


def test_a_student_who_comes_back_to_the_first_mentor_is_told_of_there(delivery: DeliveryScenario) -> None:
    delivery.zulip.deactivate(delivery.account(OMAR))
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.move(JANE, OMAR)
    delivery.turn()
    delivery.wait(60)
    delivery.move(JANE, MARY)
    delivery.wait(2 * DAY, step=HOUR)
    assert delivery.times_told(MARY, event) == 1
    assert delivery.told(OMAR) == []


@pytest.mark.parametrize("kind", ["500_before", "close_before", "unauthorized"])
def test_a_retry_does_not_go_to_a_mentor_who_lost_the_student_meanwhile(delivery: DeliveryScenario, kind: str) -> None:
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail(kind)
    delivery.turn()
    delivery.move(JANE, OMAR)
    delivery.wait(200)
    assert delivery.told(MARY) == []
    assert delivery.times_told(OMAR, event) == 1


def test_a_retry_does_not_go_to_a_mentor_who_was_removed_meanwhile(delivery: DeliveryScenario) -> None:
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail("500_before")
    delivery.turn()
    delivery.read_people(mentors=[OMAR], links={(OMAR.mentor_id, JANE.student_id)})
    delivery.wait(200)
    assert delivery.told(MARY) == []
    assert delivery.times_told(OMAR, event) == 1


def test_a_retry_goes_to_the_account_that_the_mentor_has_then(delivery: DeliveryScenario) -> None:
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail("500_before")
    delivery.turn()
    delivery.read_people(mentors=[replace(MARY, email="mary.new@school.example"), OMAR])
    new = delivery.zulip.add_user("Mary", "mary.new@school.example")
    delivery.read_accounts()
    delivery.wait(200)
    assert delivery.told(MARY) == []
    assert [(event.activity_title or "") in message.content for message in delivery.zulip.direct_to(new)] == [True]


def test_a_message_that_was_stored_before_the_mentor_changed_is_told_to_nobody_else(delivery: DeliveryScenario) -> None:
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail("500_after")
    delivery.turn()
    delivery.move(JANE, OMAR)
    delivery.wait(200)
    assert (delivery.times_told(MARY, event), delivery.times_told(OMAR, event)) == (1, 0)


# Turns


def test_a_turn_does_not_wait_for_a_pace_that_is_closed(delivery: DeliveryScenario) -> None:
    rate_limiter = RateLimiter(FAST)
    delivery.restart(rate_limiter)
    delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail("500_before")
    delivery.turn()
    delivery.clock.forward(61)
    rate_limiter.block(1.5)
    delivery.deliverer.deliver_turn(0.1)
    assert (delivery.sends(), delivery.zulip.count_calls("GET", "/api/v1/messages")) == (1, 0)


def test_mentors_without_an_account_cost_nothing_of_the_pace(delivery: DeliveryScenario) -> None:
    delivery.restart(RateLimiter(20))
    strangers = [Mentor(100 + n, f"new{n}", f"new{n}@school.example") for n in range(40)]
    delivery.read_people(mentors=[MARY, OMAR, *strangers], links={(m.mentor_id, RAVI.student_id) for m in strangers})
    delivery.owe(happened(RAVI, "Biology"))
    delivery.clock.forward(1)
    delivery.move(JANE, MARY)
    [event] = delivery.owe(happened(JANE, "Chemistry"))
    delivery.deliverer.deliver_turn(2.0)
    assert delivery.times_told(MARY, event) == 1


def test_a13_an_alert_to_a_mentor_who_is_gone_is_finished_and_the_turn_ends(delivery: DeliveryScenario) -> None:
    delivery.owe(happened(JANE, "", EventType.STUDENT_ALERT), happened(JANE, "Quiz"))
    with delivery.store.writing() as transaction:
        transaction.execute(sa.delete(tables.mentors).where(tables.mentors.c.mentor_id == MARY.mentor_id))
    assert delivery.turn().is_done
    alert, quiz = notifications(delivery.store, MARY)
    assert (alert.due_at, alert.error) == (None, queue.NOT_NOW)
    assert (quiz.due_at, quiz.error) == (delivery.clock() + queue.MENTOR_RETRY, queue.NO_MENTOR)
    assert delivery.told(MARY) == []


def test_a1_what_is_about_a_student_without_mentor_waits_for_one_a_week(any_delivery: DeliveryScenario) -> None:
    [event] = any_delivery.owe(happened(JANE, "Quiz"))
    any_delivery.move(JANE, None)
    assert any_delivery.turn().is_done
    any_delivery.clock.forward(6 * 24 * 3600)
    any_delivery.move(JANE, OMAR)
    any_delivery.turn()
    assert (any_delivery.told(MARY), any_delivery.times_told(OMAR, event)) == ([], 1)

    [event] = any_delivery.owe(happened(JANE, "Test"))
    any_delivery.move(JANE, None)
    any_delivery.turn()
    any_delivery.clock.forward(8 * 24 * 3600)
    any_delivery.turn()
    assert [row.due_at for row in notifications(any_delivery.store)] == [None, None, None]


def test_a1_an_alert_is_due_again_only_to_the_mentor_who_has_the_student_again(any_delivery: DeliveryScenario) -> None:
    any_delivery.owe(happened(JANE, "", EventType.STUDENT_ALERT), happened(GULNORA, "Quiz"))
    any_delivery.move(JANE, None)
    any_delivery.turn()
    for mentor, is_due in ((OMAR, False), (MARY, True)):
        any_delivery.move(JANE, mentor)
        with any_delivery.store.writing() as transaction:
            recipients.wake(transaction, any_delivery.clock())
        assert (notifications(any_delivery.store, MARY)[0].due_at is not None) is is_due


def test_a1_one_of_two_mentors_whose_link_returns_is_told_what_waited(any_delivery: DeliveryScenario) -> None:
    any_delivery.link(OMAR, JANE)
    [event] = any_delivery.owe(happened(JANE, "Quiz"))
    any_delivery.clock.forward(1)
    any_delivery.move(JANE, MARY)
    any_delivery.turn()
    assert (any_delivery.times_told(MARY, event), any_delivery.times_told(OMAR, event)) == (1, 0)
    any_delivery.link(OMAR, JANE)
    for _ in range(2):
        with any_delivery.store.writing() as transaction:
            recipients.wake(transaction, any_delivery.clock())
        any_delivery.turn()
        assert (any_delivery.times_told(MARY, event), any_delivery.times_told(OMAR, event)) == (1, 1)


def test_a1_who_was_given_the_students_of_another_tells_the_other_nothing_twice(any_delivery: DeliveryScenario) -> None:
    [event] = any_delivery.owe(happened(JANE, "Quiz"))
    any_delivery.move(JANE, OMAR)
    any_delivery.turn()
    any_delivery.move(JANE, MARY)
    with any_delivery.store.writing() as transaction:
        recipients.wake(transaction, any_delivery.clock())
    any_delivery.turn()
    assert (any_delivery.times_told(MARY, event), any_delivery.times_told(OMAR, event)) == (0, 1)


# What is so now


def test_d13_a_failure_that_was_passed_since_needs_no_attention_in_a_digest(any_delivery: DeliveryScenario) -> None:
    introduce(any_delivery)
    early, late = NOW - timedelta(hours=3), NOW - timedelta(hours=1)
    any_delivery.owe(
        happened(JANE, "Algebra", FAILED, at=early)._replace(activity_id=601),
        happened(JANE, "Algebra", at=late)._replace(activity_id=601),
        happened(RAVI, "Physics", at=early)._replace(activity_id=602),
        happened(RAVI, "Physics", FAILED, at=late)._replace(activity_id=602),
        happened(RAVI, "Chemistry", FAILED, at=late)._replace(activity_id=603),
    )
    any_delivery.turn()
    text = any_delivery.told(MARY)[-1]
    above = text.partition("```spoiler")[0].partition("**Needs attention**")[2]
    assert ("ravi" in above, "jane" in above) == (True, False)
    assert (text.count("**ravi**"), text.count("**jane**")) == (1, 1)
    assert text.count("failed **Chemistry**") == text.count("failed **Physics**") == 1
    assert "❌ Exam Failed 2 · 🎉 Exam Passed! 2 · ↩️ Passed Since 1" in text


def test_d13_a_failure_that_was_passed_in_an_earlier_message_needs_no_attention(
    delivery: DeliveryScenario,
) -> None:
    introduce(delivery)
    delivery.owe(happened(JANE, "Algebra", at=NOW))
    delivery.turn()
    failed = [happened(JANE, "Algebra", FAILED, at=NOW - timedelta(hours=hours)) for hours in range(1, 5)]
    delivery.owe(*failed)
    delivery.turn()
    assert "Needs attention" not in delivery.told(MARY)[-1]


# A time zone that changes


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "Europe/Berlin"])
def test_d9_a_digest_moves_as_a_whole_when_its_mentor_changes_their_time_zone(
    delivery: DeliveryScenario, zone: str
) -> None:
    introduce(delivery)
    with delivery.store.writing() as transaction:
        digest = Preferences(timings=dict.fromkeys(EventClass, Timing.DIGEST))
        preferences.save(transaction, MARY.mentor_id, digest, delivery.clock())

    def found(title: str) -> None:
        [event] = delivery.owe(happened(JANE, title))
        with delivery.store.writing() as transaction:
            asked = preferences.effective(transaction, [MARY.mentor_id])[MARY.mentor_id]
            schedule = MentorSchedule(asked, "now", zone_of(asked, delivery.settings.timezone))
            due_at = schedule.when_due(PASSED, JANE.student_id, delivery.clock()).due_at
            of_event = tables.logs.c.event_id == event.event_id
            transaction.execute(sa.update(tables.logs).where(of_event).values(due_at=due_at))

    found("Before noon")
    delivery.clock.forward(16 * HOUR)  # 4 o'clock in the morning, UTC
    found("At night")
    with delivery.store.writing() as transaction:
        users = [
            replace(user, timezone=zone) if user.user_id == delivery.account(MARY) else user
            for user in delivery.chat.users()
        ]
        recheck.keep_accounts(transaction, users, delivery.settings, delivery.clock())
    found("After the move")
    assert len({row.due_at for row in notifications(delivery.store) if row.due_at}) == 1
    delivery.wait(24 * HOUR, step=HOUR / 2)
    _, text = delivery.told(MARY)
    assert all(title in text for title in ("Before noon", "At night", "After the move"))
