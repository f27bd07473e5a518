"""Students, mentors and who mentors whom, as last read from the LMS, and which Zulip account is whose."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from lms_bot.db import in_bound_list, in_list, list_value
from lms_bot.domain import Mentor, Student, ZulipUser
from lms_bot.store import Transaction, facts, forgotten, watched
from lms_bot.store.tables import hand_mappings, mentor_students, mentors, students, zulip_users

PEOPLE_READ = "people_read"
ZULIP_USERS_READ = "zulip_users_read"


class Around(NamedTuple):
    """Who stands around a student: the mentors as (mentor id, username), lowest id first."""

    username: str | None
    zulip_user_id: int | None
    mentors: tuple[tuple[int, str], ...]


NOBODY = Around(None, None, ())
_MENTOR = sa.select(mentors).where(mentors.c.mentor_id == sa.bindparam("mentor_id"))


def keep_people(
    transaction: Transaction,
    now_students: Iterable[Student],
    now_mentors: Iterable[Mentor],
    links: Collection[tuple[int, int]],
    now: datetime,
) -> list[int]:
    """Make the store's people those of the LMS, writing only what differs; gives the mentors who got an account.

    Students who were forgotten stay so.
    """
    gone = forgotten.everybody(transaction).student_ids
    kept = [_without(s, "zulip_user_id") for s in now_students if s.student_id not in gone]
    changed = set(_replace(transaction, students, "student_id", kept))
    _replace(
        transaction,
        mentors,
        "mentor_id",
        [_without(m, "zulip_user_id", "unmapped_reason") for m in now_mentors],
    )
    changed |= _replace_links(transaction, [link for link in links if link[1] not in gone] if gone else links)
    watched.touch(transaction, changed, now)
    facts.note(transaction, PEOPLE_READ, True, now)
    return map_accounts(transaction)


def keep_zulip_users(transaction: Transaction, users: Iterable[ZulipUser], now: datetime) -> list[int]:
    """Make the store's Zulip accounts those of `GET /users`; gives the mentors who got an account."""
    _replace(transaction, zulip_users, "user_id", [asdict(user) for user in users])
    facts.note(transaction, ZULIP_USERS_READ, True, now)
    return map_accounts(transaction)


def users_are_fresh(transaction: Transaction, now: datetime, age: timedelta) -> bool:
    """Whether the Zulip accounts were read less than `age` ago."""
    read_at = facts.noted_at(transaction, ZULIP_USERS_READ)
    return read_at is not None and timedelta() <= now - read_at < age


def map_accounts(transaction: Transaction) -> list[int]:
    """Give each mentor and student the one Zulip account that is theirs by hand or by e-mail address; never guess.

    Gives the ids of the mentors who have an account now and had none, or another, before.
    """
    accounts = _Accounts(transaction.execute(sa.select(zulip_users)))
    _map(transaction, students, "student_id", accounts, {})
    by_hand = transaction.execute(sa.select(hand_mappings.c.mentor_id, hand_mappings.c.zulip_user_id))
    return _map(transaction, mentors, "mentor_id", accounts, {row[0]: row[1] for row in by_hand})


def map_by_hand(transaction: Transaction, mentor_id: int, zulip_user_id: int | None, now: datetime) -> list[int]:
    """Say which account is a mentor's, whatever the e-mail addresses say; None leaves it to those again.

    Gives the mentors who got an account by that.
    """
    transaction.execute(sa.delete(hand_mappings).where(hand_mappings.c.mentor_id == mentor_id))
    if zulip_user_id is not None:
        values = {"mentor_id": mentor_id, "zulip_user_id": zulip_user_id, "mapped_at": now}
        transaction.execute(sa.insert(hand_mappings).values(values))
    return map_accounts(transaction)


def with_accounts(of: Iterable[Mentor], users: Iterable[ZulipUser]) -> list[Mentor]:
    """These mentors with the accounts that they would be given, or with the reason why they would have none.

    By their e-mail addresses: what an admin mapped by hand is in the store alone.
    """
    accounts = _Accounts(users)
    answers = [(mentor, *accounts.by_email(mentor.email)) for mentor in of]
    return [replace(mentor, zulip_user_id=found, unmapped_reason=why) for mentor, found, why in answers]


def normalised(email: str) -> str:
    """An e-mail address as it is compared: case and surrounding space do not matter."""
    return email.strip().casefold()


