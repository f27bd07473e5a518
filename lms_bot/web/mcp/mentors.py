"""Tools about a mentor's students: who needs attention first, and what is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lms_bot.core.alerts import AlertEntry
from lms_bot.errors import UserError
from lms_bot.reports.web import mentors
from lms_bot.web.answers import student_as_seen
from lms_bot.web.mcp import arguments
from lms_bot.web.mcp.calls import Call, Document


def mentor_overview(call: Call, asked: arguments.OfMentor) -> Document:
    """Show a mentor's students, who needs attention first and why; what changed since yesterday; what is open."""
    mentor_id = _mentor_id(call, asked)
    found = mentors.overview(call.transaction, call.principal, mentor_id, call.settings, call.now)
    said: Any = found.as_json()
    return {
        "mentor_id": mentor_id,
        **_page("students", [student_as_seen(one, call.caller) for one in said["students"]], asked),
        "changes": {
            **said["changes"],
            "new_concerns": [_alert(entry) for entry in found.changes.concerns],
            "returned": [student_as_seen(one, call.caller) for one in said["changes"]["returned"]],
        },
        "due": [_alert(entry) for entry in found.due],
    }


def open_alerts(call: Call, asked: arguments.OfMentor) -> Document:
    """Show the alerts that are open to a mentor, the most serious first, with the numbers on which they rest."""
    mentor_id = _mentor_id(call, asked)
    found = mentors.open_alerts(call.transaction, call.principal, mentor_id)
    return {"mentor_id": mentor_id, **_page("alerts", [_alert(entry) for entry in found], asked)}


def _mentor_id(call: Call, asked: arguments.OfMentor) -> int:
    """Return which mentor is asked about. Raises UserError where none is named and the token is nobody's."""
    mentor_id = asked.mentor_id or call.caller.token.mentor_id
    if mentor_id is None:
        raise UserError("Say which mentor: this token reads everybody, so mentor_id is needed.")
    return mentor_id


def _page(name: str, items: Sequence[Document], asked: arguments.OfMentor) -> Document:
    end = asked.after + asked.limit
    return {
        name: items[asked.after : end],
        "total": len(items),
        "next": end if end < len(items) else None,
    }


def _alert(entry: AlertEntry) -> Document:
    alert = entry.alert
    return {
        "name": alert.name,
        "rule": alert.rule,
        "level": alert.level,
        "title": alert.title,
        "student_id": entry.student.student_id if entry.student else None,
        "since": alert.since,
        "opened_at": alert.opened_at,
        "taken_by": None if alert.taken_by is None else "this mentor" if entry.is_mine else "another mentor",
        "facts": dict(alert.numbers),
    }
