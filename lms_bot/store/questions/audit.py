"""The audit: who changed what, and when."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from lms_bot.core.reports.overview import AuditEntry
from lms_bot.store.session import Transaction
from lms_bot.store.tables import audit, zulip_users


def note(transaction: Transaction, zulip_user_id: int, command: str, outcome: str, now: datetime) -> None:
    """Write down what somebody changed, or tried to."""
    values = {"zulip_user_id": zulip_user_id, "command": command, "outcome": outcome, "at": now}
    transaction.execute(sa.insert(audit).values(values))


def last(transaction: Transaction, most: int, offset: int = 0) -> list[AuditEntry]:
    """Return the last changes, newest first, after the first `offset`."""
    query = (
        sa.select(audit.c.zulip_user_id, zulip_users.c.full_name, audit.c.command, audit.c.outcome, audit.c.at)
        .select_from(audit.outerjoin(zulip_users, zulip_users.c.user_id == audit.c.zulip_user_id))
        .order_by(audit.c.audit_id.desc())
        .limit(most)
        .offset(offset)
    )
    return [AuditEntry(*row) for row in transaction.execute(query)]
