"""The forgotten students, who are not to be recorded again."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

import sqlalchemy as sa

from lms_bot.store.session import Transaction
from lms_bot.store.tables import forgotten


class Forgotten(NamedTuple):
    """They are known by id, and in rows that name no id by the digest of the username."""

    student_ids: frozenset[int]
    digests: frozenset[str]

    def has(self, student_id: int | None, username: str | None) -> bool:
        """Return whether this is one of them."""
        if student_id is not None:
            return student_id in self.student_ids
        return username is not None and bool(self.digests) and digest(username) in self.digests


def forgotten_students(transaction: Transaction) -> Forgotten:
    """Return all students who were forgotten."""
    rows = transaction.execute(sa.select(forgotten.c.student_id, forgotten.c.username_digest)).all()
    return Forgotten(frozenset(row[0] for row in rows), frozenset(row[1] for row in rows))


def digest(username: str) -> str:
    """Return what is kept of a username to know it again: SHA-256, case and surrounding space apart."""
    return sha256(username.strip().casefold().encode("utf-8", "replace")).hexdigest()
