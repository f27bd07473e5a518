"""Schedules the jobs of one process: to poll, to deliver, to look for unanswered questions; whatever a job raises."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import schedule

from lms_bot.app import Parts
from lms_bot.core.operations.circuit_breaker import CircuitBreaker, CircuitState
from lms_bot.core.process import THIS, Work
from lms_bot.core.sync import SyncResult
from lms_bot.errors import LmsBotError, LmsMisfit, LmsUnavailable
from lms_bot.pipeline import incidents
from lms_bot.pipeline.incident_notifications import send_incidents
from lms_bot.pipeline.poller import Polled, Progress
from lms_bot.pipeline.sync.run import Sync
from lms_bot.store.notifications import outbox
from lms_bot.store.operations import heartbeat
from lms_bot.store.retention import cleanup, prune
from lms_bot.worker.accounts import USERS_AFTER_CHANGE, USERS_EVERY, follow_organisation, refresh_users
from lms_bot.worker.admin_channel import AdminChannelWatch
from lms_bot.worker.clock import ClockJobs, Job
from lms_bot.worker.orders import AdminOrders
from lms_bot.worker.steady_scheduler import SteadyScheduler

log = logging.getLogger(__name__)

ORDERS_EVERY = 1  # seconds
HEARTBEAT_EVERY = 30  # seconds
DELIVER_EVERY = 1  # seconds
CATCH_UP_EVERY = 10  # seconds
INCIDENTS_EVERY = 5  # seconds between two looks for incidents to be sent
TIDY_EVERY = 3600  # seconds
PRUNE_EVERY = 10  # seconds between two turns of what is done once a day
LONGEST_LMS_PAUSE = 60  # seconds


class Waiting(Exception):
    """A job is waiting for its next try after a failure, or is paused."""


class Worker:
    """Does the work of one process: polls and delivers while it holds the lease, stands by while another does."""

    def __init__(self, parts: Parts, catch_up: Callable[[], None] | None = None, progress: Progress | None = None):
        self._parts = parts
        self._catch_up = catch_up
        self._progress = progress
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._holds_lease: bool | None = None
        self._knows_organisation = False
        self._failing: dict[str, str] = {}
        self._users_changed = False
        self._has_run: set[str] = set()
        self._unread: set[str] = set()
        self._circuit_breaker = CircuitBreaker(parts.settings.poll_interval, LONGEST_LMS_PAUSE)
        self._sync = Sync(parts.store, parts.lms, parts.settings)
        self._orders = AdminOrders(parts.store, parts.deliverer, self._run_sync)
        self.admin_channel = AdminChannelWatch(parts.store, parts.chat, parts.settings)
        self._works_since = datetime.now(UTC)
        self._scheduler = SteadyScheduler()
        self._after_polls: list[schedule.Job] = []
        self._schedule_all()

    def _schedule_all(self) -> None:
        """Schedule every job; of those that are due at once, the first to be scheduled runs first."""
        settings = self._parts.settings
        uses_zulip = settings.notify_mentors or self._catch_up
        self._every(ORDERS_EVERY, "carry_out_orders", self.carry_out_orders)
        self._every(HEARTBEAT_EVERY, "note_heartbeat", self.note_heartbeat)
        if uses_zulip:
            self._every(DELIVER_EVERY, "refresh_users", self.refresh_users)
        if self._catch_up:
            self._every(CATCH_UP_EVERY, "catch_up", self._catch_up)
        if settings.monitor_enabled:
            self._every(settings.poll_interval, "poll", self.poll)
        self._after_polls = [
            self._every(job.seconds, job.name, partial(self.run_clock_job, job))
            for job in ClockJobs(self._parts.store, self._parts.lms, settings).jobs
            if settings.monitor_enabled or not job.reads_lms
        ]
        if uses_zulip:
            self._every(DELIVER_EVERY, "deliver", self.deliver)
            self._every(DELIVER_EVERY, "watch_admin_channel", self.admin_channel.look_if_due)
            self._every(INCIDENTS_EVERY, "send_incidents", self.send_incidents)
        self._every(TIDY_EVERY, "tidy", self.tidy)
        if settings.retention_days:
            self._every(PRUNE_EVERY, "prune", self.prune)

    def start(self) -> None:
        """Work in a daemon thread, so that it never keeps the process alive."""
        self._parts.meter.serve()
        self._thread = threading.Thread(target=self.run, name="lms_bot worker", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = 4.0) -> None:
        """Finish the statement at hand and end; wait for that at most `seconds`."""
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

    def carry_out_orders(self) -> None:
        lms_is_away = not self._circuit_breaker.is_closed
        self._orders.carry_out(self._poll, self.poll, datetime.now(UTC), lms_is_away=lms_is_away)

    def poll(self) -> None:
        if not self._circuit_breaker.admits(time.monotonic()) or self._orders.is_paused(Work.POLLING):
            raise Waiting
        self._poll()

    def run_clock_job(self, job: Job) -> None:
        """Run a job of the clock. Raises Waiting where it reads the LMS and that is away or polling is paused."""
        if job.reads_lms and (not self._circuit_breaker.is_closed or self._orders.is_paused(Work.POLLING)):
            raise Waiting
        try:
            recorded = self._run_noted(job)
        except LmsUnavailable:
            if job.name in self._unread:
                raise
            self._unread.add(job.name)  # if the LMS is away, the next poll says so: that is logged once
            raise Waiting from None
        self._unread.discard(job.name)
        if recorded:
            log.info("%s: %d new events", job.name, recorded)

    def _run_noted(self, job: Job) -> int:
        """Run a job; the first time may take minutes, as everybody is counted or judged, and is noted like a poll."""
        now = datetime.now(UTC)
        if job.name in self._has_run:
            return job.run(now)
        self.note_heartbeat(polling_since=now)
        try:
            recorded = job.run(now)
        finally:
            self.note_heartbeat()
        self._has_run.add(job.name)
        return recorded

    def _poll(self) -> Polled:
        now = datetime.now(UTC)
        self._circuit_breaker = self._circuit_breaker.begun()
        try:
            self.note_heartbeat(polling_since=now)
            polled = self._parts.poller.poll(now, self._progress)
            self._circuit_breaker = self._circuit_breaker.succeeded()
        except LmsUnavailable:
            self._circuit_breaker = self._circuit_breaker.failed(time.monotonic())
            raise
        finally:
            self._circuit_breaker = self._circuit_breaker.ended()
            self.note_heartbeat()
        if polled.new_events or polled.history_events:
            log.info("poll: %d new events, %d of history", polled.new_events, polled.history_events)
        if polled.server_replaced:
            log.warning("the LMS is another server, or was restored: everything is compared again")
        for job in self._after_polls:
            self._scheduler.run_soon(job)
        return polled

    def _run_sync(self, now: datetime) -> SyncResult:
        """Sync; an LMS that cannot be read is left alone for a while, as after a poll."""
        try:
            return self._sync.run(now)
        except LmsMisfit:
            raise
        except LmsUnavailable:
            self._circuit_breaker = self._circuit_breaker.failed(time.monotonic())
            raise

    def tidy(self) -> None:
        if removed := cleanup.remove_outdated(self._parts.store, datetime.now(UTC)):
            log.info("%d old rows are removed", removed)

    def prune(self) -> None:
        days = self._parts.settings.retention_days
        if days and (removed := prune.prune_slice(self._parts.store, days, datetime.now(UTC))):
            log.info("%d events and answers older than %d days are removed", removed, days)

    def note_heartbeat(self, polling_since: datetime | None = None) -> None:
        """Note in the store that this process works, since when it is in a poll, if it is, and how the LMS does."""
        circuit = self._circuit_state()
        self._parts.meter.circuit(circuit.circuit)
        with self._parts.store.writing() as transaction:
            heartbeat.note(
                transaction,
                THIS,
                self._works_since,
                datetime.now(UTC),
                polling_since=polling_since,
                zulip_version=self._parts.chat.version,
            )
            heartbeat.note_circuit(transaction, circuit, datetime.now(UTC))

    def _circuit_state(self) -> CircuitState:
        breaker, now = self._circuit_breaker, time.monotonic()
        left = timedelta(seconds=max(0.0, breaker.open_until - now))
        open_until = datetime.now(UTC) + left if left else None
        return CircuitState(breaker.circuit(now), breaker.failures, open_until)

    def deliver(self) -> None:
        if self._orders.is_delivering:
            raise Waiting
        self._follow_organisation()
        self._parts.deliverer.deliver_turn(begins=not self._orders.is_paused(Work.DELIVERY))

    def send_incidents(self) -> None:
        parts = self._parts
        if waiting := send_incidents(parts.store, parts.chat, parts.deliverer, datetime.now(UTC)):
            raise LmsBotError(f"incidents ({waiting}) wait for a private admin channel that is confirmed")

    def refresh_users(self) -> None:
        self._follow_organisation()
        if refresh_users(self._parts, age=USERS_AFTER_CHANGE if self._users_changed else USERS_EVERY):
            self._users_changed = False

    def note_users_changed(self) -> None:
        """Have the accounts of Zulip read again soon."""
        self._users_changed = True

    def _follow_organisation(self) -> None:
        """Find out, once, in which organisation we are."""
        if not self._knows_organisation:
            follow_organisation(self._parts.store, self._parts.chat, datetime.now(UTC))
            self._knows_organisation = True

    def _every(self, seconds: int, name: str, job: Callable[[], None]) -> schedule.Job:
        scheduled: schedule.Job = self._scheduler.every(seconds).seconds.do(self._guarded, name, job)
        return scheduled

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
            outbox.make_due(transaction, now, outbox.SENDING, outbox.UNKNOWN, outbox.REFUSED)
            before = heartbeat.last_worker(transaction)
        if stood_by and before is not None and before.process != THIS:
            incidents.note_takeover(self._parts.store, before.process, THIS, now)
        self._orders.read_pauses(now)  # before any other job: what is paused must not begin
        self.note_heartbeat()
