"""An LMS as it is declared, and the database that it should be in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta, tzinfo

import sqlalchemy as sa

from lms_bot.config.settings import Settings
from lms_bot.db.engine import lms_engine, reason
from lms_bot.errors import LmsUnavailable
from lms_bot.lms import schemas
from lms_bot.lms.links import LinkFiles, choose_links
from lms_bot.lms.source import Schema


@dataclass(frozen=True, slots=True)
class Installation:
    """A declaration with a read-only engine, and what settings say about reading there."""

    engine: sa.Engine
    schema: Schema
    files: LinkFiles
    zone: tzinfo
    sweep_rows: int
    longest: timedelta

    @classmethod
    def of(cls, settings: Settings) -> Installation:
        """Return what settings name. Raises ConfigError where there is no such declaration, or no links."""
        declared = schemas.load(settings.lms_schema, settings.lms_table_prefix)
        schema, files = choose_links(declared, settings.lms_mentors)
        longest = timedelta(minutes=settings.longest_transaction)
        engine = lms_engine(settings.lms_database_url)
        return cls(engine, schema, files, settings.timezone, settings.sweep_rows, longest)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open a transaction that reads. Raises LmsUnavailable for whatever the database refuses in it."""
        try:
            with self.engine.connect() as connection, connection.begin():
                yield connection
        except sa.exc.SQLAlchemyError as error:
            raise LmsUnavailable(reason(error)) from error
