"""Streams of events as they are recorded: one look at the store a few times a second, for all of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from anyio import CapacityLimiter, to_thread

from lms_bot.core.events import EventType
from lms_bot.core.principal import Principal
from lms_bot.core.web.positions import Position
from lms_bot.core.web.sessions import Session
from lms_bot.core.web.tokens import Token
from lms_bot.errors import StoreUnavailable
from lms_bot.reports.web import activity, readers
from lms_bot.reports.web.activity import Recorded
from lms_bot.reports.web.readers import Key, Reader, key_of
from lms_bot.store.events.handover import RecordedEvent
from lms_bot.store.session import Store
from lms_bot.web.metrics import Metrics

log = logging.getLogger(__name__)

LOOK_EVERY = 0.25  # seconds
HEARTBEAT = 15.0  # seconds
PAGE = 500  # events that are read at a time
MOST_WAITING = 2_000  # events for one stream: one that reads more slowly is ended, and resumed where it was
MOST_STREAMS = 3_000
MOST_OF = {Token: 1_500, Session: 30}


Read = Callable[[Position, int], tuple[Position, list[Recorded]]]
Write = Callable[[Sequence[Recorded]], bytes]


@dataclass(eq=False, slots=True)
class Stream:
    """One open stream of a token or a session: which events it wants, and those that wait for it; None ends it."""

    reader: Reader
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
    """What one look at the store found: new numbers, and by reader what of it they may read; no other may read on."""

    position: Position
    events: dict[Key, list[Recorded]]


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

    def has_room(self, reader: Reader) -> bool:
        """Return whether one more stream may be opened."""
        theirs = sum(key_of(stream.reader) == key_of(reader) for stream in self._open)
        return not self._is_closing and len(self._open) < MOST_STREAMS and theirs < MOST_OF[type(reader)]

    async def open(self, stream: Stream) -> Position:
        """Let a stream have what is recorded from now on; return where that begins."""
        self._open.add(stream)
        self._metrics.streams(len(self._open))
        self._wanted.set()
        await self._ready.wait()
        return self.position

    async def sent(self, stream: Stream, after: Position | None, read: Read, write: Write) -> AsyncIterator[bytes]:
        """Yield a stream as server-sent events: what was missed after a position, and then what is recorded.

        `read` gives what was recorded after a position and up to a number, `write` turns events into what is sent;
        threads run both.
        """
        try:
            begun_at = await self.open(stream)
            yield b"retry: 2000\n\n"
            missed: set[int] = set()
            position, reached = None, after or begun_at
            while reached != position:
                position = reached
                reached, page = await asyncio.to_thread(read, position, begun_at.last)
                wanted = [recorded for recorded in page if stream.wants(recorded.event)]
                missed.update(recorded.event.event_id for recorded in wanted)
                yield await asyncio.to_thread(write, wanted)
            while True:
                found = await _next(stream)
                if found is None:
                    return
                new = [recorded for recorded in found if recorded.event.event_id not in missed]
                yield await asyncio.to_thread(write, new) if found else b": still here\n\n"
        finally:
            self.close(stream)

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
        who = {key_of(stream.reader): (stream.reader, stream.principal) for stream in streams}
        seen = await to_thread.run_sync(self._look, who, limiter=self._thread)
        for stream in streams:
            theirs = seen.events.get(key_of(stream.reader))
            if theirs is None:
                stream.end()
            for recorded in theirs or ():
                _put(stream, recorded)
        self.position = seen.position

    def _begin(self) -> Position:
        with self._store.reading() as transaction:
            return activity.reached(transaction)

    def _look(self, who: Mapping[Key, tuple[Reader, Principal]]) -> _Seen:
        with self._store.reading() as transaction:
            position, found = activity.recorded(transaction, self.position, most=PAGE)
            return _Seen(position, readers.readable(transaction, who, found, datetime.now(UTC)))


async def _next(stream: Stream) -> list[Recorded] | None:
    """Return the events that wait, none where nothing came for a while; None once the stream has ended."""
    if stream.is_ended and stream.waiting.empty():
        return None
    try:
        found = [await asyncio.wait_for(stream.waiting.get(), HEARTBEAT)]
    except TimeoutError:
        return []
    while not stream.waiting.empty():
        found.append(stream.waiting.get_nowait())
    return [recorded for recorded in found if recorded is not None] or None


def _put(stream: Stream, recorded: Recorded) -> None:
    if stream.is_ended or not stream.wants(recorded.event):
        return
    stream.waiting.put_nowait(recorded)
    if stream.waiting.full():
        stream.end()
