"""Alerts and rules that somebody asked for, as Zulip Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from lms_bot.core.alerts import (
    RULE_DEFINITIONS,
    AlertEntry,
    Outcome,
    RuleSetting,
    RuleState,
    RuleStatus,
    StudentAlert,
    StudentRules,
    Untold,
)
from lms_bot.core.people import Student
from lms_bot.render.alerts.messages import HEADINGS, LEVELS, about, limit_words, meaning
from lms_bot.render.fitting import counted
from lms_bot.render.quoting import moment, quote, student_name

MOST_APART = 3  # alerts of one kind that have a line each
IN_A_LINE = 20
NOTE_LENGTH = 500  # characters of what a mentor says in closing an alert
_UNSENT: dict[Untold, str] = {
    Untold.BASELINE: "it was so already when I began to look at this",
    Untold.COVERED: "a more serious alert covers it",
    Untold.OTHERWISE: "the end of the streak is told instead",
    Untold.ON_TIME: "the student has missed no deadline",
    Untold.TURNED_OFF: "telling mentors was turned off in the settings of this bot",
}
_CLOSED: dict[Outcome, str] = {
    Outcome.OVER: "It was over by itself",
    Outcome.GREW: "It became more serious, which is an alert of its own",
    Outcome.DONE: "It was done",
    Outcome.OFF: "It was closed because its rule was turned off, or the student is not yours any more",
}


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
    named = (f"{_whose(one)} `{one.alert.name}`" for one in entries)
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


def rules_text(found: StudentRules, student: Student) -> str:
    """Return for each rule why there is an alert about a student, or why there is none."""
    left = "" if found.is_active else " (has left: no rule applies)"
    name = student_name(student, bold=True)
    lines = [line for status in found.rules for line in _status_lines(status, name)]
    return "\n".join([f"🔎 {name}{left}", "", *lines])


def _alert_start(entry: AlertEntry) -> str:
    alert = entry.alert
    line = f"* {LEVELS[alert.level]} `{alert.name}` **{HEADINGS[alert.rule]}** · "
    line += about(alert.rule, alert.numbers, alert.title, _whose(entry))
    return line if alert.snoozed_until is None else f"{line} · snoozed until {moment(alert.snoozed_until)}"


def _whose(entry: AlertEntry) -> str:
    return student_name(entry.student, bold=True) if entry.student else f"**#{entry.alert.student_id}**"


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


def _status_lines(status: RuleStatus, student: str) -> list[str]:
    """Return why there is an alert by a rule, a line for each, or in one line why there is none."""
    start = f"* `{status.rule}`"
    if status.state is RuleState.OPEN:
        return [f"{start}: `{one.name}` is open. {_sent(one)}" for one in status.alerts]
    return [f"{start}: {_why_none(status, student)}"]


def _why_none(status: RuleStatus, student: str) -> str:
    if status.state is RuleState.OFF:
        return "off"
    if status.state is RuleState.DONE:
        return f"`{status.alerts[-1].name}` was done, and it has not become more serious since"
    verdict = status.verdict
    if verdict is None:
        return f"no, nothing of the kind ({meaning(status.rule, status.limit)})"
    so = about(verdict.rule, verdict.numbers, verdict.title, student)
    if status.state is RuleState.BLIND:
        return f"{so}, but there is no fresh data of the LMS"
    if status.state is RuleState.NEXT:
        return f"{so}; the next poll opens an alert"
    if status.state is RuleState.LATER and verdict.at is not None:
        return f"not yet. {so}; it counts from {moment(verdict.at)} on"
    return f"no. {so}; it takes {limit_words(status.rule, status.limit)}"
