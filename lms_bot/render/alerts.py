"""Alerts about students, and what the rules say, as Zulip Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from lms_bot.core.alerts import (
    RULE_DEFINITIONS,
    AlertEntry,
    Outcome,
    Rule,
    RuleSetting,
    RuleState,
    RuleStatus,
    StudentAlert,
    StudentRules,
    Unit,
    Untold,
)
from lms_bot.core.events import Event
from lms_bot.render.fitting import counted
from lms_bot.render.quoting import moment, number, percent, quote

LEVELS = {1: "🟡", 2: "🟠", 3: "🔴"}
HEADINGS: dict[Rule, str] = {
    Rule.INACTIVE: "Inactive",
    Rule.NEVER_STARTED: "Never Started",
    Rule.FAILED_TWICE: "Failed Twice",
    Rule.SCORE_DROP: "Score Drop",
    Rule.ABANDONED: "Exam Abandoned",
    Rule.STREAK_BROKEN: "Streak Broken",
    Rule.STUCK: "Stuck",
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
    Rule.MANY_FAIL: "Look at the exam first, a question may be at fault. `feed type:exam_failed` shows who failed.",
}
MOST_APART = 3  # alerts of one kind that have a line each
IN_A_LINE = 20
NOTE_LENGTH = 500  # characters of what a mentor says in closing an alert
_UNSENT: dict[Untold, str] = {
    Untold.BASELINE: "it was so already when I began to look at this",
    Untold.COVERED: "a more serious alert covers it",
    Untold.OTHERWISE: "the end of the streak is told instead",
    Untold.TURNED_OFF: "telling mentors was turned off in the settings of this bot",
}
_CLOSED: dict[Outcome, str] = {
    Outcome.OVER: "It was over by itself",
    Outcome.GREW: "It became more serious, which is an alert of its own",
    Outcome.DONE: "It was done",
    Outcome.OFF: "It was closed because its rule was turned off, or the student is not yours any more",
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


def alert_name(value: object) -> str:
    """Return the name of an alert, as commands know it."""
    return f"A{number(value)}"


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
    return f"{_number(numbers, 'failed')} of {_number(numbers, 'took')} of your students failed {what} within a day"


def alert_text(event: Event) -> str:
    """Return one alert in full: what, who, why with the numbers, since when, a suggestion, and possible answers."""
    rule, level, name = _rule(event), _level(event), alert_name(event.metadata.get("number"))
    lines = [f"{level} **{HEADINGS[rule]}** · {name}", "", f"{_sentence(event)}."]
    if again := _again(event):
        lines.insert(2, again)
    lines.append(f"📅 Since: {_when(event.metadata, 'since')}")
    lines.append(f"💡 {_SUGGESTIONS[rule]}")
    lines.append(f"`ack {name}` I take it · `snooze {name} 2d` later · `done {name} <what you did>` · `why {name}`")
    return "\n".join(lines)


def alert_line(event: Event) -> str:
    """Return one alert on one line, for lists."""
    return f"{_level(event)} {_sentence(event)} · {moment(event.timestamp)}"


def about(rule: Rule, numbers: Mapping[str, Any], title: str | None, student: str | None) -> str:
    """Return what is so, as a sentence without its full stop."""
    said = reason(rule, numbers, title)
    return said if rule is Rule.MANY_FAIL else f"**{quote(student)}** {said}"


def alert_entry_lines(entries: Sequence[AlertEntry]) -> list[str]:
    """Return alerts that their mentor asked for, in this order; many of one kind that nobody took share a line."""
    lines: list[str] = []
    for _, of_kind in groupby(entries, lambda entry: (entry.alert.level, entry.alert.rule)):
        alike = list(of_kind)
        together = [entry for entry in alike if _is_new(entry.alert)]
        if len(together) <= MOST_APART:
            together = []
        parts = (together[at : at + IN_A_LINE] for at in range(0, len(together), IN_A_LINE))
        lines += [_line_of_many(part, len(together)) for part in parts]
        lines += [alert_entry_line(entry) for entry in alike if entry not in together]
    return lines


def _is_new(alert: StudentAlert) -> bool:
    """Return whether there is nothing to say of an alert about a student but whom it is about."""
    return alert.taken_at is None and alert.snoozed_until is None and alert.student_id != 0


def _line_of_many(entries: Sequence[AlertEntry], total: int) -> str:
    alert = entries[0].alert
    named = (
        f"**{quote(one.student or f'#{one.alert.student_id}')}** `{alert_name(one.alert.number)}`" for one in entries
    )
    return f"* {LEVELS[alert.level]} **{HEADINGS[alert.rule]}** · {counted(total, 'student')}: {', '.join(named)}"


def alert_entry_line(entry: AlertEntry) -> str:
    """Return an alert that its mentor asked for on one line, with who took it."""
    alert = entry.alert
    line = _alert_start(entry)
    if alert.snoozed_until is None and entry.taken_by is not None:
        return f"{line} · taken by {'you' if entry.is_mine else quote(entry.taken_by)}"
    return line


def alert_explanation(entry: AlertEntry) -> str:
    """Return what an alert says, since when, what it was based on, and what became of it."""
    alert = entry.alert
    lines = [_alert_start(entry), ""]
    if entry.limit:
        lines.append(f"* **Rule:** `{alert.rule}`: {meaning(alert.rule, entry.limit)}")
    lines.append(f"* **True since:** {moment(alert.since)}, found {moment(alert.opened_at)}")
    lines.append(f"* {_sent(alert)}")
    if alert.taken_at is not None:
        lines.append(f"* **Taken:** {moment(alert.taken_at)} by {quote(entry.taken_by or 'a mentor')}")
    if alert.snoozed_until is not None and alert.is_open:
        lines.append(f"* **Comes back:** {moment(alert.snoozed_until)}")
    if alert.outcome is not None and alert.closed_at is not None:
        note = f": {quote(alert.note, NOTE_LENGTH)}" if alert.note else ""
        lines.append(f"* **Closed:** {moment(alert.closed_at)}. {_CLOSED[alert.outcome]}{note}")
    return "\n".join(lines)


def rule_setting_line(setting: RuleSetting) -> str:
    """Return by which limit a rule goes for a mentor."""
    rule, limit = setting.rule, setting.limit
    if setting.is_off:
        return f"* `{rule}`: off for everybody, by the admins"
    if limit == 0:
        return f"* `{rule}`: **off**; `rule {rule} default` turns it on"
    own = " (yours)" if setting.is_own and limit != RULE_DEFINITIONS[rule].limit else ""
    return f"* `{rule}`{own}: {meaning(rule, limit)}"


def rules_text(found: StudentRules, username: str) -> str:
    """Return for each rule why there is an alert about a student, or why there is none."""
    left = "" if found.is_active else " (has left: no rule applies)"
    lines = [line for status in found.rules for line in _status_lines(status, username)]
    return "\n".join([f"🔎 **{quote(username)}**{left}", "", *lines])


def _alert_start(entry: AlertEntry) -> str:
    alert = entry.alert
    student = entry.student or f"#{alert.student_id}"
    line = f"* {LEVELS[alert.level]} `{alert_name(alert.number)}` **{HEADINGS[alert.rule]}** · "
    line += about(alert.rule, alert.numbers, alert.title, student)
    return line if alert.snoozed_until is None else f"{line} · snoozed until {moment(alert.snoozed_until)}"


def _sent(alert: StudentAlert) -> str:
    """Return when a message told of an alert, or why none did."""
    if alert.told_at is not None:
        return f"**Told:** {moment(alert.told_at)}"
    if alert.untold is not None:
        return f"**Not told:** {_UNSENT[alert.untold]}"
    if alert.tell_at is not None:
        return f"**Not told yet:** it is told at {moment(alert.tell_at)}, if it is still so then"
    if alert.is_open:
        return "**Not told yet:** `pending` says why, unless you turned alerts off (`settings`)"
    return "**Not told:** it was over before"


def _status_lines(status: RuleStatus, username: str) -> list[str]:
    """Return why there is an alert by a rule, a line for each, or in one line why there is none."""
    start = f"* `{status.rule}`"
    if status.state is RuleState.OPEN:
        return [f"{start}: `{alert_name(one.number)}` is open. {_sent(one)}" for one in status.alerts]
    return [f"{start}: {_why_none(status, username)}"]


def _why_none(status: RuleStatus, username: str) -> str:
    if status.state is RuleState.OFF:
        return "off"
    if status.state is RuleState.DONE:
        return f"`{alert_name(status.alerts[-1].number)}` was done, and it has not become more serious since"
    verdict = status.verdict
    if verdict is None:
        return f"no, nothing of the kind ({meaning(status.rule, status.limit)})"
    so = about(verdict.rule, verdict.numbers, verdict.title, username)
    if status.state is RuleState.BLIND:
        return f"{so}, but there is no fresh data of the LMS"
    if status.state is RuleState.NEXT:
        return f"{so}; the next poll opens an alert"
    if status.state is RuleState.LATER and verdict.at is not None:
        return f"not yet. {so}; it counts from {moment(verdict.at)} on"
    return f"no. {so}; it takes {limit_words(status.rule, status.limit)}"


def _sentence(event: Event) -> str:
    name = event.student_username or f"student #{event.student_id}"
    return about(_rule(event), event.metadata, event.activity_title, name)


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
