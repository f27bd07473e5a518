"""The students of a mentor as programs read them, who needs attention first."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.principal import Principal
from lms_bot.core.reports.attention import Attention
from lms_bot.errors import NotFound
from lms_bot.reports.attention import attention
from lms_bot.store.people import people
from lms_bot.store.session import Transaction


def students_of_mentor(
    transaction: Transaction, principal: Principal, mentor_id: int, settings: Settings, now: datetime
) -> Attention:
    """Return the students of a mentor, by the mentor's own rules and in the order of their ranks.

    Who sees everybody may ask about each mentor, a mentor and their programs about that mentor alone. Raises NotFound,
    in the same words for a mentor who does not exist and for another one.
    """
    if principal.sees_everybody:
        mentor = people.mentor(transaction, mentor_id)
    else:
        mentor = next((one for one in principal.mentors if one.mentor_id == mentor_id), None)
    if mentor is None:
        raise NotFound
    found = attention(transaction, Principal.service(mentor), settings.timezone, now)
    return replace(found, summaries=tuple(sorted(found.summaries, key=found.rank)))
