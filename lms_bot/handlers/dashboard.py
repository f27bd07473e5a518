"""The command that lets somebody in to the pages, the same for mentors, students and admins."""

from __future__ import annotations

from lms_bot.core.web.sessions import LINK_LASTS, SESSION_LASTS
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import choice
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.request import Request
from lms_bot.pipeline.actions import sessions as actions
from lms_bot.render import counted, moment
from lms_bot.reports.web import sessions

NO_PAGES = "There are no pages here: your LMS administrators have not set `web_url`."
ACTION = choice("action", ["list", "end"], "See where you are signed in, or sign out everywhere.").optional()
_MINUTES, _HOURS = LINK_LASTS.seconds // 60, SESSION_LASTS.seconds // 3600


def dashboard(request: Request, arguments: Arguments) -> str:
    """Get a link to your pages, see where you are signed in, or sign out everywhere.

    The link is for you alone and good for once, within ten minutes. You are signed in for twelve hours, or until
    `dashboard end`.
    """
    if arguments["action"] == "list":
        return _listed(request)
    if arguments["action"] == "end":
        ended = actions.end_all(request.transaction, request.asker.user_id, request.now)
        return f"👋 You are signed out: {counted(ended, 'session')} ended, and links that you have are of no use now."
    if request.settings.web_url is None:
        raise UserError(NO_PAGES)
    as_admin = request.principal.is_admin
    secret = actions.give_link(request.transaction, request.asker.user_id, request.now, as_admin=as_admin)
    return (
        f"🔑 [Open your pages]({request.settings.web_url.rstrip('/')}/enter/{secret})\n\n"
        f"The link is for you alone and good for once, within {_MINUTES} minutes. You are then signed in for "
        f"{_HOURS} hours; `dashboard end` signs you out everywhere."
    )


def _listed(request: Request) -> str:
    found = sessions.own_sessions(request.transaction, request.asker.user_id, request.now)
    if not found:
        return "You are signed in nowhere. `dashboard` gives you a link."
    lines = [
        f"* since {moment(one.created_at)}, until {moment(one.expires_at)}{' · with admin rights' * one.as_admin}"
        for one in found
    ]
    return "\n".join([f"**{counted(len(found), 'session')}**", "", *lines, "", "`dashboard end` ends them all."])
