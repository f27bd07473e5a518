"""Alerts about students as messages, and what the rules say, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lms_bot.core.alerts import (
    RULE_DEFINITIONS,
    Rule,
    Unit,
)
from lms_bot.core.events import Event
from lms_bot.render.fitting import counted
from lms_bot.render.quoting import link, moment, number, percent, person, plain, quote

LEVELS = {1: "🟡", 2: "🟠", 3: "🔴"}
HEADINGS: dict[Rule, str] = {
    Rule.INACTIVE: "Inactive",
    Rule.NEVER_STARTED: "Never Started",
    Rule.FAILED_TWICE: "Failed Twice",
    Rule.SCORE_DROP: "Score Drop",
    Rule.ABANDONED: "Exam Abandoned",
    Rule.STREAK_BROKEN: "Streak Broken",
    Rule.STUCK: "Stuck",
    Rule.DEADLINE_MISSED: "⏰ Deadline Missed",
    Rule.MANY_FAIL: "Many Fail One Exam",
}
MEANINGS: dict[Rule, str] = {
    Rule.INACTIVE: "nothing finished for {limit}, or three times the usual gap if that is longer",
    Rule.NEVER_STARTED: "nothing started {limit} after enrolment",
    Rule.FAILED_TWICE: "the same exam failed twice within {limit}, without a pass",
    Rule.SCORE_DROP: "an exam {limit} below the mean of the three to five before",
    Rule.ABANDONED: "an exam without an end {limit} after its start, or twice the time that it takes if that is longer",
    Rule.STREAK_BROKEN: "a streak of {limit} or more has ended (told as the end of the streak, in the digest)",
    Rule.STUCK: "content opened {limit} ago and not finished, and no other since",
    Rule.DEADLINE_MISSED: "nothing handed in {limit} after it was due, or ten days where most of the class has not",
    Rule.MANY_FAIL: "{limit} of your students who took an exam within a day, and at least 5, failed it",
}
_SUGGESTIONS: dict[Rule, str] = {
    Rule.INACTIVE: "A short personal message often helps: ask what keeps them, and agree on one small step.",
    Rule.NEVER_STARTED: "Ask whether they can log in, and go through the first exam or video together.",
    Rule.FAILED_TWICE: "Look at the wrong answers together before the next attempt.",
    Rule.SCORE_DROP: "Ask what was different this time; `chart @student` shows the scores before.",
    Rule.ABANDONED: "Ask whether something technical went wrong, and whether the attempt can be ended.",
    Rule.STREAK_BROKEN: "Praise the days they had; the next streak begins with one.",
    Rule.STUCK: "Ask what is unclear in it, or suggest where to go on.",
    Rule.DEADLINE_MISSED: "Ask what is missing to hand it in, and agree on a day for it.",
    Rule.MANY_FAIL: "Look at the exam first, a question may be at fault. `feed type:exam_failed` shows who failed.",
}


def limit_words(rule: Rule, limit: float) -> str:
    """Return the limit of a rule with its unit."""
    unit = RULE_DEFINITIONS[rule].unit
    if unit is Unit.PERCENT:
        return f"{limit:g}%"
    noun = {Unit.DAYS: "day", Unit.HOURS: "hour", Unit.POINTS: "point"}[unit]
    return f"{limit:g} {noun}" if limit == 1 else f"{limit:g} {noun}s"


def meaning(rule: Rule, limit: float) -> str:
    """Return what a rule says, with its limit."""
    return MEANINGS[rule].format(limit=limit_words(rule, limit))


def alert_name(event: Event) -> str:
    """Return the name of the alert that an event tells; an earlier version gave alerts numbers, and told those."""
    return str(event.metadata.get("name") or f"A{number(event.metadata.get('number'))}")


def reason(rule: Rule, numbers: Mapping[str, Any], title: str | None) -> str:
    """Return what is so of a student, as the rest of a sentence that begins with their name, with the numbers of it."""
    what = f"**{quote(title)}**"
    if rule is Rule.INACTIVE:
        usual = f", and usually does so every {_days(numbers['usual_gap'])}" if numbers.get("usual_gap") else ""
        marks = "" if numbers.get("passing") else "; the exams are not being passed"
        return f"has finished nothing since {_when(numbers, 'last')}{usual}{marks}"
    if rule is Rule.NEVER_STARTED:
        return f"was enrolled at {_when(numbers, 'enrolled')} and has not started anything"
    if rule is Rule.FAILED_TWICE:
        scores = ", ".join(percent(score) for score in numbers.get("scores", ()) if score is not None)
        return f"has failed {what} {_number(numbers, 'fails')} times without a pass" + (
            f" ({scores})" if scores else ""
        )
    if rule is Rule.SCORE_DROP:
        before = f"the mean of the {_number(numbers, 'exams')} exams before is {percent(numbers.get('mean'))}"
        return f"has {percent(numbers.get('score'))} in {what}, while {before}"
    if rule is Rule.ABANDONED:
        hours = _number(numbers, "allowed_hours")
        return f"started {what} at {_when(numbers, 'started')} and has not ended it ({hours} hours are enough)"
    if rule is Rule.STREAK_BROKEN:
        return f"has ended a streak of {_number(numbers, 'days')} days; {_number(numbers, 'last_day')} was the last"
    if rule is Rule.STUCK:
        return f"opened {what} at {_when(numbers, 'started')} and has finished no content since"
    if rule is Rule.DEADLINE_MISSED:
        return _missed(numbers, title)
    return f"{_number(numbers, 'failed')} of {_number(numbers, 'took')} of your students failed {what} within a day"


def _missed(numbers: Mapping[str, Any], title: str | None) -> str:
    what = f"**{quote(title)}**" if title else "what"
    if numbers.get("missed", 1) == 1:
        return f"has not handed in {what}{',' if title else ''} which was due {_when(numbers, 'due')}"
    last = f", for {what}" if title else ""
    return f"has missed {_number(numbers, 'missed')} deadlines; the last was {_when(numbers, 'due')}{last}"


def alert_text(event: Event) -> str:
    """Return one alert in full: what, who, why with the numbers, since when, a suggestion, and possible answers."""
    rule, level, name = _rule(event), _level(event), alert_name(event)
    lines = [f"{level} **{HEADINGS[rule]}** · {name}", "", f"{_sentence(event, about_student(event))}."]
    if again := _again(event):
        lines.insert(2, again)
    lines.append(f"📅 Since: {_when(event.metadata, 'since')}")
    lines.append(f"💡 {_SUGGESTIONS[rule]}")
    lines.append(f"`ack {name}` I take it · `snooze {name} 2d` later · `done {name} <what you did>` · `why {name}`")
    return "\n".join(lines)


def alert_line(event: Event) -> str:
    """Return one alert on one line, for lists."""
    return f"{_level(event)} {_sentence(event, listed_student(event))} · {moment(event.timestamp)}"


def about(rule: Rule, numbers: Mapping[str, Any], title: str | None, student: str) -> str:
    """Return what is so of a student, whose name in bold this is, as a sentence without its full stop."""
    said = reason(rule, numbers, title)
    return said if rule is Rule.MANY_FAIL else f"{student} {said}"


def about_student(event: Event) -> str:
    """Return whom an event is about, in bold and with the username, for a message about this event alone.

    The name is a link to the student's page; a list would be full of links that nobody can hit with a thumb.
    """
    return _student(event, with_username=True, url=event.student_url)


def listed_student(event: Event) -> str:
    """Return whom an event is about, in bold, for lists."""
    return _student(event, with_username=event.shares_name)


def _student(event: Event, *, with_username: bool, url: str | None = None) -> str:
    if not plain(event.student_name) and not plain(event.student_username):
        return link("**unknown student**" if event.student_id is None else f"**student #{event.student_id}**", url)
    return person(event.student_name, event.student_username, with_username=with_username, bold=True, url=url)


def _sentence(event: Event, student: str) -> str:
    return about(_rule(event), event.metadata, event.activity_title, student)


def _again(event: Event) -> str:
    again = {"untaken": "🔁 Nobody has taken this yet.", "snoozed": "⏰ You wanted to hear of this again."}
    line = again.get(str(event.metadata.get("reminded")), "")
    if "read_at" in event.metadata:
        line += f" The LMS was last read {_when(event.metadata, 'read_at')}: it may be over by now."
    return line


def _rule(event: Event) -> Rule:
    return Rule(event.metadata["rule"])


def _level(event: Event) -> str:
    return LEVELS.get(event.metadata.get("level", 1), LEVELS[3])


def _when(numbers: Mapping[str, Any], key: str) -> str:
    return moment(datetime.fromisoformat(numbers[key]))


def _number(numbers: Mapping[str, Any], key: str) -> str:
    return number(numbers.get(key))


def _days(value: float) -> str:
    return "day" if value == 1 else counted(round(value), "day") if value == round(value) else f"{value:g} days"
