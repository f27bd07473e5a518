"""What a student's exams, videos and subjects came to, from current events that are not withdrawn."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lms_bot.core.calendar import DAY, EARLIEST, UNKNOWN_TIME, local_day, start_of_day
from lms_bot.core.events import FINISHING, EventType
from lms_bot.core.reports.academics.facts import (
    MOST_EVENTS,
    NOTHING_FOUND,
    Batch,
    Evidence,
    Finished,
    Group,
    LearningStreaks,
    PartResult,
    Sitting,
    Standing,
    Watching,
)
from lms_bot.core.streaks import Kind, Streak
from lms_bot.core.sync.studies import LmsCounts
from lms_bot.db.engine import UtcDateTime
from lms_bot.store.people.zones import zones_of
from lms_bot.store.reports.courses import is_watched_enough
from lms_bot.store.session import Transaction
from lms_bot.store.streaks import streaks
from lms_bot.store.tables import (
    attempt_results,
    batch_students,
    batches,
    course_items,
    events,
    is_result,
    lms_counts,
)

VIDEO = "video"  # the content_type of what is watched

_c = events.c
_STUDENT = sa.bindparam("student", type_=sa.BigInteger)
_counts = (_c.student_id == _STUDENT) & _c.is_current & ~_c.is_withdrawn & _c.mirrors.is_(None)
_is_exam_end = _counts & _c.event_type.in_([kind for kind in EventType if kind.is_exam_end])
_NEWEST_FIRST = (_c.timestamp.desc(), _c.event_id.desc())
_is_finished_video = _c.event_type.in_([EventType.CONTENT_WATCHED, EventType.CONTENT_COMPLETED]) & (
    sa.func.lower(_c.activity_metadata["content_type"].as_string()) == VIDEO
)
_at = sa.case((_c.timestamp > _c.created_at, _c.created_at), else_=_c.timestamp)  # as days are counted

_EXAMS = (
    sa.select(_c.event_id, _c.timestamp, _c.source_table, _c.activity_id, _c.percentage)
    .where(_is_exam_end)
    .order_by(*_NEWEST_FIRST)
)
_BATCHES = (
    sa.select(batch_students.c.batch_id, batches.c.name)
    .outerjoin(batches, batches.c.batch_id == batch_students.c.batch_id)
    .where(batch_students.c.student_id == _STUDENT)
    .order_by(batch_students.c.batch_id)
)
_LMS_COUNTS = sa.select(lms_counts).where(lms_counts.c.student_id == _STUDENT)


def exams(transaction: Transaction, student_id: int) -> tuple[Finished, ...]:
    """Return the finished exams of a student, newest first."""
    return tuple(Finished(*row) for row in transaction.execute(_EXAMS, {"student": student_id}))


def batches_of(transaction: Transaction, student_id: int) -> tuple[Batch, ...]:
    """Return the batches of a student, by id."""
    return tuple(Batch(*row) for row in transaction.execute(_BATCHES, {"student": student_id}))


def group_of(transaction: Transaction, of_student: tuple[Batch, ...]) -> Group:
    """Return with whom a student of these batches is compared."""
    if of_student:
        return Group.BATCH
    has_batches = transaction.scalar(sa.select(batch_students.c.batch_id).limit(1)) is not None
    return Group.NOBODY if has_batches else Group.EVERYBODY


def standings(transaction: Transaction, student_id: int, group: Group) -> tuple[Standing, ...]:
    """Return how a student stands in each of their exams among those of the group who took it, by best attempts."""
    if group is Group.NOBODY:
        return ()
    rows = transaction.execute(_standings(group), {"student": student_id})
    return tuple(Standing(*row) for row in rows)


def results(transaction: Transaction, student_id: int, since: datetime | None = None) -> tuple[PartResult, ...]:
    """Return what a student's exams (from `since` on) came to by subject and by difficulty, newest first."""
    query = _RESULTS if since is None else _RESULTS_SINCE
    rows = transaction.execute(query, {"student": student_id} | ({} if since is None else {"since": since}))
    return tuple(PartResult(*row) for row in rows)


