"""Writes down who asked for what, and when each token was last used: a few times a second, not once per request."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

from lms_bot.core.web.tokens import Token
from lms_bot.errors import StoreUnavailable
from lms_bot.store.session import Store
from lms_bot.store.web import audit, tokens
from lms_bot.store.web.audit import Access

log = logging.getLogger(__name__)

WRITTEN_EVERY = 1.0  # seconds
USE_NOTED_EVERY = timedelta(minutes=1)
MOST_KEPT = 50_000  # requests that wait to be written: beyond that nothing is answered that cannot be written down
LONGEST_PATH = 200


class Diary:
    """Requests that are to be written down."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._accesses: list[Access] = []
        self._used: dict[int, datetime] = {}
        self._noted: dict[int, datetime] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lms_bot diary", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, and end."""
        self._stopping.set()
        self._thread.join(2.0)

    def note(self, token: Token, path: str, student_id: int | None, now: datetime) -> None:
        """Note a request. Raises StoreUnavailable where too many wait to be written."""
        with self._lock:
            if len(self._accesses) >= MOST_KEPT:
                raise StoreUnavailable("the event store does not take the audit")
            self._accesses.append(Access(token.name, path[:LONGEST_PATH], student_id, now))
            last = self._noted.get(token.token_id, token.last_used_at)
            if last is None or not timedelta() <= now - last < USE_NOTED_EVERY:
                self._used[token.token_id] = self._noted[token.token_id] = now

    def _run(self) -> None:
        while not self._stopping.wait(WRITTEN_EVERY):
            self._write()
        self._write()

    def _write(self) -> None:
        with self._lock:
            accesses, used = self._accesses, self._used
            self._accesses, self._used = [], {}
        if not accesses:
            return
        try:
            with self._store.writing(durable=False) as transaction:
                audit.note(transaction, accesses)
                if used:
                    tokens.note_use(transaction, used)
        except StoreUnavailable as error:
            log.warning("the audit of the web waits: %s", error)
            with self._lock:
                self._accesses = accesses + self._accesses
                self._used = used | self._used
