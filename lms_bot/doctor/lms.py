"""Checks whether the LMS is there, as we expect it, and safe from us."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from lms_bot.config.settings import Settings
from lms_bot.core.people import Mentor
from lms_bot.core.reports.findings import Finding, failed, ok, some, warning
from lms_bot.errors import LmsUnavailable
from lms_bot.lms import Lms, schemas
from lms_bot.lms.inspection import Kind, Server, Table, Wanted, installed, wanted
from lms_bot.lms.source import Schema

OLDEST, BY_CTID = 130_000, 140_000  # PostgreSQL 13 is needed, 14 reads ranges of ctid
SKEW = timedelta(seconds=30)
_ROLES = {"classic": "lms", "moodle": "moodle", "lessons": "lessons"}  # in the names of the files in deploy/
_ZONELESS = frozenset({"date", "timestamp without time zone"})
_ZONELESS_IN_MYSQL = frozenset({"date", "datetime"})
CLOCK_MODE = (
    "changes are found in clock mode: a page is safe once it was read longer ago than longest_transaction, and late "
    "changes are found by comparing the values of slices of keys"
)
_FITS = {
    Kind.INTEGER: {Kind.INTEGER},
    Kind.NUMBER: {Kind.INTEGER, Kind.NUMBER},
    Kind.TEXT: {Kind.TEXT},
    Kind.TIME: {Kind.TIME, Kind.TEXT},
}


class People:
    """The mentors of the LMS, once they were read."""

    def __init__(self, lms: Lms) -> None:
        self._lms = lms
        self.mentors: Sequence[Mentor] | None = None

    def read(self) -> Iterator[Finding]:
        """Read the people."""
        people = self._lms.read_people(datetime.now(UTC))
        self.mentors = people.mentors
        counts = f"{len(people.students)} students, {len(people.mentors)} mentors, {len(people.links)} links"
        if people.links:
            yield ok("lms people", counts)
        else:
            yield warning("lms people", counts, "nobody will be told: no mentor has a student in the LMS")


def checks(lms: Lms, people: People, settings: Settings) -> Sequence[tuple[str, Callable[[], Iterator[Finding]]]]:
    """Return the checks of the LMS, in order."""
    return (
        ("lms", lambda: reach(lms)),
        ("lms writes", lambda: writes(lms.server(), lms.schema)),
        ("lms limit", lambda: limit(lms.server())),
        ("lms tables", lambda: tables(lms, settings)),
        ("lms extras", lambda: extras(lms.missing_extras())),
        ("lms studies", lambda: studies(lms.missing_academics(), lms.misfits(datetime.now(UTC)), lms.schema)),
        ("lms indexes", lambda: indexes(lms.server(), lms.schema, lms.tables())),
        ("lms times", lambda: times(lms.server(), lms.schema, lms.tables(), settings)),
        ("lms sweep", lambda: sweep(lms.server(), lms.schema, lms.tables())),
        ("lms links", lambda: links(lms.schema, settings)),
        ("lms people", people.read),
        ("lms clock", lambda: clock("lms clock", "the LMS", lms.server().ahead)),
    )


def reach(lms: Lms) -> Iterator[Finding]:
    """Check whether the LMS can be read."""
    try:
        server = lms.server()
    except LmsUnavailable as error:
        yield failed("lms", f"cannot be reached: {error}", "check lms_database_url, its login, and the network")
        return
    yield version(server)


def version(server: Server) -> Finding:
    """Check whether the server is new enough."""
    if 0 < server.version < OLDEST:
        return failed("lms", f"{server.product} is too old", "PostgreSQL 13 or newer is needed")
    return ok("lms", f"answers: {server.product}")


def writes(server: Server, schema: Schema) -> Iterator[Finding]:
    """Check whether our connection, or our role by itself, could change the LMS; judged by the catalog alone."""
    if server.is_read_only:
        yield ok("lms writes", "our connection refuses to write")
    else:
        yield failed("lms writes", "our connection would write", "something between us and the LMS undoes READ ONLY")
    if server.is_superuser:
        yield warning("lms role", f"the role {server.role} is a superuser", _grants(server, schema))
    elif server.writable:
        message = f"the role {server.role} could write to {some(server.writable)}"
        yield warning("lms role", message, _grants(server, schema))
    elif server.role:
        yield ok("lms role", f"the role {server.role} can write to no table")


def limit(server: Server) -> Iterator[Finding]:
    """Check whether the server ends a statement of ours that takes too long; SQLite has no server."""
    if server.time_limit is not None:
        yield ok("lms limit", f"the server ends a statement of ours after {server.time_limit.total_seconds():g} s")
    elif server.is_mysql:
        advice = "MariaDB 10.1.1 or MySQL 5.7.8 and newer keep one; a pooler must not undo it"
        yield warning("lms limit", "the server keeps no time limit for our statements", advice)


def tables(lms: Lms, settings: Settings) -> Iterator[Finding]:
    """Check whether every table and column that is read is there, readable, and of the right kind."""
    server, found = lms.server(), lms.tables()
    if not any(watch.table.name in found for watch in lms.schema.watches):
        yield strange(server, lms.schema, lms.names(), settings)
        return
    read = {watch.source.name for watch in lms.watched(datetime.now(UTC))}
    well, of_schema = 0, wanted(installed(lms.schema, read, found))
    advice = _grants(server, lms.schema)
    own = {word.split(":")[1] for word in lms.schema.people.links if word.startswith("table:")}
    absent = [name for name, expected in of_schema.items() if expected.of_titles and name not in found]
    if absent:
        message = f"not there, or not for us: {some(absent)}; titles from there will be missing"
        yield warning("lms tables", message, f"is this the right database? {advice}")
    for name, expected in of_schema.items():
        if name in absent:
            continue
        rights = f"grant SELECT on {name}, which lms_mentors names" if name in own else advice
        problems = list(_of_table(name, expected, found.get(name), rights, may_hide=server.is_mysql))
        yield from problems
        well += not problems
    if well:
        yield ok("lms tables", f"{well} of {len(of_schema)} tables are as expected")
    yield from sources(lms.schema, read, found, advice)


def strange(server: Server, schema: Schema, names: Collection[str], settings: Settings) -> Finding:
    """Return that no table is there, and which LMS it is if it looks like another one that we know."""
    none = f"none of the tables of {schema.name} is there, or none for us"
    known = schemas.recognise(names)
    if known is None:
        return failed("lms tables", none, f"is this the right database? {_grants(server, schema)}")
    name, prefix = known
    expected = schemas.prefix_of(name) if settings.lms_table_prefix is None else settings.lms_table_prefix
    says, advice = f"these look like the tables of {name}", []
    if name != settings.lms_schema:
        advice.append(f"lms_schema = {name}")
    if prefix != expected:
        says += f" with the prefix {prefix}" if prefix else " without a prefix"
        advice.append(f"lms_table_prefix = {prefix or 'none'}")
    return failed("lms tables", f"{none}: {says}", f"set {' and '.join(advice)}")


def sources(schema: Schema, read: Collection[str], found: Collection[str], advice: str) -> Iterator[Finding]:
    """Check which of the sources of events are read, and which optional ones are left out."""
    left_out = [source for source in schema.sources if source.name not in read]
    for source in left_out:
        if source.table.name in found:
            message = f"{source.name} is left out: we may not read all that it needs"
            yield warning("lms sources", message, advice)
    missing = [source.name for source in left_out if source.table.name not in found]
    without = f"; {', '.join(missing)} left out, which this LMS does not have, or not for us" if missing else ""
    told = ", ".join(source.name for source in schema.sources if source.name in read)
    yield ok("lms sources", f"{told} are read{without}")


def links(schema: Schema, settings: Settings) -> Iterator[Finding]:
    """Name the links between mentors and students that count."""
    files = [word for word in settings.lms_mentors if word.startswith("csv:")]
    yield ok("lms links", f"who mentors whom is taken from: {', '.join([*schema.people.links, *files])}")


def extras(missing: Sequence[str]) -> Iterator[Finding]:
    """Check what is read where it is there: for presence, and for some alerts about students."""
    without = f"without {', '.join(missing)}, which presence, never_started and abandoned go by" if missing else ""
    yield ok("lms extras", without or "presence, enrolment and the durations of exams are read")


def studies(missing: Sequence[str], misfits: Mapping[str, str], schema: Schema) -> Iterator[Finding]:
    """Check which tables about studies are read; more of them would say more of students."""
    if not (schema.details or schema.academics.named):
        return
    for name, why in misfits.items():
        advice = "see which of its columns is of another type, or what is not granted; the other tables are read"
        yield failed("lms studies", f"{name} is not as it is declared: {why}", advice)
    if missing:
        yield ok("lms studies", f"without {some(missing)}, which would say more about courses and subjects")
    else:
        yield ok("lms studies", "batches, courses and details are read, as far as the schema knows them")


def indexes(server: Server, schema: Schema, found: Mapping[str, Table]) -> Iterator[Finding]:
    """Check whether rows are found by their id, as every poll does."""
    keys = {watch.table.name: watch.key_column.name for watch in schema.watches}
    without = [name for name in keys if name in found and not found[name].has_index]
    for name in without:
        if found[name].is_view:
            yield warning("lms indexes", f"{name} is a view", "see that a row of it is found by id with an index")
        else:
            table = name if server.is_mysql or name.islower() else f'"{name}"'
            advice = f"have the LMS run: CREATE UNIQUE INDEX {name}_{keys[name]} ON {table} ({keys[name]})"
            yield warning("lms indexes", f"{name} has no index on {keys[name]}: every poll reads all of it", advice)
    if not without:
        yield ok("lms indexes", "every row is found by its id")


def times(server: Server, schema: Schema, found: Mapping[str, Table], settings: Settings) -> Iterator[Finding]:
    """Check in which zone times are read that name none; SQLite does not say whether its texts do."""
    zoneless = _ZONELESS_IN_MYSQL if server.is_mysql else _ZONELESS
    naive = [
        f"{name}.{column}"
        for name, expected in wanted(schema).items()
        for column, kind in expected.columns.items()
        if kind is Kind.TIME and name in found and column in found[name].columns
        if re.sub(r"\([0-9]+\)", "", found[name].columns[column].declared) in zoneless
    ]
    if naive:
        yield ok("lms times", f"{some(naive)} have no zone, and are read as times in {settings.timezone.key}")
    elif server.version or server.is_mysql:
        yield ok("lms times", "every time has its zone")


def sweep(server: Server, schema: Schema, found: Mapping[str, Table]) -> Iterator[Finding]:
    """Check how late changes are found; see docs/detection.md."""
    names = [watch.table.name for watch in schema.watches]
    views = [name for name in names if name in found and found[name].is_view]
    in_part = [name for name in names if name in found and found[name].is_in_part]
    if server.is_mysql:
        yield ok("lms sweep", f"{CLOCK_MODE}, which MySQL and MariaDB need")
    elif server.version == 0:
        yield ok("lms sweep", "late changes are found by comparing slices of primary keys")
    elif server.is_standby:
        advice = "let lms_database_url name the primary, if its load allows: there transaction ids tell sooner"
        yield warning("lms sweep", f"this server is a hot standby: {CLOCK_MODE}", advice)
    elif in_part:
        message = f"of {some(in_part)} we may read columns only: {CLOCK_MODE}"
        yield warning("lms sweep", message, f"grant SELECT on the whole table; {_grants(server, schema)}")
    elif server.version < BY_CTID:
        yield ok("lms sweep", "late changes are found by comparing primary keys; PostgreSQL 14 would read less")
    elif views:
        yield ok("lms sweep", f"late changes in {some(views)} are found by comparing primary keys, since it is a view")
    else:
        yield ok("lms sweep", "late changes are found by transaction ids")


def clock(check: str, whose: str, ahead: timedelta | None) -> Iterator[Finding]:
    """Check whether a clock agrees with ours."""
    if ahead is None:
        return
    seconds = ahead.total_seconds()
    if abs(ahead) > SKEW:
        message = f"the clock of {whose} is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} ours"
        yield warning(check, message, "set both clocks with NTP: times and delays that are told are off by that much")
    else:
        yield ok(check, f"the clock of {whose} agrees with ours to {max(1.0, abs(seconds)):.0f} s")


def _grants(server: Server, schema: Schema) -> str:
    if not server.role:
        return "lms_database_url names it"
    if schema.name not in _ROLES:
        return "our role needs SELECT on what the schema declares, and nothing else"
    kind = "mysql" if server.is_mysql else "postgresql"
    return f"deploy/{kind}-{_ROLES[schema.name]}-role.sql gives exactly the rights that are needed"


def _of_table(name: str, expected: Wanted, table: Table | None, rights: str, *, may_hide: bool) -> Iterator[Finding]:
    columns = expected.columns
    worse = warning if expected.of_titles else failed
    without = "; titles from it will be missing" if expected.of_titles else ""
    advice = f"is this the right database? {rights}"
    if table is None:
        yield failed("lms tables", f"{name} is not there, or not for us", advice)
        return
    missing = [column for column in columns if column not in table.columns]
    if missing:
        or_hidden = ", or not for us" if may_hide else ""  # MySQL shows no column that we may not read
        yield worse("lms tables", f"{name} has no column {some(missing)}{or_hidden}{without}", advice)
    hidden = [column for column in columns if column in table.columns and not table.columns[column].is_readable]
    if hidden:
        yield worse("lms tables", f"{name}: we may not read {some(hidden)}{without}", rights)
    if table.hides_rows:
        advice = "give our role a policy that shows every row"
        yield warning("lms tables", f"{name} has row security, which may hide rows from us", advice)
    for column, kind in columns.items():
        there = table.columns.get(column)
        if there is None or there.kind in (_FITS[kind] | {Kind.ANYTHING}):
            continue
        message = f"{name}.{column} is {there.declared}, expected is {kind}"
        if kind is Kind.INTEGER:
            yield worse("lms tables", message, "ids must be integers to be recognised")
        else:
            yield warning("lms tables", message, "it is told as it is read; a time that cannot be read is left out")
