"""How students do, as Zulip Markdown: a table of many, the card of one, and what they did line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lms_bot.core.reports.students import FEWEST_COMPARED, TREND_EXAMS, Card, Concern, Course, StudentSummary
from lms_bot.core.streaks import Lasting, StudentStreaks
from lms_bot.render.events import EMOJI, TITLES, exam_cell, exam_line
from lms_bot.render.fitting import MESSAGE_LIMIT, Shown, counted, listed
from lms_bot.render.quoting import NOTHING, mean, moment, number, quote
from lms_bot.render.streaks import streak_words

CELL = 60
_HEAD = ("Student", "Needs attention", "Last active", "Last exam", "Average", "Open exams")


def students_text(
    summaries: Sequence[StudentSummary],
    kind: str = "",
    limit: int = MESSAGE_LIMIT,
    *,
    skip: int = 0,
    streaks: Mapping[int, Lasting] | None = None,
) -> Shown:
    """Return a table of students in this order, after a heading that counts them and says what `kind` they are.

    The first `skip` of them have been shown before. `streaks`, by student id, are a column of their own.
    """
    failing, inactive = sum(s.is_failing for s in summaries), sum(s.is_inactive for s in summaries)
    heading = f"**{counted(len(summaries), f'{kind} student'.strip())}** · {failing:,} failing · {inactive:,} inactive"
    left = summaries[skip:]
    if not left:
        return Shown(heading, 0)
    head = (*_HEAD, "Streak") if streaks is not None else _HEAD
    start = "\n".join([heading, "", _row(head), _row(["---"] * len(head)), ""])
    lines = (_row(_cells(summary) + _streak_cell(summary, streaks)) for summary in left)
    table = listed(lines, len(left), limit - len(start), _see_some)
    return Shown(start + table.text, table.entries)


def card_text(card: Card, limit: int = MESSAGE_LIMIT, *, streaks: StudentStreaks | None = None) -> str:
    """Return all about one student at a glance, with their streak where it is given."""
    active = "no activity yet" if card.last_active is None else f"last active {moment(card.last_active)}"
    text = "\n".join(
        [f"👤 **{quote(card.student.username)}** · {active}", *_attention(card.concerns), *_figures(card, streaks)]
    )
    exams = [f"* {exam_line(event)}" for event in card.last_exams]
    courses = [_course(course) for course in card.courses]
    for title, lines in (("Last exams", exams), ("Courses", courses)):
        start = f"\n\n**{title}**\n"
        section = listed(lines, len(lines), limit - len(text) - len(start), _and_more)
        if section.text:
            text += start + section.text
    return text


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(summary: StudentSummary) -> list[str]:
    return [
        quote(summary.student.username, CELL),
        ", ".join(f"{_sign(concern)} {concern}" for concern in summary.concerns) or "✅",
        "never" if summary.last_active is None else moment(summary.last_active),
        NOTHING if summary.last_result is None else exam_cell(summary.last_result),
        mean(summary.average),
        f"{summary.open_exams:,}",
    ]


def _streak_cell(summary: StudentSummary, streaks: Mapping[int, Lasting] | None) -> list[str]:
    if streaks is None:
        return []
    known = streaks[summary.student.student_id]
    return [f"{known.current:,} (longest {known.best:,})" if known.best else "0"]


def _sign(concern: Concern) -> str:
    return "💤" if concern is Concern.INACTIVE else "❗"


def _attention(concerns: Sequence[Concern]) -> list[str]:
    return (
        [f"**Needs attention:** {', '.join(f'{_sign(concern)} {concern}' for concern in concerns)}"] if concerns else []
    )


def _figures(card: Card, streaks: StudentStreaks | None) -> list[str]:
    of_exams = f" over {counted(card.scored, 'exam')}" if card.scored else ""
    figures = [f"**Average:** {mean(card.average)}{of_exams}", f"**Trend:** {_trend(card)}"]
    verdicts = f" ({card.passed:,} of {card.judged:,})" if card.judged else ""
    figures += [f"**Pass rate:** {mean(card.pass_rate)}{verdicts}", f"**Open exams:** {card.open_exams:,}"]
    figures += [f"**Streak:** {streak_words(streaks)}"] if streaks else []
    kinds = [f"{EMOJI[kind]} {TITLES[kind].rstrip('!')} {count:,}" for kind, count in card.counts.items()]
    return [f"* {figure}" for figure in figures] + ([f"* {' · '.join(kinds)}"] if kinds else [])


def _trend(card: Card) -> str:
    if card.trend is None:
        return f"{NOTHING} (it takes {TREND_EXAMS + FEWEST_COMPARED} exams)"
    points, before = round(card.trend, 1), min(TREND_EXAMS, card.scored - TREND_EXAMS)
    arrow = "→" if points == 0 else "↗" if points > 0 else "↘"
    sign = "+" if points > 0 else ""
    return f"{arrow} {sign}{number(points)} points, the last {TREND_EXAMS} exams against the {before} before"


def _course(course: Course) -> str:
    exams = f" · average {mean(course.average)} over {counted(course.scored, 'exam')}" if course.scored else ""
    return f"* **{quote(course.title)}** · {counted(course.events, 'event')}{exams}"


def _and_more(count: int) -> str:
    return f"* … and {count:,} more"


def _see_some(count: int) -> str:
    return (
        f"\n… and {count:,} more. Write `more` for the next ones; `students failing` and `students inactive` show some."
    )
