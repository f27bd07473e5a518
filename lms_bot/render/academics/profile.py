"""How a student does in their studies, as Zulip Markdown that fits the window of a phone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lms_bot.core.reports.academics.metrics import AcademicMetrics
from lms_bot.core.reports.academics.profile import AcademicProfile, Beside, Change
from lms_bot.core.reports.academics.subjects import PartPerformance, strong, struggling
from lms_bot.render.events import event_line
from lms_bot.render.fitting import counted
from lms_bot.render.quoting import ago, mean, number, quote, student_name

NAME, TITLE = 60, 40  # characters
NAMED = 3  # subjects, courses and batches; the others are counted
RECENT = 2  # events
_THEIRS = {
    "current_streak": "streak",
    "highest_streak": "longest streak",
    "total_exams": "exams",
    "videos_watched": "videos",
}


def profile_text(profile: AcademicProfile, now: datetime) -> str:
    """Return how a student stands: the figures first, then courses and what was last."""
    batches = [quote(batch.name or f"batch #{batch.batch_id}", TITLE) for batch in profile.batches]
    heading = " · ".join([f"👤 {student_name(profile.student, bold=True, limit=NAME)}", *_first(batches)])
    lines = [heading, *_averages(profile), *_streak(profile.academic_metrics)]
    lines += _changes(profile.changes)
    lines += clear_subjects(profile.struggling_subjects, profile.strong_subjects)
    text = "\n".join([*lines, *_differences(profile.lms_counts)])
    if courses := course_lines(profile, now):
        text += "\n\n**Courses**\n" + "\n".join(courses)
    if recent := [f"* {event_line(event, named=False)}" for event in profile.recent_activity[:RECENT]]:
        text += "\n\n**Last**\n" + "\n".join(recent)
    return text


def studies_text(profile: AcademicProfile, now: datetime) -> str:
    """Return what a profile says more than the card of the same student; "" if it is nothing."""
    figures = profile.academic_metrics
    rank = _rank(profile)
    lines = [f"* {rank[0].upper()}{rank[1:]}"] if rank else []
    if figures.videos_watched.value:
        lines.append(f"* {_videos(figures)}")
    lines += [f"* {line}" for line in _differences(profile.lms_counts)]
    lines += course_lines(profile, now)
    return "\n".join(["**Studies**", *lines]) if lines else ""


def subjects_line(parts: Sequence[PartPerformance]) -> str:
    """Return on one line in which subjects (weakest first) a student struggles and is strong; "" if in none."""
    return " · ".join(clear_subjects(struggling(parts), strong(parts)))


def clear_subjects(weak: Sequence[PartPerformance], good: Sequence[PartPerformance]) -> list[str]:
    """Return a line for the subjects in which a student struggles, and one for the strong ones, as far as there are."""
    named = (("🆘 **Struggling:**", weak), ("💪 **Strong:**", good))
    return [f"{heading} {_subjects(parts)}" for heading, parts in named if parts]


def part_words(part: PartPerformance) -> str:
    """Return a subject with its percentage and the number of results."""
    return f"{quote(part.label, TITLE)} {mean(part.percentage)} ({part.n:,})"


def course_lines(profile: AcademicProfile, now: datetime) -> list[str]:
    """Return the first courses, a line for each, and how many more there are."""
    courses = profile.current_courses
    shown = courses if len(courses) <= NAMED else courses[: NAMED - 1]
    lines = []
    for course in shown:
        title = f"* **{quote(course.title, TITLE) if course.title else f'course #{course.course_id}'}**"
        share = f"{course.done:,} of {course.items:,} done ({mean(course.percentage)})" if course.items else "no items"
        active = [] if course.last_activity is None else [f"{ago(course.last_activity, now)} ago"]
        lines.append(" · ".join([title, share, *active]))
    return [*lines, f"* … and {len(courses) - len(shown):,} more"] if len(courses) > len(shown) else lines


def _averages(profile: AcademicProfile) -> list[str]:
    figures = profile.academic_metrics
    average, exams = figures.average_score, figures.total_exams
    over = f" over {counted(average.n, 'exam')}" if average.n else ""
    first = f"📊 **Average:** {mean(average.value)}{over}"
    finished = [f"📝 {counted(int(exams.value), 'exam')} finished"] if exams.value is not None else []
    watched = [_videos(figures)] if figures.videos_watched.value is not None else []
    second = " · ".join([*finished, *watched])
    return [" · ".join(part for part in (first, _rank(profile)) if part), *([second] if second else [])]


def _rank(profile: AcademicProfile) -> str:
    rank = profile.academic_metrics.percentile_rank
    whom = "of the batch" if profile.batches else "of all"
    return "" if rank.value is None else f"better than {mean(rank.value)} {whom}, in {counted(rank.n, 'exam')}"


def _videos(figures: AcademicMetrics) -> str:
    return f"🎬 {counted(int(figures.videos_watched.value or 0), 'video')} watched"


def _streak(figures: AcademicMetrics) -> list[str]:
    current, longest = figures.current_streak.value, figures.highest_streak.value
    if current is None or longest is None:
        return []
    return [f"🔥 **Streak:** {counted(int(current), 'day')}, longest {longest:,}"]


def _changes(changes: Sequence[Change]) -> list[str]:
    """Return a line for each snapshot since which something has changed."""
    lines = []
    for one in changes:
        said = [f"average {_signed(one.average_score)} points"] if one.average_score else []
        said += [
            f"{_signed(n)} {noun}" for n, noun in ((one.total_exams, "exams"), (one.videos_watched, "videos")) if n
        ]
        if said:
            lines.append(f"📈 Since {one.since.isoformat()}: {', '.join(said)}")
    return lines


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{number(round(value, 1))}"


def _differences(counts: Sequence[Beside]) -> list[str]:
    """Return what the LMS counts otherwise than we do."""
    said = [f"{_THEIRS[one.name]} {one.theirs:,} (ours {number(one.ours)})" for one in counts if one.difference]
    return [f"⚖️ The LMS counts otherwise, on {counts[0].day.isoformat()}: {', '.join(said)}"] if said else []


def _subjects(parts: Sequence[PartPerformance]) -> str:
    return ", ".join(_first([part_words(part) for part in parts]))


def _first(texts: Sequence[str]) -> list[str]:
    """Return the first texts, and how many more there are."""
    more = [f"{len(texts) - NAMED:,} more"] if len(texts) > NAMED else []
    return [*texts[:NAMED], *more]
