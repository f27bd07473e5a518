"""A Moodle lives for weeks: every exam and content event is found once, and nothing is told that did not happen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.config.settings import load
from lms_bot.core.events import OBSERVED
from lms_bot.lms import Lms
from lms_bot.pipeline.poller import Poller
from lms_bot.store.session import open_store
from lms_bot.store.tables import events, logs
from tests.databases import make_store, on_server, store_in_file
from tests.mariadb import MariaDb
from tests.moodle_site import Site, Step, Truth, play, tables_of

OWN = Path(__file__).parent / "moodle"
LARGER = Path(__file__).parent.parent.parent / "shared" / "moodle"  # is played where it is there
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

OF_EXAMS = """
    SELECT c.id FROM mdl_course_modules AS c JOIN mdl_modules AS m ON m.id = c.module WHERE m.name IN ('quiz', 'assign')
"""
WITH_VIEWS = "SELECT id FROM mdl_course_modules WHERE completionview = 1"

Told = dict[tuple[str, int], list[str]]
"""The types of the events of a row, in order."""


def folders() -> list[Path]:
    """Our own site, and the larger one where it lies."""
    return [OWN, *([LARGER] if LARGER.is_dir() else [])]


class Played:
    """A site that is played, and polled into a store of its own."""

    def __init__(self, site: Site, lms_url: str, store_url: str, engine: sa.Engine) -> None:
        self.site, self.engine = site, engine
        urls = {"LMS_DATABASE_URL": lms_url, "LMS_STORE_DATABASE_URL": store_url}
        self.settings = load(None, {**urls, "LMS_SCHEMA": "moodle", "LMS_QUIET_MINUTES": "0"})
        site.build(engine)
        with engine.connect() as connection:
            self.of_exams = set(connection.scalars(sa.text(OF_EXAMS)))
            self.with_views = set(connection.scalars(sa.text(WITH_VIEWS)))
        self.store = open_store(store_url)
        self.lms = Lms.of(self.settings)
        self.poller = Poller(self.store, self.lms, self.settings)

    def live(self, every: timedelta | None) -> None:
        """Play everything, and poll after each transaction, or so often as something happens in between."""
        tables, steps = tables_of(self.engine), list(self.site.steps())
        self.poller.poll(steps[0].at)

        def turn(step: Step) -> float:
            return step.number if every is None else step.at.timestamp() // every.total_seconds()

        for _, together in groupby(steps, key=turn):
            for step in together:
                play(self.engine, step, tables)
            self.poller.poll(step.at if every is None else step.at + every)
        self.poller.poll(steps[-1].at + HOUR)

    def told(self) -> Told:
        """What was found of each row and is no history, in order."""
        found: Told = defaultdict(list)
        for row in self.rows(events.c.event_type.in_(OBSERVED), ~events.c.is_history):
            found[row.source_table, row.source_id].append(row.event_type)
        return dict(found)

    def rows(self, *where: sa.ColumnElement[bool]) -> list[Any]:
        """The recorded events, in order."""
        with self.store.engine.connect() as connection:
            return list(connection.execute(sa.select(events).where(*where).order_by(events.c.event_id)))

    def owed_of(self, source_table: str, source_ids: set[int]) -> int:
        """How many notifications are owed about rows."""
        query = sa.select(sa.func.count()).select_from(logs.join(events, events.c.event_id == logs.c.event_id))
        with self.store.engine.connect() as connection:
            of_rows = events.c.source_id.in_(source_ids)
            return connection.scalar(query.where(events.c.source_table == source_table, of_rows)) or 0

    def close(self) -> None:
        self.lms.close()
        self.store.close()
        self.engine.dispose()


@pytest.fixture(params=folders(), ids=lambda folder: folder.parent.name)
def site(request: pytest.FixtureRequest) -> Site:
    return Site(request.param)


@pytest.fixture
def played(site: Site, postgresql_server: str) -> Iterator[Played]:
    with on_server(postgresql_server) as url, on_server(postgresql_server, make_store) as store_url:
        one = Played(site, url, store_url, sa.create_engine(url))
        yield one
        one.close()


@pytest.fixture
def in_mariadb(site: Site, tmp_path: Path, mariadb: MariaDb) -> Iterator[Played]:
    mariadb.execute("CREATE DATABASE moodle CHARACTER SET utf8mb4")
    url = mariadb.owner("moodle")
    one = Played(site, url, store_in_file(tmp_path / "store.db"), sa.create_engine(url))
    yield one
    one.close()
    mariadb.execute("DROP DATABASE moodle")


def check_told(played: Played, truth: Truth) -> None:
    """Every true event was found once, in order, and nothing else."""
    told = played.told()
    assert {row: kinds for row, kinds in told.items() if row[0] == "quiz_attempts"} == truth.attempts()
    assert {row: kinds for row, kinds in told.items() if row[0] == "course_modules_completion"} == truth.completions(
        played.of_exams
    )
    assert {row: kinds for row, kinds in told.items() if row[0] == "course_completions"} == truth.courses()
    assert {row: kinds for row, kinds in told.items() if row[0] == "badge_issued"} == truth.badges()
    is_viewed = (events.c.source_table == "course_modules_viewed") & ~events.c.is_history
    found = [(row.student_id, row.activity_id) for row in played.rows(is_viewed)]
    assert sorted(found) == sorted(view for view in truth.views() if view[1] in played.with_views)
    work: dict[tuple[int, int], list[str]] = defaultdict(list)
    for row in played.rows(events.c.source_table == "assign_submission"):
        work[row.student_id, row.activity_id].append(row.event_type)
    assert dict(work) == truth.assignments()


def check_nothing_else(played: Played, truth: Truth) -> None:
    """Nothing was told of copies, and nothing recorded of a preview."""
    copies = truth.copies()
    assert played.owed_of("quiz_attempts", copies) == 0
    assert {row.source_id for row in played.rows(events.c.source_table == "quiz_attempts")}.isdisjoint(truth.previews())


def test_each_minute_every_true_event_is_found_once(played: Played) -> None:
    played.live(MINUTE)
    truth = played.site.truth()
    check_told(played, truth)
    check_nothing_else(played, truth)


def test_each_hour_nothing_is_missed_but_what_was_over_in_between(played: Played) -> None:
    played.live(HOUR)
    truth, told = played.site.truth(), played.told()
    check_nothing_else(played, truth)
    attempts = truth.attempts()
    for (source_table, attempt), kinds in told.items():
        if source_table == "quiz_attempts":
            assert is_within(kinds, attempts[source_table, attempt])
    deleted = truth.deleted()
    ended = {row: kinds[-1] for row, kinds in attempts.items() if len(kinds) > 1 and row[1] not in deleted}
    assert {row: told[row][-1] for row in ended} == ended
    completions = truth.completions(played.of_exams)
    assert {row for row in told if row[0] == "course_modules_completion"} == set(completions)
    assert {row: kinds for row, kinds in told.items() if row[0] == "badge_issued"} == truth.badges()
    assert {row: kinds for row, kinds in told.items() if row[0] == "course_completions"} == truth.courses()


def is_within(some: list[str], of: list[str]) -> bool:
    """Some of the kinds, in their order."""
    rest = iter(of)
    return all(kind in rest for kind in some)


@pytest.mark.services
def test_after_each_transaction_every_true_event_is_found_once(played: Played) -> None:
    played.live(None)
    truth = played.site.truth()
    check_told(played, truth)
    check_nothing_else(played, truth)


@pytest.mark.services
def test_after_each_transaction_in_mariadb_every_true_event_is_found_once(in_mariadb: Played) -> None:
    in_mariadb.live(None)
    truth = in_mariadb.site.truth()
    check_told(in_mariadb, truth)
    check_nothing_else(in_mariadb, truth)
