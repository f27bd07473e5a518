"""Puts the school and the bot's real parts together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from lms_bot.app import Parts
from lms_bot.chat import Incoming
from lms_bot.config.settings import Settings, load
from lms_bot.core.notifications import Recipient
from lms_bot.core.process import THIS
from lms_bot.core.reports.statistics import Statistics
from lms_bot.db.engine import make_private
from lms_bot.demo.chat import ADMIN_STREAM, BOT, PEOPLE, Person, TerminalChat
from lms_bot.fixtures import school
from lms_bot.handlers import dispatch
from lms_bot.pipeline import replies
from lms_bot.pipeline.actions import sessions
from lms_bot.pipeline.deliverer import Deliverer
from lms_bot.pipeline.poller import Polled, Progress
from lms_bot.store.operations import admin_channel, heartbeat
from lms_bot.store.operations.admin_channel import AdminChannel
from lms_bot.store.people import people
from lms_bot.store.reports import statistics as reports_statistics
from lms_bot.store.session import Store
from lms_bot.worker.accounts import refresh_users
from lms_bot.worker.clock import ClockJobs


class Clock:
    """Tells the time of day, or a time that stands still until it is moved on."""

    def __init__(self, start: datetime | None) -> None:
        self._now = start

    def __call__(self) -> datetime:
        return self._now or datetime.now(UTC)

    def move_on(self, step: timedelta) -> None:
        """Let time pass where it stands still."""
        if self._now:
            self._now += step


class Audience(Protocol):
    """Somebody who sees what happens."""

    def happened(self, sentences: Sequence[str]) -> None:
        """Show what happened in the LMS at once."""

    def message(self, recipient: Recipient, text: str) -> None:
        """Show a message of the bot."""


class Stage:
    """One school with this kind of LMS and one bot, in a folder of their own."""

    def __init__(
        self, folder: Path, clock: Clock, audience: Audience, kind: str = school.CLASSIC, web_url: str = "none"
    ) -> None:
        self._clock = clock
        self._audience = audience
        lms = folder / "lms.db"
        make_private(lms)
        school.build(lms, clock(), lms=kind)
        self._school = school.School(lms, lms=kind)
        self._chat, self._parts = _assemble(_settings(lms, folder / "store.db", kind, web_url), clock, audience, folder)
        self._since = clock()
        self._jobs = ClockJobs(self._parts.store, self._parts.lms, self._parts.settings)

    def poll_history(self, progress: Progress | None) -> Polled:
        """Poll for the first time: everything there is becomes history, and nobody is told."""
        polled = self._poll(progress)
        refresh_users(self._parts)
        return polled

    def live(self) -> None:
        """Let the next things happen in the school, and let the bot find and tell them."""
        self._audience.happened(self._school.step(self._clock()))
        self._poll()
        self._parts.deliverer.deliver_turn()

    def _poll(self, progress: Progress | None = None) -> Polled:
        now, parts = self._clock(), self._parts
        polled = parts.poller.poll(now, progress)
        self._jobs.run(now)
        with parts.store.writing() as transaction:
            heartbeat.note(transaction, THIS, self._since, now)
        return polled

    def ask(self, asker: Person, text: str) -> None:
        """Claim, answer and settle a question as the bot does."""
        store = self._parts.store
        incoming = Incoming.parse(self._chat.question(asker, text), BOT.user_id, BOT.full_name)
        for message in dispatch.answer(
            store, incoming, self._parts.settings, self._clock(), ADMIN_STREAM.stream_id if asker.is_admin else None
        ):
            replies.send(store, self._chat, message, self._clock)

    @property
    def store(self) -> Store:
        return self._parts.store

    @property
    def settings(self) -> Settings:
        return self._parts.settings

    def pin_admin_channel(self) -> None:
        """Let the admins of the demo be those of the admin channel, as the worker sees them in Zulip."""
        members = tuple(person.user_id for person in PEOPLE.values() if person.is_admin)
        channel = AdminChannel(ADMIN_STREAM.stream_id, ADMIN_STREAM.name, ADMIN_STREAM.name, members=members)
        with self.store.writing() as transaction:
            admin_channel.keep(transaction, channel, self._clock())

    def link_for(self, person: Person) -> str:
        """Return a link to somebody's pages, as `dashboard` gives it."""
        with self.store.writing() as transaction:
            secret = sessions.give_link(transaction, person.user_id, self._clock(), as_admin=person.is_admin)
        return f"{self.settings.web_url}/enter/{secret}"

    def students_of(self, asker: Person) -> Sequence[str]:
        """Return the usernames of somebody's students."""
        with self._parts.store.reading() as transaction:
            mentors = people.mentors_of_account(transaction, asker.user_id)
            students = people.students_of(transaction, [mentor.mentor_id for mentor in mentors])
        return [student.username for student in students]

    def statistics(self) -> Statistics:
        with self._parts.store.reading() as transaction:
            return reports_statistics.statistics(transaction)

    def close(self) -> None:
        self._parts.close()


def _settings(lms: Path, store: Path, kind: str, web_url: str) -> Settings:
    """Return these settings alone, whatever the environment says; the pace is one that no demo reaches."""
    given = {
        "LMS_DATABASE_URL": f"sqlite:///{lms}",
        "LMS_SCHEMA": kind,
        "LMS_STORE_DATABASE_URL": f"sqlite:///{store}",
        "LMS_MESSAGES_PER_MINUTE": "6000",
        "LMS_QUIET_MINUTES": "0",
        "LMS_ADMIN_STREAM": ADMIN_STREAM.name,
        "LMS_BOT_WEB_URL": web_url,
    }
    return load(None, given)


def _assemble(settings: Settings, clock: Clock, audience: Audience, folder: Path) -> tuple[TerminalChat, Parts]:
    parts = Parts.assemble(settings, None)
    chat = TerminalChat(parts.rate_limiter, audience.message, folder)
    deliverer = Deliverer(parts.store, chat, settings, clock)
    return chat, replace(parts, chat=chat, deliverer=deliverer)
