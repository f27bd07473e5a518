"""A surge of events becomes summaries, and one incident for the admins."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from lms_bot.pipeline.incident_notifications import TOPIC, send_incidents
from lms_bot.pipeline.surge import POSTPONED_FOR
from lms_bot.store.notifications import outbox, pending
from lms_bot.store.operations import admin_channel, incidents
from lms_bot.store.operations.admin_channel import AdminChannel
from lms_bot.store.session import Store
from tests import NOW
from tests.delivery_scenario import JANE, MARY, DeliveryScenario, happened, notifications, several
from tests.lms_rows import Watch


@pytest.fixture
def watch(lms_url: str, tmp_path: Path) -> Iterator[Watch]:
    watch = Watch(lms_url, f"sqlite:///{tmp_path}/surge.db")
    watch.poll()
    yield watch
    watch.close()


def is_on(watch: Watch) -> bool:
    with watch.store.reading() as transaction:
        return "brake" in incidents.going_on(transaction, ["brake"])


def held(watch: Watch) -> set[timedelta]:
    """How long what is owed waits from now on."""
    with watch.store.reading() as transaction:
        _, owed = pending.pending_for_everybody(transaction, 10_000)
    return {one.due_at - watch.now for one in owed}


def test_an_ordinary_poll_pulls_no_brake(watch: Watch) -> None:
    watch.rows.insert_finished(1, 200, at=watch.now)
    watch.poll()
    assert not is_on(watch)
    assert held(watch) == {timedelta()}


def test_a_flood_is_told_at_once_and_what_follows_it_waits_for_one_summary(watch: Watch) -> None:
    watch.rows.insert_finished(1, 300, at=watch.now)
    watch.poll()
    assert is_on(watch)
    assert held(watch) == {timedelta()}
    pulled_at = watch.now

    watch.rows.insert_finished(400, 410, at=watch.now)
    watch.poll()

    assert held(watch) == {pulled_at - watch.now, pulled_at + POSTPONED_FOR - watch.now}


def test_the_brake_is_released_when_the_flood_is_over(watch: Watch) -> None:
    watch.rows.insert_finished(1, 300, at=watch.now)
    watch.poll()
    watch.poll(watch.now + POSTPONED_FOR)
    assert not is_on(watch)
    watch.rows.insert_finished(400, 410, at=watch.now)
    watch.poll()
    assert timedelta() in held(watch)


def test_what_is_usual_is_no_flood(watch: Watch) -> None:
    for poll in range(4):
        watch.rows.insert_finished(poll * 1000 + 1, poll * 1000 + 190, at=watch.now)
        watch.poll()
    watch.rows.insert_finished(5001, 5400, at=watch.now)
    watch.poll()
    assert not is_on(watch)


def admin_stream(delivery: DeliveryScenario) -> None:
    stream_id = delivery.zulip.add_stream("lms-admin", subscribers=[delivery.chat.bot().user_id])
    with delivery.store.writing() as transaction:
        pinned = AdminChannel(stream_id, "lms-admin", "lms-admin", pinned_by=7)
        admin_channel.keep(transaction, pinned, delivery.clock())


def say(delivery: DeliveryScenario) -> list[str]:
    send_incidents(delivery.store, delivery.chat, delivery.deliverer, delivery.clock())
    return [message.content for message in delivery.zulip.sent_by_bot() if message.topic == TOPIC]


def test_an_alert_is_said_once_when_it_begins_and_once_when_it_is_over(delivery: DeliveryScenario) -> None:
    admin_stream(delivery)
    for _ in range(3):
        with delivery.store.writing() as transaction:
            incidents.begin(transaction, "fire", "It burns.", delivery.clock())
        assert say(delivery) == ["It burns."]
    for _ in range(2):
        with delivery.store.writing() as transaction:
            incidents.end(transaction, "fire", "The fire is out.")
        assert say(delivery) == ["It burns.", "The fire is out."]
    delivery.wait(120, step=30)
    assert say(delivery) == ["It burns.", "The fire is out."]


def test_what_begins_and_ends_before_it_could_be_said_is_not_said(store: Store) -> None:
    with store.writing() as transaction:
        incidents.begin(transaction, "fire", "It burns.", NOW)
        incidents.end(transaction, "fire", "The fire is out.")
        assert incidents.unannounced(transaction) == []


def test_an_alert_that_begins_again_is_not_over(store: Store) -> None:
    with store.writing() as transaction:
        incidents.begin(transaction, "fire", "It burns.", NOW)
        incidents.mark_announced(transaction, incidents.unannounced(transaction)[0], NOW)
        incidents.end(transaction, "fire", "The fire is out.")
        incidents.begin(transaction, "fire", "It burns.", NOW)
        assert incidents.unannounced(transaction) == []
        assert incidents.going_on(transaction, ["fire"])


def test_a_notice_is_said_once(delivery: DeliveryScenario) -> None:
    admin_stream(delivery)
    with delivery.store.writing() as transaction:
        incidents.notice(transaction, "many", "So many.", delivery.clock())
    assert say(delivery) == ["So many."]
    assert say(delivery) == ["So many."]


def test_nothing_is_said_in_a_stream_that_everybody_reads(delivery: DeliveryScenario) -> None:
    admin_stream(delivery)
    delivery.zulip.make_public("lms-admin")
    with delivery.store.writing() as transaction:
        incidents.begin(transaction, "fire", "It burns.", delivery.clock())
    assert say(delivery) == []


def test_two_hundred_waiting_for_one_mentor_are_one_summary_and_one_word_to_the_admins(
    delivery: DeliveryScenario,
) -> None:
    admin_stream(delivery)
    delivery.owe(*several(JANE, 201))
    delivery.turn()
    assert len(delivery.told(MARY)) == 1
    (text,) = say(delivery)
    assert "201 notifications" in text
    assert "mary" not in text.replace("summary", "")


def test_a_parked_message_is_shown_to_the_admins_and_revived_by_them(delivery: DeliveryScenario) -> None:
    admin_stream(delivery)
    (event,) = delivery.owe(happened(JANE, "Geometry"))
    delivery.zulip.fail("refuse")
    delivery.turn()
    with delivery.store.reading() as transaction:
        count, (parked,) = outbox.parked(transaction, 10)
    assert (count, parked.mentor_id) == (1, MARY.mentor_id)
    assert len(say(delivery)) == 1
    delivery.wait(3600, step=600)
    assert delivery.times_told(MARY, event) == 0

    with delivery.store.writing() as transaction:
        assert outbox.requeue_parked(transaction, parked.message_id + 1, delivery.clock()) == 0
        assert outbox.requeue_parked(transaction, parked.message_id, delivery.clock()) == 1
    delivery.turn()

    assert delivery.times_told(MARY, event) == 1
    assert [row.is_sent for row in notifications(delivery.store, MARY)] == [True]
