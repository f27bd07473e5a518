"""Streams of events as they are recorded: one look at the store a few times a second, for all of them."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from anyio import CapacityLimiter, to_thread

from lms_bot.core.events import EventType
from lms_bot.core.principal import Principal
from lms_bot.core.web.positions import Position
from lms_bot.core.web.tokens import Token
from lms_bot.errors import StoreUnavailable
from lms_bot.reports.web import activity
from lms_bot.reports.web.activity import Recorded
from lms_bot.store.events.handover import RecordedEvent
from lms_bot.store.session import Store
from lms_bot.store.web import tokens
from lms_bot.web.metrics import Metrics

log = logging.getLogger(__name__)

LOOK_EVERY = 0.25  # seconds
PAGE = 500  # events that are read at a time
MOST_WAITING = 2_000  # events for one stream: one that reads more slowly is ended, and resumed where it was
MOST_STREAMS = 3_000
MOST_OF_TOKEN = 1_500


@dataclass(eq=False, slots=True)
class Stream:
    """One open stream: which events it wants, and those that wait for it; None ends it."""

    token: Token
    principal: Principal
    types: frozenset[EventType] = frozenset()
    student_id: int | None = None
    waiting: asyncio.Queue[Recorded | None] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))
    is_ended: bool = False

    def wants(self, event: RecordedEvent) -> bool:
        is_kind = not self.types or event.event_type in self.types
        return is_kind and self.student_id in (None, event.student_id)

    def end(self) -> None:
        """End it after what waits already."""
        self.is_ended = True
        if not self.waiting.full():
            self.waiting.put_nowait(None)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look at the store found: events by the mentor who may read them (None: everybody), and valid tokens."""

    position: Position
    events: dict[int | None, list[Recorded]]
    valid: set[int]


class Streams:
    """All open streams, and what was last seen in the store for them."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._open: set[Stream] = set()
        self._thread = CapacityLimiter(1)
        self._wanted = asyncio.Event()
        self._ready = asyncio.Event()
        self._is_closing = False
        self.position = Position(0)

    def has_room(self, token: Token) -> bool:
        """Return whether one more stream may be opened."""
        of_token = sum(stream.token.token_id == token.token_id for stream in self._open)
        return not self._is_closing and len(self._open) < MOST_STREAMS and of_token < MOST_OF_TOKEN

    async def open(self, stream: Stream) -> Position:
        """Let a stream have what is recorded from now on; return where that begins."""
        self._open.add(stream)
        self._metrics.streams(len(self._open))
        self._wanted.set()
        await self._ready.wait()
        return self.position

    def close(self, stream: Stream) -> None:
        """Forget a stream."""
        self._open.discard(stream)
        self._metrics.streams(len(self._open))
        if not self._open:
            self._wanted.clear()
            self._ready.clear()

    def end(self) -> None:
        """End all streams."""
        self._is_closing = True
        self._ready.set()
        for stream in self._open:
            stream.end()

    async def run(self) -> None:
        """Look at the store again and again while streams are open."""
        is_failing = False
        while True:
            await self._wanted.wait()
            try:
                await self._turn()
            except StoreUnavailable as error:
                if not is_failing:
                    log.warning("streams wait: %s", error)
                is_failing = True
            else:
                is_failing = False
            await asyncio.sleep(LOOK_EVERY)

    async def _turn(self) -> None:
        if not self._ready.is_set():
            self.position = await to_thread.run_sync(self._begin, limiter=self._thread)
            self._ready.set()
            return
        # Who is open now: a stream that is opened meanwhile has its own beginning.
        streams = list(self._open)
        audiences = {stream.token.mentor_id: stream.principal for stream in streams}
        token_ids = set(Counter(stream.token.token_id for stream in streams))
        seen = await to_thread.run_sync(self._look, audiences, token_ids, limiter=self._thread)
        for stream in streams:
            if stream.token.token_id not in seen.valid:
                stream.end()
                continue
            for recorded in seen.events.get(stream.token.mentor_id, ()):
                _put(stream, recorded)
        self.position = seen.position

    def _begin(self) -> Position:
        with self._store.reading() as transaction:
            return activity.reached(transaction)

    def _look(self, audiences: dict[int | None, Principal], token_ids: Collection[int]) -> _Seen:
        with self._store.reading() as transaction:
            position, found = activity.recorded(transaction, self.position, most=PAGE)
            events = {
                mentor_id: activity.readable(transaction, principal, found)
                for mentor_id, principal in audiences.items()
                if found
            }
            return _Seen(position, events, tokens.valid_among(transaction, token_ids, datetime.now(UTC)))


def _put(stream: Stream, recorded: Recorded) -> None:
    if stream.is_ended or not stream.wants(recorded.event):
        return
    stream.waiting.put_nowait(recorded)
    if stream.waiting.full():
        stream.end()
