"""Opens the event store, and its transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from lms_bot.db import engine as db_engine
from lms_bot.errors import StoreUnavailable

Transaction = sa.Connection
"""What the functions of this door work in; the rooms above hand it on and know no more about it."""


class Store:
    """An event store at the current schema."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Transaction]:
        """Open a transaction, committed at the end of the block. Raises StoreUnavailable when the store fails.

        Not `durable`, it does not wait for the disk: a machine that loses its power at that moment may forget it.
        """
        with told_plainly(), db_engine.writing(self.engine, durable=durable) as transaction:
            yield transaction

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a transaction that sees one state of the store. Raises StoreUnavailable when the store fails."""
        with told_plainly(), db_engine.reading(self.engine) as transaction:
            yield transaction

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def attempt(transaction: Transaction) -> Iterator[None]:
    """Run a part of a transaction that leaves nothing behind if it raises."""
    with transaction.begin_nested():
        yield


def open_store(url: str) -> Store:
    """Open the event store and bring it to the current schema. Raises StoreUnavailable."""
    from lms_bot.store.schema import upgrade

    engine = db_engine.store_engine(url)
    try:
        with told_plainly():
            upgrade(engine)
    except StoreUnavailable:
        engine.dispose()
        raise
    return Store(engine)


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn what a database that fails raises into StoreUnavailable."""
    try:
        yield
    except (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError):
        raise
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        raise StoreUnavailable(f"the event store does not answer: {db_engine.reason(error)}") from error
