"""How the school and the bot do, for admins; and what all numbers mean, for everybody."""

from __future__ import annotations

from datetime import timedelta
from threading import Lock

from fastapi import APIRouter, Request, Response

from lms_bot.core.principal import Principal, Role
from lms_bot.core.reports.school import FEWEST_SHOWN, SchoolReport
from lms_bot.reports import overview
from lms_bot.reports.web.school import school_report
from lms_bot.store.session import Transaction
from lms_bot.web.pages import words
from lms_bot.web.pages.documents import page
from lms_bot.web.pages.visitors import Visiting, Visitor

router = APIRouter(include_in_schema=False)

KEPT = timedelta(minutes=1)  # what is counted over a month does not change while somebody looks
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Reports:
    """The last report of one store, for all who look within a minute."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last: SchoolReport | None = None

    def report(self, transaction: Transaction, admin: Principal, visitor: Visitor) -> SchoolReport:
        """Return how the school does, as it was at most a minute ago."""
        with self._lock:
            last = self._last
            if last is None or not timedelta() <= visitor.now - last.as_of < KEPT:
                last = self._last = school_report(transaction, admin, visitor.context.settings, visitor.now)
            return last


@router.get("/school")
def school(request: Request, visitor: Visiting) -> Response:
    """Show admins how the school does, and whether the bot is well."""
    admin = visitor.acting_as(Role.ADMIN)
    with visitor.context.store.reading() as transaction:
        report = request.app.state.reports.report(transaction, admin, visitor)
        status = overview.status(transaction, admin, visitor.context.settings, visitor.now)
    return page(request, "school.html", visitor, found=report, bot=status, fewest=FEWEST_SHOWN, weekdays=WEEKDAYS)


@router.get("/definitions")
def definitions(request: Request, visitor: Visiting) -> Response:
    """Say what every number means."""
    return page(request, "definitions.html", visitor, meanings=words.MEANINGS)
