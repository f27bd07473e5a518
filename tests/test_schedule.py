"""When a mentor is due to be notified, as a table of cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_bot.core.events import EventClass, EventType
from lms_bot.core.notifications import Preferences, Timing
from lms_bot.core.schedule import MentorSchedule, zone_of
from lms_bot.store.notifications import pending
from tests.lms_rows import Watch

BERLIN = ZoneInfo("Europe/Berlin")
JANE, RAVI = 1001, 1002
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday, 13:00 in Berlin
FAILED, STARTED, WATCHED = EventType.EXAM_FAILED, EventType.EXAM_STARTED, EventType.CONTENT_WATCHED
CERTIFICATE, PROGRESS = EventType.CERTIFICATION_ISSUED, EventType.CONTENT_PROGRESS
ALERT = EventType.STUDENT_ALERT
TOMORROW_AT_EIGHT = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of March 2026, in UTC."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "preferences", "delivery", "due_at", "reason"),
    [
        (FAILED, Preferences(), "now", NOON, ""),
        (STARTED, Preferences(), "now", NOON, ""),
        (FAILED, Preferences(), "calm", TOMORROW_AT_EIGHT, "digest"),
        (EventType.EXAM_PASSED, Preferences(), "calm", TOMORROW_AT_EIGHT, "digest"),
        (ALERT, Preferences(), "calm", NOON, ""),
        (EventType.ALERT_REMINDER, Preferences(), "calm", NOON, ""),
        (FAILED, Preferences(timings={EventClass.FAILED: Timing.NOW}), "calm", NOON, ""),
        (STARTED, Preferences(), "calm", TOMORROW_AT_EIGHT, "digest"),
        (WATCHED, Preferences(), "calm", TOMORROW_AT_EIGHT, "digest"),
        (WATCHED, Preferences(timings={EventClass.CONTENT: Timing.NOW}), "calm", NOON, ""),
        (WATCHED, Preferences(timings={EventClass.CONTENT: Timing.OFF}), "now", None, "turned off"),
        (CERTIFICATE, Preferences(), "now", NOON, ""),
        (CERTIFICATE, Preferences(timings={EventClass.PASSED: Timing.DIGEST}), "now", TOMORROW_AT_EIGHT, "digest"),
        (PROGRESS, Preferences(), "now", None, "turned off"),
        (PROGRESS, Preferences(), "calm", None, "turned off"),
        (PROGRESS, Preferences(timings={EventClass.CONTENT: Timing.NOW}), "now", None, "turned off"),
        (PROGRESS, Preferences(timings={EventClass.PROGRESS: Timing.NOW}), "calm", NOON, ""),
        (FAILED, Preferences(timings={EventClass.FAILED: Timing.DIGEST}), "now", TOMORROW_AT_EIGHT, "digest"),
        (STARTED, Preferences(digest_hours=(8, 17)), "calm", at(2, 16), "digest"),
        (FAILED, Preferences(muted={JANE: at(5, 9)}), "now", at(5, 9), "muted"),
        (FAILED, Preferences(muted={RAVI: at(5, 9)}), "now", NOON, ""),
        (FAILED, Preferences(muted={JANE: at(1, 9)}), "now", NOON, ""),
        (FAILED, Preferences(paused_until=at(4, 9)), "now", at(4, 9), "paused"),
        (FAILED, Preferences(paused_until=at(4, 9), muted={JANE: at(5, 9)}), "now", at(5, 9), "muted"),
        (STARTED, Preferences(paused_until=at(4, 9)), "calm", at(5, 7), "digest"),
        (FAILED, Preferences(quiet_from=12 * 60, quiet_to=15 * 60), "now", at(2, 14), "quiet time"),
        (FAILED, Preferences(quiet_from=13 * 60, quiet_to=7 * 60), "now", at(3, 6), "quiet time"),
        (FAILED, Preferences(quiet_from=22 * 60, quiet_to=14 * 60), "now", at(2, 13), "quiet time"),
        (FAILED, Preferences(quiet_from=22 * 60, quiet_to=7 * 60), "now", NOON, ""),
        (FAILED, Preferences(quiet_from=13 * 60, quiet_to=13 * 60), "now", NOON, ""),
        (FAILED, Preferences(quiet_days=frozenset({0})), "now", TOMORROW_AT_EIGHT, "quiet time"),
        (FAILED, Preferences(quiet_days=frozenset({0, 1})), "now", at(4, 7), "quiet time"),
        (
            FAILED,
            Preferences(quiet_from=1200, quiet_to=330, quiet_days=frozenset({0})),
            "now",
            at(3, 4, 30),
            "quiet time",
        ),
        (FAILED, Preferences(quiet_from=720, quiet_to=780, quiet_days=frozenset({0})), "now", at(3, 7), "quiet time"),
        (STARTED, Preferences(quiet_from=7 * 60, quiet_to=9 * 60 + 30), "calm", at(3, 8, 30), "quiet time"),
    ],
)
def test_the_order_of_what_postpones_a_notification(
    kind: EventType, preferences: Preferences, delivery: str, due_at: datetime | None, reason: str
) -> None:
    assert MentorSchedule(preferences, delivery, BERLIN).when_due(kind, JANE, NOON) == (due_at, reason)


@pytest.mark.parametrize(
    ("kind", "preferences", "now", "due_at", "reason"),
    [
        (ALERT, Preferences(), NOON, NOON, ""),
        (STARTED, Preferences(), at(2, 20), TOMORROW_AT_EIGHT, "digest"),
        (STARTED, Preferences(), at(3, 7), at(3, 7), ""),
        (STARTED, Preferences(), at(3, 15), at(3, 15), ""),
        (STARTED, Preferences(paused_until=at(4, 9)), at(3, 15), at(5, 7), "digest"),
        (STARTED, Preferences(quiet_from=15 * 60, quiet_to=18 * 60), at(3, 15), at(3, 17), "quiet time"),
        (STARTED, Preferences(timings={EventClass.STARTED: Timing.NOW}), at(2, 13), at(2, 13), ""),
        (STARTED, Preferences(timings={EventClass.STARTED: Timing.OFF}), at(2, 13), None, "turned off"),
        (ALERT, Preferences(muted={JANE: at(9, 9)}), at(2, 13), at(9, 9), "muted"),
        (ALERT, Preferences(muted={JANE: at(9, 9)}), at(9, 10), at(9, 10), ""),
        (ALERT, Preferences(paused_until=at(4, 9)), at(4, 9), at(4, 9), ""),
    ],
)
def test_what_has_waited_since_noon_is_scheduled_again(
    kind: EventType, preferences: Preferences, now: datetime, due_at: datetime | None, reason: str
) -> None:
    schedule = MentorSchedule(preferences, "calm", BERLIN)
    assert schedule.still_due(kind, JANE, NOON, now) == (due_at, reason)


@pytest.mark.parametrize("name", ["Europe/Nowhere", "../../etc/passwd", "/etc/localtime", "", "\x00", "Europe"])
def test_a_time_zone_that_is_none_is_the_default(name: str) -> None:
    assert zone_of(Preferences(timezone=name), BERLIN) is BERLIN


def test_a_digest_hour_that_the_clock_skips_is_told_all_the_same() -> None:
    evening = datetime(2026, 3, 28, 20, 0, tzinfo=UTC)  # the night in which Berlin has no 02:30
    due_at, reason = MentorSchedule(Preferences(digest_hours=(2,)), "calm", BERLIN).when_due(STARTED, JANE, evening)
    assert reason == "digest"
    assert due_at is not None
    assert timedelta() <= due_at - evening <= timedelta(hours=6)


@given(
    now=st.integers(0, 5 * 365 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    kind=st.sampled_from(EventType),
    quiet_from=st.none() | st.integers(0, 1439),
    quiet_to=st.none() | st.integers(0, 1439),
    quiet_days=st.frozensets(st.integers(0, 6), max_size=6),
    hours=st.lists(st.integers(0, 23), min_size=1, max_size=4).map(tuple),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]),
)
def test_what_is_postponed_is_due_within_ten_days_and_never_earlier_than_now(
    now: datetime,
    kind: EventType,
    quiet_from: int | None,
    quiet_to: int | None,
    quiet_days: frozenset[int],
    hours: tuple[int, ...],
    zone: str,
) -> None:
    preferences = Preferences(
        timings={EventClass.PROGRESS: Timing.DIGEST},
        digest_hours=hours,
        quiet_from=quiet_from,
        quiet_to=quiet_to,
        quiet_days=quiet_days,
    )
    schedule = MentorSchedule(preferences, "calm", ZoneInfo(zone))
    due_at, _ = schedule.when_due(kind, JANE, now)
    assert due_at is not None
    assert now <= due_at <= now + timedelta(days=10)
    assert schedule.when_due(ALERT, JANE, due_at).due_at == due_at


def test_a18_a_calm_school_is_told_of_alerts_at_once_and_of_the_rest_in_the_morning(
    lms_url: str, tmp_path: Path
) -> None:
    watch = Watch(lms_url, f"sqlite:///{tmp_path}/calm.db", LMS_DELIVERY="calm", LMS_TIMEZONE="Europe/Berlin")
    watch.poll()
    watch.rows.insert_attempt(1)
    watch.rows.insert_attempt(2, state="completed", result="fail")
    watch.poll()
    with watch.store.reading() as transaction:
        _, owed = pending.pending_for_everybody(transaction, 10)
    due = {one.event.source_id: one.due_at for one in owed}
    watch.close()
    assert due == {1: TOMORROW_AT_EIGHT, 2: TOMORROW_AT_EIGHT}
