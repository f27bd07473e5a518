"""A mentor's settings: how soon they are told of what, when not, and where they are signed in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from fastapi import APIRouter, Request, Response

from lms_bot.core.events import EventClass
from lms_bot.core.notifications import Preferences, Timing
from lms_bot.core.principal import Role
from lms_bot.pipeline.actions import preferences as actions
from lms_bot.render.alerts.messages import HEADINGS, meaning
from lms_bot.render.preferences import CLASS_NAMES, DAYS, clock
from lms_bot.reports import alerts
from lms_bot.reports.preferences import mentor_preferences
from lms_bot.reports.web.sessions import own_sessions
from lms_bot.web.pages.documents import page, see_other
from lms_bot.web.pages.forms import Fields
from lms_bot.web.pages.visitors import NOT_THERE, Sending, Visiting
from lms_bot.web.problems import Problem

router = APIRouter(include_in_schema=False)

PAUSES = {"1": "1 day", "3": "3 days", "7": "1 week"}
HOW = {Timing.NOW: "At once", Timing.DIGEST: "In the digest", Timing.OFF: "Not at all"}


@router.get("/settings")
def settings(request: Request, visitor: Visiting, said: str = "") -> Response:
    """Show what holds for a mentor."""
    mentor, now = visitor.acting_as(Role.MENTOR), visitor.now
    with visitor.context.store.reading() as transaction:
        found = mentor_preferences(transaction, mentor, mentor.mentor_ids[0], visitor.context.settings, now)
        rules = alerts.rules(transaction, mentor)[0]
        sessions = own_sessions(transaction, visitor.session.zulip_user_id, now)
    return page(
        request,
        "settings.html",
        visitor,
        found=found,
        rules=[(HEADINGS[one.rule], one, meaning(one.rule, one.limit)) for one in rules],
        sessions=sessions,
        told="Your settings are saved." if said == "saved" else "",
        names=CLASS_NAMES,
        how=HOW,
        days=DAYS,
        clock=clock,
        pauses=PAUSES,
    )


@router.post("/settings")
def save(request: Request, visitor: Sending, form: Fields) -> Response:
    """Save how soon a mentor is told of what, as the command `notify` does. Raises Problem."""
    timings = {kind: form[kind.value] for kind in EventClass if kind.value in form}
    if not timings or not set(timings.values()) <= set(Timing):
        raise Problem(422, NOT_THERE)
    chosen = {kind: Timing(timing) for kind, timing in timings.items()}
    return _changed(request, visitor, chosen, None)


@router.post("/settings/pause")
def pause(request: Request, visitor: Sending, form: Fields) -> Response:
    """Tell a mentor nothing for some days, or end such a pause, as `pause` and `resume` do. Raises Problem."""
    days = form.get("days", "")
    if days not in (*PAUSES, "0"):
        raise Problem(422, NOT_THERE)
    return _changed(request, visitor, {}, int(days))


def _changed(request: Request, visitor: Sending, timings: dict[EventClass, Timing], pause: int | None) -> Response:
    mentor, settings, now = visitor.acting_as(Role.MENTOR), visitor.context.settings, visitor.now

    def after(before: Preferences) -> Preferences:
        changed = replace(before, timings={**before.timings, **timings})
        if pause is None:
            return changed
        return replace(changed, paused_until=now + timedelta(days=pause) if pause else None)

    with visitor.context.store.writing() as transaction:
        actions.change(transaction, mentor.mentor_ids, after, settings, now)
    return see_other(request, "/settings?said=saved")
