"""The streaks and last days of students, for the commands that show them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from lms_bot.core.calendar import DAY, local_day
from lms_bot.core.people import Student
from lms_bot.core.streaks import SHOWN_DAYS, Kind, Lasting, StudentStreaks, last_days, lasting
from lms_bot.store.people.zones import zones_of
from lms_bot.store.session import Transaction
from lms_bot.store.streaks import days, streaks


def streaks_of(
    transaction: Transaction, students: Sequence[Student], default: ZoneInfo, now: datetime, count: int = SHOWN_DAYS
) -> list[StudentStreaks]:
    """Return the streaks of these students, in their order, with their last `count` days by their own clocks."""
    ids = [student.student_id for student in students]
    zones, runs = zones_of(transaction, ids), streaks.of_students(transaction, ids)
    todays = {student_id: local_day(now, zones.get(student_id, default)) for student_id in ids}
    if not ids:
        return []
    first = min(todays.values()) - DAY * count
    known = days.between(transaction, ids, first, max(todays.values()), default)
    return [
        StudentStreaks(
            student,
            lasting(runs.get((student.student_id, Kind.LEARNING), ()), todays[student.student_id]),
            lasting(runs.get((student.student_id, Kind.PRESENCE), ()), todays[student.student_id]),
            tuple(last_days(known.get(student.student_id, ()), todays[student.student_id], count)),
        )
        for student in students
    ]


def learning_streaks(
    transaction: Transaction, students: Sequence[Student], default: ZoneInfo, now: datetime
) -> dict[int, Lasting]:
    """Return how long the learning streaks of these students are, by student id."""
    ids = [student.student_id for student in students]
    zones, runs = zones_of(transaction, ids), streaks.of_students(transaction, ids)
    return {
        student_id: lasting(runs.get((student_id, Kind.LEARNING), ()), local_day(now, zones.get(student_id, default)))
        for student_id in ids
    }
