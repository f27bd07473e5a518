"""The store that a copy is made into: it must be empty, and until the copy is whole no bot can open it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from lms_bot.errors import UserError
from lms_bot.store import state
from lms_bot.store.copy.rows import COPYING, tables
from lms_bot.store.schema import CURRENT, unfinished, upgrade, version
from lms_bot.store.session import Store, Transaction


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a copy has come: `source` says of which store, `stamp` how that looked when the copy began.

    All tables before `table` are whole, and that one up to the key `after`.
    """

    source: str
    stamp: str
    table: str | None = None
    after: tuple[Any, ...] | None = None

    def at(self, table: str, after: tuple[Any, ...]) -> Progress:
        return replace(self, table=table, after=after)


def progress(target: Store) -> Progress | None:
    """Return how far the copy in this store has come; None where none was begun. Raises UserError."""
    found = version(target.engine)
    if found is None or found == CURRENT:
        return None
    if found != unfinished(CURRENT):
        raise UserError(f"the target holds a store of another version ({found}): give a new, empty database")
    with target.reading() as transaction:
        kept = state.value(transaction, COPYING)
    return Progress(**{**kept, "after": None if kept["after"] is None else tuple(kept["after"])})


def begin(target: Store, begun: Progress) -> None:
    """Make the store and mark it as a copy that is not finished. Raises UserError unless it is empty."""
    if version(target.engine) is None:
        if sa.inspect(target.engine).get_table_names():
            raise UserError("the target holds other tables: give a database of its own")
        upgrade(target.engine)
    with target.writing() as transaction:
        for table in tables():
            if transaction.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
                raise UserError(f"the target is not empty (there are rows in {table.name}): give a new, empty database")
        _set_version(transaction, unfinished(CURRENT))
        note(transaction, begun)


def note(transaction: Transaction, reached: Progress) -> None:
    """Keep how far the copy has come."""
    state.note(transaction, COPYING, asdict(reached), datetime.now(UTC))


def start_again(target: Store, begun: Progress) -> None:
    """Remove what was copied, of a copy that is not finished."""
    with target.writing() as transaction:
        for table in reversed(tables()):
            transaction.execute(sa.delete(table))
        note(transaction, begun)


def finish(target: Store) -> None:
    """Let bots open the store: the copy is whole."""
    with target.writing() as transaction:
        state.forget(transaction, COPYING)
        _set_version(transaction, CURRENT)


def _set_version(transaction: Transaction, to: str) -> None:
    transaction.execute(sa.text("UPDATE alembic_version SET version_num = :to"), {"to": to})
