"""A lesson that both the LMS and its pages tell of: the same fact, told and counted once, whoever tells it first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import sqlalchemy as sa

from lms_bot.core.events import PAGE_REPORTS, PROGRESS, PROGRESS_STEPS, Event, EventType
from lms_bot.db.lists import in_list
from lms_bot.store.events import rows
from lms_bot.store.session import Transaction
from lms_bot.store.tables import course_items, events, page_reports

FINISHED = len(PROGRESS_STEPS)  # the stage after all steps of progress
_KINDS = (EventType.CONTENT_PROGRESS, EventType.CONTENT_WATCHED, EventType.CONTENT_COMPLETED)
_EXAM_DONE = (EventType.EXAM_PASSED, EventType.EXAM_COMPLETED)

_c, _r = events.c, page_reports.c
_reported, _other = course_items.alias("reported").c, course_items.alias("other").c
_SAME_ITEM = (_other.course_id == _reported.course_id) & (_other.item == _reported.item)


def stage(kind: str, step: object) -> int | None:
    """Return how far somebody has come in a lesson by an event: the place of its step, or finished; None for others."""
    if kind != EventType.CONTENT_PROGRESS:
        return FINISHED if kind in _KINDS else None
    return PROGRESS_STEPS.index(step) if isinstance(step, int) and step in PROGRESS_STEPS else None


def _stage(event: Event) -> int | None:
    return stage(event.event_type, event.metadata.get(PROGRESS))


def with_reports(transaction: Transaction, found: Sequence[Event]) -> tuple[Event, ...]:
    """Return these events of the LMS, each with the report of a page that has told the same or more already."""
    lessons = [one for one in found if one.mirrors is None and _stage(one) is not None]
    if not lessons or transaction.scalar(sa.select(_r.report_id).limit(1)) is None:
        return tuple(found)
    reports = _reports(transaction, lessons)
    if not reports:
        return tuple(found)
    stages = _stages(transaction, {report_id for of_one in reports.values() for report_id in of_one})
    return tuple(event._replace(mirrors=_mirrored(event, reports, stages)) for event in found)


def new_among(transaction: Transaction, found: Sequence[Event]) -> tuple[list[Event], list[int]]:
    """Return those of a report's events that are new, and by id the recorded ones that these come after.

    An event of which the LMS, or the report itself, has told the same or more mirrors the row that did. Progress never
    goes back. Whoever asks holds the lock of the days, so that nothing is recorded meanwhile.
    """
    report_id = found[0].source_id
    recorded = rows.recorded(transaction, PAGE_REPORTS, [report_id]).get(report_id, [])
    there = {(state.event_type, state.episode): state for state in recorded}
    steps = [episode for kind, episode in there if kind == EventType.CONTENT_PROGRESS]
    last_step, is_finished = max(steps, default=-1), len(steps) < len(there)
    lms_stage, lms_row = _stage_in_lms(transaction, found[0])
    new = []
    for event in found:
        at = FINISHED if event.event_type != EventType.CONTENT_PROGRESS else event.episode
        if (event.event_type, event.episode) in there or at <= last_step:
            continue
        told_by = lms_row if lms_stage >= at else report_id if is_finished else None
        new.append(event._replace(mirrors=told_by))
    outdated = [state for state in recorded if state.is_current and state.event_type == EventType.CONTENT_PROGRESS]
    return new, rows.event_ids(outdated) if new else []


def _stage_in_lms(transaction: Transaction, event: Event) -> tuple[int, int | None]:
    """Return how far the LMS says that a student has come in a report's lesson, and by which row; -1 where it does not.

    A lesson that is an exam is finished when that is.
    """
    student_id, lesson_id = event.student_id, event.activity_id
    same = (
        sa.select(_other.source_table, _other.activity_id)
        .where(_SAME_ITEM, _reported.source_table == PAGE_REPORTS, _reported.activity_id == lesson_id)
        .where(_other.source_table != PAGE_REPORTS)
        .distinct()
        .subquery()
    )
    query = (
        sa.select(_c.event_type, _c.activity_metadata, _c.source_id)
        .join(same, (_c.source_table == same.c.source_table) & (_c.activity_id == same.c.activity_id))
        .where(_c.student_id == student_id, _c.event_type.in_((*_KINDS, *_EXAM_DONE)), _c.is_current, ~_c.is_withdrawn)
    )
    known = (
        (FINISHED if kind in _EXAM_DONE else stage(kind, metadata.get(PROGRESS)), source_id)
        for kind, metadata, source_id in transaction.execute(query)
    )
    return max(((at, source_id) for at, source_id in known if at is not None), default=(-1, None))


def _reports(transaction: Transaction, found: Iterable[Event]) -> dict[tuple[int | None, str, int | None], list[int]]:
    """Return by student, source and activity the reports of pages about the same lesson."""
    by_source: dict[str, list[Event]] = defaultdict(list)
    for event in found:
        by_source[event.source_table].append(event)
    dialect = transaction.dialect.name
    reports: dict[tuple[int | None, str, int | None], list[int]] = defaultdict(list)
    for source, of_one in by_source.items():
        query = (
            sa.select(_r.student_id, _other.activity_id, _r.report_id)
            .distinct()
            .where(_SAME_ITEM, _reported.source_table == PAGE_REPORTS, _reported.activity_id == _r.lesson_id)
            .where(_other.source_table == source)
            .where(in_list(_other.activity_id, {one.activity_id for one in of_one} - {None}, dialect))
            .where(in_list(_r.student_id, {one.student_id for one in of_one} - {None}, dialect))
        )
        for student_id, activity_id, report_id in transaction.execute(query):
            reports[student_id, source, activity_id].append(report_id)
    return reports


def _stages(transaction: Transaction, report_ids: Collection[int]) -> dict[int, int]:
    """Return how far each report has told that a student has come."""
    within = in_list(_c.source_id, report_ids, transaction.dialect.name)
    query = sa.select(_c.source_id, _c.event_type, _c.activity_metadata)
    found: dict[int, int] = {}
    for report_id, kind, metadata in transaction.execute(
        query.where(_c.source_table == PAGE_REPORTS, within, _c.mirrors.is_(None))
    ):
        at = stage(kind, metadata.get(PROGRESS))
        if at is not None:
            found[report_id] = max(at, found.get(report_id, at))
    return found


def _mirrored(
    event: Event, reports: Mapping[tuple[int | None, str, int | None], list[int]], stages: Mapping[int, int]
) -> int | None:
    at = _stage(event)
    if event.mirrors is not None or at is None:
        return event.mirrors
    same = reports.get((event.student_id, event.source_table, event.activity_id), ())
    return next((report_id for report_id in same if stages.get(report_id, -1) >= at), None)
