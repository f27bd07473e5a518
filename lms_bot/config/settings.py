"""The settings: one table, from which they are read, refused and documented."""

from __future__ import annotations

import configparser
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from lms_bot.config.urls import database_url, hide_password, lms_database_url, location
from lms_bot.config.values import (
    did_you_mean,
    event_types_of,
    listen_address,
    number_unless,
    one_of,
    prefix,
    schema,
    signal_secret,
    stream,
    time_zone,
    web_address,
    whole_number,
    words,
)
from lms_bot.core.events import OBSERVED, EventType
from lms_bot.errors import ConfigError

SECTION = "lms_bot"
_InFile = Mapping[str, tuple[str, str]]  # each key with its text and where it stands


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator decided; the database URLs name their driver as SQLAlchemy wants it."""

    lms_database_url: str
    lms_schema: str
    lms_table_prefix: str | None
    lms_mentors: tuple[str, ...]
    lms_url: str | None
    longest_transaction: int
    store_database_url: str
    monitor_enabled: bool
    poll_interval: int
    notify_mentors: bool
    event_types: frozenset[EventType]
    delivery: str
    quiet_minutes: int
    messages_per_minute: int
    sweep_rows: int
    admin_stream: str
    admin_stream_id: int | None
    timezone: ZoneInfo
    stale_after_hours: int
    daily_goal: int
    alerts_per_day: int
    retention_days: int | None
    metrics_port: int | None
    web_url: str | None
    web_listen: tuple[str, int]
    signal_secret: str | None

    def __repr__(self) -> str:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        shown = {
            key: hide_password(value) if value and key.endswith("_url") else value for key, value in values.items()
        }
        shown["signal_secret"] = self.signal_secret and "***"
        return f"Settings({', '.join(f'{key}={value!r}' for key, value in shown.items())})"


@dataclass(frozen=True, slots=True)
class Setting:
    """A row of the table, required without a default; `parse` raises ValueError with a hint or nothing."""

    key: str
    environment: str
    default: str | None
    meaning: str
    allowed: str
    parse: Callable[[str], Any]


def load(path: Path | str | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings of file and environment, which wins. Raises ConfigError with one sentence, no secrets."""
    in_file = {} if path is None else _read_section(str(path))
    settings = Settings(**{setting.key: _value(setting, in_file, environ) for setting in SETTINGS})
    if location(settings.lms_database_url) == location(settings.store_database_url):
        raise ConfigError("store_database_url and lms_database_url are one, but the LMS may only be read.")
    return settings


def settings_markdown() -> str:
    """Return the page docs/settings.md."""
    rows = [(f"`{s.key}`", f"`{s.environment}`", s.default or "required", s.allowed, s.meaning) for s in SETTINGS]
    return "\n".join([_INTRODUCTION, *(f"| {' | '.join(row)} |" for row in rows), ""])


def example_file() -> str:
    """Return the file lms_bot.conf.example, which works once the URL of the LMS is put in."""
    lines = [_EXAMPLE_HEAD]
    for s in SETTINGS:
        text = f"{s.meaning} Allowed: {s.allowed}. Environment: {s.environment}."
        lines += ["", *textwrap.wrap(text, 100, initial_indent="# ", subsequent_indent="# ")]
        lines.append(f"#{s.key} = {s.default}" if s.default else f"{s.key} = {_EXAMPLE_URL}")
    return "\n".join([*lines, ""])


def _value(setting: Setting, in_file: _InFile, environ: Mapping[str, str]) -> Any:
    text, where = _given(setting, in_file, environ)
    if not text and setting.default is None:
        problem = f"{where} is empty" if where else "is missing"
        location = f"in the section [{SECTION}] of the configuration file or as {setting.environment}"
        raise ConfigError(f"{setting.key} {problem}: set it {location} in the environment.")
    try:
        return setting.parse(text)
    except ValueError as error:
        shown = f"{where} is {_shown(text, is_secret=setting.key.endswith('_database_url'))}"
        if setting.key.endswith("_secret"):
            shown = f"{where} is a value not shown here"
        raise ConfigError(f"{setting.key} {shown}: allowed is {setting.allowed}{error}.") from None


