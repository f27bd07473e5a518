"""Several polls at once may note which students are to be judged next."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from lms_bot.errors import StoreUnavailable
from lms_bot.store import tables
from lms_bot.store.alerts import watchlist
from lms_bot.store.session import Store, Transaction
from tests import NOW

STUDENTS = list(range(1_500, 0, -1))


def test_polls_at_once_wait_for_one_another_and_none_fails(store: Store) -> None:
    with store.writing() as transaction:
        transaction.execute(sa.insert(tables.watched), [{"student_id": number} for number in STUDENTS])
    failed: list[StoreUnavailable] = []

    def often(work: Callable[[Transaction], None]) -> None:
        for _ in range(15):
            try:
                with store.writing() as transaction:
                    work(transaction)
            except StoreUnavailable as error:
                failed.append(error)

    def touch(transaction: Transaction) -> None:
        watchlist.mark_due(transaction, STUDENTS, NOW)

    def look_again(transaction: Transaction) -> None:
        watchlist.schedule(transaction, dict.fromkeys(STUDENTS, NOW + timedelta(days=1)))

    threads = [threading.Thread(target=often, args=(work,)) for work in (touch, look_again, touch, look_again)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with store.reading() as transaction:
        assert len(watchlist.due(transaction, NOW + timedelta(days=1), 2_000)) == len(STUDENTS)
