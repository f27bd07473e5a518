"""Alerts bear one random name for all mentors, earlier ones stay valid, and notifications keep what was decided."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_LETTERS = "BCHKMPTX"
_CAUSE = ("rule", "student_id", "subject_id")


def upgrade() -> None:
    op.add_column("lms_event_logs", sa.Column("decision", sa.String(length=16), nullable=True))
    op.create_table(
        "alert_names",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_alert_names")),
        sqlite_with_rowid=False,
    )
    op.add_column("student_alerts", sa.Column("name", sa.String(length=16), nullable=True))
    op.add_column("student_alerts", sa.Column("former_name", sa.String(length=16), nullable=True))
    op.execute("UPDATE student_alerts SET former_name = 'A' || number")
    _give_names(op.get_bind())
    highest = _highest_id(op.get_bind())
    with op.batch_alter_table("student_alerts", table_kwargs={"sqlite_autoincrement": True}) as alerts:
        alerts.drop_constraint(op.f("uq_student_alerts_mentor_id_number"), type_="unique")
        alerts.drop_column("number")
        alerts.alter_column("name", existing_type=sa.String(length=16), nullable=False)
        alerts.create_unique_constraint(op.f("uq_student_alerts_mentor_id_former_name"), ["mentor_id", "former_name"])
    op.create_index(op.f("ix_student_alerts_name"), "student_alerts", ["name"])
    are_open = sa.text("closed_at IS NULL")
    op.create_index(
        op.f("ix_student_alerts_rule"),
        "student_alerts",
        ["rule", "alert_id"],
        sqlite_where=are_open,
        postgresql_where=are_open,
    )
    if highest:  # of a table that was made anew SQLite knows only the ids that are still there
        op.execute("DELETE FROM sqlite_sequence WHERE name = 'student_alerts'")
        op.execute(f"INSERT INTO sqlite_sequence (name, seq) VALUES ('student_alerts', {highest})")  # noqa: S608


def _give_names(connection: sa.Connection) -> None:
    """Give each alert a name: one for what is open about a student, or was for the same cause, to several mentors."""
    alerts = sa.table(
        "student_alerts", *map(sa.column, ("alert_id", "mentor_id", *_CAUSE, "level", "since", "closed_at", "name"))
    )
    names: dict[tuple[Any, ...], str] = {}
    given: set[str] = set()
    rows = []
    for row in connection.execute(sa.select(*alerts.c).order_by(alerts.c.alert_id)):
        of_mentor = row.mentor_id if row.student_id == 0 else None  # about an exam of the mentor's own students
        when = None if row.closed_at is None else (row.level, str(row.since))
        key = (of_mentor, *(getattr(row, name) for name in _CAUSE), when)
        if key not in names:
            names[key] = _new_name(given)
        rows.append({"of_id": row.alert_id, "new_name": names[key]})
    if rows:
        named = sa.update(alerts).where(alerts.c.alert_id == sa.bindparam("of_id"))
        connection.execute(named.values(name=sa.bindparam("new_name")), rows)
        connection.execute(sa.insert(sa.table("alert_names", sa.column("name"))), [{"name": one} for one in given])


def _new_name(given: set[str]) -> str:
    letters = 2
    while True:
        name = "".join(secrets.choice(_LETTERS) for _ in range(letters)) + str(1_000 + secrets.randbelow(9_000))
        if name not in given:
            given.add(name)
            return name
        letters += 1


def _highest_id(connection: sa.Connection) -> int | None:
    if connection.dialect.name != "sqlite":
        return None
    query = "SELECT max(seq) FROM sqlite_sequence WHERE name = 'student_alerts'"
    highest: int | None = connection.scalar(sa.text(query))
    return highest
