"""Streaks and days as Zulip Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from lms_bot.core.streaks import NOTABLE_DAYS, Day, Mark, StudentStreaks
from lms_bot.render.fitting import MESSAGE_LIMIT, Group, Shown, counted, grouped
from lms_bot.render.quoting import student_name

SIGNS = {Mark.COMPLETE: "🟩", Mark.PARTIAL: "🟨", Mark.NONE: "⬜"}
NAME = 60
FIRST = 8  # students who are seen without opening anything: so many fit the window of a phone


def marks(days: Iterable[Day], goal: int) -> str:
    """Return a sign for each day."""
    return "".join(SIGNS[day.mark(goal)] for day in days)


def legend(days: int, goal: int) -> str:
    """Return what the signs mean."""
    return (
        f"The last {days} days, today on the right: {SIGNS[Mark.COMPLETE]} {goal} or more finished, "
        f"{SIGNS[Mark.PARTIAL]} some activity, {SIGNS[Mark.NONE]} none"
    )


def streak_words(one: StudentStreaks) -> str:
    """Return how long a student's streak is."""
    return f"{counted(one.learning.current, 'day')}, longest {one.learning.best:,}"


def streak_text(one: StudentStreaks, goal: int) -> str:
    """Return one student's streaks and last days."""
    return "\n".join(
        [
            f"🔥 {student_name(one.student, bold=True)} · {marks(one.days, goal)}",
            f"* **Learning:** {streak_words(one)} (days in a row with something finished)",
            f"* **Present:** {counted(one.presence.current, 'day')}, longest {one.presence.best:,} "
            "(days in a row with any activity)",
            "",
            legend(len(one.days), goal),
        ]
    )


def streaks_text(students: Sequence[StudentStreaks], limit: int = MESSAGE_LIMIT, *, skip: int = 0) -> Shown:
    """Return the first students in this order, and the others in groups; `skip` were shown before."""
    left = students[skip:]
    first = [one for one in left[:FIRST] if one.learning.current]
    groups = [Group("", [_line(one) for one in first])]
    for name, of_group in groupby(left[len(first) :], key=_group):
        lines = [_line(one) for one in of_group]
        groups.append(Group(f"{len(lines):,} {'more ' if name in map(_group, first) else ''}with {name}", lines))
    return grouped(f"🔥 **{counted(len(students), 'student')}** · {_distribution(students)}", groups, limit)


def _distribution(students: Sequence[StudentStreaks]) -> str:
    return " · ".join(f"{len(list(of_group)):,} with {name}" for name, of_group in groupby(students, key=_group))


def _group(one: StudentStreaks) -> str:
    days = one.learning.current
    return (
        f"{NOTABLE_DAYS} days or more" if days >= NOTABLE_DAYS else f"1 to {NOTABLE_DAYS - 1} days" if days else "none"
    )


def _line(one: StudentStreaks) -> str:
    current, best = one.learning.current, one.learning.best
    words = "no streak" if not current else f"{current:,} d"
    longest = f", best {best:,}" if best > current else ""
    return f"* {student_name(one.student, bold=True, limit=NAME)} – {words}{longest}"
