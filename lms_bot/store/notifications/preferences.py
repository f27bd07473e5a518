"""The preferences of mentors: how soon, when, and about whom they are notified."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from lms_bot.core.events import EventClass
from lms_bot.core.notifications import Preferences, Timing
from lms_bot.db.lists import in_bound_list, list_value
from lms_bot.store.bulk import insert_into
from lms_bot.store.session import Transaction
from lms_bot.store.tables import mentors, preferences, zulip_users


def effective(transaction: Transaction, mentor_ids: Collection[int]) -> dict[int, Preferences]:
    """Return the preferences of each of these mentors of the LMS.

    Where they named no time zone it is that of their Zulip account, if Zulip knows one.
    """
    dialect = transaction.dialect.name
    found = transaction.execute(_query(dialect), {"mentor_ids": list_value(mentor_ids, dialect)}).all()
    return {mentor_id: _preferences(choice or {}, timezone or None) for mentor_id, choice, timezone in found}


def chosen(transaction: Transaction, mentor_id: int) -> Preferences:
    """Return what a mentor chose, without the time zone of their account."""
    query = sa.select(_CHOICE).select_from(_OF_MENTORS).where(mentors.c.mentor_id == mentor_id)
    return _preferences(transaction.scalar(query) or {}, None)


_other, _of_other = mentors.alias("other"), preferences.alias("of_other")
_OF_SAME_PERSON = (
    sa.select(_of_other.c.wishes)
    .join(_other, _other.c.mentor_id == _of_other.c.mentor_id)
    .where(_other.c.zulip_user_id == mentors.c.zulip_user_id)
    .order_by(_other.c.mentor_id)
    .limit(1)
)
# A person who is several mentors chooses for all of them, also for one who came later.
_CHOICE = sa.func.coalesce(preferences.c.wishes, _OF_SAME_PERSON.scalar_subquery(), type_=sa.JSON).label("wishes")
_OF_MENTORS = mentors.outerjoin(preferences, preferences.c.mentor_id == mentors.c.mentor_id)


@cache
def _query(dialect: str) -> sa.Select[Any]:
    return (
        sa.select(mentors.c.mentor_id, _CHOICE, zulip_users.c.timezone)
        .select_from(_OF_MENTORS.outerjoin(zulip_users, zulip_users.c.user_id == mentors.c.zulip_user_id))
        .where(in_bound_list(mentors.c.mentor_id, "mentor_ids", dialect))
    )


def save(transaction: Transaction, mentor_id: int, choice: Preferences, now: datetime) -> None:
    """Save what a mentor chose, instead of what they chose before."""
    values = {"mentor_id": mentor_id, "wishes": _as_json(choice), "changed_at": now}
    insert = insert_into(transaction, preferences).values(values)
    changed = {name: insert.excluded[name] for name in ("wishes", "changed_at")}
    transaction.execute(insert.on_conflict_do_update(index_elements=["mentor_id"], set_=changed))


def forget_student(transaction: Transaction, student_id: int) -> None:
    """Remove a student from the preferences of all mentors."""
    for mentor_id, choice in transaction.execute(sa.select(preferences.c.mentor_id, preferences.c.wishes)).all():
        if choice.get("muted", {}).pop(str(student_id), None):
            kept = sa.update(preferences).where(preferences.c.mentor_id == mentor_id).values(wishes=choice)
            transaction.execute(kept)


def _as_json(choice: Preferences) -> dict[str, Any]:
    """Return what differs from the defaults, as JSON can hold it."""
    chosen, default = asdict(choice), asdict(Preferences())
    kept = {name: value for name, value in chosen.items() if value != default[name]}
    if "timings" in kept:
        kept["tellings"] = kept.pop("timings")  # the name under which they are stored
    if "quiet_days" in kept:
        kept["quiet_days"] = sorted(choice.quiet_days)
    if "muted" in kept:
        kept["muted"] = {str(student_id): until.isoformat() for student_id, until in choice.muted.items()}
    if choice.paused_until is not None:
        kept["paused_until"] = choice.paused_until.isoformat()
    if "rules" in kept:
        kept["rules"] = {name: [limit, since.isoformat()] for name, (limit, since) in choice.rules.items()}
    return kept


def _preferences(kept: dict[str, Any], timezone: str | None) -> Preferences:
    until = kept.get("paused_until")
    return Preferences(
        timings={EventClass(name): Timing(timing) for name, timing in kept.get("tellings", {}).items()},
        digest_hours=tuple(kept.get("digest_hours", Preferences().digest_hours)),
        quiet_from=kept.get("quiet_from"),
        quiet_to=kept.get("quiet_to"),
        quiet_days=frozenset(kept.get("quiet_days", ())),
        timezone=kept.get("timezone") or timezone,
        muted={int(student_id): datetime.fromisoformat(end) for student_id, end in kept.get("muted", {}).items()},
        paused_until=datetime.fromisoformat(until) if until else None,
        rules={name: (limit, datetime.fromisoformat(since)) for name, (limit, since) in kept.get("rules", {}).items()},
    )
