"""An admin's session: questions in the admin stream, and a worker that takes its turns when the test says so."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from lms_bot.app import Parts
from lms_bot.chat import Incoming
from lms_bot.config.settings import Settings, load
from lms_bot.core.notifications import Message
from lms_bot.handlers import dispatch
from lms_bot.store.operations import admin_channel
from lms_bot.store.operations.admin_channel import AdminChannel
from lms_bot.worker.accounts import refresh_users
from lms_bot.worker.clock import ClockJobs
from lms_bot.worker.scheduler import Worker
from tests.bot_process import Place

TOPIC = "a topic"
_message_ids = itertools.count(10_000_000)


@dataclass
class AdminSession:
    """The parts of a process that is put together as always; its worker works only where a test calls its jobs."""

    place: Place
    settings: Settings
    parts: Parts = field(init=False)
    worker: Worker = field(init=False)

    @classmethod
    @contextmanager
    def at(cls, place: Place, **settings: str) -> Iterator[AdminSession]:
        environment = {"LMS_DATABASE_URL": place.lms_url, "LMS_STORE_DATABASE_URL": place.store_url}
        session = cls(place, load(None, {**environment, "LMS_QUIET_MINUTES": "0", **settings}))
        session.start()
        session.pin()
        refresh_users(session.parts)
        session.worker.poll()
        session.run_clock_jobs()
        try:
            yield session
        finally:
            session.parts.close()

    def start(self) -> None:
        zuliprc = self.place.zulip.write_zuliprc(self.place.folder / "session_zuliprc")
        self.parts = Parts.assemble(self.settings, str(zuliprc))
        self.worker = Worker(self.parts, catch_up=lambda: None)

    def pin(self) -> None:
        """Let Ada confirm the admin channel."""
        channel = AdminChannel(self.stream_id, "lms-admin", "lms-admin", self.place.people.ada)
        with self.parts.store.writing() as transaction:
            admin_channel.keep(transaction, channel, datetime.now(UTC))

    def restart(self) -> None:
        """A new process, which knows only what the store knows."""
        self.parts.close()
        self.start()

    @property
    def stream_id(self) -> int:
        stream = self.parts.chat.stream("lms-admin")
        assert stream is not None
        return stream.stream_id

    def answers(self, text: str, *, sender: int | None = None, **where: Any) -> Sequence[Message]:
        """What is answered to Ada, or to somebody else, in the admin stream or where else it is asked."""
        ada = self.place.people.ada
        message: dict[str, Any] = {
            "id": next(_message_ids),
            "sender_id": ada if sender is None else sender,
            "content": f"@**LMS Bot** {text}",
            "timestamp": int(datetime.now(UTC).timestamp()),
            **({"type": "stream", "stream_id": self.stream_id, "subject": TOPIC} | where),
        }
        incoming = Incoming.parse(message, 13, "LMS Bot")
        now = datetime.now(UTC)
        return dispatch.answer(self.parts.store, incoming, self.settings, now, where.get("private_id", self.stream_id))

    def ask(self, text: str) -> str:
        """The one answer to Ada in the admin stream."""
        (message,) = self.answers(text)
        assert message.recipient.stream_id == self.stream_id
        return message.content

    def said(self, topic: str = TOPIC) -> list[str]:
        """What the worker said by itself in a topic of the admin stream."""
        return [one.content for one in self.place.zulip.sent_by_bot() if one.topic == topic]

    def work(self) -> None:
        """Each of the jobs once, as the worker does them."""
        self.run(self.worker.carry_out_orders, self.worker.poll)
        self.run_clock_jobs()
        self.run(self.worker.deliver)

    def run(self, *jobs: Callable[[], None]) -> None:
        for job in jobs:
            self.worker._guarded(job.__name__, job)

    def run_clock_jobs(self, *names: str) -> None:
        """Run the jobs of the clock once, or those of these names."""
        for job in ClockJobs(self.parts.store, self.parts.lms, self.settings).jobs:
            if job.name in names or not names:
                self.worker._guarded(job.name, partial(self.worker.run_clock_job, job))

    def told(self, user_id: int) -> list[str]:
        return [one.content for one in self.place.zulip.direct_to(user_id)]


def ago(**length: float) -> datetime:
    return datetime.now(UTC) - timedelta(**length)
