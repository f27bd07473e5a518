"""Puts the parts of one process together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lms_bot.chat import Chat, RateLimiter
from lms_bot.config.settings import Settings
from lms_bot.core.operations.meter import Meter, QueueLength, SyncState
from lms_bot.core.sync import KINDS
from lms_bot.errors import ConfigError
from lms_bot.lms import Lms
from lms_bot.pipeline.deliverer import Deliverer
from lms_bot.pipeline.poller import Poller
from lms_bot.store.academics import conflicts, drift
from lms_bot.store.operations import figures
from lms_bot.store.operations.lease import Lease
from lms_bot.store.session import Store, open_store


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of one process, put together from its settings."""

    settings: Settings
    store: Store
    lms: Lms
    rate_limiter: RateLimiter
    chat: Chat
    poller: Poller
    deliverer: Deliverer
    lease: Lease
    meter: Meter

    @classmethod
    def assemble(cls, settings: Settings, zuliprc: str | None) -> Parts:
        """Open the store and prepare the rest; neither the LMS nor Zulip is called.

        Raises StoreUnavailable, and ConfigError where an extra that the settings need is not installed, or
        a declaration is not there.
        """
        lms = Lms.of(settings)
        store = open_store(settings.store_database_url)
        meter = _meter(settings, store)
        rate_limiter = RateLimiter(settings.messages_per_minute)
        chat = Chat(zuliprc, rate_limiter, meter=meter)
        deliverer = Deliverer(store, chat, settings)
        poller = Poller(store, lms, settings, meter)
        return cls(settings, store, lms, rate_limiter, chat, poller, deliverer, Lease(store), meter)

    def close(self) -> None:
        """Give up the lease and close the databases."""
        self.lease.give_up()
        self.lms.close()
        self.store.close()


def _meter(settings: Settings, store: Store) -> Meter:
    if settings.metrics_port is None:
        return Meter()
    try:
        from lms_bot.metrics import PrometheusMeter
    except ModuleNotFoundError as error:
        store.close()
        raise ConfigError(
            "metrics_port is set, but prometheus_client is not installed: install lms_bot with the extra "
            "metrics, as in pip install '.[metrics]'."
        ) from error

    def read_queue() -> QueueLength:
        with store.reading() as transaction:
            queue = figures.queue(transaction, datetime.now(UTC))
        return QueueLength(queue.due, queue.postponed)

    def read_lags(message_id: int) -> list[timedelta]:
        with store.reading() as transaction:
            return figures.lags(transaction, message_id)

    def read_sync() -> SyncState:
        with store.reading() as transaction:
            found, _ = drift.last(transaction) or ({}, None)
            rows = sum(conflicts.counted(transaction).values())
        apart = {kind: one.distance for kind, one in found.items()}
        return SyncState(rows, dict.fromkeys(KINDS, 0) | apart)

    return PrometheusMeter(settings.metrics_port, read_queue, read_lags, read_sync)
