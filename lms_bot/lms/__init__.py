"""The door to the LMS: what changed there, and who is who; it can only read."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from lms_bot.config.settings import Settings
from lms_bot.core.sync.studies import Academics
from lms_bot.db import engine as engines
from lms_bot.errors import LmsMisfit, LmsUnavailable
from lms_bot.lms import inspection, schemas
from lms_bot.lms.academics import read_academics
from lms_bot.lms.changes import HIGHEST_ID, ChangeReader
from lms_bot.lms.enrolment import Enrolment, read_enrolment
from lms_bot.lms.inspection import Server, Table
from lms_bot.lms.links import LinkFiles, choose_links
from lms_bot.lms.people import People, read_links, read_people
from lms_bot.lms.presence import Presence, read_presence
from lms_bot.lms.source import Schema, Watch

__all__ = ["Lms", "People"]

WATCHED_AGE = timedelta(minutes=5)


class Lms:
    """One LMS, read as its schema declares it. Connects when it is first needed."""

    def __init__(
        self, url: str, schema: Schema, files: LinkFiles, zone: tzinfo, sweep_rows: int, longest: timedelta
    ) -> None:
        self.engine = engines.lms_engine(url)
        self.schema = schema
        self.changes = ChangeReader(self.engine, schema, zone, sweep_rows, longest)
        self._zone = zone
        self._files = files
        self._watched: list[Watch] = []
        self._watched_details: list[Watch] = []
        self._watched_at: datetime | None = None

    @classmethod
    def of(cls, settings: Settings) -> Lms:
        """Return the LMS that settings name. Raises ConfigError where there is no such declaration, or no links."""
        declared = schemas.load(settings.lms_schema, settings.lms_table_prefix)
        schema, files = choose_links(declared, settings.lms_mentors)
        longest = timedelta(minutes=settings.longest_transaction)
        return cls(settings.lms_database_url, schema, files, settings.timezone, settings.sweep_rows, longest)

    def watched(self, now: datetime) -> list[Watch]:
        """Return the tables in which changes are looked for, without optional ones that are not there to read.

        Raises LmsUnavailable.
        """
        self._look(now)
        return self._watched

    def watched_details(self, now: datetime) -> list[Watch]:
        """Return the tables in which changes of details are looked for, as far as they are there to read.

        Raises LmsUnavailable.
        """
        self._look(now)
        return self._watched_details

    def _look(self, now: datetime) -> None:
        if self._watched_at is None or not timedelta() <= now - self._watched_at < WATCHED_AGE:
            try:
                self._watched = inspection.watched(self.engine, self.schema.sources)
                self._watched_details = inspection.watched(self.engine, self.schema.details)
            except LmsUnavailable as error:
                raise LmsUnavailable(f"the LMS cannot be read: {error}") from error
            self._watched_at = now

    def look_anew(self) -> None:
        """Find out with the next poll which optional tables are there to read: one of them may have gone."""
        self._watched_at = None

    def read_people(self, now: datetime) -> People:
        """Return all students, mentors and links. Raises LmsUnavailable."""
        return read_people(self.engine, self.schema.people, self._files, now)

    def read_links(self, now: datetime) -> frozenset[tuple[int, int]]:
        """Return all links between mentors and students, as (mentor id, student id). Raises LmsUnavailable."""
        return read_links(self.engine, self.schema.people, self._files, now)

    def read_presence(self, last_id: int) -> Presence:
        """Return the days on which the LMS saw students, as far as it says so. Raises LmsUnavailable."""
        return read_presence(self.engine, self.schema.presence, self._zone, last_id)

    def read_enrolment(self) -> Enrolment:
        """Return since when students are enrolled, how long exams take, and deadlines. Raises LmsUnavailable."""
        return read_enrolment(self.engine, self.schema.enrolment, self._zone)

    def read_academics(self, now: datetime) -> Academics:
        """Return batches, courses, and who and what belongs to them. Raises LmsUnavailable."""
        return read_academics(self.engine, self.schema.academics, now)

    def missing_academics(self) -> list[str]:
        """Return the tables of details and of what is studied that we cannot read. Raises LmsUnavailable."""
        return inspection.missing_academics(self.engine, self.schema)

    def misfits(self, now: datetime) -> dict[str, str]:
        """Return the tables of details that are there and cannot be read as they are declared, and why.

        Raises LmsUnavailable.
        """
        found = {}
        for watch in self.watched_details(now):
            try:
                self.changes.details_between(watch, HIGHEST_ID - 1, HIGHEST_ID)
            except LmsMisfit as error:
                found[watch.name] = str(error)
        return found

    def missing_extras(self) -> list[str]:
        """Return the columns that are read only where they are ours to read, and are not. Raises LmsUnavailable."""
        return inspection.missing_extras(self.engine, self.schema)

    def server(self) -> Server:
        """Describe the server, and the role that we have there. Raises LmsUnavailable."""
        return inspection.server(self.engine)

    def names(self) -> set[str]:
        """Return the names of all tables and views that are shown to us. Raises LmsUnavailable."""
        return inspection.names(self.engine)

    def tables(self) -> dict[str, Table]:
        """Return those of the tables that we read which are there. Raises LmsUnavailable."""
        return inspection.found(self.engine, self.schema)

    def close(self) -> None:
        self.changes.close()
        self.engine.dispose()
