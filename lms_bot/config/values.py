"""Reads the values of settings: each function gives what a text means, or raises ValueError, with a hint or nothing."""

from __future__ import annotations

import base64
import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from lms_bot.core.events import OBSERVED, EventType

SCHEMAS = ("classic", "moodle", "lessons")


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return a hint at the choice that a word looks like, or nothing."""
    by_lower = {choice.lower(): choice for choice in choices}
    similar = difflib.get_close_matches(word[:60].lower(), by_lower, 1)
    return f" (did you mean {by_lower[similar[0]]}?)" if similar else ""


def one_of(choices: Mapping[str, Any], text: str) -> Any:
    """Return what a word stands for. Raises ValueError with a hint."""
    if text.lower() not in choices:
        raise ValueError(did_you_mean(text, choices))
    return choices[text.lower()]


def whole_number(low: int, high: int, text: str) -> int:
    """Return a whole number within limits. Raises ValueError."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise ValueError
    return int(text)


def number_unless(word: str, low: int, high: int, text: str) -> int | None:
    """Return a whole number, or None for a word. Raises ValueError."""
    return None if text.lower() == word else whole_number(low, high, text)


def event_types_of(text: str, among: Collection[EventType] = OBSERVED) -> frozenset[EventType]:
    """Return the event types in a text, separated by commas. Raises ValueError with a hint."""
    names = {name.strip().lower() for name in text.split(",")} - {""}
    if not names:
        raise ValueError("; to tell mentors nothing, set notify_mentors = false")
    if unknown := sorted(names - set(among) - {"all"}):
        raise ValueError(did_you_mean(unknown[0], among))
    return frozenset(among if "all" in names else map(EventType, names))


def stream(text: str) -> str:
    """Return the name of a channel. Raises ValueError."""
    name = text.removeprefix("#").strip()
    if not 1 <= len(name) <= 60 or not name.isprintable():
        raise ValueError
    return name


def time_zone(text: str) -> ZoneInfo:
    """Return a time zone by its name. Raises ValueError with a hint."""
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise ValueError(did_you_mean(text, available_timezones())) from None


def schema(text: str) -> str:
    """Return the name of a schema, or of a module that declares one. Raises ValueError with a hint."""
    name = text if text.startswith("module:") else text.lower()
    if not re.fullmatch(r"module:[A-Za-z_][\w.]*", name) and name not in SCHEMAS:
        raise ValueError(did_you_mean(name, SCHEMAS))
    return name


def prefix(text: str) -> str | None:
    """Return what stands before names of tables; None for the schema's own. Raises ValueError."""
    if text.lower() == "of the schema":
        return None
    if not re.fullmatch(r"\w{1,40}", text, re.ASCII):
        raise ValueError
    return "" if text.lower() == "none" else text


def words(text: str) -> tuple[str, ...]:
    """Return the words in a text, separated by commas. Raises ValueError where there are none."""
    found = tuple(word for word in (word.strip() for word in text.split(",")) if word)
    if not found:
        raise ValueError
    return found


def web_address(text: str) -> str | None:
    """Return an address without a slash at its end, or None. Raises ValueError."""
    if text.lower() == "none":
        return None
    if not re.fullmatch(r"https?://[^\s<>()\[\]\"'`]+", text):
        raise ValueError
    return text.rstrip("/")


def listen_address(text: str) -> tuple[str, int]:
    """Return a host (a name or an IP address) and a port. Raises ValueError."""
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})", text)
    if found is None:
        raise ValueError
    return found[1] or found[2], whole_number(1, 65_535, found[3])


def signal_secret(text: str) -> str | None:
    """Return a secret as Standard Webhooks write it, or None. Raises ValueError."""
    if text.lower() == "none":
        return None
    try:
        secret = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise ValueError from None  # its words may quote the secret
    if not text.startswith("whsec_") or not 24 <= len(secret) <= 64:
        raise ValueError
    return text
