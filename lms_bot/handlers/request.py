"""Who asks, and what they get."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lms_bot.config.settings import Settings
from lms_bot.core.notifications import AskedBy, Recipient
from lms_bot.core.people import ZulipUser
from lms_bot.core.principal import Principal, Role
from lms_bot.store.session import Transaction


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, when, and the store transaction in which the answer is found.

    `asker` is the Zulip account, and `audiences` are the roles whose commands it may use here. A command gets the
    `principal` with the rights of its own role alone.
    `asked_in` is where an answer goes that everybody there may read.
    `position` is where `more` goes on: what the command's last reply gave as its `more`, None at the beginning.
    """

    transaction: Transaction
    now: datetime
    settings: Settings
    asker: ZulipUser
    principal: Principal
    audiences: frozenset[Role]
    asked_in: Recipient
    position: Any = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; a personal one goes to the asker alone, wherever the question was asked.

    `attachment` is a file as (name, content). `more` is any JSON value that says where the next page begins, None on
    the last one. `asked_by` is set as soon as it is known who asks. `is_understood`: the asker may ask, and what they
    asked is something.
    """

    text: str
    is_personal: bool = True
    attachment: tuple[str, bytes] | None = None
    more: Any = None
    asked_by: AskedBy | None = None
    is_understood: bool = True
