"""The types of arguments that commands share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from lms_bot.core.alerts import Rule
from lms_bot.core.events import EventClass, EventType
from lms_bot.core.search.spelling import did_you_mean
from lms_bot.errors import UserError
from lms_bot.handlers.arguments import Argument
from lms_bot.handlers.find_student import the_student, the_students
from lms_bot.handlers.request import Request
from lms_bot.pipeline.freshness import BLIND
from lms_bot.render import counted, quote
from lms_bot.render.events import source_tables

LONGEST_PERIOD = 3650  # days
LONGEST_DURATION = timedelta(days=366)
HIGHEST_ID = 2**63 - 1
ALL = "all"

_LISTED = [kind for kind in EventType if not kind.is_alert]
_DAYS = {"d": 1, "day": 1, "days": 1, "w": 7, "week": 7, "weeks": 7}
_SECONDS = {"m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_PERIOD = re.compile(rf"(?P<count>[0-9]+)(?P<unit>{'|'.join(sorted(_DAYS, key=len, reverse=True))})", re.IGNORECASE)
_DURATION = re.compile(r"(?P<count>[0-9]+)(?P<unit>min|m|h|d|w)", re.IGNORECASE)
_NUMBER = re.compile(r"#?[0-9]+")
_LATIN = str.maketrans("авсенкмртх", "abcehkmptx")  # what looks the same and is Cyrillic
_EVENT = re.compile(r"(?P<letter>[a-z]?)(?P<number>[0-9]+)")
_ALERT = re.compile(r"(a|[a-z]{2,9})[0-9]{1,19}")  # one letter and a number: as alerts were named before they had names


class Period(NamedTuple):
    """How far back: `days` until now, and the moment that they began; both None for everything."""

    days: int | None
    since: datetime | None

    @property
    def words(self) -> str:
        return "all time" if self.days is None else f"the last {counted(self.days, 'day')}"


class Numbered(NamedTuple):
    """What `why` is asked about: a row of one of the source tables, or an event by its own id where these are None."""

    source_tables: tuple[str, ...] | None
    number: int


def _period(request: Request, text: str) -> Period:
    if text.casefold() == ALL:
        return Period(None, None)
    match = _PERIOD.fullmatch(text.replace(" ", ""))
    days = int(match["count"]) * _DAYS[match["unit"].casefold()] if match and len(match["count"]) < 9 else 0
    if not 1 <= days <= LONGEST_PERIOD:
        raise UserError(
            f"“{quote(text, 40)}” is no period: write days as `7d` (at most {LONGEST_PERIOD}), weeks as `2w`, or `all`."
        )
    return Period(days, request.now - timedelta(days=days))


def _is_period(word: str) -> bool:
    return word.casefold() == ALL or _PERIOD.fullmatch(word) is not None


def _types(request: Request, text: str) -> frozenset[EventType]:
    found: set[EventType] = set()
    for word in re.split(r"\s*,\s*", text.strip(" ,")):
        found |= _kinds(word)
    return frozenset(found)


def _kinds(word: str) -> set[EventType]:
    name = re.sub(r"[\s-]+", "_", word.casefold())
    if name in _LISTED:
        return {EventType(name)}
    if found := {kind for kind in _LISTED if EventClass.of(kind) == name}:
        return found
    hint = did_you_mean(name, [*_LISTED, *EventClass])
    raise UserError(f"I know no kind of event “{quote(word, 40)}”.{hint} There are {_coded(_LISTED)}.")


def _duration(request: Request, text: str) -> timedelta:
    match = _DURATION.fullmatch(text.replace(" ", ""))
    seconds = int(match["count"]) * _SECONDS[match["unit"].casefold()] if match and len(match["count"]) < 9 else 0
    if not 60 <= seconds <= LONGEST_DURATION.total_seconds():
        raise UserError(
            f"“{quote(text, 40)}” is no duration: write minutes as `30m`, hours as `2h`, days as `3d`, weeks as `1w`; "
            f"at most `{LONGEST_DURATION.days}d`."
        )
    return timedelta(seconds=seconds)


def _id(digits: str) -> int | None:
    """Return the number, if an id can be that high."""
    is_number = digits.isascii() and digits.isdigit() and len(digits) < 20
    return int(digits) if is_number and int(digits) <= HIGHEST_ID else None


def _event(request: Request, text: str) -> Numbered | str:
    name = _as_name(text)
    match = _EVENT.fullmatch(name)
    if match and (found := _id(match["number"])) is not None:
        if not match["letter"]:
            return Numbered(None, found)
        if tables := source_tables(match["letter"]):
            return Numbered(tables, found)
    if _ALERT.fullmatch(name):
        return name.upper()
    raise UserError(f"“{quote(text, 40)}” is no number of an event: `history`, `feed` and `pending` show them.")


def _alert(request: Request, text: str) -> str:
    name = _as_name(text)
    name = f"a{name}" if name.isdigit() else name  # of an alert that was counted, the number was enough
    if not _ALERT.fullmatch(name):
        raise UserError(f"“{quote(text, 40)}” is no name of an alert: `open` shows them, like `KT4821`.")
    return name.upper()


def _as_name(text: str) -> str:
    """Return a name as it is compared, without what people add to it and in letters of one kind."""
    return text.strip("`.,").casefold().translate(_LATIN)


def _rule(request: Request, text: str) -> str:
    name = re.sub(r"[\s-]+", "_", text.casefold().strip("`"))
    known = [str(rule) for rule in (*Rule, BLIND) if rule == name or rule.startswith(f"{name}_")]
    if len(known) == 1:
        return known[0]
    raise UserError(f"I have no rule “{quote(text, 40)}”.{did_you_mean(name, [*Rule])} `rules` shows them all.")


def _text(request: Request, text: str) -> str:
    return text


def _coded(words: Sequence[str]) -> str:
    *others, last = (f"`{word}`" for word in words)
    return f"{', '.join(others)} and {last}" if others else last


STUDENT = Argument(
    "student",
    "@student",
    "One of your students: a mention, a username, an e-mail address, `#id`, or a part of the name.",
    the_student,
    is_rest=True,
    is_required=True,
)
STUDENTS = Argument(
    "students",
    "@student|all",
    "One of your students, as a mention, a username, an e-mail address, `#id` or a part of the name; or `all` of them.",
    the_students,
    takes=lambda word: word.casefold() == ALL,
    is_rest=True,
    is_required=True,
)
PERIOD = Argument(
    "period",
    "30d",
    "How far back: days as `7d`, weeks as `2w`, or `all`.",
    _period,
    takes=_is_period,
    default=ALL,
    names=(ALL,),
)
SINCE = Argument("since", "since:7d", PERIOD.meaning, _period, is_keyed=True, default=ALL)
TYPES = Argument(
    "type",
    "type:exam_failed",
    f"Only these kinds, separated by commas: {_coded(_LISTED)}; or `failed`, `passed`, `started`, `content`, "
    "`progress`, `streak`.",
    _types,
    is_keyed=True,
)
COURSE = Argument(
    "course", 'course:"..."', "Only what belongs to a course with these words in its title.", _text, is_keyed=True
)
EVENT = Argument(
    "event",
    "<event>",
    "The number behind an event in `history`, `feed` and `pending`: `e12` for an exam, `c12` for content, `s12` for a "
    "streak; or the name of an alert, `KT4821`.",
    _event,
    is_rest=True,
    is_required=True,
)
ALERT = Argument(
    "alert", "<alert>", "The name of an alert, as `KT4821`; `open` shows them.", _alert, is_rest=True, is_required=True
)
RULE = Argument("name", "<name>", "The name of a rule, as `rules` shows it.", _rule, is_rest=True, is_required=True)
DURATION = Argument(
    "duration",
    "2h",
    "How long: minutes as `30m`, hours as `2h`, days as `3d`, weeks as `1w`.",
    _duration,
    takes=lambda word: _DURATION.fullmatch(word) is not None,
)


def choice(key: str, words: Sequence[str], meaning: str) -> Argument:
    """Return an argument that is one of some words, in any case; its value is the word."""

    def one_of(request: Request, text: str) -> str:
        if text.casefold() in words:
            return text.casefold()
        raise UserError(f"“{quote(text, 40)}” is none of {_coded(words)}.{did_you_mean(text, words)}")

    return Argument(key, "|".join(words), meaning, one_of, lambda word: word.casefold() in words, names=tuple(words))


def count(most: int, default: int, key: str = "n", *, is_keyed: bool = True) -> Argument:
    """Return the argument how many to show, 1 to `most`: typed as `n:50`, or as a bare `50` where it is not keyed."""

    def bounded(request: Request, text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= most:
            return int(text)
        raise UserError(f"“{quote(text, 40)}” is no number from 1 to {most}.")

    meaning = f"How many to show, at most {most}."
    if is_keyed:
        return Argument(key, f"{key}:{most}", meaning, bounded, is_keyed=True, default=str(default))
    return Argument(
        key, key, meaning, bounded, takes=lambda word: word.isascii() and word.isdigit(), default=str(default)
    )


def number(key: str, meaning: str, *, also: Sequence[str] = ()) -> Argument:
    """Return a required argument that is an id, with or without `#`, or one of the words `also`; an int or the word."""

    def value(request: Request, text: str) -> Any:
        if text.casefold() in also:
            return text.casefold()
        if (found := _id(text.removeprefix("#"))) is not None:
            return found
        raise UserError(f"“{quote(text, 40)}” is no {key} that I could know: write its number.")

    return Argument(
        key,
        "|".join([f"<{key}>", *also]),
        meaning,
        value,
        takes=lambda word: _NUMBER.fullmatch(word) is not None or word.casefold() in also,
        is_required=True,
        names=tuple(also),
    )


def words(key: str, meaning: str) -> Argument:
    """Return a required argument of free words: what was typed; each but the last of several takes one word."""
    return Argument(key, f"<{key}>", meaning, _text, is_rest=True, is_required=True)
