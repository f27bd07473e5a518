"""The heartbeat: polls, delivers and looks for unanswered questions every few seconds, whatever a job raises."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import schedule

from lms_bot.app import Parts
from lms_bot.core.meter import PollOutcome
from lms_bot.core.process import THIS
from lms_bot.errors import LmsBotError, LmsUnavailable, StoreUnavailable
from lms_bot.pipeline import incidents
from lms_bot.pipeline.incident_notifications import tell_admins
from lms_bot.pipeline.poller import Polled, Progress
from lms_bot.store.notifications import outbox
from lms_bot.store.operations import heartbeat
from lms_bot.store.operations.pauses import Work
from lms_bot.store.retention import cleanup
from lms_bot.store.retention.prune import turn
from lms_bot.worker.accounts import refresh_users
from lms_bot.worker.orders import Steering

log = logging.getLogger(__name__)

STEER_EVERY = 1  # seconds
SAY_EVERY = 30  # seconds
DELIVER_EVERY = 1  # seconds
CATCH_UP_EVERY = 10  # seconds
ALERT_EVERY = 5  # seconds
WATCH_EVERY = 60  # seconds
TIDY_EVERY = 3600  # seconds
PRUNE_EVERY = 10  # seconds between two turns of what is done once a day
LONGEST_LMS_PAUSE = timedelta(minutes=1)


class Waiting(Exception):
    """A job is waiting for its next try after a failure."""


class Worker:
    """Does the work of one process: polls and delivers while it holds the lease, stands by while another does."""

    def __init__(self, parts: Parts, catch_up: Callable[[], None] | None = None, progress: Progress | None = None):
        self._parts = parts
        self._catch_up = catch_up
        self._progress = progress
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._holds_lease: bool | None = None
        self._failing: dict[str, str] = {}
        self._lms_failures = self._failed_polls = 0
        self._lms_pause_until = datetime.min.replace(tzinfo=UTC)
        self._scheduler = schedule.Scheduler()
        self._steering = Steering(parts.store, parts.deliverer)
        self._works_since = datetime.now(UTC)
        self._every(STEER_EVERY, self.steer)
        self._every(SAY_EVERY, self.say_who_works)
        uses_zulip = parts.settings.notify_mentors or catch_up
        if uses_zulip:
            self._every(DELIVER_EVERY, self.refresh_users)
        if catch_up:
            self._every(CATCH_UP_EVERY, self.catch_up)
        if parts.settings.monitor_enabled:
            self._every(parts.settings.poll_interval, self.poll)
        if uses_zulip:
            self._every(DELIVER_EVERY, self.deliver)
            self._every(ALERT_EVERY, self.alert)
            self._every(WATCH_EVERY, self.watch)
        self._every(TIDY_EVERY, self.tidy)
        if parts.settings.retention_days:
            self._every(PRUNE_EVERY, self.prune)

    def start(self) -> None:
        """Work in a daemon thread, so that it never keeps the process alive."""
        self._parts.meter.serve()
        self._thread = threading.Thread(target=self.run, name="lms_bot worker", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = 4.0) -> None:
        """Finish the statement at hand and end; waits for that at most so long."""
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def wait(self) -> None:
        """Wait until the worker is told to stop."""
        while not self._stopping.wait(1.0):
            pass

    def run(self) -> None:
        """Work until stopped."""
        self._scheduler.run_all()
        while not self._stopping.is_set():
            self._scheduler.run_pending()
            self._stopping.wait(max(0.05, min(1.0, self._scheduler.idle_seconds or 0.0)))

    def steer(self) -> None:
        """Look what admins paused, and do what they want done at once."""
        self._steering.turn(self._poll, datetime.now(UTC))

    def poll(self) -> None:
        if datetime.now(UTC) < self._lms_pause_until or self._steering.is_paused(Work.POLLING):
            raise Waiting
        self._poll()

    def _poll(self) -> Polled:
        now = datetime.now(UTC)
        self.say_who_works(polling_since=now)
        try:
            polled = self._parts.poller.poll(now, self._progress)
        except StoreUnavailable:
            self._parts.meter.polled(PollOutcome.FAILED)
            raise
        except LmsUnavailable as error:
            pause = timedelta(seconds=self._parts.settings.poll_interval) * 2 ** min(self._lms_failures, 10)
            self._lms_failures += 1
            self._lms_pause_until = now + min(pause, LONGEST_LMS_PAUSE)
            self._note_failed_poll(PollOutcome.LMS_UNAVAILABLE, str(error), now)
            raise
        except Exception:
            self._note_failed_poll(PollOutcome.FAILED, "something unexpected happened, and the log says what", now)
            raise
        finally:
            self.say_who_works()
        self._lms_failures = self._failed_polls = 0
        self._lms_pause_until = now
        self._parts.meter.polled(PollOutcome.OK)
        incidents.note_poll(self._parts.store, polled.new_events, self._parts.settings, now)
        if polled.new_events or polled.history_events:
            log.info("poll: %d new events, %d of history", polled.new_events, polled.history_events)
        if polled.server_replaced:
            log.warning("the LMS is another server, or was restored: everything is compared again")
        return polled

    def _note_failed_poll(self, outcome: PollOutcome, reason: str, now: datetime) -> None:
        self._parts.meter.polled(outcome)
        self._failed_polls += 1
        incidents.note_failed_poll(self._parts.store, self._failed_polls, reason, now)

    def watch(self) -> None:
        incidents.look(self._parts.store, self._parts.settings, datetime.now(UTC))

    def tidy(self) -> None:
        if removed := cleanup.tidy(self._parts.store, datetime.now(UTC)):
            log.info("%d old rows are removed", removed)

    def prune(self) -> None:
        days = self._parts.settings.retention_days
        if days and (removed := turn(self._parts.store, days, datetime.now(UTC))):
            log.info("%d events and answers older than %d days are removed", removed, days)

    def say_who_works(self, polling_since: datetime | None = None) -> None:
        """Note in the store that this process works, and since when it is in a poll, if it is."""
        with self._parts.store.writing() as transaction:
            heartbeat.note(
                transaction,
                THIS,
                self._works_since,
                datetime.now(UTC),
                polling_since=polling_since,
                zulip_version=self._parts.chat.version,
            )

    def deliver(self) -> None:
        if self._steering.is_delivering:
            raise Waiting
        self._parts.deliverer.turn(begins=not self._steering.is_paused(Work.DELIVERY))

    def alert(self) -> None:
        parts = self._parts
        tell_admins(parts.store, parts.chat, parts.deliverer, parts.settings.admin_stream, datetime.now(UTC))

    def catch_up(self) -> None:
        if self._catch_up:
            self._catch_up()

    def refresh_users(self) -> None:
        refresh_users(self._parts)

    def _every(self, seconds: int, job: Callable[[], None]) -> None:
        self._scheduler.every(seconds).seconds.do(self._guarded, job.__name__, job)

    def _guarded(self, name: str, job: Callable[[], None]) -> None:
        """Run a job while the lease is ours; say once that it fails, and once that it works again."""
        if self._stopping.is_set():
            return
        try:
            if not self._has_lease():
                return
            job()
        except Waiting:
            return
        except LmsBotError as error:
            if name not in self._failing:
                log.warning("%s: %s; trying again", name, error)
            self._failing.setdefault(name, "")
        except Exception as error:
            # The outermost line of the thread: whatever it was, the other jobs go on.
            if self._failing.get(name) != type(error).__name__:
                log.exception("%s failed; trying again", name)
            self._failing[name] = type(error).__name__
        else:
            if self._failing.pop(name, None) is not None:
                log.info("%s works again", name)

    def _has_lease(self) -> bool:
        held = self._parts.lease.take()
        if held and not self._holds_lease:
            self._take_over(stood_by=self._holds_lease is False)
        elif not held and self._holds_lease is not False:
            log.info("another process works for the store; standing by")
        self._holds_lease = held
        self._parts.meter.holds_lease(held)
        return held

    def _take_over(self, *, stood_by: bool) -> None:
        log.info("this process works for the store now")
        self._parts.meter.serve()  # the one that worked before may have had the port
        now = self._works_since = datetime.now(UTC)
        with self._parts.store.writing() as transaction:
            outbox.wake(transaction, now, outbox.SENDING, outbox.UNKNOWN, outbox.REFUSED)
            before = heartbeat.last(transaction)
        if stood_by and before is not None and before.process != THIS:
            incidents.note_takeover(self._parts.store, before.process, THIS, now)
        self._steering.look(now)  # before any other job: what is paused must not begin
        self.say_who_works()
