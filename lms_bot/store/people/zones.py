"""The time zones in which students' days are counted, where they are not that of the settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lms_bot.core.calendar import zone_named
from lms_bot.db.lists import in_list
from lms_bot.store.bulk import insert_into
from lms_bot.store.session import Transaction
from lms_bot.store.tables import student_zones, students, zulip_users


def zones_of(transaction: Transaction, student_ids: Collection[int | None] | None) -> dict[int, ZoneInfo]:
    """Return the time zones of these students (of all, for None), for those who have one of their own."""
    if transaction.scalar(sa.select(student_zones.c.student_id).limit(1)) is None:
        return {}  # as in most schools
    query = sa.select(student_zones.c.student_id, student_zones.c.zone)
    if student_ids is not None:
        query = query.where(in_list(student_zones.c.student_id, student_ids, transaction.dialect.name))
    named = ((student_id, zone_named(name)) for student_id, name in transaction.execute(query))
    return {student_id: zone for student_id, zone in named if zone is not None}


def zones_in_use(transaction: Transaction) -> list[str]:
    """Return the names of all those time zones."""
    names = transaction.scalars(sa.select(student_zones.c.zone).distinct())
    return [name for name in names if zone_named(name) is not None]


def changed_zones(transaction: Transaction, default: ZoneInfo) -> dict[int, str]:
    """Return a student's time zone in Zulip, by student id, where their days are counted in another."""
    by = sa.func.coalesce(student_zones.c.zone, default.key)
    query = (
        sa.select(students.c.student_id, zulip_users.c.timezone)
        .join(zulip_users, zulip_users.c.user_id == students.c.zulip_user_id)
        .outerjoin(student_zones, student_zones.c.student_id == students.c.student_id)
        .where(zulip_users.c.timezone != "", zulip_users.c.timezone != by)
    )
    return {row.student_id: row.timezone for row in transaction.execute(query)}


def save(transaction: Transaction, found: Mapping[int, str]) -> None:
    """Count these students' days in these time zones from now on; the caller counts their past days anew."""
    if not found:
        return
    rows = [{"student_id": student_id, "zone": zone} for student_id, zone in sorted(found.items())]
    insert = insert_into(transaction, student_zones)
    there = {"zone": insert.excluded.zone}
    transaction.execute(insert.on_conflict_do_update(index_elements=["student_id"], set_=there), rows)
