"""What students did, and their streaks: one page of it newest first, or all of it in pages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bot.core.events import ALERTING, Event, searched
from lms_bot.core.reports.feed import Exported, Filter, Place, Position
from lms_bot.db.lists import each_id, in_list
from lms_bot.store.events.events import AS_EVENT, from_row
from lms_bot.store.session import Transaction
from lms_bot.store.tables import events

EXPORT_PAGE = 1_000
ALL = Filter()
_COLUMNS_OF_PLACE = (events.c.timestamp, events.c.event_id)
_PLACE = sa.tuple_(*_COLUMNS_OF_PLACE)
_EXPORTED = [events.c[name] for name in ("timestamp", "student_id", "student_username", "event_type", "activity_id")]
_EXPORTED += [events.c[name] for name in ("activity_title", "activity_metadata", "is_current", "event_id")]


def feed(
    transaction: Transaction, student_ids: Collection[int], most: int, wanted: Filter = ALL, offset: int = 0
) -> list[Event]:
    """Return at most `most` events of the students, newest first, after the first `offset`.

    Ask for one more than is shown to learn whether there are more.
    """
    c = events.c
    ids = newest_ids(transaction, student_ids, conditions(wanted), offset + most).limit(most).offset(offset)
    query = sa.select(*AS_EVENT).where(c.event_id.in_(ids)).order_by(c.timestamp.desc(), c.event_id.desc())
    return [from_row(row) for row in transaction.execute(query)]


def newest_ids(
    transaction: Transaction, student_ids: Collection[int], which: Sequence[sa.ColumnElement[bool]], most: int
) -> sa.Select[Any]:
    """Select the ids of the students' events with some conditions, newest first; nobody needs more than `most`.

    However many events a student has, only the newest few are looked at: SQLite leaves a student whose next event is
    older than all that are needed; PostgreSQL is told to take so many of each.
    """
    c = events.c
    newest = (c.timestamp.desc(), c.event_id.desc())
    if transaction.dialect.name == "sqlite":
        of_students = in_list(c.student_id, student_ids, "sqlite")
        return sa.select(c.event_id).where(of_students, *which).order_by(*newest)
    each = each_id(transaction, student_ids)
    of_each = sa.select(c.event_id, c.timestamp).where(c.student_id == each.c.value, *which)
    few = of_each.order_by(*newest).limit(most).lateral()
    joined = each.join(few, sa.true())
    return sa.select(few.c.event_id).select_from(joined).order_by(few.c.timestamp.desc(), few.c.event_id.desc())


def export(
    transaction: Transaction,
    student_ids: Collection[int],
    since: datetime | None = None,
    *,
    most: int | None = None,
    after: Position | None = None,
) -> Iterator[list[Exported]]:
    """Yield all events of the students in pages, by student and oldest first: at most `most` `after` a position."""
    c = events.c
    left = student_ids if after is None else [student_id for student_id in student_ids if student_id >= after[0]]
    query = (
        sa.select(*_EXPORTED)
        .where(in_list(c.student_id, left, transaction.dialect.name), *conditions(Filter(since)))
        .order_by(c.student_id, c.timestamp, c.event_id)
        .limit(most)
        .execution_options(yield_per=EXPORT_PAGE)
    )
    if after is not None:
        query = query.where(_is_after(after))
    for page in transaction.execute(query).partitions():
        yield list(map(Exported._make, page))


def _is_after(position: Position) -> sa.ColumnElement[bool]:
    columns = (events.c.student_id, events.c.timestamp, events.c.event_id)
    values = (sa.literal(value, column.type) for value, column in zip(position, columns, strict=True))
    return sa.tuple_(*columns) > sa.tuple_(*values)


def conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    """Return what holds for the events that are asked for."""
    c = events.c
    found: list[sa.ColumnElement[bool]] = [c.mirrors.is_(None), ~c.is_withdrawn, c.event_type.not_in(ALERTING)]
    if wanted.since is not None:
        found.append(c.timestamp >= wanted.since)
    if wanted.types:
        found.append(c.event_type.in_(wanted.types))
    if wanted.course:
        found.append(c.course_key.contains(searched(wanted.course), autoescape=True))
    if wanted.until is not None:
        found.append(c.timestamp < wanted.until)
    if wanted.search:
        found.append(_is_about(wanted.search) | c.student_id.in_(wanted.named))
    if wanted.before is not None:
        found.append(is_before(wanted.before))
    if wanted.event_ids:
        found.append(c.event_id.in_(wanted.event_ids))
    return found


def is_before(place: Place) -> sa.ColumnElement[bool]:
    """Return that an event comes after a place in what is read newest first."""
    return _bound(place) > _PLACE


def is_not_before(place: Place) -> sa.ColumnElement[bool]:
    """Return that an event is at a place, or comes before it; unlike a negation, this ends a search in an index."""
    return _bound(place) <= _PLACE


def _bound(place: Place) -> sa.Tuple:
    return sa.tuple_(*(sa.literal(value, column.type) for value, column in zip(place, _COLUMNS_OF_PLACE, strict=True)))


def _is_about(text: str) -> sa.ColumnElement[bool]:
    """Return that a title has a text in it, in any case; SQLite folds only A to Z, so the usual cases are tried."""
    title, part = events.c.activity_title, searched(text)
    forms = {part, part.upper(), part.capitalize(), part.title()}
    return sa.or_(*(title.icontains(form, autoescape=True) for form in sorted(forms)))
