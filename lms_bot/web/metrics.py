"""What Prometheus is told of the web: answer times, refused tokens, open streams."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REFUSALS = ("missing", "unknown", "expired", "revoked", "scope", "rate")
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """Counts of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._answers = Histogram(
            "lms_bot_web_answer_seconds",
            "Seconds until a request is answered, streams until their beginning.",
            ["method", "status"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._refused = Counter(
            "lms_bot_web_refused_tokens", "Requests refused for their token.", ["reason"], registry=self._registry
        )
        self._signals = Counter("lms_bot_web_signals", "Signals.", ["outcome"], registry=self._registry)
        self._tools = Counter(
            "lms_bot_web_tool_calls", "Calls of tools by agents.", ["tool", "outcome"], registry=self._registry
        )
        self._streams = Gauge("lms_bot_web_open_streams", "Streams that are open now.", registry=self._registry)
        for reason in REFUSALS:
            self._refused.labels(reason)

    def answered(self, method: str, status: int, seconds: float) -> None:
        known = method if method in ("GET", "HEAD", "POST") else "other"
        self._answers.labels(known, f"{status // 100}xx").observe(seconds)

    def refused(self, reason: str) -> None:
        self._refused.labels(reason).inc()

    def signalled(self, outcome: str) -> None:
        self._signals.labels(outcome).inc()

    def called(self, tool: str, outcome: str) -> None:
        self._tools.labels(tool, outcome).inc()

    def streams(self, count: int) -> None:
        self._streams.set(count)

    def page(self) -> bytes:
        """Return all of it as Prometheus reads it."""
        return generate_latest(self._registry)
