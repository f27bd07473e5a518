"""The jobs of the clock: work that is caused by time, not by a question or a change in the LMS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.errors import LmsBotError
from lms_bot.lms import Lms
from lms_bot.pipeline import alert_notifications, alerts, incidents, streaks
from lms_bot.pipeline.academics import classes, snapshots
from lms_bot.pipeline.sync import academics, drift
from lms_bot.store.session import Store

INCIDENTS = "incidents"
EVERY = 60  # seconds, or the poll interval where that is shorter
SNAPSHOTS_EVERY = 3  # seconds between two turns, of which each takes one at most


@dataclass(frozen=True, slots=True)
class Job:
    """Work to be done every so many `seconds`; a turn of it is short, and does nothing where nothing is due.

    `run` returns how many events it recorded. A job that `reads_lms` is left out while the LMS is away.
    """

    name: str
    seconds: int
    run: Callable[[datetime], int]
    reads_lms: bool = False


@dataclass(frozen=True, slots=True)
class Ran:
    """The number of events that a turn of all jobs recorded, and the first error that one of them raised."""

    recorded_events: int = 0
    error: LmsBotError | None = None


class ClockJobs:
    """All jobs of the clock for one store, in the order in which a later one needs what an earlier one found."""

    def __init__(self, store: Store, lms: Lms, settings: Settings) -> None:
        self._store = store
        self._lms = lms
        self._settings = settings
        self._drift = drift.DriftWatch(store, lms, settings)
        seconds = min(EVERY, settings.poll_interval)
        self.jobs = (
            Job("presence", seconds, self._read_presence, reads_lms=True),
            Job("streaks", seconds, self._record_streak_events),
            Job("enrolment", seconds, self._read_enrolment, reads_lms=True),
            Job("academics", seconds, self._read_academics, reads_lms=True),
            Job("drift", seconds, self._compare, reads_lms=True),
            Job("classes", seconds, self._count_classes),
            Job("alerts", seconds, self._judge_students),
            Job("alert notifications", seconds, self._enqueue_alerts),
            Job("snapshots", SNAPSHOTS_EVERY, self._make_snapshots),
            Job(INCIDENTS, EVERY, self._find_incidents),
        )

    def run(self, now: datetime, *, lms_is_away: bool = False) -> Ran:
        """Run each job once, whatever another raises."""
        recorded, first_error = 0, None
        for job in self.jobs:
            if job.reads_lms and lms_is_away:
                continue
            try:
                recorded += job.run(now)
            except LmsBotError as error:
                first_error = first_error or error
        return Ran(recorded, first_error)

    def _read_presence(self, now: datetime) -> int:
        streaks.read_presence(self._store, self._lms, self._settings.timezone, now)
        return 0

    def _record_streak_events(self, now: datetime) -> int:
        return streaks.record_streak_events(self._store, self._settings, now)

    def _read_enrolment(self, now: datetime) -> int:
        alerts.read_enrolment(self._store, self._lms, now)
        return 0

    def _read_academics(self, now: datetime) -> int:
        academics.read_turn(self._store, self._lms, now)
        return 0

    def _compare(self, now: datetime) -> int:
        self._drift.compare_turn(now)
        return 0

    def _count_classes(self, now: datetime) -> int:
        classes.count_classes(self._store, now)
        return 0

    def _judge_students(self, now: datetime) -> int:
        alerts.judge_due_students(self._store, self._settings, now)
        return 0

    def _enqueue_alerts(self, now: datetime) -> int:
        return alert_notifications.enqueue_due_alerts(self._store, self._settings, now)

    def _make_snapshots(self, now: datetime) -> int:
        snapshots.make_snapshots(self._store, self._settings, now)
        return 0

    def _find_incidents(self, now: datetime) -> int:
        incidents.find_incidents(self._store, self._settings, now)
        return 0