def around(transaction: Transaction, student_ids: Collection[int]) -> dict[int, Around]:
    """Username, account and mentors of each student that the store knows."""
    s, m, link = students.c, mentors.c, mentor_students.c
    query = (
        sa.select(s.student_id, s.username, s.zulip_user_id, m.mentor_id, m.username.label("mentor"))
        .select_from(
            students.outerjoin(mentor_students, link.student_id == s.student_id).outerjoin(
                mentors, m.mentor_id == link.mentor_id
            )
        )
        .where(in_list(s.student_id, student_ids, transaction.dialect.name))
        .order_by(s.student_id, m.mentor_id)
    )
    found: dict[int, Around] = {}
    for student_id, username, account, mentor_id, mentor in transaction.execute(query).all():
        pair = () if mentor_id is None else ((mentor_id, mentor),)
        before = found[student_id].mentors if student_id in found else ()
        found[student_id] = Around(username, account, before + pair)
    return found


def ids_by_username(transaction: Transaction, usernames: Collection[str]) -> dict[str, int]:
    """Student ids by exact username."""
    query = sa.select(students.c.username, students.c.student_id).where(students.c.username.in_(usernames))
    return {row[0]: row[1] for row in transaction.execute(query)}


def mentors_of_account(transaction: Transaction, zulip_user_id: int) -> list[Mentor]:
    """The mentors that one Zulip account belongs to: none, one, or several with one address."""
    query = sa.select(mentors).where(mentors.c.zulip_user_id == zulip_user_id).order_by(mentors.c.mentor_id)
    return [Mentor(**row._mapping) for row in transaction.execute(query)]


def mentor(transaction: Transaction, mentor_id: int) -> Mentor | None:
    row = transaction.execute(_MENTOR, {"mentor_id": mentor_id}).one_or_none()
    return Mentor(**row._mapping) if row else None


def students_of(transaction: Transaction, mentor_ids: Sequence[int]) -> list[Student]:
    """The students of these mentors, each once, by username."""
    of_mentor = sa.select(mentor_students.c.student_id).where(mentor_students.c.mentor_id.in_(mentor_ids))
    query = sa.select(students).where(students.c.student_id.in_(of_mentor)).order_by(students.c.username)
    return [Student(**row._mapping) for row in transaction.execute(query)]


def each_id(transaction: Transaction, ids: Collection[int]) -> sa.TableValuedAlias:
    """The ids as a table with one column `value`, to be joined with: one bound value however many there are."""
    if transaction.dialect.name == "sqlite":
        return sa.func.json_each(json.dumps(list(ids))).table_valued("value")
    return sa.func.unnest(sa.literal(list(ids), sa.ARRAY(sa.BigInteger))).table_valued("value").render_derived()


def students_among(transaction: Transaction, mentor_id: int, student_ids: Collection[int]) -> set[int]:
    """Those of the students who are this mentor's now."""
    dialect = transaction.dialect.name
    values = {"mentor_id": mentor_id, "student_ids": list_value(student_ids, dialect)}
    return set(transaction.scalars(_among(dialect), values))


@cache
def _among(dialect: str) -> sa.Select[Any]:
    link = mentor_students.c
    within = in_bound_list(link.student_id, "student_ids", dialect)
    exists = sa.exists().where(mentors.c.mentor_id == sa.bindparam("mentor_id"))
    return sa.select(link.student_id).where(link.mentor_id == sa.bindparam("mentor_id"), within, exists)


def zulip_user(transaction: Transaction, user_id: int) -> ZulipUser | None:
    row = transaction.execute(sa.select(zulip_users).where(zulip_users.c.user_id == user_id)).one_or_none()
    return ZulipUser(**row._mapping) if row else None


def accounts_named(transaction: Transaction, name: str) -> list[ZulipUser]:
    """The active accounts of people that have this id, e-mail address or full name."""
    wanted = normalised(name)
    users = [ZulipUser(**row._mapping) for row in transaction.execute(sa.select(zulip_users))]
    return [
        user
        for user in users
        if user.is_active
        and not user.is_bot
        and wanted in (str(user.user_id), normalised(user.email or ""), normalised(user.full_name))
    ]


def unmapped(transaction: Transaction) -> list[Mentor]:
    """Mentors who cannot be written to, with the reason, by username."""
    query = sa.select(mentors).where(mentors.c.zulip_user_id.is_(None)).order_by(mentors.c.username)
    return [Mentor(**row._mapping) for row in transaction.execute(query)]


