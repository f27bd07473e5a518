"""Events and figures of studies for a file."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.principal import Principal
from lms_bot.core.reports.academics.profile import AcademicProfile, Performance
from lms_bot.core.reports.feed import Exported, Position
from lms_bot.reports import access
from lms_bot.reports.academics import performances as of_performance
from lms_bot.reports.academics import profiles as of_profile
from lms_bot.store.reports import feed
from lms_bot.store.session import Transaction


def export(
    transaction: Transaction,
    principal: Principal,
    student_ids: Collection[int],
    since: datetime | None,
    most: int,
    after: Position | None = None,
) -> list[Exported]:
    """Return at most `most` events of those of the students whom the principal may see.

    They come by student and oldest first, from the one after the position `after` on.
    """
    own = [student.student_id for student in access.students_among(transaction, principal, student_ids)]
    pages = feed.export(transaction, own, since, most=most, after=after)
    return [event for page in pages for event in page]


def profiles(
    transaction: Transaction, principal: Principal, student_ids: Collection[int], settings: Settings, now: datetime
) -> list[AcademicProfile]:
    """Return the profiles of those of the students whom the principal may see, by id; some twenty statements each."""
    own = access.students_among(transaction, principal, student_ids)
    ids = sorted(student.student_id for student in own)
    return [of_profile.profile(transaction, principal, one, settings, now) for one in ids]


def performances(
    transaction: Transaction, principal: Principal, student_ids: Collection[int], settings: Settings, now: datetime
) -> list[Performance]:
    """Return the performances of those of the students whom the principal may see, by id; some ten statements each."""
    own = access.students_among(transaction, principal, student_ids)
    ids = sorted(student.student_id for student in own)
    return [of_performance.performance(transaction, principal, one, settings, now) for one in ids]
