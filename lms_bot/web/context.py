"""What the requests of one process share: the store, the settings, and what is remembered from one to the next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.requests import HTTPConnection

from lms_bot.config.settings import Settings
from lms_bot.core.principal import Principal
from lms_bot.reports import freshness
from lms_bot.store.session import Store, Transaction
from lms_bot.web.diary import Diary
from lms_bot.web.metrics import Metrics
from lms_bot.web.rate_limit import PER_SECOND_OF_STUDENT, RateLimit
from lms_bot.web.signals import SignalCheck
from lms_bot.web.streams import Streams


class Context:
    """One process that answers the web; `read_at` is when the LMS was last read, as last seen in the store."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.metrics = Metrics()
        self.diary = Diary(store)
        self.rate_limit = RateLimit()
        self.students_rate_limit = RateLimit(per_second=PER_SECOND_OF_STUDENT)
        self.streams = Streams(store, self.metrics)
        self.signals = SignalCheck(settings.signal_secret)
        self.read_at: datetime | None = None

    def look(self, transaction: Transaction, now: datetime) -> None:
        """Look in the store when the LMS was last read."""
        self.read_at = freshness.freshness(transaction, Principal.service(), self.settings, now).read_at

    def stamp(self) -> dict[str, Any]:
        """Return what stands in every answer."""
        return {"as_of": datetime.now(UTC), "lms_read_at": self.read_at}

    def age_of_data(self) -> int | None:
        """Return how many seconds ago the LMS was last read; None where that is not known."""
        return None if self.read_at is None else max(0, round((datetime.now(UTC) - self.read_at).total_seconds()))


def context_of(request: HTTPConnection) -> Context:
    """Return what the request shares with others."""
    context: Context = request.app.state.context
    return context
