"""What a declaration of an LMS says: its sources of events, their details, and whatever else can be read there."""

from __future__ import annotations

from lms_bot.lms.source.details import Counts, Detail, Results
from lms_bot.lms.source.queries import (
    NOW,
    AcademicQueries,
    Bound,
    EnrolmentQueries,
    PeopleQueries,
    PresenceQueries,
    Query,
    columns_of,
)
from lms_bot.lms.source.schema import Schema
from lms_bot.lms.source.sources import RESULTS, Mirror, Source, Title, states
from lms_bot.lms.source.tracked import Expression, Field, Tracked, Watch

__all__ = [
    "NOW",
    "RESULTS",
    "AcademicQueries",
    "Bound",
    "Counts",
    "Detail",
    "EnrolmentQueries",
    "Expression",
    "Field",
    "Mirror",
    "PeopleQueries",
    "PresenceQueries",
    "Query",
    "Results",
    "Schema",
    "Source",
    "Title",
    "Tracked",
    "Watch",
    "columns_of",
    "states",
]
