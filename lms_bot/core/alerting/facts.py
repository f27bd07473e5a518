"""Makes facts about students, as rules judge them, of what they did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from lms_bot.core.academics.deadlines import AHEAD, GRACE, Deadline, is_on_time
from lms_bot.core.alert_rules import Exam, Facts, Opened
from lms_bot.core.calendar import DAY
from lms_bot.core.events import FINISHING, OF_EXAMS, OPENING, EventType

LOOKBACK = timedelta(days=60)  # at what the student did
GAP_WINDOW = timedelta(days=90)  # days from which the usual gap between days of learning is learned
FEWEST_GAPS = 3
EXAM_ENDS = frozenset(kind for kind in EventType if kind.is_exam_end)


def sort_activities(rows: Iterable[Any], minutes: Mapping[int, int]) -> dict[str, Any]:
    """Return a student's finished exams, open ones and open content, of current events that come newest first.

    A row is the type of the event, its time, the id and the title of the activity, and the percentage.
    """
    exams, open_exams, content = [], [], None
    tried_since: set[int | None] = set()
    content_went_on = False
    for kind, at, activity_id, title, percentage in rows:
        if kind in EXAM_ENDS:
            exams.append(Exam(at, activity_id, title, EventType(kind), percentage))
        elif kind == EventType.EXAM_STARTED and activity_id not in tried_since:
            open_exams.append(Opened(at, activity_id, title, minutes.get(activity_id or 0)))
        elif kind in OPENING and content is None and not content_went_on:
            content = Opened(at, activity_id, title)
        if kind in OF_EXAMS:
            tried_since.add(activity_id)
        elif kind in FINISHING:
            content_went_on = True
    return {"exams": tuple(exams), "open_exams": tuple(open_exams), "content": content}


def usual_gap(days: Sequence[int]) -> timedelta | None:
    """Return the median time between days of learning, ordinals and oldest first; None for too few to say."""
    if len(days) <= FEWEST_GAPS:
        return None
    gaps = sorted(late - early for early, late in pairwise(days))
    half = len(gaps) // 2
    return DAY * (gaps[half] if len(gaps) % 2 else (gaps[half - 1] + gaps[half]) / 2)


def with_deadlines(due: Iterable[Deadline], enrolled_at: datetime | None, now: datetime) -> dict[str, Any]:
    """Return the facts about a student's deadlines: those of the past, and the next one.

    What was due before they were enrolled is not theirs.
    """
    own = [one for one in due if enrolled_at is None or enrolled_at <= one.until]
    ahead = min((one for one in own if one.until > now), key=lambda one: one.until, default=None)
    kept = (*(one for one in own if one.until <= now), *([ahead] if ahead else ()))
    return {"deadlines": kept, "is_on_time": is_on_time(kept, GRACE, now)}


def on_time_until(facts: Facts) -> datetime | None:
    """Return until when a student who is on time stays so by missing nothing more; None for others."""
    return max(one.until for one in facts.deadlines) + AHEAD if facts.is_on_time else None
