"""How students do, as Zulip Markdown: a list of many, the card of one, and what they did line by line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

from lms_bot.core.attention import Reason
from lms_bot.core.reports.academics.subjects import PartPerformance
from lms_bot.core.reports.attention import Attention
from lms_bot.core.reports.students import (
    FEWEST_COMPARED,
    TREND_EXAMS,
    Card,
    Concern,
    Course,
    FullCard,
    StudentSummary,
)
from lms_bot.core.streaks import StudentStreaks
from lms_bot.render.academics.profile import subjects_line
from lms_bot.render.events import EMOJI, TITLES, exam_line
from lms_bot.render.fitting import MESSAGE_LIMIT, Group, Shown, counted, grouped, listed
from lms_bot.render.quoting import NOTHING, ago, mean, number, quote, student_name
from lms_bot.render.streaks import streak_words

NAME = 60
TO_LOOK_AT = "to look at"
AWAY = timedelta(days=1)  # at least
FIRST = 8  # students who are seen without opening anything: so many fit the window of a phone


def students_text(
    found: Attention, now: datetime, kind: str = "", limit: int = MESSAGE_LIMIT, *, skip: int = 0
) -> Shown:
    """Return who needs something, and the others in groups, after a heading that counts them and says their `kind`.

    The first `skip` of them have been shown before.
    """
    summaries = found.summaries
    failing, inactive = sum(s.is_failing for s in summaries), sum(s.is_inactive for s in summaries)
    heading = f"**{counted(len(summaries), f'{kind} student'.strip())}**"
    if not kind:
        heading += f" · {failing:,} failing · {inactive:,} inactive"
    left = summaries[skip:]
    first = [one for one in left[:FIRST] if found.needs(one)]
    groups = [Group("", [need_line(one, found, now) for one in first])]
    for name, of_kind in groupby(left[len(first) :], key=lambda one: _kind(one, found)):
        lines = [f"* {_name(one)} – {_facts(one, found, now)}" for one in of_kind]
        groups.append(Group(f"{len(lines):,} {'more ' if first and name == TO_LOOK_AT else ''}{name}", lines))
    return grouped(heading, groups, limit)


def need_line(summary: StudentSummary, found: Attention, now: datetime) -> str:
    """Return who it is and what is most wrong, on one line."""
    return f"* {_name(summary)} – {_need(summary, found, now)}"


def card_text(
    card: Card,
    now: datetime,
    limit: int = MESSAGE_LIMIT,
    *,
    streaks: StudentStreaks | None = None,
    subjects: Sequence[PartPerformance] = (),
) -> str:
    """Return all about one student at a glance, with their streak and clear subjects where these are given."""
    active = "no known activity" if card.last_active is None else f"last active {ago(card.last_active, now)} ago"
    heading = f"👤 {student_name(card.student, bold=True)} · {active}"
    text = "\n".join([heading, *_attention(card.concerns), *_figures(card, streaks, subjects)])
    exams = [f"* {exam_line(event, now)}" for event in card.last_exams]
    courses = [_course(course) for course in card.courses]
    for title, lines in (("Last exams", exams), ("Courses", courses)):
        start = f"\n\n**{title}**\n"
        section = listed(lines, len(lines), limit - len(text) - len(start), _and_more)
        if section.text:
            text += start + section.text
    return text


def full_card_text(found: FullCard, now: datetime, limit: int = MESSAGE_LIMIT) -> str:
    """Return a card with the streak and the clear subjects."""
    return card_text(found.card, now, limit, streaks=found.streaks, subjects=found.subjects)


def _name(summary: StudentSummary) -> str:
    return student_name(summary.student, bold=True, limit=NAME)


def _kind(summary: StudentSummary, found: Attention) -> str:
    if not summary.student.is_active:
        return "who left"
    return TO_LOOK_AT if found.needs(summary) else "doing well"


def _need(summary: StudentSummary, found: Attention, now: datetime) -> str:
    """Return in few words what is most wrong."""
    main, average = found.score(summary).main, f"average {mean(summary.average)}"
    if main is None:
        concern = summary.concerns[0]
        return _away(summary, now) if concern is Concern.INACTIVE else concern.value
    failed = "last exam failed" if Concern.LAST_FAILED in summary.concerns else ""
    words = {
        Reason.SILENCE: _away(summary, now),
        Reason.RESULTS: failed or average,
        Reason.FAILURES: failed or "exam failed, not passed",
        Reason.ACTIVITY: "does less than before",
        Reason.DEADLINES: "deadline missed",
        Reason.STUCK: "stuck",
    }
    return words[main.name]


def _away(summary: StudentSummary, now: datetime) -> str:
    if summary.last_active is None:
        return "no known activity"
    return f"away {ago(summary.last_active, now)}" if now - summary.last_active >= AWAY else "finishes nothing"


def _facts(summary: StudentSummary, found: Attention, now: datetime) -> str:
    """Return what is wrong, if something is, and the figures that are known."""
    need = _need(summary, found, now) if found.needs(summary) else ""
    facts = [need] if need else []
    if summary.average is not None and not need.startswith("average"):
        facts.append(mean(summary.average))
    if summary.last_active is not None and not need.startswith("away"):
        facts.append(f"{ago(summary.last_active, now)} ago")
    if current := found.streaks[summary.student.student_id].current:
        facts.append(f"🔥 {current:,} d")
    return " · ".join(facts)


def _sign(concern: Concern) -> str:
    return "💤" if concern is Concern.INACTIVE else "❗"


def _attention(concerns: Sequence[Concern]) -> list[str]:
    return (
        [f"**Needs attention:** {', '.join(f'{_sign(concern)} {concern}' for concern in concerns)}"] if concerns else []
    )


def _figures(card: Card, streaks: StudentStreaks | None, subjects: Sequence[PartPerformance]) -> list[str]:
    of_exams = f" over {counted(card.scored, 'exam')}" if card.scored else ""
    figures = [f"**Average:** {mean(card.average)}{of_exams}", f"**Trend:** {_trend(card)}"]
    verdicts = f" ({card.passed:,} of {card.judged:,})" if card.judged else ""
    figures += [f"**Pass rate:** {mean(card.pass_rate)}{verdicts}", f"**Open exams:** {card.open_exams:,}"]
    figures += [f"**Streak:** {streak_words(streaks)}"] if streaks else []
    figures += [clear] if (clear := subjects_line(subjects)) else []
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
