"""Executes every query of a declaration, and says what of it is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from lms_bot.core.reports.findings import Finding, failed, ok, some, warning
from lms_bot.errors import LmsUnavailable
from lms_bot.lms import inspection
from lms_bot.lms.conformance.installation import Installation
from lms_bot.lms.source import NOW, Query, Schema, columns_of

MOST_ROWS = 100  # of each query; that it can be executed is all that is asked
OPTIONAL, TITLES, REQUIRED = "optional", "titles", "required"


Column = sa.Column[object]


class Named(NamedTuple):
    """A query, what is read by it, and whether it may be missing."""

    name: str
    need: str
    query: Query


def named(schema: Schema) -> Iterator[Named]:
    """Give every query of a declaration."""
    for source in schema.sources:
        need = OPTIONAL if source.is_optional else REQUIRED
        yield from (Named(f"the source {watch.name}", need, watch.select) for watch in source.watches)
    people = schema.people
    yield Named("students", REQUIRED, people.students)
    yield Named("mentors", REQUIRED, people.mentors)
    yield from (Named(f"the links {name}", REQUIRED, query) for name, query in people.links.items())
    for name, several in schema.catalogue.items():
        yield from (Named(f"the catalogue {name!r}", TITLES, query) for query in several)
    presence, enrolment = schema.presence, schema.enrolment
    once = {"days of presence": presence.days, "enrolment": enrolment.since, "durations of exams": enrolment.minutes}
    yield from (Named(name, OPTIONAL, query) for name, query in once.items() if query is not None)
    yield from (Named("moments of presence", OPTIONAL, query) for query in presence.moments)
    yield from (Named(f"deadlines of {name}", OPTIONAL, query) for name, query in enrolment.deadlines.items())
    if people.supervisors is not None:
        yield Named("supervisors", OPTIONAL, people.supervisors)
    yield from (Named(f"the detail {watch.name}", OPTIONAL, watch.select) for watch in schema.detail_watches)
    yield from (Named(f"academics: {name}", OPTIONAL, query) for name, query in schema.academics.named.items())


def check(installation: Installation, now: datetime) -> Iterator[Finding]:
    """Say of each query whether it can be executed, and what of its tables is missing."""
    readable: dict[Column, bool] = {}
    missing: dict[tuple[str, str], set[Column]] = defaultdict(set)
    well: list[str] = []
    for name, need, query in named(installation.schema):
        columns = columns_of(query)
        with installation.reading() as connection:
            for column in columns - readable.keys():
                readable[column] = inspection.can_read(connection, sa.select(column))
        if absent := {column for column in columns if not readable[column]}:
            missing[name, need] |= absent
            continue
        try:
            with installation.reading() as connection:
                connection.execute(query.limit(MOST_ROWS), {NOW.key: int(now.timestamp())}).all()
            well.append(name)
        except LmsUnavailable as error:
            yield failed("schema reads", f"{name} cannot be read: {error}", "correct the query in the declaration")
    there = {str(column.table) for column, is_there in readable.items() if is_there}
    for (name, need), lost in missing.items():
        yield _lost(name, need if name not in well else OPTIONAL, _missing(lost, there))
    yield ok("schema reads", f"{len(well)} queries can be executed")


def _lost(name: str, need: str, missing: str) -> Finding:
    if need == OPTIONAL:
        return ok("schema reads", f"{name}: done without what is optional: {missing}")
    if need == TITLES:
        return warning("schema reads", f"{name} has no texts: {missing}", "grant SELECT, or correct the declaration")
    return failed("schema reads", f"{name} cannot be read: {missing}", "grant SELECT, or correct the declaration")


def _missing(columns: Collection[Column], there: Collection[str]) -> str:
    """Return in words which tables are not there for us, and which columns of those that are."""
    tables = sorted({str(column.table) for column in columns} - set(there))
    absent = [f"no table {some(tables)}"] if tables else []
    within = sorted(f"{column.table}.{column.name}" for column in columns if str(column.table) in there)
    return " and ".join([*absent, *([f"no column {some(within)}"] if within else [])])
