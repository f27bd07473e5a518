"""Signals wake the worker and are never believed: forged, lost, repeated or late, they leave exactly the same store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from lms_bot.core.web.tokens import Scope
from lms_bot.store.operations import orders
from lms_bot.store.session import Store, open_store
from lms_bot.store.tables import metadata
from tests.bot_process import JANE, BotProcess, Place, from_store, wait_for
from tests.databases import make_store, on_server, store_in_file
from tests.test_settings import SIGNAL_SECRET
from tests.web_process import make_token, people_the_store, record, serving

WEBHOOK = Webhook(SIGNAL_SECRET)
OTHER = Webhook(SIGNAL_SECRET.replace("whsec_d", "whsec_e"))
SETTINGS = f"signal_secret = {SIGNAL_SECRET}"
BY_THE_WEB = {"api_audit", "api_tokens", "orders", "sqlite_sequence"}


def headers(number: int, body: str = "{}", by: Webhook = WEBHOOK, age: timedelta = timedelta()) -> dict[str, str]:
    """What Standard Webhooks send along with a body."""
    at = datetime.now(UTC) - age
    signature = by.sign(f"msg_{number}", at, body)
    stamp = str(int(at.timestamp()))
    return {"webhook-id": f"msg_{number}", "webhook-timestamp": stamp, "webhook-signature": signature}


def send(client: httpx.Client, kind: str, number: int) -> int:
    """Send a signal of some kind; gives the status."""
    body = f'{{"student": {number}}}'
    signed = {
        "good": headers(number, body),
        "forged": headers(number, body, OTHER),
        "late": headers(number, body, age=timedelta(minutes=6)),
        "early": headers(number, body, age=-timedelta(minutes=6)),
        "tampered": headers(number, f"{body} "),
        "unsigned": {},
        "half": {"webhook-id": f"msg_{number}"},
        "strange": {**headers(number, body), "webhook-signature": "v1"},
    }[kind]
    return client.post("/api/v1/signals", content=body, headers=signed).status_code


def content(store: Store) -> dict[str, list[Any]]:
    """All that is in a store, but for the audit of the web and the orders."""
    with store.reading() as transaction:
        tables = [table for table in metadata.sorted_tables if table.name not in BY_THE_WEB]
        return {table.name: sorted(map(repr, transaction.execute(sa.select(table)))) for table in tables}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def listening(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, httpx.Client]]:
    folder = tmp_path_factory.mktemp("signals")
    with ExitStack() as stack:
        url = store_in_file(folder / "store.db")
        if request.param == "postgresql":
            url = stack.enter_context(on_server(request.getfixturevalue("postgresql_server"), make_store))
        store = open_store(url)
        stack.callback(store.close)
        people_the_store(store)
        record(store, JANE, 3)
        yield store, stack.enter_context(serving(url, folder, SETTINGS)).client()


KINDS = ["good", "forged", "late", "early", "tampered", "unsigned", "half", "strange"]
NUMBERS = iter(range(1, 1_000_000))


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 2)), max_size=8))
def test_whatever_is_sent_the_store_is_the_same(
    listening: tuple[Store, httpx.Client], sent: list[tuple[str, int]]
) -> None:
    store, client = listening
    before, first = content(store), next(NUMBERS) * 10
    statuses = [send(client, kind, first + which) for kind, which in sent]
    assert statuses == [202 if kind == "good" else 401 for kind, _ in sent]
    with store.writing() as transaction:
        ordered = orders.pending(transaction)
        orders.remove(transaction, ordered)
    assert len(ordered) == any(kind == "good" for kind, _ in sent)
    assert content(store) == before


def test_a_repeated_signal_wakes_nobody_again(listening: tuple[Store, httpx.Client]) -> None:
    store, client = listening
    number = next(NUMBERS) * 10
    for is_first in (True, False):
        assert send(client, "good", number) == 202
        with store.writing() as transaction:
            ordered = orders.pending(transaction)
            orders.remove(transaction, ordered)
        assert len(ordered) == is_first


def test_a_token_may_signal_too_if_it_is_for_that(listening: tuple[Store, httpx.Client]) -> None:
    store, client = listening
    for scope, status in ((Scope.SIGNALS, 202), (Scope.ACTIVITY, 403)):
        bearer = {"Authorization": f"Bearer {make_token(store, f'with-{scope}', scope)}"}
        assert client.post("/api/v1/signals", headers=bearer).status_code == status


def test_a_signal_wakes_the_poll_within_seconds(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMS_ACTIVITY_POLL_INTERVAL", "3000")
    bot = BotProcess(place.zulip, place.folder, place.lms_url, place.store_url)
    with bot, serving(place.store_url, place.folder, SETTINGS) as web:
        found = "SELECT count(*) FROM lms_activity_events WHERE source_id = 9001"
        place.lms.pass_exam(9001, JANE)
        assert send(web.client(), "forged", 1) == 401
        assert from_store(place.store_url, "SELECT count(*) FROM orders") == [(0,)]
        assert send(web.client(), "good", 1) == 202
        wait_for(lambda: from_store(place.store_url, found) == [(1,)], story=lambda: bot.output)
        wait_for(lambda: any("Exam Passed!" in message.content for message in place.zulip.direct_to(place.people.mary)))
        assert from_store(place.store_url, "SELECT count(*) FROM orders") == [(0,)]


def test_a_program_that_orders_a_sync_gets_one_and_nobody_is_told(place: Place) -> None:
    bot = BotProcess(place.zulip, place.folder, place.lms_url, place.store_url)
    with bot, serving(place.store_url, place.folder, SETTINGS) as web:
        store = open_store(place.store_url)
        bearer = {"Authorization": f"Bearer {make_token(store, 'with-sync', Scope.SYNC)}"}
        store.close()
        for _ in range(3):
            answer = web.client().post("/api/v1/lms/sync/students/", headers=bearer)
            assert (answer.status_code, answer.json()["status"]) == (202, "ordered")
        wait_for(lambda: from_store(place.store_url, "SELECT count(*) FROM orders") == [(0,)], story=lambda: bot.output)
        assert from_store(place.store_url, "SELECT count(*) FROM courses") != [(0,)]
    assert not [one for one in place.zulip.direct_to(place.people.ada) if "sync" in one.content.lower()]
