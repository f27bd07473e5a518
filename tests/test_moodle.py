"""A Moodle lives for weeks: every exam and content event is found once, and nothing is told that did not happen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.config.settings import load
from lms_bot.lms import Lms
from lms_bot.pipeline.poller import Poller
from lms_bot.store.session import open_store
from lms_bot.store.tables import events
from tests.databases import on_server, store_in_file
from tests.moodle_site import Site, play, tables_of

SHARED = Path(__file__).parent.parent.parent / "shared" / "moodle"


class Played:
    """A site that is played, and polled into a store of its own."""

    def __init__(self, site: Site, lms_url: str, store_url: str) -> None:
        self.site = site
        self.settings = load(
            None, {"LMS_DATABASE_URL": lms_url, "LMS_STORE_DATABASE_URL": store_url, "LMS_SCHEMA": "moodle"}
        )
        self.engine = sa.create_engine(lms_url)
        site.build(self.engine)
        self.store = open_store(store_url)
        self.lms = Lms.of(self.settings)
        self.poller = Poller(self.store, self.lms, self.settings)

    def live(self, every: timedelta | None) -> None:
        """Play everything, and poll once so often, or after each transaction."""
        tables = tables_of(self.engine)
        polled_at: datetime | None = None
        for step in self.site.steps():
            if polled_at is None:
                polled_at = step.at
                self.poller.poll(polled_at)
            while every and polled_at + every <= step.at:
                polled_at = max(polled_at + every, step.at - 3 * every)
                self.poller.poll(polled_at)
            play(self.engine, step, tables)
            if every is None:
                self.poller.poll(step.at)
        self.poller.poll(step.at + timedelta(minutes=1))

    def events(self, source_table: str | None = None) -> list[Any]:
        query = sa.select(events).order_by(events.c.event_id)
        if source_table:
            query = query.where(events.c.source_table == source_table)
        with self.store.engine.connect() as connection:
            return list(connection.execute(query))

    def close(self) -> None:
        self.lms.close()
        self.store.close()
        self.engine.dispose()


@pytest.fixture
def played(tmp_path: Path, postgresql_server: str) -> Iterator[Played]:
    with on_server(postgresql_server) as url:
        site = Played(Site(SHARED), url, store_in_file(tmp_path / "store.db"))
        yield site
        site.close()
