"""Listens, and answers until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
from dataclasses import replace
from types import FrameType

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from lms_bot.config.settings import Settings
from lms_bot.errors import LmsBotError
from lms_bot.store.session import Store
from lms_bot.web.application import application
from lms_bot.web.context import Context
from lms_bot.web.streams import MOST_STREAMS

log = logging.getLogger(__name__)

SLOWEST_HEAD = 5.0  # seconds until the first request of a connection is there
LAST_ANSWERS = 3  # seconds that they may take, once it is told to end
KEEP_ALIVE = 20  # seconds
LONGEST_HEAD = 16 * 1024  # bytes


class Server(uvicorn.Server):
    """A server whose streams end as soon as it is told to end."""

    def __init__(self, config: uvicorn.Config, context: Context) -> None:
        super().__init__(config)
        self._context = context
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End in peace; at a second signal at once. uvicorn's own would end the process by the signal, afterwards."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._context.streams.end)
        self.force_exit = self.should_exit
        self.should_exit = True


class PatientProtocol(H11Protocol):
    """A connection on which nothing is asked for long is closed."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self.loop.call_later(SLOWEST_HEAD, self._close_unused)

    def _close_unused(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()


def serve(store: Store, settings: Settings, listen: tuple[str, int]) -> None:
    """Answer at an address until a signal ends it. Raises LmsBotError where it cannot listen there."""
    context = Context(store, replace(settings, web_listen=listen))
    _allow_many_files()
    config = uvicorn.Config(
        application(context),
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=LAST_ANSWERS,
        limit_concurrency=MOST_STREAMS + 1_000,
        h11_max_incomplete_event_size=LONGEST_HEAD,
    )
    with _listening(listen) as listener:
        log.info("listening on %s port %d", *listen)
        Server(config, context).run(sockets=[listener])


def _listening(listen: tuple[str, int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in listen[0] else socket.AF_INET
    try:
        listener = socket.create_server(listen, family=family, backlog=512)
    except OSError as error:
        raise LmsBotError(f"cannot listen on {listen[0]} port {listen[1]}: {error.strerror}") from error
    # asyncio does that only for sockets it opened itself; without, each answer waits 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _allow_many_files() -> None:
    """Take as many open files as the system lets us have: each stream is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
