"""Students, mentors and the links between them, as last read from the LMS."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from lms_bot.core.people import Census, Mentor, Student
from lms_bot.core.sync import Changes
from lms_bot.db.lists import in_bound_list, in_list, list_value
from lms_bot.store import state
from lms_bot.store.alerts import watchlist
from lms_bot.store.bulk import insert_into, replace_rows
from lms_bot.store.people import forgotten
from lms_bot.store.people.accounts import map_accounts
from lms_bot.store.session import Transaction
from lms_bot.store.tables import mentor_students, mentors, students

PEOPLE_READ = "people_read"


class Mentoring(NamedTuple):
    """A student's username and account, and their mentors as (mentor id, username), lowest id first.

    Mentors with one Zulip account are one person, who is there once, with the lowest of those ids.
    """

    username: str | None
    zulip_user_id: int | None
    mentors: tuple[tuple[int, str], ...]


class Kept(NamedTuple):
    """The mentors who got an account when people were kept, and what changed."""

    mapped: list[int]
    students: Changes
    mentors: Changes
    links: Changes


UNKNOWN_STUDENT = Mentoring(None, None, ())
_one = mentors.alias("one")
# What the LMS says of people; accounts are ours.
_STUDENT = [column.name for column in students.columns if column.name != "zulip_user_id"]
_MENTOR_READ = [column.name for column in mentors.columns if column.name not in ("zulip_user_id", "unmapped_reason")]
_MENTOR = sa.select(mentors).where(mentors.c.mentor_id == sa.bindparam("mentor_id"))
_ACCOUNT = sa.select(_one.c.zulip_user_id).where(_one.c.mentor_id == sa.bindparam("mentor_id")).scalar_subquery()
_PERSON = (
    sa.select(mentors)
    .where((mentors.c.mentor_id == sa.bindparam("mentor_id")) | (mentors.c.zulip_user_id == _ACCOUNT))
    .order_by(mentors.c.mentor_id)
)


def keep_people(
    transaction: Transaction,
    now_students: Iterable[Student],
    now_mentors: Iterable[Mentor],
    links: Collection[tuple[int, int]],
    now: datetime,
) -> Kept:
    """Make the store's people those of the LMS, writing only what differs.

    Students who were forgotten stay so.
    """
    gone = forgotten.forgotten_students(transaction).student_ids
    kept = [_values(s, _STUDENT) for s in now_students if s.student_id not in gone]
    mentoring = [_values(m, _MENTOR_READ) for m in now_mentors]
    of_students = replace_rows(transaction, students, "student_id", kept)
    of_mentors = replace_rows(transaction, mentors, "mentor_id", mentoring)
    watchlist.mark_due(transaction, set(of_students.changed), now)
    of_links = compare_links(transaction, links)
    change_links(transaction, of_links, now)
    state.note(transaction, PEOPLE_READ, True, now)
    return Kept(
        map_accounts(transaction),
        Changes(len(kept), *map(len, of_students)),
        Changes(len(mentoring), *map(len, of_mentors)),
        Changes(len(links), len(of_links.added), 0, len(of_links.gone)),
    )


def mentoring_of(transaction: Transaction, student_ids: Collection[int]) -> dict[int, Mentoring]:
    """Return username, account and mentors of each student that the store knows."""
    s, m, link = students.c, mentors.c, mentor_students.c
    person = m.zulip_user_id.label("person")
    query = (
        sa.select(s.student_id, s.username, s.zulip_user_id, m.mentor_id, m.username.label("mentor"), person)
        .select_from(
            students.outerjoin(mentor_students, link.student_id == s.student_id).outerjoin(
                mentors, m.mentor_id == link.mentor_id
            )
        )
        .where(in_list(s.student_id, student_ids, transaction.dialect.name))
        .order_by(s.student_id, m.mentor_id)
    )
    found: dict[int, Mentoring] = {}
    seen: set[tuple[int, int]] = set()
    for student_id, username, account, mentor_id, mentor, person in transaction.execute(query).all():
        before = found[student_id].mentors if student_id in found else ()
        is_again = person is not None and (student_id, person) in seen
        pair = () if mentor_id is None or is_again else ((mentor_id, mentor),)
        found[student_id] = Mentoring(username, account, before + pair)
        seen.add((student_id, person))
    return found


def ids_by_username(transaction: Transaction, usernames: Collection[str]) -> dict[str, int]:
    """Return student ids by exact username."""
    query = sa.select(students.c.username, students.c.student_id).where(students.c.username.in_(usernames))
    return {row[0]: row[1] for row in transaction.execute(query)}


def mentors_of_account(transaction: Transaction, zulip_user_id: int) -> list[Mentor]:
    """Return the mentors that one Zulip account belongs to: none, one, or several with one address."""
    query = sa.select(mentors).where(mentors.c.zulip_user_id == zulip_user_id).order_by(mentors.c.mentor_id)
    return [Mentor(**row._mapping) for row in transaction.execute(query)]


def mentor(transaction: Transaction, mentor_id: int) -> Mentor | None:
    """Return the mentor with this id, if there is one."""
    row = transaction.execute(_MENTOR, {"mentor_id": mentor_id}).one_or_none()
    return Mentor(**row._mapping) if row else None


def person(transaction: Transaction, mentor_id: int) -> list[Mentor]:
    """Return this mentor and those with the same Zulip account, lowest id first; nobody if there is no such mentor."""
    return [Mentor(**row._mapping) for row in transaction.execute(_PERSON, {"mentor_id": mentor_id})]


def students_of(transaction: Transaction, mentor_ids: Sequence[int]) -> list[Student]:
    """Return the students of these mentors, each once, by username."""
    of_mentor = sa.select(mentor_students.c.student_id).where(mentor_students.c.mentor_id.in_(mentor_ids))
    query = sa.select(students).where(students.c.student_id.in_(of_mentor)).order_by(students.c.username)
    return [Student(**row._mapping) for row in transaction.execute(query)]


def students_among(transaction: Transaction, mentor_id: int, student_ids: Collection[int]) -> set[int]:
    """Return those of the students who are this mentor's now."""
    dialect = transaction.dialect.name
    values = {"mentor_id": mentor_id, "student_ids": list_value(student_ids, dialect)}
    return set(transaction.scalars(_among(dialect), values))


