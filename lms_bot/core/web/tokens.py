"""Tokens of programs: what each may ask, how one is written, and the names that it sees instead of people's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

_FORM = re.compile(r"lmsb_([a-z2-7]{8})_([A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Scope(StrEnum):
    """What a token may be for; `names` shows people's names wherever another scope shows people."""

    PROFILE = "profile"
    PERFORMANCE = "performance"
    MENTORS = "mentors"
    ACTIVITY = "activity"
    EVENTS = "events"
    SYNC = "sync"
    SIGNALS = "signals"
    NAMES = "names"


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is kept: its secret only as a hash. It reads the students of a mentor, or (None) everybody."""

    token_id: int
    name: str
    prefix: str
    secret_hash: str
    scopes: frozenset[Scope]
    mentor_id: int | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Return whether it may be used at this moment."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class NewSecret(NamedTuple):
    """What a new token consists of; `text` is what its owner gets, and nobody keeps."""

    prefix: str
    text: str
    secret_hash: str


def new_secret() -> NewSecret:
    """Make the secret of a new token, of 256 random bits."""
    prefix = base64.b32encode(secrets.token_bytes(5)).decode().lower()
    secret = secrets.token_urlsafe(32)
    return NewSecret(prefix, f"lmsb_{prefix}_{secret}", hash_of(secret))


def is_name(text: str) -> bool:
    """Return whether a token may have this name."""
    return _NAME.fullmatch(text) is not None


def prefix_of(text: str) -> str | None:
    """Return the prefix of what somebody gave as a token; None for what cannot be one."""
    found = _FORM.fullmatch(text)
    return found[1] if found else None


def is_secret_of(text: str, token: Token | None) -> bool:
    """Return whether this is the text of the token, in the same time whether it is or not."""
    found = _FORM.fullmatch(text)
    kept = token.secret_hash if token else hash_of("")
    return hmac.compare_digest(hash_of(found[2] if found else ""), kept) and token is not None and found is not None


def pseudonym(token: Token, kind: str, number: int | str) -> str:
    """Return what a token without the scope `names` reads instead of a name: always the same, and nobody else's."""
    digest = hmac.digest(token.secret_hash.encode(), f"{kind}:{number}".encode(), "sha256")
    return f"{kind}-{base64.b32encode(digest[:5]).decode().lower()}"


def hash_of(secret: str) -> str:
    """Return the hash under which a secret is kept."""
    return hashlib.sha256(secret.encode()).hexdigest()
