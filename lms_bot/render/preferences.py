"""The preferences of a mentor as Zulip Markdown."""

from __future__ import annotations

from lms_bot.core.events import EventClass
from lms_bot.core.notifications import MentorPreferences, Timing
from lms_bot.render.quoting import moment, quote, student_name

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES = 60
CLASS_NAMES = {
    EventClass.FAILED: "failed exams",
    EventClass.PASSED: "passed exams and certificates",
    EventClass.COMPLETED: "exams without a result",
    EventClass.STARTED: "started exams",
    EventClass.CONTENT: "content",
    EventClass.PROGRESS: "progress in content",
    EventClass.STREAK: "streaks",
    EventClass.ALERT: "alerts about students",
}


def preferences_text(found: MentorPreferences, name: str | None = None) -> str:
    """Return how soon, when and about whom a mentor is notified, a line each; to somebody else if there is a `name`."""
    chosen = found.preferences
    digest = f"In a digest at {', '.join(f'{hour}:00' for hour in sorted(chosen.digest_hours))}"
    lines = []
    for timing, how in ((Timing.NOW, "At once"), (Timing.DIGEST, digest), (Timing.OFF, "Not told")):
        named = [CLASS_NAMES[event_class] for event_class in EventClass if found.timings[event_class] is timing]
        if named:
            lines.append(f"* **{how}:** {', '.join(named)}")
    if chosen.quiet_from is not None and chosen.quiet_to is not None:
        lines.append(f"* **Quiet:** {clock(chosen.quiet_from)} to {clock(chosen.quiet_to)}")
    if chosen.quiet_days:
        lines.append(f"* **Quiet days:** {', '.join(DAYS[day] for day in sorted(chosen.quiet_days))}")
    if found.paused_until is not None:
        lines.append(f"* **Paused** until {moment(found.paused_until)}")
    lines += [f"* **Muted:** {student_name(student)} until {moment(until)}" for student, until in found.muted]
    whose = "you are" if name is None else f"{quote(name)} is"
    return "\n".join([f"🔔 **What {whose} told**", "", *lines, f"* **Time zone:** {found.timezone}"])


def clock(minute: int) -> str:
    """Return a minute of the day as hours and minutes."""
    return f"{minute // MINUTES}:{minute % MINUTES:02}"
