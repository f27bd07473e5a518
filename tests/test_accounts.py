"""Which Zulip account is whose: by e-mail address, by an admin's hand, and never by guessing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from lms_bot.core.notifications import Recipient
from lms_bot.core.people import Mentor, ZulipUser
from lms_bot.store import state, tables
from lms_bot.store.notifications import outbox, queue
from lms_bot.store.operations import incidents, organisation
from lms_bot.store.people import accounts, directory, people
from lms_bot.store.questions import claims
from lms_bot.store.session import Store
from lms_bot.worker.accounts import follow_organisation
from tests import NOW
from tests.delivery_scenario import GULNORA, JANE, MARY, OMAR, DeliveryScenario, happened

MARYS = ZulipUser(7, "Mary", "MARY@school.example ", True, False)
OTHER = ZulipUser(8, "Maria", "maria@home.example", True, False)


def mapped(store: Store, *users: ZulipUser, by_hand: int | None = None) -> Mentor:
    """Mary, with these accounts in Zulip."""
    with store.writing() as transaction:
        people.keep_people(transaction, [], [MARY], [], NOW)
        accounts.keep_zulip_users(transaction, users, NOW)
        if by_hand is not None:
            accounts.map_by_hand(transaction, MARY.mentor_id, by_hand, NOW)
        found = people.mentor(transaction, MARY.mentor_id)
    assert found is not None
    return found


def test_the_hand_goes_before_the_address(store: Store) -> None:
    assert mapped(store, MARYS, OTHER).zulip_user_id == 7
    assert mapped(store, MARYS, OTHER, by_hand=8).zulip_user_id == 8


def test_the_hand_settles_a_conflict(store: Store) -> None:
    twin = replace(MARYS, user_id=9)
    found = mapped(store, MARYS, twin)
    assert (found.zulip_user_id, found.unmapped_reason) == (None, "several Zulip accounts have this e-mail address")
    assert mapped(store, MARYS, twin, by_hand=9).zulip_user_id == 9


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        (replace(OTHER, is_active=False), "the Zulip account mapped by hand is deactivated"),
        (replace(OTHER, is_bot=True), "the Zulip account mapped by hand is a bot"),
        (replace(OTHER, user_id=99), "the account mapped by hand is gone"),
    ],
)
def test_a_hand_that_points_at_nobody_is_not_replaced_by_a_guess(store: Store, account: ZulipUser, reason: str) -> None:
    found = mapped(store, MARYS, account, by_hand=8)
    assert (found.zulip_user_id, found.unmapped_reason) == (None, reason)


def test_what_an_admin_mapped_outlives_a_reading_of_the_people(store: Store) -> None:
    mapped(store, MARYS, OTHER, by_hand=8)
    assert mapped(store, MARYS, OTHER).zulip_user_id == 8
    with store.writing() as transaction:
        accounts.map_by_hand(transaction, MARY.mentor_id, None, NOW)
    assert mapped(store, MARYS, OTHER).zulip_user_id == 7


def test_what_waited_for_a_mapping_comes_as_one_summary(delivery: DeliveryScenario) -> None:
    delivery.read_people(mentors=[replace(MARY, email="mary@elsewhere.example"), OMAR])
    for _ in range(5):
        delivery.owe(happened(JANE, "Geometry"))
        delivery.wait(7200, step=3600)
    assert delivery.told(MARY) == []

    with delivery.store.writing() as transaction:
        woken = accounts.map_by_hand(transaction, MARY.mentor_id, delivery.account(MARY), delivery.clock())
        queue.make_mapped_due(transaction, woken, delivery.clock())
    delivery.turn()

    (text,) = delivery.told(MARY)
    assert "5 events of 1 student" in text


@pytest.mark.parametrize(
    ("in_lms", "in_zulip"),
    [
        ("strauß@school.example", "strauss@school.example"),
        ("ſam@school.example", "sam@school.example"),
        ("\u212aim@school.example", "kim@school.example"),
        ("soﬁa@school.example", "sofia@school.example"),
        ("İpek@school.example", "i\u0307pek@school.example"),
        ("josé@school.example", "jose\u0301@school.example"),
        ("ÉMILE@school.example", "émile@school.example"),
    ],
)
def test_c4_an_address_that_differs_in_more_than_ascii_case_is_another_one(
    store: Store, in_lms: str, in_zulip: str
) -> None:
    mary = replace(MARY, email=in_lms)
    with store.writing() as transaction:
        people.keep_people(transaction, [], [mary], [], NOW)
        accounts.keep_zulip_users(transaction, [replace(MARYS, email=in_zulip)], NOW)
        found = people.mentor(transaction, mary.mentor_id)
        assert accounts.accounts_named(transaction, in_lms) == []
        assert directory.named(transaction, in_zulip) == []
        assert [person.email for person in directory.named(transaction, in_lms)] == [in_lms]
    assert found is not None
    assert (found.zulip_user_id, found.unmapped_reason) == (None, "no Zulip account with this e-mail address")


def test_c4_ascii_case_and_space_around_do_not_matter(store: Store) -> None:
    assert mapped(store, MARYS).zulip_user_id == 7
    with store.reading() as transaction:
        assert accounts.accounts_named(transaction, " Mary@SCHOOL.example") == [MARYS]
        assert [person.username for person in directory.named(transaction, "MARY@School.Example")] == [MARY.username]


def test_d7_what_waited_for_a_hidden_address_is_due_when_it_is_seen(delivery: DeliveryScenario) -> None:
    hidden = replace(MARYS, email=f"user{MARYS.user_id}@school.example")
    with delivery.store.writing() as transaction:
        accounts.keep_zulip_users(transaction, [hidden], NOW)
        mary = people.mentor(transaction, MARY.mentor_id)
    assert mary is not None
    assert mary.unmapped_reason is not None
    assert "hidden from the bot" in mary.unmapped_reason
    with delivery.store.writing() as transaction:
        assert accounts.keep_zulip_users(transaction, [replace(MARYS, email=MARY.email)], NOW) == [MARY.mentor_id]


# Another organisation


def test_a9_another_organisation_is_served_as_if_it_was_new(any_delivery: DeliveryScenario) -> None:
    delivery, store, now = any_delivery, any_delivery.store, any_delivery.clock()
    stranger = delivery.zulip.add_user("Stranger", "stranger@school.example")
    with store.writing() as transaction:
        assert organisation.follow(transaction, "old.example.org", now) is None
        accounts.map_by_hand(transaction, OMAR.mentor_id, stranger, now)
        claims.claim(transaction, 1_000_000, now)
        state.note(transaction, claims.CAUGHT_UP_TO, {"first": 1, "newest": 1_000_000}, now)
        outbox.freeze(transaction, outbox.Draft(Recipient((stranger,)), "an answer"), now)
    [event] = delivery.owe(happened(JANE, "Biology"))
    delivery.zulip.fail("500_before")
    delivery.turn()
    [other] = delivery.owe(happened(GULNORA, "Chemistry"))

    follow_organisation(store, delivery.chat, now)

    with store.reading() as transaction:
        assert directory.mapped_by_hand(transaction, OMAR.mentor_id) is None
        assert claims.claimed(transaction, [1_000_000]) == set()
        assert state.value(transaction, claims.CAUGHT_UP_TO) is None
        assert transaction.scalar(sa.select(sa.func.max(tables.messages.c.zulip_message_id))) is None
        (incident,) = incidents.unannounced(transaction)
        assert "old.example.org" in incident.text
    delivery.read_accounts()
    delivery.wait(130, step=10)
    assert (delivery.times_told(MARY, event), delivery.times_told(OMAR, other)) == (1, 1)
    assert delivery.zulip.direct_to(stranger) == []


def test_a9_the_same_organisation_keeps_what_is_known_of_it(delivery: DeliveryScenario) -> None:
    for _ in range(2):
        follow_organisation(delivery.store, delivery.chat, delivery.clock())
    with delivery.store.reading() as transaction:
        assert accounts.zulip_user(transaction, delivery.account(MARY)) is not None
        assert incidents.unannounced(transaction) == []