def videos(transaction: Transaction, student_id: int) -> tuple[Watching, ...]:
    """Return what a student watched to 90 % or completed, newest first; `video` is the same for all that is one."""
    return tuple(Watching(*row) for row in transaction.execute(_videos(), {"student": student_id}))


def sittings(transaction: Transaction, student_id: int) -> tuple[Sitting, ...]:
    """Return the content that a student finished and of which it is known when it was opened, newest first."""
    return tuple(Sitting(*row) for row in transaction.execute(_sittings(), {"student": student_id}))


def counts_of_the_lms(transaction: Transaction, student_id: int) -> LmsCounts | None:
    """Return what the LMS itself counts of a student."""
    row = transaction.execute(_LMS_COUNTS, {"student": student_id}).first()
    return LmsCounts(*row) if row else None


def learning_streaks(transaction: Transaction, student_id: int, default: ZoneInfo, now: datetime) -> LearningStreaks:
    """Return a student's learning streak now and their longest (the last of several), with what was finished in each.

    Days are cut by `default` where the student has no zone of their own.
    """
    zone = zones_of(transaction, [student_id]).get(student_id, default)
    known = streaks.of_students(transaction, [student_id]).get((student_id, Kind.LEARNING), [])
    today = local_day(now, zone)
    current = max((one for one in known if one.goes_on(today)), key=_length, default=None)
    longest = max(known, key=_length, default=None)
    in_current = _finished_in(transaction, student_id, current, zone)
    in_longest = in_current if longest == current else _finished_in(transaction, student_id, longest, zone)
    return LearningStreaks(current, longest, in_current, in_longest)


def _length(streak: Streak) -> tuple[int, object]:
    return streak.days, streak.last


def _finished_in(transaction: Transaction, student_id: int, streak: Streak | None, zone: ZoneInfo) -> Evidence:
    if streak is None:
        return NOTHING_FOUND
    within = {"first": start_of_day(streak.first, zone), "end": start_of_day(streak.last + DAY, zone)}
    rows = transaction.execute(_FINISHED, {"student": student_id, **within}).all()
    if not rows:
        return NOTHING_FOUND
    _, n, first, last = rows[0]
    return Evidence(n, (first, last), tuple(row.event_id for row in rows))


@cache
def _standings(group: Group) -> sa.Select[Any]:
    """Select each exam of the student, with how many took it and how many of them did worse at their best."""
    own = (
        sa.select(_c.source_table, _c.activity_id, sa.func.max(_c.percentage).label("best"))
        .where(_c.student_id == _STUDENT, is_result, _c.activity_id.is_not(None))
        .group_by(_c.source_table, _c.activity_id)
        .cte("own")
    )
    best = _best_of_members(own) if group is Group.BATCH else _best_of_all(own)
    exam = (best.c.source_table, best.c.activity_id, best.c.best)
    below = sa.func.count().filter(best.c.theirs < best.c.best)
    return sa.select(*exam, sa.func.count(best.c.theirs), below).group_by(*exam)


def _best_of_members(own: sa.CTE) -> sa.CTE:
    """Select for each exam the best of each member of the student's batches, found by one look into the index."""
    mine, theirs = batch_students.alias("mine"), batch_students.alias("theirs")
    members = (
        sa.select(theirs.c.student_id)
        .join(mine, mine.c.batch_id == theirs.c.batch_id)
        .where(mine.c.student_id == _STUDENT)
        .distinct()
        .cte("members")
    )
    of_member = (_is_exam(own), _c.student_id == members.c.student_id, is_result)
    best = sa.select(sa.func.max(_c.percentage)).where(*of_member).scalar_subquery()
    looked_up = sa.select(*own.c, best.label("theirs")).select_from(own.join(members, sa.true())).cte("best")
    return looked_up.prefix_with("MATERIALIZED")  # or each best would be looked up once for each use of it


def _best_of_all(own: sa.CTE) -> sa.CTE:
    return (
        sa.select(*own.c, sa.func.max(_c.percentage).label("theirs"))
        .join(events, _is_exam(own))
        .where(is_result)
        .group_by(*own.c, _c.student_id)
        .cte("best")
    )


