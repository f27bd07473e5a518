"""Who asks, and what they get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lms_bot.config.settings import Settings
from lms_bot.core.notifications import Recipient
from lms_bot.core.people import Mentor, Student, ZulipUser
from lms_bot.core.principal import Role
from lms_bot.store.session import Transaction


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, when, and the store transaction in which the answer is found.

    `mentors` are the mentors that the asker's Zulip account belongs to, `students` the students; `audiences` what the
    asker may use here.
    `position` is where `more` goes on: what the command's last reply gave as its `more`, None at the beginning.
    `asked_in` is where an answer goes that everybody there may read.
    """

    transaction: Transaction
    now: datetime
    settings: Settings
    asker: ZulipUser
    mentors: Sequence[Mentor]
    audiences: frozenset[Role]
    asked_in: Recipient
    position: Any = None
    students: Sequence[Student] = ()

    @property
    def mentor_ids(self) -> list[int]:
        return [mentor.mentor_id for mentor in self.mentors]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; a personal one goes to the asker alone, wherever the question was asked.

    `attachment` is a file as (name, content). `more` is any JSON value that says where the next page begins, None on
    the last one.
    """

    text: str
    is_personal: bool = True
    attachment: tuple[str, bytes] | None = None
    more: Any = None
