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
    """A sign for each day."""
    return "".join(SIGNS[day.mark(goal)] for day in days)


def legend(days: int, goal: int) -> str:
    """What the signs mean."""
    return (
        f"The last {days} days, today on the right: {SIGNS[Mark.COMPLETE]} {goal} or more finished, "
        f"{SIGNS[Mark.PARTIAL]} some activity, {SIGNS[Mark.NONE]} none"
    )


def streak_words(habit: StudentStreaks) -> str:
    """How long a student's streak is."""
    return f"{counted(habit.learning.current, 'day')}, longest {habit.learning.best:,}"


def streak_text(habit: StudentStreaks, goal: int) -> str:
    """One student's streaks and last days."""
    return "\n".join(
        [
            f"🔥 **{quote(habit.student.username)}** · {marks(habit.days, goal)}",
            f"* **Learning:** {streak_words(habit)} (days in a row with something finished)",
            f"* **Present:** {counted(habit.presence.current, 'day')}, longest {habit.presence.best:,} "
            "(days in a row with any activity)",
            "",
            legend(len(habit.days), goal),
        ]
    )


def streaks_text(habits: Sequence[StudentStreaks], goal: int, limit: int = MESSAGE_LIMIT, *, skip: int = 0) -> Shown:
    """A table of students in the order given, after how many have how long a streak; `skip` have been shown before."""
    heading = f"🔥 **{counted(len(habits), 'student')}** · {_distribution(habits)}"
    left = habits[skip:]
    days = len(habits[0].days) if habits else 0
    start = f"{heading}\n\n{legend(days, goal)}\n\n{_HEAD}"
    table = listed((_row(habit, goal) for habit in left), len(left), limit - len(start), lambda _: WRITE_MORE)
    return Shown(start + table.text, table.entries)


def _distribution(habits: Sequence[StudentStreaks]) -> str:
    current = [habit.learning.current for habit in habits]
    long, none = sum(days >= NOTABLE_DAYS for days in current), current.count(0)
    short = len(current) - long - none
    return f"{long:,} with {NOTABLE_DAYS} days or more · {short:,} with 1 to {NOTABLE_DAYS - 1} · {none:,} with none"


def _row(habit: StudentStreaks, goal: int) -> str:
    cells = (
        quote(habit.student.username, CELL),
        f"{habit.learning.current:,}",
        f"{habit.learning.best:,}",
        f"{habit.presence.current:,} (longest {habit.presence.best:,})",
        marks(habit.days, goal),
    )
    return f"| {' | '.join(cells)} |"
