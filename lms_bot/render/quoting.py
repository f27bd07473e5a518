"""Foreign text and values, made harmless inside a Zulip message."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files

from lms_bot.core.calendar import UNKNOWN_TIME
from lms_bot.core.people import Student

NOTHING = "—"
UNKNOWN = "unknown time"
HOUR, DAY = 60, 24 * 60  # minutes
COUNTRY = 2  # letters of the domain of a country, of which new ones are known to all programs at once

_ZERO_WIDTH_SPACE = "\u200b"
_INVISIBLE = re.compile(
    r"[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
# Lone surrogates are among them because they cannot be sent at all.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LOOK_ALIKES = str.maketrans({"*": "\u2217", "|": "\uff5c", "`": "\u02cb"})
_LIVE_TOKEN = re.compile(
    r"""
      @(?=_?\u2217)                                     # mentions of people and groups
    | (?<=[\w.-])@(?=[\w.-]+\.\w)                       # e-mail addresses
    | \#(?=\u2217)                                      # channels and topics
    | \](?=\()                                          # links and pictures
    | <(?=time:)
    | \$(?=\$)                                          # math
    | ~(?=~)                                            # struck out, and fences
    | :(?=//) | (?<=mailto):(?=\S) | (?<=bitcoin):(?=\S)
    | :(?!(?<=\d:)\d\d:\d\d)(?=[\w+-]+:)                # emoji, but not the time 10:30:00
    | (?<=www)\.(?=\S)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_DOT = re.compile(r"(?<=[\w-])\.(?=(?P<label>[^\W\d_][\w-]*)(?P<path>[/:?]?))")
_LIVE_AT_START = re.compile(r"[>#/]|[-+](?=[\s+-]|$)|\d+[.)](?=\s|$)|[-_ ]{3,}$")
_SAFE_URL = re.compile(r"https?://[\w.~:/?#@&+,;=%-]{1,500}", re.IGNORECASE)  # nothing that Markdown may read
_BRACKETS = str.maketrans({"[": "\uff3b", "]": "\uff3d"})
_NUMERAL = re.compile(r"[+-]?\d+(?:[.,]\d+)?")


def quote(text: str | None, limit: int = 200) -> str:
    """Return foreign text as at most `limit` characters of one line that mean nothing to Zulip, wherever they stand.

    Look-alikes replace `*`, `|` and backquotes; a zero width space inside other tokens ends their meaning
    (both tried on a Zulip 9 server). Empty text is "—".
    """
    clean = plain(text)
    if not clean:
        return NOTHING
    kept = clean if len(clean) <= limit else clean[: limit - 1] + "…"
    while len(safe := _harmless(kept)) > limit:
        kept = kept.removesuffix("…")[: -max(1, (len(safe) - limit) // 2)] + "…"
    return safe


def link(text: str, url: str | None) -> str:
    """Return Markdown as the text of a link, or as it is where there is no URL that can stand in a message."""
    return f"[{text.translate(_BRACKETS)}]({url})" if url and _SAFE_URL.fullmatch(url) else text


def person(
    name: str | None,
    username: str | None,
    *,
    with_username: bool = False,
    bold: bool = False,
    limit: int = 200,
    url: str | None = None,
) -> str:
    """Return how a person is called, with the username in brackets if asked; that alone where there is no name."""
    shown = quote(name or username, limit)
    brackets = f" ({quote(username, limit)})" if with_username and name and username and name != username else ""
    return link(f"**{shown}**" if bold else shown, url) + brackets


def student_name(student: Student, *, bold: bool = False, limit: int = 200) -> str:
    """Return how a student is called, with the username where another student of the reader has the same name."""
    return person(student.display_name, student.username, with_username=student.shares_name, bold=bold, limit=limit)


def plain(text: str | None) -> str:
    """Return foreign text on one line without what cannot be seen, for where nothing reads Markdown."""
    return " ".join(_CONTROL.sub(" ", _INVISIBLE.sub("", text or "")).split())


def _harmless(clean: str) -> str:
    safe = _LIVE_TOKEN.sub(rf"\g<0>{_ZERO_WIDTH_SPACE}", clean.translate(_LOOK_ALIKES))
    safe = _DOT.sub(_broken, safe)
    return _ZERO_WIDTH_SPACE + safe if _LIVE_AT_START.match(safe) else safe


def _broken(dot: re.Match[str]) -> str:
    """Return a dot with something after it that keeps Zulip from linking a bare `name.tld`, where it would.

    Breaking every dot would put an invisible character into each username like jane.doe, and nobody could find it.
    """
    label = dot["label"].casefold()
    is_domain = label in _top_level_domains() or (len(label) == COUNTRY and label.isalpha())
    return f".{_ZERO_WIDTH_SPACE}" if is_domain or label.startswith("xn--") or dot["path"] else "."


@cache
def _top_level_domains() -> frozenset[str]:
    """Return the list of the IANA (data.iana.org/TLD), those of other scripts also as people write them."""
    text = (files(__package__) / "tlds-alpha-by-domain.txt").read_text(encoding="ascii").casefold()
    listed = [line for line in text.splitlines() if line and not line.startswith("#")]
    return frozenset(listed) | {label.encode().decode("idna") for label in listed if label.startswith("xn--")}


def moment(when: datetime) -> str:
    """Return a time that Zulip shows in each reader's own zone, or that it is unknown. ValueError for a naive one."""
    if when.tzinfo is None:
        raise ValueError(f"{when!r} has no time zone")
    if when == UNKNOWN_TIME:
        return UNKNOWN
    utc = when.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    return f"<time:{utc.isoformat()}Z>"


def ago(when: datetime, now: datetime) -> str:
    """Return how long ago a moment is, as short as a phone needs it: "9 d". ValueError for a naive one."""
    if when.tzinfo is None:
        raise ValueError(f"{when!r} has no time zone")
    if when == UNKNOWN_TIME:
        return UNKNOWN
    minutes = max(1, int((now - when).total_seconds() // 60))
    if minutes < HOUR:
        return f"{minutes} min"
    return f"{minutes // HOUR} h" if minutes < DAY else f"{minutes // DAY:,} d"


def number(value: object) -> str:
    """Return a value of an event's metadata: numbers with at most two decimals, the rest quoted, "—" for none."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | Decimal):
        return _decimal(float(value))
    return quote(None if value is None else str(value))


def percent(value: object) -> str:
    """Return a value in percent (85 is 85%, not 0.85); text that is no number stays as it is, "—" for none."""
    text = number(value)
    return f"{text}%" if _NUMERAL.fullmatch(text) else text


def cut(text: str, limit: int) -> str:
    """Return text of at most `limit` characters, ending in "…" where it was longer."""
    if len(text) <= limit:
        return text
    return text[: limit - 1].rstrip(f" \n{_ZERO_WIDTH_SPACE}") + "…"


def _decimal(value: float) -> str:
    if not math.isfinite(value):
        return NOTHING
    text = f"{value:.2f}" if abs(value) < 1e15 else f"{value:g}"
    plain = text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
    return "0" if plain == "-0" else plain


def mean(value: float | None) -> str:
    """Return an average in percent, with one decimal."""
    return NOTHING if value is None else percent(round(value, 1))