def _is_exam(own: sa.CTE) -> sa.ColumnElement[bool]:
    return (_c.activity_id == own.c.activity_id) & (_c.source_table == own.c.source_table)


def _results() -> sa.Select[Any]:
    part = attempt_results.c
    return (
        sa.select(part.dimension, part.label, _c.event_id, _c.timestamp, part.correct, part.incorrect)
        .add_columns(part.unanswered, part.total)
        .join(events, (part.attempt_id == _c.source_id) & (part.exam_source == _c.source_table))
        .where(_is_exam_end, part.total > 0)
        .order_by(*_NEWEST_FIRST, part.source_table, part.source_id)
    )


_RESULTS = _results()
_RESULTS_SINCE = _results().where(_c.timestamp >= sa.bindparam("since", type_=UtcDateTime))


@cache
def _videos() -> sa.Select[Any]:
    """Select the events, each with the first of all activities that are the same video, as items of courses join them.

    A video may be in several courses, and each of its items may have activities of several sources.
    """
    seen = (
        sa.select(_c.event_id, _c.timestamp, _c.source_table, _c.activity_id)
        .where(_counts, _c.activity_id.is_not(None), _is_finished_video | is_watched_enough)
        .cte("seen")
    )
    watched = (seen.c.source_table.label("seen_table"), seen.c.activity_id.label("seen_id"))
    same = sa.select(*watched, seen.c.source_table, seen.c.activity_id).cte("same", recursive=True)
    item, other = course_items.alias("item"), course_items.alias("other")
    same = same.union(
        sa.select(same.c.seen_table, same.c.seen_id, other.c.source_table, other.c.activity_id)
        .join(item, (item.c.source_table == same.c.source_table) & (item.c.activity_id == same.c.activity_id))
        .join(other, (other.c.course_id == item.c.course_id) & (other.c.item == item.c.item))
    )
    name = same.c.source_table + ":" + sa.cast(same.c.activity_id, sa.Text)
    first = (
        sa.select(same.c.seen_table, same.c.seen_id, sa.func.min(name).label("video"))
        .group_by(same.c.seen_table, same.c.seen_id)
        .subquery()
    )
    return (
        sa.select(seen.c.event_id, seen.c.timestamp, first.c.video)
        .join(first, (first.c.seen_table == seen.c.source_table) & (first.c.seen_id == seen.c.activity_id))
        .order_by(seen.c.timestamp.desc(), seen.c.event_id.desc())
    )


@cache
def _sittings() -> sa.Select[Any]:
    opened = events.alias("opened")
    is_of_one_row = (
        (opened.c.source_table == _c.source_table)
        & (opened.c.source_id == _c.source_id)
        & (opened.c.episode == _c.episode)
        & (opened.c.event_type == EventType.CONTENT_STARTED)
    )
    is_finished = _c.event_type.in_([EventType.CONTENT_WATCHED, EventType.CONTENT_COMPLETED])
    return (
        sa.select(_c.event_id, _c.timestamp, opened.c.timestamp)
        .join(opened, is_of_one_row)
        .where(_counts, is_finished, ~opened.c.is_withdrawn)
        .where(opened.c.timestamp != UNKNOWN_TIME, opened.c.timestamp <= _c.timestamp)
        .order_by(*_NEWEST_FIRST)
    )


_FINISHED = (
    sa.select(
        _c.event_id,
        sa.func.count().over().label("n"),
        sa.func.min(_c.timestamp).over().label("first"),
        sa.func.max(_c.timestamp).over().label("last"),
    )
    .where(_counts, _c.event_type.in_(FINISHING), _c.timestamp >= EARLIEST)
    .where(_c.timestamp >= sa.bindparam("first", type_=UtcDateTime), _at >= sa.bindparam("first", type_=UtcDateTime))
    .where(_at < sa.bindparam("end", type_=UtcDateTime))
    .order_by(*_NEWEST_FIRST)
    .limit(MOST_EVENTS)
)
