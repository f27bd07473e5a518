"""Copies a store, page by page, so that it can be killed at any moment and goes on; and compares both at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sqlalchemy.engine import make_url

from lms_bot.db.engine import store_engine, to_json
from lms_bot.errors import LmsBotError, UserError
from lms_bot.store.bulk import insert_all
from lms_bot.store.copy import ids, rows, target
from lms_bot.store.copy.rows import Sum
from lms_bot.store.copy.target import Progress
from lms_bot.store.operations.lease import Lease
from lms_bot.store.schema import CURRENT, version
from lms_bot.store.session import Store, told_plainly

Show = Callable[[str, int, int], None]
"""Called with the name of the step, how many rows are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What the copy holds, by table; `copied` of these rows in this run, where it went on with an earlier one."""

    tables: dict[str, Sum]
    copied: int
    resumed: bool

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.tables.values())


class NotTheSame(LmsBotError):
    """The copy differs from its source."""


def copy_store(from_url: str, to_url: str, source_name: str, show: Show) -> Copied:
    """Copy the store at one URL into the empty database at another one, and compare them.

    `source_name` says which store it is, whoever logs in. Raises UserError where one of the two is not fit for it or a
    bot works with it, NotTheSame where they differ afterwards, and StoreUnavailable.
    """
    with _connected(from_url) as source, _connected(to_url) as copy, told_plainly(), ExitStack() as leases:
        _refuse_unfit(source)
        held = [_hold(leases, source, "source"), _hold(leases, copy, "target")]
        earlier = target.progress(copy)
        begun = Progress(source_name, _stamp(source))
        reached = _prepared(copy, begun, earlier)
        copied = _copy_rows(source, copy, reached, _watched(show, held))
        with source.reading() as transaction:
            given = ids.highest_given(transaction)
        with copy.writing() as transaction:
            ids.go_on_above(transaction, given)
        sums = _compared(source, copy, begun, _watched(show, held))
        target.finish(copy)
        return Copied(sums, copied, resumed=reached.table is not None)


@contextmanager
def _connected(url: str) -> Iterator[Store]:
    """Open a database as it is, whatever its schema."""
    store = Store(store_engine(url))
    try:
        yield store
    finally:
        store.close()


def _refuse_unfit(source: Store) -> None:
    """Refuse a source that is not at the current schema: it is only read here, so that the way back stays open."""
    url = source.engine.url
    if url.get_backend_name() == "sqlite" and not Path(make_url(url).database or "").is_file():
        raise UserError("the source is not there: no such file")
    found = version(source.engine)
    if found is None:
        raise UserError("the source holds no event store")
    if found != CURRENT:
        raise UserError(
            f"the source has schema {found}, and only {CURRENT} can be copied: run `lms-bot migrate` with its settings"
        )


def _hold(leases: ExitStack, store: Store, which: str) -> Lease:
    lease = Lease(store)
    if not lease.take():
        raise UserError(f"a bot works with the {which}, or another copy is being made: stop it first")
    leases.callback(lease.give_up)
    return lease


def _watched(show: Show, leases: list[Lease]) -> Show:
    """Return what shows a step, and makes sure of the leases each time."""

    def shown(step: str, done: int, total: int) -> None:
        if not all(lease.take() for lease in leases):
            raise UserError("the lease was lost: see that no bot works, and run this again, which goes on")
        show(step, done, total)

    return shown


def _stamp(source: Store) -> str:
    """Return what differs when a bot has worked with the source: its facts and counts, and the ids that it gave."""
    small = [table for table in rows.tables() if table.name in ("facts", "counts", "cursors")]
    seen = [rows.sum_of(page) for table in small for page in rows.pages(source.engine, table)]
    with source.reading() as transaction:
        given = ids.highest_given(transaction)
    return sha256(to_json([[str(one) for one in seen], given]).encode()).hexdigest()


def _prepared(copy: Store, begun: Progress, earlier: Progress | None) -> Progress:
    """Return where to begin: where an earlier run was interrupted, if the source is what it was then."""
    if earlier is None:
        target.begin(copy, begun)
        return begun
    if earlier.source != begun.source:
        raise UserError("the target holds an unfinished copy of another store: give a new, empty database")
    if earlier.stamp != begun.stamp:
        target.start_again(copy, begun)
        return begun
    return earlier


def _copy_rows(source: Store, copy: Store, reached: Progress, show: Show) -> int:
    """Copy what is not copied yet; return how many rows that was."""
    names = [table.name for table in rows.tables()]
    whole = set(names[: names.index(reached.table)]) if reached.table else set()
    with source.reading() as transaction:
        total = sum(rows.count(transaction, table) for table in rows.tables())
    with copy.reading() as transaction:
        done = before = sum(rows.count(transaction, table) for table in rows.tables())
    for table in rows.tables():
        if table.name in whole:
            continue
        after = reached.after if table.name == reached.table else None
        for page in rows.pages(source.engine, table, after):
            show("Copying", done, total)
            # Without waiting for the disk: what that could lose is copied again.
            with copy.writing(durable=False) as transaction:
                insert_all(transaction, table, page)
                target.note(transaction, reached.at(table.name, rows.key_of(table, page[-1])))
            done += len(page)
    return done - before


def _compared(source: Store, copy: Store, begun: Progress, show: Show) -> dict[str, Sum]:
    """Return the sums of all tables. Raises NotTheSame, after which the copy has to be made anew."""
    theirs, ours = _sums(source, "Reading the source again", show), _sums(copy, "Reading the copy", show)
    if differing := [name for name, found in theirs.items() if found != ours[name]]:
        with copy.writing() as transaction:
            target.note(transaction, Progress(begun.source, stamp=""))
        raise NotTheSame(
            f"the copy is not the same as the source in {', '.join(differing)}: something has changed one of them "
            "meanwhile. Stop whatever uses them, and run this again: it begins anew"
        )
    return ours


def _sums(store: Store, step: str, show: Show) -> dict[str, Sum]:
    with store.reading() as transaction:
        total = sum(rows.count(transaction, table) for table in rows.tables())
    found, done = {}, 0
    for table in rows.tables():
        count = digests = 0
        for page in rows.pages(store.engine, table):
            count += len(page)
            digests += rows.sum_of(page)
            show(step, done + count, total)
        done += count
        found[table.name] = rows.as_sum(count, digests)
    return found
