"""What a mentor looks at first: who needs attention, what changed since yesterday, and what is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from lms_bot.core.alerts import DAY, AlertEntry
from lms_bot.core.attention import allowed_silence
from lms_bot.core.events import Event
from lms_bot.core.people import Student
from lms_bot.core.reports.attention import Attention, named

CHANGED_WITHIN = DAY


class Returned(NamedTuple):
    """A student who did something again at a moment, after an absence."""

    student: Student
    at: datetime
    absence: timedelta

    def as_json(self) -> dict[str, object]:
        return {**named(self.student), "at": self.at.isoformat(), "absent_days": self.absence // DAY}


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened `since` a moment: new alerts that are still open, exams passed and failed, and who came back."""

    since: datetime
    concerns: tuple[AlertEntry, ...]
    exams: tuple[Event, ...]
    returned: tuple[Returned, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "since": self.since.isoformat(),
            "new_concerns": [_alert(entry) for entry in self.concerns],
            "exams": [_exam(event) for event in self.exams],
            "returned": [one.as_json() for one in self.returned],
        }


@dataclass(frozen=True, slots=True)
class MentorOverview:
    """All students of a mentor by attention, what changed, and the open alerts, the most serious first."""

    as_of: datetime
    attention: Attention
    changes: Changes
    due: tuple[AlertEntry, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "as_of": self.as_of.isoformat(),
            "needs_you": [summary.student.student_id for summary in self.attention.needs_you],
            "students": [self.attention.student_as_json(summary) for summary in self.attention.summaries],
            "changes": self.changes.as_json(),
            "due": [_alert(entry) for entry in self.due],
        }


class Presence(NamedTuple):
    """When a student did something first since a moment, and last before it."""

    student_id: int
    first: datetime
    last_before: datetime | None


def came_back(
    students: Sequence[Student], seen: Sequence[Presence], gaps: dict[int, timedelta | None]
) -> tuple[Returned, ...]:
    """Return who did something after an absence that attention counts as silence, the longest first."""
    by_id = {student.student_id: student for student in students}
    returned = [
        Returned(by_id[one.student_id], one.first, one.first - one.last_before)
        for one in seen
        if one.last_before is not None
        and one.first - one.last_before >= allowed_silence(gaps.get(one.student_id))
        and by_id[one.student_id].is_active
    ]
    return tuple(sorted(returned, key=lambda one: (-one.absence, one.student.student_id)))


def _alert(entry: AlertEntry) -> dict[str, Any]:
    alert = entry.alert
    return {
        "name": alert.name,
        "rule": alert.rule.value,
        "level": alert.level,
        "title": alert.title,
        "student_id": entry.student.student_id if entry.student else None,
        "since": alert.since.isoformat(),
        "opened_at": alert.opened_at.isoformat(),
        "taken_by": entry.taken_by,
    }


def _exam(event: Event) -> dict[str, object]:
    return {
        "event_id": event.event_id,
        "event_type": event.event_type.value,
        "student_id": event.student_id,
        "activity_title": event.activity_title,
        "percentage": event.metadata.get("percentage"),
        "timestamp": event.timestamp.isoformat(),
    }
