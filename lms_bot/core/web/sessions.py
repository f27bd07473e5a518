"""Links with which people sign in to the pages, and how long they are signed in."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from lms_bot.core.web.tokens import hash_of

LINK_LASTS = timedelta(minutes=10)
SESSION_LASTS = timedelta(hours=12)
_FORM = re.compile(r"[A-Za-z0-9_-]{43}")


class Secret(NamedTuple):
    """A secret of 256 random bits: `text` is what its owner gets, `hash` what is kept."""

    text: str
    hash: str


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in: a Zulip account, with the rights of an admin only if they asked as one."""

    session_id: int
    zulip_user_id: int
    as_admin: bool
    created_at: datetime
    expires_at: datetime


def new_secret() -> Secret:
    """Make a secret."""
    text = secrets.token_urlsafe(32)
    return Secret(text, hash_of(text))


def is_secret(text: str) -> bool:
    """Return whether a text has the form of a secret."""
    return _FORM.fullmatch(text) is not None
