"""What a mentor asks for holds what is owed to them, drops nothing, and is looked at again when it is released."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_bot.core.events import EventClass, EventType
from lms_bot.core.notifications import Preferences, Recipient, Timing
from lms_bot.core.people import ZulipUser
from lms_bot.pipeline.recheck import reschedule_mentor
from lms_bot.store.notifications import outbox, preferences, queue
from lms_bot.store.people import accounts, people
from lms_bot.store.session import Store, open_store
from tests import NOW
from tests.delivery_scenario import JANE, MARY, OMAR, RAVI, DeliveryScenario, happened, notifications

PASSED, FAILED, STARTED = EventType.EXAM_PASSED, EventType.EXAM_FAILED, EventType.EXAM_STARTED
HOUR, DAY = 3600.0, 86400.0


def ask(delivery: DeliveryScenario, chosen: Preferences) -> None:
    """Mary asks for this from now on."""
    now = delivery.clock()
    with delivery.store.writing() as transaction:
        preferences.save(transaction, MARY.mentor_id, chosen, now)
        reschedule_mentor(transaction, MARY.mentor_id, delivery.settings, now)


def due(delivery: DeliveryScenario) -> list[datetime | None]:
    return [row.due_at for row in notifications(delivery.store, MARY)]


@pytest.fixture(scope="module")
def asked() -> Iterator[Store]:
    """A store in memory with a mentor, who asks for one thing after the other."""
    store = open_store("sqlite://")
    with store.writing() as transaction:
        people.keep_people(transaction, [], [MARY], [], NOW)
    yield store
    store.close()


moments = st.integers(0, 4 * 365 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes))


@given(
    st.builds(
        Preferences,
        timings=st.dictionaries(st.sampled_from(EventClass), st.sampled_from(Timing)),
        digest_hours=st.lists(st.integers(0, 23), min_size=1, max_size=3, unique=True).map(tuple),
        quiet_from=st.none() | st.integers(0, 1439),
        quiet_to=st.none() | st.integers(0, 1439),
        quiet_days=st.frozensets(st.integers(0, 6), max_size=6),
        timezone=st.none() | st.sampled_from(["Europe/Berlin", "Asia/Tashkent"]),
        muted=st.dictionaries(st.integers(1, 2**40), moments, max_size=3),
        paused_until=st.none() | moments,
    )
)
def test_what_was_asked_for_is_kept_as_it_was_asked(asked: Store, chosen: Preferences) -> None:
    with asked.writing() as transaction:
        preferences.save(transaction, MARY.mentor_id, chosen, datetime.now(UTC))
        assert preferences.effective(transaction, [MARY.mentor_id, 404]) == {MARY.mentor_id: chosen}


def test_the_latest_choice_holds(store: Store) -> None:
    now = datetime.now(UTC)
    with store.writing() as transaction:
        people.keep_people(transaction, [], [MARY, OMAR], [], now)
        preferences.save(transaction, MARY.mentor_id, Preferences(quiet_from=60, quiet_to=120), now)
        preferences.save(transaction, MARY.mentor_id, Preferences(digest_hours=(7, 19)), now)
        found = preferences.effective(transaction, [MARY.mentor_id, OMAR.mentor_id])
    assert found == {MARY.mentor_id: Preferences(digest_hours=(7, 19)), OMAR.mentor_id: Preferences()}


def test_the_time_zone_is_that_of_the_zulip_account_until_another_is_asked_for(store: Store) -> None:
    now = datetime.now(UTC)
    with store.writing() as transaction:
        people.keep_people(transaction, [], [MARY], [], now)
        user = ZulipUser(7, "Mary", MARY.email, True, False, timezone="Asia/Tashkent")
        accounts.keep_zulip_users(transaction, [user], now)
        assert preferences.effective(transaction, [1])[1].timezone == "Asia/Tashkent"
        preferences.save(transaction, 1, Preferences(timezone="Europe/Berlin"), now)
        assert preferences.effective(transaction, [1])[1].timezone == "Europe/Berlin"


def test_quiet_time_holds_what_is_due_in_it_and_drops_nothing(delivery: DeliveryScenario) -> None:
    minute = delivery.clock().hour * 60 + delivery.clock().minute
    ask(delivery, Preferences(quiet_from=minute, quiet_to=(minute + 60) % 1440))
    (event,) = delivery.owe(happened(JANE, "Geometry"))
    delivery.turn()
    assert delivery.told(MARY) == []
    assert due(delivery) == [delivery.clock().replace(second=0) + timedelta(hours=1)]

    delivery.clock.forward(HOUR + 60)
    delivery.turn()

    assert delivery.times_told(MARY, event) == 1


def test_what_is_muted_comes_when_it_is_no_longer_and_the_rest_comes_at_once(delivery: DeliveryScenario) -> None:
    ask(delivery, Preferences(muted={JANE.student_id: delivery.clock() + timedelta(days=7)}))
    jane, ravi = delivery.owe(happened(JANE, "Geometry"), happened(RAVI, "Algebra"))
    delivery.turn()
    assert (delivery.times_told(MARY, jane), delivery.times_told(MARY, ravi)) == (0, 1)

    ask(delivery, Preferences())
    delivery.turn()

    assert (delivery.times_told(MARY, jane), delivery.times_told(MARY, ravi)) == (1, 1)


def test_a_pause_ends_by_itself_and_brings_one_summary(delivery: DeliveryScenario) -> None:
    ask(delivery, Preferences(paused_until=delivery.clock() + timedelta(hours=5)))
    for _ in range(5):
        delivery.owe(happened(JANE, "Geometry"))
        delivery.wait(HOUR, step=HOUR)
    delivery.wait(HOUR, step=HOUR)

    (text,) = delivery.told(MARY)
    assert "5 events of 1 student" in text


def test_what_is_turned_off_while_it_waits_is_never_told_and_says_so(delivery: DeliveryScenario) -> None:
    ask(delivery, Preferences(paused_until=delivery.clock() + timedelta(hours=5)))
    delivery.owe(happened(JANE, "Geometry", STARTED))
    delivery.turn()
    ask(delivery, Preferences(timings={EventClass.STARTED: Timing.OFF}))
    delivery.wait(DAY, step=HOUR)

    (row,) = notifications(delivery.store, MARY)
    assert (delivery.told(MARY), row.due_at, row.error, row.is_sent) == ([], None, "turned off", False)


def test_what_is_in_a_message_already_is_not_touched_by_a_preference(delivery: DeliveryScenario) -> None:
    (event,) = delivery.owe(happened(JANE, "Geometry", STARTED))
    with delivery.store.writing() as transaction:
        (waiting,) = queue.unsent_to(transaction, MARY.mentor_id)
        outbox.freeze(
            transaction,
            outbox.Draft(
                Recipient(user_ids=(delivery.account(MARY),)),
                "📝 Geometry",
                mentor_id=MARY.mentor_id,
                log_ids=[waiting.log_id],
            ),
            delivery.clock(),
        )
    ask(delivery, Preferences(timings={EventClass.STARTED: Timing.OFF}))

    (row,) = notifications(delivery.store, MARY)
    assert (row.event_id, row.error) == (event.event_id, None)
    assert row.due_at is not None


def test_a_digest_is_told_at_its_hour_once_and_a_late_one_is_not_held_for_another_day(
    delivery: DeliveryScenario,
) -> None:
    hour = (delivery.clock().hour + 2) % 24
    ask(delivery, Preferences(timings={EventClass.STARTED: Timing.DIGEST}, digest_hours=(hour,)))
    (event,) = delivery.owe(happened(JANE, "Geometry", STARTED))
    ask(delivery, Preferences(timings={EventClass.STARTED: Timing.DIGEST}, digest_hours=(hour,)))
    delivery.wait(HOUR, step=HOUR)
    assert delivery.told(MARY) == []

    delivery.clock.forward(5 * HOUR)  # nobody was there at the hour
    delivery.turn()

    assert delivery.times_told(MARY, event) == 1


def test_a_start_that_waits_for_the_digest_is_not_told_after_its_end_was(delivery: DeliveryScenario) -> None:
    ask(delivery, Preferences(timings={EventClass.STARTED: Timing.DIGEST}))
    start = happened(JANE, "Geometry", STARTED, source_id=900_001)
    (start,) = delivery.owe(start)
    ask(delivery, Preferences(timings={EventClass.STARTED: Timing.DIGEST}))
    delivery.turn()
    delivery.owe(happened(JANE, "Geometry", PASSED, source_id=900_001))
    delivery.turn()
    delivery.wait(2 * DAY, step=HOUR)

    (text,) = delivery.told(MARY)
    assert "Exam Passed!" in text
    rows = notifications(delivery.store, MARY)
    assert [row.is_sent for row in rows] == [True, True]
    assert len({row.zulip_message_id for row in rows}) == 1


def test_a_new_mentor_is_told_by_their_own_preferences(delivery: DeliveryScenario) -> None:
    ask(delivery, Preferences(paused_until=delivery.clock() + timedelta(days=3)))
    (event,) = delivery.owe(happened(JANE, "Geometry"))
    delivery.turn()
    delivery.move(JANE, OMAR)
    ask(delivery, Preferences())
    delivery.turn()

    assert (delivery.times_told(MARY, event), delivery.times_told(OMAR, event)) == (0, 1)
