"""The page that a mentor opens first: who needs them, what is open, what changed, who is quiet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from lms_bot.core.attention import Reason
from lms_bot.core.principal import Role
from lms_bot.core.reports.mentor_overview import MentorOverview
from lms_bot.errors import NotFound
from lms_bot.pipeline.actions import alerts as actions
from lms_bot.render.alerts import NOTE_LENGTH
from lms_bot.reports import alerts, attention
from lms_bot.web.pages.documents import page, see_other
from lms_bot.web.pages.forms import Fields
from lms_bot.web.pages.visitors import NOT_THERE, Sending, Visiting
from lms_bot.web.problems import Problem

router = APIRouter(include_in_schema=False)

SNOOZES = {"1": "1 day", "3": "3 days", "7": "1 week"}
SAID = {
    "ack": "is yours. Nobody is reminded of it any more.",
    "snooze": "comes back later, if it is still so then.",
    "done": "is done.",
}


@router.get("/")
def home(request: Request, visitor: Visiting, said: str = "", alert: str = "") -> Response:
    """Show a mentor the overview, and lead students and admins to theirs."""
    if Role.ADMIN in visitor.principal.roles and Role.MENTOR not in visitor.principal.roles:
        return see_other(request, "/school")
    if Role.MENTOR not in visitor.principal.roles:
        return see_other(request, "/me")
    mentor, settings = visitor.acting_as(Role.MENTOR), visitor.context.settings
    with visitor.context.store.reading() as transaction:
        found = attention.mentor_overview(transaction, mentor, settings, visitor.now)
    told = f"{alert[:30]} {SAID[said]}" if said in SAID and alert.isalnum() else ""
    return page(request, "overview.html", visitor, found=found, told=told, snoozes=SNOOZES, **_parts(found))


@router.post("/alerts/{name}/{action}")
def act(request: Request, visitor: Sending, name: str, action: str, form: Fields) -> Response:
    """Take, put off or close an alert, as the commands do. Raises Problem for one that is not the visitor's."""
    mentor, now = visitor.acting_as(Role.MENTOR), visitor.now
    with visitor.context.store.writing() as transaction:
        try:
            alert = alerts.alert(transaction, mentor, name).alert
        except NotFound as error:
            raise Problem(404, "There is no such alert, or it is not yours.") from error
        if not alert.is_open:
            raise Problem(409, f"{alert.name} is closed already.")
        if action == "ack":
            actions.take(transaction, alert, now)
        elif action == "snooze" and form.get("days") in SNOOZES:
            actions.snooze(transaction, alert, now + timedelta(days=int(form["days"])), now)
        elif action == "done" and form.get("note", "").strip():
            actions.close(transaction, alert, form["note"].strip()[:NOTE_LENGTH], now)
        else:
            raise Problem(422, "Say what you did, in a few words." if action == "done" else NOT_THERE)
    return see_other(request, f"/?said={action}&alert={alert.name}")


def _parts(found: MentorOverview) -> dict[str, Any]:
    """Return the students of an overview by how they do: who needs something, who is quiet, and the others."""
    summaries, of = found.attention.summaries, found.attention
    active = [one for one in summaries if one.student.is_active]
    silent = {
        one.student.student_id for one in active if any(part.name is Reason.SILENCE for part in of.score(one).parts)
    }
    return {
        "needing": [one for one in active if of.needs(one)],
        "well": [one for one in active if not of.needs(one)],
        "left": [one for one in summaries if not one.student.is_active],
        "quiet": [one for one in active if one.student.student_id in silent],
    }
