"""What a declaration of an LMS says: its sources of events, its people, and whatever else can be read there."""

from __future__ import annotations

from lms_bot.lms.source.fields import NOW, RESULTS, Bound, Expression, Field, Mirror, Query, Title, states
from lms_bot.lms.source.schema import EnrolmentQueries, PeopleQueries, PresenceQueries, Schema, columns_of
from lms_bot.lms.source.sources import Source, Watch

__all__ = [
    "NOW",
    "RESULTS",
    "Bound",
    "EnrolmentQueries",
    "Expression",
    "Field",
    "Mirror",
    "PeopleQueries",
    "PresenceQueries",
    "Query",
    "Schema",
    "Source",
    "Title",
    "Watch",
    "columns_of",
    "states",
]
