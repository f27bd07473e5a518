"""Streaks and days as Zulip Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lms_bot.core.streaks import NOTABLE_DAYS, Day, Mark, StudentStreaks
from lms_bot.render.fitting import MESSAGE_LIMIT, WRITE_MORE, Shown, counted, listed
from lms_bot.render.quoting import quote

SIGNS = {Mark.COMPLETE: "🟩", Mark.PARTIAL: "🟨", Mark.NONE: "⬜"}
CELL = 60
_HEAD = "| Student | Learning | Longest | Present | Last days |\n| --- | --- | --- | --- | --- |\n"


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
            f"🔥 **{quote(one.student.username)}** · {marks(one.days, goal)}",
            f"* **Learning:** {streak_words(one)} (days in a row with something finished)",
            f"* **Present:** {counted(one.presence.current, 'day')}, longest {one.presence.best:,} "
            "(days in a row with any activity)",
            "",
            legend(len(one.days), goal),
        ]
    )


def streaks_text(students: Sequence[StudentStreaks], goal: int, limit: int = MESSAGE_LIMIT, *, skip: int = 0) -> Shown:
    """Return a table of students in this order, after how many have how long a streak; `skip` were shown before."""
    heading = f"🔥 **{counted(len(students), 'student')}** · {_distribution(students)}"
    left = students[skip:]
    days = len(students[0].days) if students else 0
    start = f"{heading}\n\n{legend(days, goal)}\n\n{_HEAD}"
    table = listed((_row(one, goal) for one in left), len(left), limit - len(start), lambda _: WRITE_MORE)
    return Shown(start + table.text, table.entries)


def _distribution(students: Sequence[StudentStreaks]) -> str:
    current = [one.learning.current for one in students]
    long, none = sum(days >= NOTABLE_DAYS for days in current), current.count(0)
    short = len(current) - long - none
    return f"{long:,} with {NOTABLE_DAYS} days or more · {short:,} with 1 to {NOTABLE_DAYS - 1} · {none:,} with none"


def _row(one: StudentStreaks, goal: int) -> str:
    cells = (
        quote(one.student.username, CELL),
        f"{one.learning.current:,}",
        f"{one.learning.best:,}",
        f"{one.presence.current:,} (longest {one.presence.best:,})",
        marks(one.days, goal),
    )
    return f"| {' | '.join(cells)} |"
