"""How the students of somebody do, and who of them needs attention first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from lms_bot.core.attention import NEEDS, NONE, NOTICED, AttentionScore
from lms_bot.core.reports.students import StudentSummary
from lms_bot.core.streaks import Lasting

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
