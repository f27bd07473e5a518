"""The door to the LMS: what changed there, and who is who; it can only read."""

from __future__ import annotations

from datetime import tzinfo

from lms_bot.db import engine as engines
from lms_bot.lms import inspection
from lms_bot.lms.changes import ChangeReader
from lms_bot.lms.enrolment import Enrolment, read_enrolment
from lms_bot.lms.inspection import Server, Table
from lms_bot.lms.people import People, read_links, read_people
from lms_bot.lms.presence import Presence, read_presence
from lms_bot.lms.schemas import SCHEMA
from lms_bot.lms.source import Schema

__all__ = ["Lms", "People"]


class Lms:
    """One LMS, read as its schema declares it. Connects when it is first needed."""

    def __init__(self, url: str, zone: tzinfo, sweep_rows: int, schema: Schema = SCHEMA) -> None:
        self.engine = engines.lms_engine(url)
        self.schema = schema
        self.changes = ChangeReader(self.engine, schema, zone, sweep_rows)
        self._zone = zone

    @property
    def sources(self) -> list[str]:
        """Return the names of the sources of events."""
        return [source.name for source in self.schema.sources]

    def read_people(self) -> People:
        """Return all students, mentors and links. Raises LmsUnavailable."""
        return read_people(self.engine, self.schema.people)

    def read_links(self) -> frozenset[tuple[int, int]]:
        """Return all links between mentors and students, as (mentor id, student id). Raises LmsUnavailable."""
        return read_links(self.engine, self.schema.people)

    def read_presence(self, last_id: int) -> Presence:
        """Return the days on which the LMS saw students, as far as it says so. Raises LmsUnavailable."""
        return read_presence(self.engine, self.schema.presence, self._zone, last_id)

    def read_enrolment(self) -> Enrolment:
        """Return since when students are enrolled and how long exams take, where it says so. Raises LmsUnavailable."""
        return read_enrolment(self.engine, self.schema.enrolment, self._zone)

    def missing_extras(self) -> list[str]:
        """Return the columns that are read only where they are ours to read, and are not. Raises LmsUnavailable."""
        return inspection.missing_extras(self.engine, self.schema)

    def server(self) -> Server:
        """Describe the server, and the role that we have there. Raises LmsUnavailable."""
        return inspection.server(self.engine)

    def tables(self) -> dict[str, Table]:
        """Return those of the tables that we read which are there. Raises LmsUnavailable."""
        return inspection.found(self.engine, self.schema)

    def close(self) -> None:
        self.changes.close()
        self.engine.dispose()
