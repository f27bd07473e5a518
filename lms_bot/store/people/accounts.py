"""Zulip accounts, and to which mentors and students they belong."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lms_bot.core.people import Mentor, ZulipUser, folded_email, hides_email
from lms_bot.db.lists import in_list
from lms_bot.store import state
from lms_bot.store.bulk import insert_into, replace_rows
from lms_bot.store.session import Transaction
from lms_bot.store.tables import hand_mappings, mentors, students, zulip_users

ZULIP_USERS_READ = "zulip_users_read"
ADMINISTRATORS = "organisation_administrators"  # the fact: their Zulip user ids


def keep_zulip_users(transaction: Transaction, users: Iterable[ZulipUser], now: datetime) -> list[int]:
    """Make the store's Zulip accounts those of `GET /users`; return the mentors who got an account."""
    found = list(users)
    replace_rows(transaction, zulip_users, "user_id", [_as_row(user) for user in found])
    administrators = sorted(user.user_id for user in found if user.is_administrator and user.is_active)
    state.note(transaction, ADMINISTRATORS, administrators, now)
    state.note(transaction, ZULIP_USERS_READ, True, now)
    return map_accounts(transaction)


def mentor_zones(transaction: Transaction) -> dict[int, str]:
    """Return the name of the time zone of each mentor's Zulip account, by mentor id."""
    query = sa.select(mentors.c.mentor_id, zulip_users.c.timezone)
    found = transaction.execute(query.join(zulip_users, zulip_users.c.user_id == mentors.c.zulip_user_id))
    return {row.mentor_id: row.timezone for row in found}


def users_are_fresh(transaction: Transaction, now: datetime, age: timedelta) -> bool:
    """Return whether the Zulip accounts were read less than `age` ago."""
    read_at = state.noted_at(transaction, ZULIP_USERS_READ)
    return read_at is not None and timedelta() <= now - read_at < age


def map_accounts(transaction: Transaction) -> list[int]:
    """Map each mentor and student to the one Zulip account that is theirs by hand or by e-mail address; never guess.

    Gives the ids of the mentors who have an account now and had none, or another, before.
    """
    accounts = _Accounts(transaction.execute(sa.select(zulip_users)))
    _map(transaction, students, "student_id", accounts, {})
    by_hand = transaction.execute(sa.select(hand_mappings.c.mentor_id, hand_mappings.c.zulip_user_id))
    return _map(transaction, mentors, "mentor_id", accounts, {row[0]: row[1] for row in by_hand})


def map_by_hand(transaction: Transaction, mentor_id: int, zulip_user_id: int | None, now: datetime) -> list[int]:
    """Map a mentor to an account, whatever the e-mail addresses say; None leaves it to those again.

    Gives the mentors who got an account by that.
    """
    if zulip_user_id is None:
        transaction.execute(sa.delete(hand_mappings).where(hand_mappings.c.mentor_id == mentor_id))
    else:
        values = {"zulip_user_id": zulip_user_id, "mapped_at": now}
        insert = insert_into(transaction, hand_mappings).values(mentor_id=mentor_id, **values)
        transaction.execute(insert.on_conflict_do_update(index_elements=["mentor_id"], set_=values))
    return map_accounts(transaction)


def with_accounts(of: Iterable[Mentor], users: Iterable[ZulipUser], by_hand: Mapping[int, int]) -> list[Mentor]:
    """Return these mentors with the accounts that they would be given, or with the reason why they would have none."""
    accounts = _Accounts(users)
    answers = [(mentor, *accounts.of(mentor.mentor_id, mentor.email, by_hand)) for mentor in of]
    return [replace(mentor, zulip_user_id=found, unmapped_reason=why) for mentor, found, why in answers]


def administrators(transaction: Transaction) -> list[int]:
    """Return the administrators and owners of the organisation in Zulip, by user id."""
    return state.value(transaction, ADMINISTRATORS) or []


def zulip_user(transaction: Transaction, user_id: int) -> ZulipUser | None:
    """Return the Zulip account with this id, if there is one."""
    row = transaction.execute(sa.select(zulip_users).where(zulip_users.c.user_id == user_id)).one_or_none()
    return ZulipUser(**row._mapping) if row else None


def people_among(transaction: Transaction, user_ids: Iterable[int]) -> list[int]:
    """Return those of the accounts that are active people and no guests, by user id."""
    c = zulip_users.c
    is_person = c.is_active & ~c.is_bot & ~c.is_guest
    within = in_list(c.user_id, list(user_ids), transaction.dialect.name)
    return list(transaction.scalars(sa.select(c.user_id).where(within, is_person).order_by(c.user_id)))


def accounts_named(transaction: Transaction, name: str) -> list[ZulipUser]:
    """Return the active accounts of people that have this id, e-mail address or full name."""
    wanted, email = _folded(name), folded_email(name)
    users = [ZulipUser(**row._mapping) for row in transaction.execute(sa.select(zulip_users))]
    return [
        user
        for user in users
        if user.is_active
        and not user.is_bot
        and (wanted in (str(user.user_id), _folded(user.full_name)) or email == folded_email(user.email or ""))
    ]


def unmapped(transaction: Transaction) -> list[Mentor]:
    """Return the mentors who cannot be written to, with the reason, by username."""
    query = sa.select(mentors).where(mentors.c.zulip_user_id.is_(None)).order_by(mentors.c.username)
    return [Mentor(**row._mapping) for row in transaction.execute(query)]


def _folded(name: str) -> str:
    """Return a name as it is compared: neither case nor how accents are composed matters."""
    return unicodedata.normalize("NFC", name.strip().casefold())


def _as_row(user: ZulipUser) -> dict[str, Any]:
    return {name: value for name, value in asdict(user).items() if name != "is_administrator"}


def _map(
    transaction: Transaction, table: sa.Table, key: str, accounts: _Accounts, by_hand: dict[int, int]
) -> list[int]:
    names = ["zulip_user_id", *(["unmapped_reason"] if "unmapped_reason" in table.c else [])]
    changed = []
    query = sa.select(table.c[key], table.c.email, *(table.c[name] for name in names)).order_by(table.c[key])
    for person in transaction.execute(query):
        account = accounts.of(person[0], person.email, by_hand)
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
        self._some_hide = False
        for user in users:
            self._by_id[user.user_id] = user
            if user.email:
                self._by_email[folded_email(user.email)].append(user)
            if user.is_active and not user.is_bot and hides_email(user.user_id, user.email):
                self._some_hide = True

    def of(self, person_id: int, email: str | None, by_hand: Mapping[int, int]) -> tuple[int | None, str | None]:
        return self.by_hand(by_hand[person_id]) if person_id in by_hand else self.by_email(email)

    def by_email(self, email: str | None) -> tuple[int | None, str | None]:
        if not email or not email.strip():
            return None, "no e-mail address in the LMS"
        same = self._by_email.get(folded_email(email), [])
        if not same:
            hidden = "; some people's are hidden from the bot" if self._some_hide else ""
            return None, f"no Zulip account with this e-mail address{hidden}"
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
