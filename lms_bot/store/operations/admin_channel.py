"""The admin channel: which one it is, who confirmed it, who is in it, and what is wrong with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from lms_bot.store import state
from lms_bot.store.session import Transaction

FACT = "admin_channel"


class Trouble(StrEnum):
    """Why nobody is an admin in the channel just now."""

    NONE = ""
    PUBLIC = "public"
    GONE = "gone"  # archived, or private without the bot


@dataclass(frozen=True, slots=True)
class AdminChannel:
    """The channel that is pinned by its id, as it was when it was last looked at.

    `pinned_by` is the organisation administrator who confirmed it by writing there, None where the setting
    `admin_stream_id` does; `setting` is what `admin_stream` was then. `members` are those of the last look at which
    nothing was wrong, by Zulip user id.
    """

    stream_id: int
    name: str
    setting: str
    pinned_by: int | None = None
    members: tuple[int, ...] = ()
    trouble: Trouble = Trouble.NONE


def pinned(transaction: Transaction) -> AdminChannel | None:
    """Return the channel that is pinned; None before one is."""
    return of_fact(state.value(transaction, FACT))


def lock(transaction: Transaction) -> AdminChannel | None:
    """Return the same for a transaction that changes it: others who do wait until this one ends."""
    return of_fact(state.lock(transaction, FACT))


def keep(transaction: Transaction, channel: AdminChannel | None, now: datetime) -> None:
    """Keep which channel is pinned, and how it is; None for no longer any."""
    if channel is None:
        state.forget(transaction, FACT)
    else:
        state.note(transaction, FACT, asdict(channel), now)


def of_fact(kept: dict[str, object] | None) -> AdminChannel | None:
    """Return the channel from what JSON holds of it."""
    if not kept:
        return None
    values = {**kept, "members": tuple(kept["members"]), "trouble": Trouble(kept["trouble"])}  # type: ignore[arg-type]
    return AdminChannel(**values)  # type: ignore[arg-type]
