"""Checks signals as Standard Webhooks sign them: who sent one, when, and whether it came before."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping

from standardwebhooks import Webhook, WebhookVerificationError

REMEMBERED = 600.0  # seconds, twice as long as a signature counts
MOST_REMEMBERED = 50_000


class SignalCheck:
    """The secret that is shared with the LMS, and the ids of the signals that came lately."""

    def __init__(self, secret: str | None) -> None:
        self._webhook = Webhook(secret) if secret else None
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, float] = OrderedDict()

    def is_signed(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Return whether the LMS signed this within the last five minutes."""
        if self._webhook is None:
            return False
        try:
            self._webhook.verify(body, dict(headers), json_parse=False)
        except (WebhookVerificationError, ValueError):  # ValueError: of a header or a body that is not even text
            return False
        return True

    def is_new(self, signal_id: str) -> bool:
        """Return whether no signal had this id lately, and remember it."""
        with self._lock:
            now = time.monotonic()
            while self._seen and (
                len(self._seen) >= MOST_REMEMBERED or next(iter(self._seen.values())) < now - REMEMBERED
            ):
                self._seen.popitem(last=False)
            if signal_id in self._seen:
                return False
            self._seen[signal_id] = now
            return True
