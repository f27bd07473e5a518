"""A table whose rows say more about a student than an event can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lms_bot.lms.source.tracked import Field, Tracked


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detail(Tracked):
    """A table whose rows say more about a student than an event can."""

    student: Field
    is_optional: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Results(Detail):
    """A table of the results of parts of attempts: of a subject, or of a level of difficulty, as `dimension` says.

    `attempt` is the id of an attempt of the source `exam_source`, made by `student`, or by `username` where that has
    none. `label` names the part; the others are numbers of questions.
    """

    exam_source: str
    attempt: Field
    username: Field | None = None
    dimension: str
    label: Field
    correct: Field
    incorrect: Field
    unanswered: Field
    total: Field

    @property
    def fields(self) -> Sequence[Field | None]:
        counts = (self.correct, self.incorrect, self.unanswered, self.total)
        return (self.student, self.username, self.attempt, self.label, *counts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counts(Detail):
    """A table of what the LMS itself counts of a student up to a `day`; the newest one counts.

    The `counts` are current_streak, highest_streak, videos, exams, downloads and conferences, as far as there are any.
    """

    day: Field
    counts: Mapping[str, Field]

    @property
    def fields(self) -> Sequence[Field | None]:
        return (self.student, self.day, *self.counts.values())
