"""The commands of mentors about who needs them first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lms_bot.core.alert_rules import verdicts
from lms_bot.core.alerts import RULE_DEFINITIONS, Limits, Outcome, Rule, StudentAlert, Untold, Verdict
from lms_bot.core.principal import Role
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import ALERT, DURATION, STUDENT, words
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.mentor.general import freshness
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Reply, Request
from lms_bot.pipeline.alerts import limits_of
from lms_bot.pipeline.freshness import has_fresh_data
from lms_bot.render import ROOM_FOR_LINES, WRITE_MORE, counted, lines_within, moment, quote
from lms_bot.render.alerts import HEADINGS, LEVELS, about, alert_name, limit_words, meaning
from lms_bot.store.alerts import alerts as alerts_alerts
from lms_bot.store.alerts import facts, watchlist

NOTE = words("note", "What you did, for you and the student's other mentors.")
NOTE_LENGTH = 500  # characters
_UNTOLD: dict[Untold, str] = {
    Untold.BASELINE: "it was so already when I began to look at this",
    Untold.COVERED: "a more serious alert covers it",
    Untold.OTHERWISE: "the end of the streak is told instead",
    Untold.TURNED_OFF: "telling mentors was turned off in the settings of this bot",
}
_ENDED: dict[Outcome, str] = {
    Outcome.OVER: "It was over by itself",
    Outcome.GREW: "It became more serious, which is an alert of its own",
    Outcome.DONE: "It was done",
    Outcome.OFF: "It was closed because its rule was turned off, or the student is not yours any more",
}


@REGISTRY.command("open", Role.MENTOR)
def open_(request: Request, arguments: Arguments) -> Reply:
    """Show which of your students need you, the most serious first.

    An alert is closed by itself when its reason is gone, or by `done`.
    """
    found = alerts_alerts.open_for_mentors(request.transaction, request.mentor_ids)
    if not found:
        return Reply("✅ None of your students needs you just now." + _blindness(request) + freshness(request))
    skip = min(request.position or 0, len(found) - 1)
    lines = _lines(request, found[skip:])
    shown = lines_within(lines, ROOM_FOR_LINES)
    seen = skip + len(shown)
    heading = f"**{counted(len(found), 'open alert')}**"
    text = "\n".join([heading, "", *shown]) + (WRITE_MORE if seen < len(found) else "")
    return Reply(text + _blindness(request) + freshness(request), more=seen if seen < len(found) else None)


@REGISTRY.command("ack", Role.MENTOR, ALERT)
def ack(request: Request, arguments: Arguments) -> str:
    """Say that you take an alert: nobody is reminded of it any more."""
    alert = _open(request, arguments["alert"])
    _take(request, alert)
    return f"👍 {_name(alert)} is yours. It is closed by itself when its reason is gone, or by `done {_name(alert)} …`."


@REGISTRY.command("snooze", Role.MENTOR, ALERT, DURATION.by_default("1d"))
def snooze(request: Request, arguments: Arguments) -> str:
    """Hear of an alert again later, if it is still so then."""
    alert, until = _open(request, arguments["alert"]), request.now + arguments["duration"]
    _take(request, alert)
    ids = [alert.alert_id]
    alerts_alerts.update(request.transaction, ids, snoozed_until=until, remind_at=until)
    return f"⏰ {_name(alert)} comes back {moment(until)}, if it is still so."


@REGISTRY.command("done", Role.MENTOR, ALERT, NOTE)
def done(request: Request, arguments: Arguments) -> str:
    """Close an alert, and say what you did.

    It does not come back for the same reason; what becomes more serious does.
    """
    alert, note = _open(request, arguments["alert"]), arguments["note"][:NOTE_LENGTH]
    twins = alerts_alerts.same_for_all_mentors(request.transaction, alert)
    _take(request, alert)
    alerts_alerts.close(request.transaction, twins, Outcome.DONE, request.now, note)
    return f"✅ {_name(alert)} is done: {quote(note, NOTE_LENGTH)}"


@REGISTRY.command("why-not", Role.MENTOR, STUDENT)
def why_not(request: Request, arguments: Arguments) -> str:
    """Say for each rule why there is an alert about one of your students, or why there is none."""
    student, zone = arguments["student"], request.settings.timezone
    found = facts.facts_of(request.transaction, [student.student_id], zone, request.now)
    around = alerts_alerts.recent_about_students(request.transaction, [student.student_id], request.now)
    state = watchlist.rules_state(request.transaction)
    parts = []
    for mentor in request.mentors:
        own = [alert for alert in around if alert.mentor_id == mentor.mentor_id]
        if state is None or not found:
            return f"I have not looked at **{quote(student.username)}** yet; that is done with every poll."
        limits = limits_of(request.transaction, mentor.mentor_id, state)
        said = verdicts(found[0], limits)
        lines = [
            _rule_line(request, rule, limits, [one for one in said if one.rule is rule], own, student.username)
            for rule in Rule
            if rule is not Rule.MANY_FAIL
        ]
        left = "" if found[0].is_active else " (has left: no rule applies)"
        parts.append("\n".join([f"🔎 **{quote(student.username)}**{left}", "", *lines]))
    return "\n\n".join(parts) + _blindness(request) + freshness(request)


def explanation(request: Request, number: int) -> str:
    """What an alert of the asker's says, since when, what it was based on, and what became of it. Raises UserError."""
    alert = _own(request, number)
    lines = [_line(request, alert, _names(request, [alert]), {}), ""]
    limit = _limit(request, alert)
    if limit:
        lines.append(f"* **Rule:** `{alert.rule}`: {meaning(alert.rule, limit)}")
    lines.append(f"* **True since:** {moment(alert.since)}, found {moment(alert.opened_at)}")
    lines.append(f"* {_telling(alert)}")
    if alert.taken_at is not None:
        whose = alerts_alerts.mentor_names(request.transaction, [alert.taken_by])
        lines.append(f"* **Taken:** {moment(alert.taken_at)} by {quote(whose.get(alert.taken_by or 0, 'a mentor'))}")
    if alert.snoozed_until is not None and alert.is_open:
        lines.append(f"* **Comes back:** {moment(alert.snoozed_until)}")
    if alert.outcome is not None and alert.closed_at is not None:
        note = f": {quote(alert.note, NOTE_LENGTH)}" if alert.note else ""
        lines.append(f"* **Closed:** {moment(alert.closed_at)}. {_ENDED[alert.outcome]}{note}")
    return "\n".join(lines) + freshness(request)


