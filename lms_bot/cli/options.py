"""Options that several commands take, and exit codes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection, Sequence
from typing import TypeAlias

from lms_bot.config import settings, values
from lms_bot.core.events import OBSERVED, EventType

DONE, FAILED, WRONG_USE = 0, 1, 2
GLOBAL = ("--bot-config-file", "--config-file")

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # argparse has no public name for it


def settings_of(options: argparse.Namespace) -> settings.Settings:
    """Return the settings of the file and the environment. Raises ConfigError."""
    return settings.load(options.bot_config_file, os.environ)


def positive(text: str) -> int:
    """Return a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def event_types(text: str) -> frozenset[EventType]:
    """Return kinds of events of the LMS, given separated by commas."""
    return _event_types(text, OBSERVED)


def any_event_types(text: str) -> frozenset[EventType]:
    """Return kinds of events, also of those that the clock causes."""
    return _event_types(text, tuple(EventType))


def _event_types(text: str, among: Collection[EventType]) -> frozenset[EventType]:
    try:
        return values.event_types_of(text, among)
    except ValueError as error:
        choices = ", ".join([*sorted(among), "all"])
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed{error}; there are {choices}") from error


def add_global(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """Add the options that stand before a command or after it."""
    for name, place, meaning in (
        ("--bot-config-file", "FILE", "the settings (see lms_bot.conf.example)"),
        ("--config-file", "ZULIPRC", "the bot's key for Zulip (see zuliprc.example)"),
    ):
        parser.add_argument(name, metavar=place, help=meaning, default=default)


def command_first(arguments: Sequence[str], commands: Collection[str]) -> list[str]:
    """Return the arguments with the command before all options, as the parser takes them."""
    for place, word in enumerate(arguments):
        is_value = place > 0 and arguments[place - 1] in GLOBAL
        if word in commands and not is_value:
            return [word, *arguments[:place], *arguments[place + 1 :]]
    return list(arguments)


def student(text: str) -> int | str:
    """Return an LMS id if written as #id, otherwise a username."""
    number = text.removeprefix("#")
    return int(number) if text.startswith("#") and number.isascii() and number.isdigit() else text
