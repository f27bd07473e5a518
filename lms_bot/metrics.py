"""Serves the figures of one process to Prometheus, on this machine only; needs the extra `metrics`."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from importlib.metadata import version

import prometheus_client as prometheus
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lms_bot.core.events import Event, EventType
from lms_bot.core.operations.circuit_breaker import Circuit
from lms_bot.core.operations.meter import Meter, PollOutcome, QueueLength, SendOutcome, SyncState
from lms_bot.errors import StoreUnavailable

log = logging.getLogger(__name__)

ADDRESS = "127.0.0.1"
PURPOSES = ("delivery", "reply")
LAGS = (1, 5, 15, 30, 60, 120, 300, 900, 3_600, 14_400, 86_400, 604_800)  # seconds, up to a week
ANSWERS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds


class PrometheusMeter(Meter):
    """Counts in memory, but for the queue, which is read when somebody asks for it.

    `read_lags` returns how late the notifications of a message were sent, given its id, and `read_sync` how the store
    stands to the LMS; all of them may raise StoreUnavailable.
    """

    def __init__(
        self,
        port: int,
        read_queue: Callable[[], QueueLength],
        read_lags: Callable[[int], Iterable[timedelta]],
        read_sync: Callable[[], SyncState],
    ) -> None:
        self._port = port
        self._read_lags = read_lags
        self._is_serving = False
        registry = self._registry = prometheus.CollectorRegistry()
        prometheus.ProcessCollector(registry=registry)
        prometheus.Info("lms_bot", "The version of the bot.", registry=registry).info({"version": version("lms_bot")})
        self._lease = prometheus.Gauge("lms_bot_lease_held", "1 where this process works.", registry=registry)
        self._polled_at = prometheus.Gauge(
            "lms_bot_last_poll_timestamp_seconds", "When the last poll succeeded here.", registry=registry
        )
        self._circuit = prometheus.Gauge(
            "lms_bot_lms_circuit", "1 for the state of the circuit to the LMS.", ["state"], registry=registry
        )
        self._polls = prometheus.Counter("lms_bot_polls", "Polls by outcome.", ["outcome"], registry=registry)
        self._events = prometheus.Counter(
            "lms_bot_events", "Events recorded, of history or new.", ["type", "history"], registry=registry
        )
        self._sends = prometheus.Counter(
            "lms_bot_sends", "Tries to send a message to Zulip.", ["purpose", "outcome"], registry=registry
        )
        self._lag = prometheus.Histogram(
            "lms_bot_lag_seconds", "From an event's own time to its message.", buckets=LAGS, registry=registry
        )
        self._answers = prometheus.Histogram(
            "lms_bot_answer_seconds", "From taking up a question to its answer.", buckets=ANSWERS, registry=registry
        )
        registry.register(Queue(read_queue, read_sync))
        self._begin_at_zero()

    def serve(self) -> None:
        if self._is_serving:
            return
        try:
            prometheus.start_http_server(self._port, ADDRESS, self._registry)
        except OSError as error:
            log.warning("no metrics: port %d of %s cannot be used: %s", self._port, ADDRESS, error.strerror)
            return
        self._is_serving = True
        log.info("metrics are at http://%s:%d/metrics", ADDRESS, self._port)

    def holds_lease(self, held: bool) -> None:
        self._lease.set(held)

    def circuit(self, circuit: Circuit) -> None:
        for one in Circuit:
            self._circuit.labels(one).set(one is circuit)

    def polled(self, outcome: PollOutcome) -> None:
        self._polls.labels(outcome).inc()
        if outcome is PollOutcome.OK:
            self._polled_at.set_to_current_time()

    def recorded(self, inserted: Iterable[tuple[int, Event]]) -> None:
        for (kind, is_history), number in Counter((e.event_type, e.is_history) for _, e in inserted).items():
            self._events.labels(kind, _yes(is_history)).inc(number)

    def sent(self, purpose: str, outcome: SendOutcome) -> None:
        self._sends.labels(purpose, outcome).inc()

    def delivered(self, message_id: int) -> None:
        for lag in self._read_lags(message_id):
            self._lag.observe(max(0.0, lag.total_seconds()))

    def answered(self, seconds: float) -> None:
        self._answers.observe(seconds)

    def _begin_at_zero(self) -> None:
        """Show every series from the beginning, so that the first of a kind is an increase."""
        self.circuit(Circuit.CLOSED)
        for poll in PollOutcome:
            self._polls.labels(poll)
        for kind in EventType:
            for is_history in (False, True):
                self._events.labels(kind, _yes(is_history))
        for purpose in PURPOSES:
            for send in SendOutcome:
                self._sends.labels(purpose, send)


class Queue(Collector):
    """The length of the queue, and how the store stands to the LMS, at the moment of asking."""

    def __init__(self, read_queue: Callable[[], QueueLength], read_sync: Callable[[], SyncState]) -> None:
        self._read_queue = read_queue
        self._read_sync = read_sync

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("lms_bot_store_up", "1 where the event store answers.")
        try:
            queue, sync = self._read_queue(), self._read_sync()
        except StoreUnavailable:  # which is what the metric says
            up.add_metric([], 0)
        else:
            up.add_metric([], 1)
            waiting = GaugeMetricFamily(
                "lms_bot_notifications", "Notifications owed: due, or waiting for their time.", labels=["state"]
            )
            waiting.add_metric(["due"], queue.due)
            waiting.add_metric(["waiting"], queue.waiting)
            yield waiting
            conflicts = GaugeMetricFamily("lms_bot_conflicts", "Rows of the LMS that cannot be quite right.")
            conflicts.add_metric([], sync.conflicts)
            yield conflicts
            drift = GaugeMetricFamily("lms_bot_drift", "Rows other than in the LMS, last night.", labels=["kind"])
            for kind, rows in sync.drift.items():
                drift.add_metric([kind], rows)
            yield drift
        yield up

    def describe(self) -> Iterable[Metric]:
        return ()  # so that registering it does not ask the store


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"