def _map(
    transaction: Transaction, table: sa.Table, key: str, accounts: _Accounts, by_hand: dict[int, int]
) -> list[int]:
    names = ["zulip_user_id", *(["unmapped_reason"] if "unmapped_reason" in table.c else [])]
    changed = []
    for person in transaction.execute(sa.select(table.c[key], table.c.email, *(table.c[name] for name in names))):
        account = accounts.by_hand(by_hand[person[0]]) if person[0] in by_hand else accounts.by_email(person.email)
        answer = dict(zip(names, account, strict=False))
        if any(getattr(person, name) != value for name, value in answer.items()):
            changed.append({"id": person[0], **{f"new_{name}": value for name, value in answer.items()}})
    if changed:
        values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in names}
        transaction.execute(sa.update(table).where(table.c[key] == sa.bindparam("id")).values(values), changed)
    return [row["id"] for row in changed if row["new_zulip_user_id"] is not None]


class _Accounts:
    """The accounts of Zulip: each answer is a user id, or why there is none."""

    def __init__(self, users: Iterable[Any]) -> None:
        self._by_id: dict[int, Any] = {}
        self._by_email: dict[str, list[Any]] = defaultdict(list)
        for user in users:
            self._by_id[user.user_id] = user
            if user.email:
                self._by_email[normalised(user.email)].append(user)

    def by_email(self, email: str | None) -> tuple[int | None, str | None]:
        if not email or not email.strip():
            return None, "no e-mail address in the LMS"
        same = self._by_email.get(normalised(email), [])
        if not same:
            return None, "no Zulip account with this e-mail address"
        if len(same) > 1:
            return None, "several Zulip accounts have this e-mail address"
        return _usable(same[0], "the Zulip account with this e-mail address")

    def by_hand(self, user_id: int) -> tuple[int | None, str | None]:
        user = self._by_id.get(user_id)
        return (
            _usable(user, "the Zulip account mapped by hand") if user else (None, "the account mapped by hand is gone")
        )


def _usable(user: Any, name: str) -> tuple[int | None, str | None]:
    if user.is_bot:
        return None, f"{name} is a bot"
    return (user.user_id, None) if user.is_active else (None, f"{name} is deactivated")


def _replace(transaction: Transaction, table: sa.Table, key: str, rows: list[dict[str, Any]]) -> list[int]:
    """Make a table hold these rows, writing only what differs; gives the keys of rows that were changed."""
    names = [key, *(name for name in (rows[0] if rows else ()) if name != key)]
    query = sa.select(*(table.c[name] for name in names))
    before = {row[0]: tuple(row) for row in transaction.execute(query)}
    after = {row[key]: row for row in rows}
    gone = [value for value in before if value not in after]
    if gone:
        transaction.execute(sa.delete(table).where(in_list(table.c[key], gone, transaction.dialect.name)))
    if new := [row for value, row in after.items() if value not in before]:
        transaction.execute(sa.insert(table), new)
    changed = [row for value, row in after.items() if value in before and before[value] != _values(row, names)]
    if changed:
        values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in names if name != key}
        statement = sa.update(table).where(table.c[key] == sa.bindparam(f"new_{key}")).values(values)
        transaction.execute(statement, [{f"new_{name}": row[name] for name in names} for row in changed])
    return [row[key] for row in changed]


def _replace_links(transaction: Transaction, links: Collection[tuple[int, int]]) -> set[int]:
    """Make the links these, writing only what differs; gives the students who got or lost a mentor."""
    c = mentor_students.c
    before = {(row[0], row[1]) for row in transaction.execute(sa.select(c.mentor_id, c.student_id))}
    pair = [{"mentor": mentor_id, "student": student_id} for mentor_id, student_id in before - set(links)]
    if pair:
        statement = sa.delete(mentor_students).where(
            c.mentor_id == sa.bindparam("mentor"), c.student_id == sa.bindparam("student")
        )
        transaction.execute(statement, pair)
    if new := [{"mentor_id": mentor_id, "student_id": student_id} for mentor_id, student_id in set(links) - before]:
        transaction.execute(sa.insert(mentor_students), new)
    return {student_id for _, student_id in before ^ set(links)}


def _values(row: dict[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def _without(person: Student | Mentor, *names: str) -> dict[str, Any]:
    return {name: value for name, value in asdict(person).items() if name not in names}
