"""The door to the LMS: what changed there, and who is who; it can only read."""

from __future__ import annotations

from datetime import tzinfo

from lms_bot.db import engine
from lms_bot.lms import inspection
from lms_bot.lms.changes import ChangeReader
from lms_bot.lms.inspection import Server, Table
from lms_bot.lms.schemas.classic import enrolment, presence
from lms_bot.lms.schemas.classic.enrolment import Enrolment, read_enrolment
from lms_bot.lms.schemas.classic.people import People, read_people
from lms_bot.lms.schemas.classic.presence import Seen, read_presence

__all__ = ["Lms", "People"]


class Lms:
    """One LMS; `changes` reads what changed, `read_people` who is who. Connects when it is first needed."""

    def __init__(self, url: str, zone: tzinfo, sweep_rows: int) -> None:
        self.engine = engine.lms_engine(url)
        self._zone = zone
        self.changes = ChangeReader(self.engine, zone, sweep_rows)

    def read_people(self) -> People:
        """All students, mentors and links. Raises LmsUnavailable."""
        return read_people(self.engine)

    def read_presence(self, last_id: int) -> Seen:
        """On which days the LMS saw students, as far as it says so. Raises LmsUnavailable."""
        return read_presence(self.engine, self._zone, last_id)

    def read_enrolment(self) -> Enrolment:
        """Since when students are enrolled and how long exams take, as far as it says so. Raises LmsUnavailable."""
        return read_enrolment(self.engine, self._zone)

    def missing_extras(self) -> list[str]:
        """Columns that are read only where they are there and ours to read, and are not. Raises LmsUnavailable."""
        there = {extras: inspection.readable(self.engine, extras) for extras in (presence.metadata, enrolment.metadata)}
        return [
            f"{table.name}.{list(table.c)[-1].name}"
            for extras, names in there.items()
            for table in extras.sorted_tables
            if table.name not in names
        ]

    def server(self) -> Server:
        """The server, and the role that we have there. Raises LmsUnavailable."""
        return inspection.server(self.engine)

    def tables(self) -> dict[str, Table]:
        """Those of the tables that we read which are there. Raises LmsUnavailable."""
        return inspection.found(self.engine)

    def close(self) -> None:
        self.changes.close()
        self.engine.dispose()