@cache
def _among(dialect: str) -> sa.Select[Any]:
    link = mentor_students.c
    within = in_bound_list(link.student_id, "student_ids", dialect)
    exists = sa.exists().where(mentors.c.mentor_id == sa.bindparam("mentor_id"))
    return sa.select(link.student_id).where(link.mentor_id == sa.bindparam("mentor_id"), within, exists)


class LinkChanges(NamedTuple):
    """Links, as (mentor id, student id), that the store does not have yet, and those that it has no reason to keep."""

    added: frozenset[tuple[int, int]]
    gone: frozenset[tuple[int, int]]


def compare_links(transaction: Transaction, links: Collection[tuple[int, int]]) -> LinkChanges:
    """Return how the store's links differ from these, but for those of students who were forgotten."""
    c = mentor_students.c
    before = frozenset((row[0], row[1]) for row in transaction.execute(sa.select(c.mentor_id, c.student_id)))
    if before == links:
        return LinkChanges(frozenset(), frozenset())
    forgot = forgotten.forgotten_students(transaction).student_ids
    after = frozenset(link for link in links if link[1] not in forgot)
    return LinkChanges(after - before, before - after)


def change_links(transaction: Transaction, changes: LinkChanges, now: datetime) -> None:
    """Add and remove these links; the students concerned are judged anew."""
    c = mentor_students.c
    if changes.gone:
        pairs = [{"mentor": mentor_id, "student": student_id} for mentor_id, student_id in sorted(changes.gone)]
        is_pair = (c.mentor_id == sa.bindparam("mentor")) & (c.student_id == sa.bindparam("student"))
        transaction.execute(sa.delete(mentor_students).where(is_pair), pairs)
    if changes.added:
        new = [{"mentor_id": mentor_id, "student_id": student_id} for mentor_id, student_id in sorted(changes.added)]
        transaction.execute(insert_into(transaction, mentor_students).on_conflict_do_nothing(), new)
    watchlist.mark_due(transaction, {student_id for _, student_id in changes.added | changes.gone}, now)


def are_known(transaction: Transaction, links: Collection[tuple[int, int]]) -> bool:
    """Return whether the store knows every mentor and student of these links."""
    for key, wanted in (
        (mentors.c.mentor_id, {mentor_id for mentor_id, _ in links}),
        (students.c.student_id, {student_id for _, student_id in links}),
    ):
        query = sa.select(sa.func.count()).where(in_list(key, wanted, transaction.dialect.name))
        if transaction.scalar(query) != len(wanted):
            return False
    return True


def census(transaction: Transaction) -> Census:
    """Return how many people and links the store has."""
    tables = (students, mentors, mentor_students)
    counts = [sa.select(sa.func.count()).select_from(table).scalar_subquery() for table in tables]
    return Census(*transaction.execute(sa.select(*counts)).one())


def _values(person: Student | Mentor, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(person, name) for name in names}


def mentors_by_student(transaction: Transaction, student_ids: Collection[int]) -> dict[int, list[int]]:
    """Return the mentors of each of these students that has any, lowest id first, and each person once."""
    link = mentor_students.c
    of_students = in_list(link.student_id, student_ids, transaction.dialect.name)
    query = sa.select(link.student_id, link.mentor_id, mentors.c.zulip_user_id).where(of_students)
    known = query.join(mentors, mentors.c.mentor_id == link.mentor_id).order_by(link.mentor_id)
    found: dict[int, list[int]] = defaultdict(list)
    seen: set[tuple[int, int]] = set()
    for student_id, mentor_id, person in transaction.execute(known):
        if person is None or (student_id, person) not in seen:
            found[student_id].append(mentor_id)
        seen.add((student_id, person))
    return found


def same_person(transaction: Transaction, mentor_id: int) -> list[int]:
    """Return the ids of the mentors who have this one's Zulip account, lowest first; without account, only this one."""
    return [one.mentor_id for one in person(transaction, mentor_id)] or [mentor_id]


def students_by_mentor(transaction: Transaction, mentor_ids: Collection[int]) -> dict[int, set[int]]:
    """Return the students of each of these mentors."""
    link = mentor_students.c
    of_mentors = in_list(link.mentor_id, mentor_ids, transaction.dialect.name)
    found: dict[int, set[int]] = defaultdict(set)
    query = sa.select(link.mentor_id, link.student_id).where(of_mentors)
    for mentor_id, student_id in transaction.execute(query):
        found[mentor_id].add(student_id)
    return found