def _telling(alert: StudentAlert) -> str:
    if alert.told_at is not None:
        return f"**Told:** {moment(alert.told_at)}"
    if alert.untold is not None:
        return f"**Not told:** {_UNTOLD[alert.untold]}"
    if alert.tell_at is not None:
        return f"**Not told yet:** it is told at {moment(alert.tell_at)}, if it is still so then"
    if alert.is_open:
        return "**Not told yet:** `pending` says why, unless you turned alerts off (`settings`)"
    return "**Not told:** it was over before"


def _own(request: Request, number: int) -> StudentAlert:
    alert = alerts_alerts.find_by_number(request.transaction, number, request.mentor_ids)
    if alert is None:
        raise UserError(f"You have no alert {alert_name(number)}. `open` shows the alerts about your students.")
    return alert


def _open(request: Request, number: int) -> StudentAlert:
    alert = _own(request, number)
    if not alert.is_open:
        raise UserError(f"{_name(alert)} is closed already; `why {_name(alert)}` says how.")
    return alert


def _take(request: Request, alert: StudentAlert) -> None:
    """The alert, and what says the same to the student's other mentors, is the asker's from now on."""
    twins = alerts_alerts.same_for_all_mentors(request.transaction, alert)
    values = {"taken_at": request.now, "taken_by": alert.mentor_id, "remind_at": None, "snoozed_until": None}
    alerts_alerts.update(request.transaction, twins, **values)


def _name(alert: StudentAlert) -> str:
    return alert_name(alert.number)


def _names(request: Request, alerts: Sequence[StudentAlert]) -> dict[int, str]:
    return alerts_alerts.student_names(request.transaction, alerts)


def _lines(request: Request, found: Sequence[StudentAlert]) -> list[str]:
    names = _names(request, found)
    takers = alerts_alerts.mentor_names(request.transaction, {alert.taken_by for alert in found if alert.taken_by})
    return [_line(request, alert, names, takers) for alert in found]


def _line(request: Request, alert: StudentAlert, names: Mapping[int, str], takers: Mapping[int, str]) -> str:
    student = names.get(alert.student_id) or f"#{alert.student_id}"
    line = f"* {LEVELS[alert.level]} `{_name(alert)}` **{HEADINGS[alert.rule]}** · "
    line += about(alert.rule, alert.numbers, alert.title, student)
    if alert.snoozed_until is not None:
        return f"{line} · snoozed until {moment(alert.snoozed_until)}"
    if alert.taken_by is not None and alert.taken_by in takers:
        mine = alert.taken_by in request.mentor_ids
        return f"{line} · taken by {'you' if mine else quote(takers[alert.taken_by])}"
    return line


def _limit(request: Request, alert: StudentAlert) -> float:
    state = watchlist.rules_state(request.transaction)
    return limits_of(request.transaction, alert.mentor_id, state)[alert.rule] if state else 0


def _rule_line(
    request: Request,
    rule: Rule,
    limits: Limits,
    said: Sequence[Verdict],
    alerts: Sequence[StudentAlert],
    username: str,
) -> str:
    """Why there is an alert by one rule, or why there is none."""
    start = f"* `{rule}`"
    if limits[rule] == 0:
        return f"{start}: off"
    standing = [alert for alert in alerts if alert.rule is rule and alert.is_open]
    if standing:
        return "\n".join(f"{start}: `{_name(one)}` is open. {_telling(one)}" for one in standing)
    dealt = [alert for alert in alerts if alert.rule is rule and alert.outcome is Outcome.DONE]
    true = [one for one in said if one.holds(request.now)]
    if true and dealt:
        return f"{start}: `{_name(dealt[-1])}` was done, and it has not become more serious since"
    if (
        true
        and RULE_DEFINITIONS[rule].absence
        and not has_fresh_data(request.transaction, request.settings, request.now)
    ):
        return f"{start}: {_so(true[-1], username)}, but there is no fresh data of the LMS"
    if true:
        return f"{start}: {_so(true[-1], username)}; the next poll opens an alert"
    coming = [one for one in said if one.at is not None and one.at > request.now]
    if coming:
        first = min(coming, key=lambda one: one.at or request.now)
        return f"{start}: not yet. {_so(first, username)}; it counts from {_at(first)} on"
    if said:
        return f"{start}: no. {_so(said[0], username)}; it takes {limit_words(rule, limits[rule])}"
    return f"{start}: no, nothing of the kind ({meaning(rule, limits[rule])})"


def _so(verdict: Verdict, username: str) -> str:
    return about(verdict.rule, verdict.numbers, verdict.title, username)


def _at(verdict: Verdict) -> str:
    assert verdict.at is not None
    return moment(verdict.at)


def _blindness(request: Request) -> str:
    if not has_fresh_data(request.transaction, request.settings, request.now):
        return "\n\n🙈 There is no fresh data of the LMS: nothing is said of who is absent until there is."
    return ""
