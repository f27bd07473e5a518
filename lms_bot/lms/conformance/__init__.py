"""The conformance kit: whether a declaration fits the database that it is about, found by reading a little of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial

from lms_bot.core.reports.findings import Finding, failed, ok
from lms_bot.errors import LmsUnavailable
from lms_bot.lms import inspection
from lms_bot.lms.conformance import mode, people, plans, queries, samples
from lms_bot.lms.conformance.installation import Installation
from lms_bot.lms.schemas.faults import faults
from lms_bot.lms.source import Schema

Check = tuple[str, Callable[[], Iterator[Finding]]]


def checks(installation: Installation, now: datetime) -> Sequence[Check]:
    """Return the checks in order, each by its name; where the first one fails, the others cannot be made.

    A check reads in short transactions of its own: of people and of titles what the bot reads of them, of other tables
    the newest rows. It raises LmsUnavailable where the LMS cannot be read.
    """
    schema = installation.schema
    first: list[Check] = [("lms", partial(_reach, installation)), ("schema", partial(_declared, schema))]
    if faults(schema):
        return first
    known, watches = samples.Known(installation, now), [*schema.watches, *schema.detail_watches]
    return [
        *first,
        ("schema reads", partial(queries.check, installation, now)),
        ("schema mode", partial(mode.check, installation, now)),
        ("schema people", partial(people.check, installation, now)),
        *(("schema rows", partial(samples.check, known, source)) for source in schema.sources),
        *(("schema polls", partial(plans.check, installation, watch, now)) for watch in watches),
    ]


def _reach(installation: Installation) -> Iterator[Finding]:
    try:
        yield ok("lms", f"answers: {inspection.server(installation.engine).product}")
    except LmsUnavailable as error:
        yield failed("lms", f"cannot be reached: {error}", "check lms_database_url, its login, and the network")


def _declared(schema: Schema) -> Iterator[Finding]:
    wrong = faults(schema)
    yield from (failed("schema", fault, "correct the declaration") for fault in wrong)
    if not wrong:
        names = ", ".join(f"{source.name} ({source.letter})" for source in schema.sources)
        yield ok("schema", f"{schema.name} declares {names}")
