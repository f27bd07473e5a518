"""The door to the event store: what was seen, what is owed, what was sent, and who is who."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lms_bot import db
from lms_bot.errors import StoreUnavailable

if TYPE_CHECKING:
    from lms_bot.store.handover import count_unprocessed, mark_processed, student_history, unprocessed_events

__all__ = [
    "Store",
    "Transaction",
    "count_unprocessed",
    "mark_processed",
    "open_store",
    "student_history",
    "unprocessed_events",
]

Transaction = sa.Connection
"""What the functions of this door work in; the rooms above hand it on and know no more about it."""


class Store:
    """An event store at the current schema."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Transaction]:
        """One transaction, committed at the end of the block. Raises StoreUnavailable when the store fails.

        Not `durable`, it does not wait for the disk: a machine that loses its power at that moment may forget it.
        """
        with _told_plainly(), db.writing(self.engine, durable=durable) as transaction:
            yield transaction

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """One transaction that sees one state of the store. Raises StoreUnavailable when the store fails."""
        with _told_plainly(), db.reading(self.engine) as transaction:
            yield transaction

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def attempt(transaction: Transaction) -> Iterator[None]:
    """A part of a transaction that leaves nothing behind if it raises."""
    with transaction.begin_nested():
        yield


def open_store(url: str) -> Store:
    """Open the event store and bring it to the current schema. Raises StoreUnavailable."""
    from lms_bot.store.schema import upgrade

    engine = db.store_engine(url)
    try:
        with _told_plainly():
            upgrade(engine)
    except StoreUnavailable:
        engine.dispose()
        raise
    return Store(engine)


@contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError):
        raise
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        raise StoreUnavailable(f"the event store does not answer: {db.reason(error)}") from error


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """The functions of the hand-over, which need this module themselves."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from lms_bot.store import handover

        return getattr(handover, name)