def _given(setting: Setting, in_file: _InFile, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the text of a setting and where it was found, which is empty for a default."""
    name, name_file = setting.environment, f"{setting.environment}_FILE"
    if name in environ and name_file in environ:
        raise ConfigError(f"{name} and {name_file} are both set in the environment: keep one of them.")
    if name_file in environ:
        file = environ[name_file]
        return _read(file, f"{name_file} names {_shown(file)}, which").strip(), f"(from {name_file})"
    if name in environ:
        return environ[name].strip(), f"({name} in the environment)"
    return in_file.get(setting.key, (setting.default or "", ""))


def _shown(text: str, is_secret: bool = False) -> str:
    """Return the text for a message, with care for a URL that was put where none belongs."""
    if not is_secret and "://" not in text and "@" not in text:
        return repr(text if len(text) <= 100 else f"{text[:100]}...")
    hidden = hide_password(text)
    return "a value not shown here" if hidden == "***" else repr(hidden)


def _read(path: str, beginning: str) -> str:
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
    raise ConfigError(f"{beginning} cannot be read: {reason}.")


def _read_section(path: str) -> _InFile:
    parser = _parse(path, _read(path, f"The configuration file {path}"))
    if not parser.has_section(SECTION):
        similar = [name for name in parser.sections() if did_you_mean(name, [SECTION])]
        hint = f" (did you mean it by [{similar[0]}]?)" if similar else ""
        raise ConfigError(f"{path} has no section [{SECTION}]{hint}.")
    keys = [setting.key for setting in SETTINGS]
    if unknown := [key for key in parser[SECTION] if key not in keys]:
        # What is not even a word is rather a piece of a value that was broken over two lines.
        shown = repr(unknown[0]) if re.fullmatch(r"[a-z0-9_.-]{1,40}", unknown[0]) else "not shown here"
        shown += did_you_mean(unknown[0], keys)
        raise ConfigError(f"A key in {path} is unknown, {shown}: docs/settings.md explains all keys.")
    return {key: (text, f"in {path}") for key, text in parser[SECTION].items()}


def _parse(path: str, text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    try:
        # Without indents, or a line could be taken for the rest of the value above it.
        parser.read_string("\n".join(line.strip() for line in text.split("\n")))
        return parser
    except (configparser.DuplicateSectionError, configparser.DuplicateOptionError) as error:
        line, problem = error.lineno, "repeats a section or a key"
    except configparser.MissingSectionHeaderError as error:
        line, problem = error.lineno, f"stands before the section [{SECTION}]"
    except configparser.ParsingError as error:
        line, problem = error.errors[0][0], "is not of the form key = value"
    raise ConfigError(f"Line {line} of {path} {problem}.")


_TRUTH = "true or false (also yes, no, on, off, 1, 0)"
_truth = partial(one_of, configparser.ConfigParser.BOOLEAN_STATES)
_EXAMPLE_URL = "postgresql://lms_bot_reader:password@localhost/lms"
_URLS = "postgresql://user:password@host/database, with %40 for @ and %25 for %, or sqlite:///file"
_LMS_URLS = _URLS.replace(", with", " or mysql://user:password@host/database, with")

# fmt: off
SETTINGS = (
    Setting("lms_database_url", "LMS_DATABASE_URL", None,
            "The database of the LMS; a login that may only read is enough. MySQL and MariaDB need the extra mysql.",
            _LMS_URLS, lms_database_url),
    Setting("lms_schema", "LMS_SCHEMA", "classic",
            "How the LMS is read; a module of one's own has a function declare() (docs/adding-an-lms.md).",
            "classic, moodle, lessons, or module:NAME", schema),
    Setting("lms_table_prefix", "LMS_TABLE_PREFIX", "of the schema",
            "What stands before the names of the LMS's tables: of moodle mdl_, of lessons myApp_, of classic nothing.",
            "of the schema, none, or letters, digits and _", prefix),
    Setting("lms_mentors", "LMS_MENTORS", "all",
            "Which links between mentors and students count: for moodle `role` (any role in a student's context) and "
            "`group` (teachers in a group with the student); a table with the columns mentor_id and student_id; or a "
            "file with the columns mentor and student, each an id, a username or an e-mail address.",
            "all of the schema's, or any of their names, table:NAME, table:NAME:MENTOR:STUDENT and csv:PATH, separated "
            "by commas", words),
    Setting("lms_url", "LMS_URL", "none",
            "The address of the LMS; messages then link exams, content and students where the schema knows how.",
            "none, or an address that begins with https:// or http://", web_address),
    Setting("longest_transaction", "LMS_LONGEST_TRANSACTION", "15",
            "Minutes that the LMS's longest transaction takes, for servers that do not tell which are open: MySQL, "
            "MariaDB, views and standbys.", "1 to 1440", partial(whole_number, 1, 1_440)),
    Setting("store_database_url", "LMS_STORE_DATABASE_URL", "sqlite:///lms_bot.db",
            "The event store, never in the LMS database; PostgreSQL in production.", _URLS, database_url),
    Setting("monitor_enabled", "LMS_ACTIVITY_MONITOR_ENABLED", "true",
            "Whether the LMS is polled at all; commands are answered in any case.", _TRUTH, _truth),
    Setting("poll_interval", "LMS_ACTIVITY_POLL_INTERVAL", "60",
            "Seconds from one poll to the next.", "1 to 86400", partial(whole_number, 1, 86_400)),
    Setting("notify_mentors", "LMS_NOTIFY_MENTORS_ENABLED", "true",
            "Whether mentors are told; what happens while it is false is never told later.", _TRUTH, _truth),
    Setting("event_types", "LMS_EVENT_TYPES_TO_MONITOR", "all",
            "What mentors are told of what the LMS records; all are stored in any case.",
            f"all, or any of {', '.join(OBSERVED)}, separated by commas", event_types_of),
    Setting("delivery", "LMS_DELIVERY", "now",
            "now tells everything as it is found; calm only alerts, and the rest in a daily digest.",
            "now or calm", partial(one_of, {"now": "now", "calm": "calm"})),
    Setting("quiet_minutes", "LMS_QUIET_MINUTES", "5",
            "The least minutes between two messages to one mentor; what comes in them joins the next message. Answers "
            "and the most serious alerts do not wait.", "0 (off) to 120", partial(whole_number, 0, 120)),
    Setting("messages_per_minute", "LMS_MESSAGES_PER_MINUTE", "150",
            "The pace of delivery. Zulip allows 200 calls a minute by default: set it above only where the "
            "server allows more.", "1 to 100000", partial(whole_number, 1, 100_000)),
    Setting("sweep_rows", "LMS_SWEEP_ROWS", "10000",
            "How many row versions of each LMS table a poll looks through for late changes.",
            "100 to 1000000", partial(whole_number, 100, 1_000_000)),
    Setting("admin_stream", "LMS_ADMIN_STREAM", "lms-admin",
            "The private channel for admin commands and alerts; its members are the admins, once an organisation "
            "administrator has confirmed it by writing to the bot there.",
            "the name of a channel, at most 60 characters, with or without a leading #", stream),
    Setting("admin_stream_id", "LMS_ADMIN_STREAM_ID", "none",
            "The number of that channel in Zulip, which confirms it instead.",
            "none, or the number in the channel's address, as 12 in #narrow/channel/12-lms-admin",
            partial(number_unless, "none", 1, 999_999_999)),
    Setting("timezone", "LMS_TIMEZONE", "UTC",
            "The time zone of LMS timestamps that name none, and of days where a student's own is not known.",
            "a name of the IANA time zone database, such as UTC or Europe/Berlin", time_zone),
    Setting("stale_after_hours", "LMS_STALE_AFTER_HOURS", "24",
            "Events older than this when found go only into a summary.",
            "1 to 168", partial(whole_number, 1, 168)),
    Setting("daily_goal", "LMS_DAILY_GOAL", "3",
            "How many finished exams or contents make a student's day complete.",
            "1 to 100", partial(whole_number, 1, 100)),
    Setting("alerts_per_day", "LMS_ALERTS_PER_DAY", "5",
            "How many alerts about students a mentor is sent on a day, the most serious first; `open` has them all.",
            "0 to 100", partial(whole_number, 0, 100)),
    Setting("retention_days", "LMS_RETENTION_DAYS", "keep",
            "How long events are kept, with what was told of them; older ones are removed once a day.",
            "keep, or 30 to 36500", partial(number_unless, "keep", 30, 36_500)),
    Setting("metrics_port", "LMS_METRICS_PORT", "off",
            "The port of 127.0.0.1 at which Prometheus finds metrics; needs the extra metrics.",
            "off, or 1 to 65535", partial(number_unless, "off", 1, 65_535)),
    Setting("web_url", "LMS_BOT_WEB_URL", "none",
            "Where people and programs reach `lms-bot serve`; requests for another host are refused then.",
            "none, or an address that begins with https:// or http://", web_address),
    Setting("web_listen", "LMS_BOT_WEB_LISTEN", "127.0.0.1:8484",
            "Where `lms-bot serve` listens.", "HOST:PORT, as 127.0.0.1:8484 or [::1]:8484", listen_address),
    Setting("signal_secret", "LMS_BOT_SIGNAL_SECRET", "none",
            "What the LMS signs webhooks and students' tokens with; a secret, best given with _FILE.",
            "none, or whsec_ and the base64 of 24 to 64 bytes", signal_secret),
)
# fmt: on

_INTRODUCTION = f"""\
# Settings

The file given with `--bot-config-file` has them in its section `[{SECTION}]`; an environment variable wins.
With `_FILE` added to its name, a variable names a file that holds the value. What is not allowed is refused.

| Key | Environment variable | Default | Allowed | Meaning |
|---|---|---|---|---|"""

_EXAMPLE_HEAD = f"""\
# Copy this to lms_bot.conf for --bot-config-file. Keys after a # show their default. See docs/settings.md.
[{SECTION}]"""
