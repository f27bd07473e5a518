"""How the students of somebody do, and who of them needs attention first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lms_bot.core.attention import HIGHEST, NEEDS, NONE, NOTICED, AttentionScore
from lms_bot.core.people import Student
from lms_bot.core.reports.students import StudentSummary
from lms_bot.core.streaks import Lasting

Rank = tuple[int, int]
"""Where a student stands in a list by attention, from 0 for who comes first; then the student's id."""

FEWEST_NEEDING = 2  # students, of whom a mentor is told that they need them, however few the mentor has
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Attention:
    """How students do, who needs attention first; by student id how long their learning streaks are, and why."""

    summaries: tuple[StudentSummary, ...]
    streaks: Mapping[int, Lasting]
    scores: Mapping[int, AttentionScore]

    def score(self, summary: StudentSummary) -> AttentionScore:
        return self.scores.get(summary.student.student_id, NONE)

    def needs(self, summary: StudentSummary) -> bool:
        """Return whether there is something to look at: by points, or by a rule of the mentor's that gives none."""
        return self.score(summary).points >= NOTICED or bool(summary.concerns)

    @property
    def needs_you(self) -> tuple[StudentSummary, ...]:
        """Return who needs their mentor now: those with many points, at most a tenth of all who are there, or two."""
        active = [one for one in self.summaries if one.student.is_active]
        most = max(FEWEST_NEEDING, len(active) // 10)
        return tuple(one for one in active if self.score(one).points >= NEEDS)[:most]

    def rank(self, summary: StudentSummary) -> Rank:
        """Return where a student stands among others, however many of these come and go."""
        student, points = summary.student, self.score(summary).points
        has_left, below = not student.is_active, 2 * (HIGHEST - points) + (not summary.concerns)
        return 1_000 * has_left + below, student.student_id

    def student_as_json(self, summary: StudentSummary) -> dict[str, Any]:
        """Return one student with their attention and its reasons as JSON."""
        streak, last = self.streaks.get(summary.student.student_id), summary.last_active
        return {
            **named(summary.student),
            "is_active": summary.student.is_active,
            **self.score(summary).as_json(),
            "concerns": [concern.value for concern in summary.concerns],
            "average_score": summary.average,
            "last_active": None if last is None else last.isoformat(),
            "current_streak": None if streak is None else streak.current,
        }


def named(student: Student) -> dict[str, Any]:
    """Return who a student is as JSON."""
    return {"student_id": student.student_id, "username": student.username, "name": student.name}


def by_attention(summaries: Iterable[StudentSummary], scores: Mapping[int, AttentionScore]) -> list[StudentSummary]:
    """Return who needs attention first: more points; then any concern, the lower average, the longer absence.

    Who has left comes last.
    """
    return sorted(
        summaries,
        key=lambda one: (
            not one.student.is_active,
            -scores.get(one.student.student_id, NONE).points,
            not one.concerns,
            math.inf if one.average is None else one.average,
            one.last_active or _LONG_AGO,
            one.student.name.casefold(),
            one.student.student_id,
        ),
    )
