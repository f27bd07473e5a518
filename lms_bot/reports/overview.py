"""How the bot is doing, for admins."""

from __future__ import annotations

from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.principal import Principal
from lms_bot.core.reports.overview import AuditEntry, Operation, Queue, Status, Unnotified
from lms_bot.lms import schemas
from lms_bot.reports import access
from lms_bot.store import state
from lms_bot.store.academics import conflicts, drift
from lms_bot.store.events import cursors
from lms_bot.store.notifications import outbox
from lms_bot.store.operations import figures, heartbeat, incidents, pauses
from lms_bot.store.people import accounts, directory
from lms_bot.store.questions import audit as audits
from lms_bot.store.schema import CURRENT
from lms_bot.store.session import Transaction


def operation(transaction: Transaction, principal: Principal, now: datetime) -> Operation:
    """Return who works, what is paused, and when the LMS was last read. Raises NotFound."""
    access.require_admin(principal)
    paused = {work: pause.until for work, pause in pauses.current(transaction, now).items()}
    return Operation(heartbeat.last_worker(transaction), paused, state.noted_at(transaction, state.POLLED))


def queue(transaction: Transaction, principal: Principal, now: datetime) -> Queue:
    """Return how many notifications are due and postponed. Raises NotFound."""
    access.require_admin(principal)
    return figures.queue(transaction, now)


def status(transaction: Transaction, principal: Principal, settings: Settings, now: datetime) -> Status:
    """Return what works, waits and is wrong; today begins at midnight in the time zone of the settings.

    Raises NotFound.
    """
    required = [source.name for source in schemas.named(settings.lms_schema).sources if not source.is_optional]
    today = now.astimezone(settings.timezone).replace(hour=0, minute=0, second=0, microsecond=0)
    found, compared_at = drift.last(transaction) or ({}, None)
    return Status(
        operation=operation(transaction, principal, now),
        newest=figures.newest(transaction),
        cursors={**dict.fromkeys(required), **cursors.load_all(transaction)},
        queue=figures.queue(transaction, now),
        sent_today=figures.sent_since(transaction, today),
        postponed_today=figures.postponed_since(transaction, today, now),
        parked=outbox.parked(transaction, 1)[0],
        unmapped=len(accounts.unmapped(transaction)),
        unknown_rows=sum(rows for _, _, rows in cursors.unknown_states(transaction)),
        incidents=tuple(incidents.ongoing(transaction)),
        schema=CURRENT,
        product=figures.product(transaction),
        conflicts=sum(conflicts.counted(transaction).values()),
        drift=found,
        compared_at=compared_at,
    )


def unnotified(transaction: Transaction, principal: Principal, most: int) -> Unnotified:
    """Return what nobody can be notified of: at most `most` of the students without a mentor. Raises NotFound."""
    access.require_admin(principal)
    total, students = directory.students_without_mentor(transaction, most)
    return Unnotified(
        total,
        tuple(students),
        tuple(accounts.unmapped(transaction)),
        tuple(cursors.unknown_states(transaction)),
        directory.count_events_without_student(transaction),
    )


def audit(transaction: Transaction, principal: Principal, most: int, offset: int = 0) -> list[AuditEntry]:
    """Return the last changes by admins, newest first, after the first `offset`. Raises NotFound."""
    access.require_admin(principal)
    return audits.last(transaction, most, offset)
