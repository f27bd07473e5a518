"""What is known of studies beside events: batches and courses, results of parts of attempts, the LMS's own counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

DIMENSIONS = ("subject", "difficulty")
COUNTED = ("current_streak", "highest_streak", "videos", "exams", "downloads", "conferences")
Pair = tuple[int, int]
Item = tuple[int, str, str, int]
"""A course's id, an item of it, and the source and id of an activity by which that is done."""


Lesson = tuple[int, str | None, str | None, int | None]
"""A lesson's id and title, and the source and id of the exam that must be passed before it is complete."""


@dataclass(frozen=True, slots=True)
class Academics:
    """What students study, as the LMS has it; None for what is not there, or not for our role to read.

    `items` are of those sources whose activities could be read, which are `item_sources`.
    """

    batches: Mapping[int, str | None] | None = None
    batch_students: frozenset[Pair] | None = None
    courses: Mapping[int, str | None] | None = None
    course_batches: frozenset[Pair] | None = None
    course_students: frozenset[Pair] | None = None
    lessons: frozenset[Lesson] | None = None
    items: frozenset[Item] = frozenset()
    item_sources: frozenset[str] = frozenset()


class AttemptResult(NamedTuple):
    """The result of a part of an attempt: of a subject, or of a level of difficulty, as `dimension` says.

    `student_id` and `username` are whose attempt the LMS says it is; the store knows that by the attempt's events.
    """

    source_table: str
    source_id: int
    exam_source: str
    attempt_id: int
    dimension: str
    label: str
    correct: int
    incorrect: int
    unanswered: int
    total: int
    student_id: int | None
    username: str | None


class LmsCounts(NamedTuple):
    """What the LMS itself counts of a student up to a day; None for what it does not count."""

    student_id: int
    source_id: int
    day: date
    current_streak: int | None
    highest_streak: int | None
    videos: int | None
    exams: int | None
    downloads: int | None
    conferences: int | None
