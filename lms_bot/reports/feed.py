"""What students did, newest first."""

from __future__ import annotations

from dataclasses import replace

from lms_bot.config.settings import Settings
from lms_bot.core.events import Event
from lms_bot.core.people import folded_name
from lms_bot.core.principal import Principal
from lms_bot.core.reports.feed import Filter, Page
from lms_bot.reports import access
from lms_bot.store.reports import feed as events
from lms_bot.store.session import Transaction


def history(
    transaction: Transaction, principal: Principal, student_id: int, wanted: Filter, page: Page, settings: Settings
) -> list[Event]:
    """Return a page of the events of a student, newest first.

    Ask for one more than is shown to learn whether there are more. Raises NotFound.
    """
    student = access.student(transaction, principal, student_id)
    found = events.feed(transaction, [student.student_id], page.most, wanted, page.offset)
    return access.as_shown(transaction, principal, found, settings)


def feed(transaction: Transaction, principal: Principal, wanted: Filter, page: Page, settings: Settings) -> list[Event]:
    """Return the same of all students whom the principal may see; a search finds them by their names, too."""
    own = access.students(transaction, principal)
    if wanted.search:
        part = folded_name(wanted.search)
        named = (one.student_id for one in own if part in folded_name(f"{one.name} {one.username}"))
        wanted = replace(wanted, named=frozenset(named))
    found = events.feed(transaction, [one.student_id for one in own], page.most, wanted, page.offset)
    return access.as_shown(transaction, principal, found, settings)
