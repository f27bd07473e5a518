"""Options that several commands take, and exit codes."""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection
from typing import TypeAlias

from lms_bot.config import settings
from lms_bot.core.events import OBSERVED, EventType

DONE, FAILED, WRONG_USE = 0, 1, 2

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
        return settings.event_types_of(text, among)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed{error}") from error


def student(text: str) -> int | str:
    """Return an LMS id if written as #id, otherwise a username."""
    number = text.removeprefix("#")
    return int(number) if text.startswith("#") and number.isascii() and number.isdigit() else text
