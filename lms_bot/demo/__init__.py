"""Runs the embedded default: a small LMS that lives, the real bot beside it, and Zulip in the terminal."""

from __future__ import annotations

import logging
import signal
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from lms_bot.demo import prompt, tour
from lms_bot.demo.screen import Screen
from lms_bot.demo.stage import Clock, Stage

WELCOME = f"""
🤖 lms_bot {version("lms_bot")} on a small school with a %s LMS, which lives in this computer.
What watches, tells and answers is the real bot; the terminal plays Zulip.
"""
GOODBYE = """
Goodbye! Nothing of this was kept.
For your own LMS and your own Zulip, see “Set it up” in README.md."""


def run(kind: str, *, in_browser: bool = False) -> int:
    """Let a person be a mentor in a terminal or a browser, and play by itself without one; return the exit status.

    `kind` is that of the LMS: classic or moodle. Raises ModuleNotFoundError without the extra `web`.
    """
    if in_browser:
        from lms_bot.demo import browser

        listen = browser.address()
    logging.getLogger().setLevel(logging.ERROR)
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _leave)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts its background jobs deaf to it
    is_talk = sys.stdin.isatty() and sys.stdout.isatty()
    now = datetime.now(UTC)
    clock = Clock(None if is_talk or in_browser else now - tour.DURATION)
    screen = Screen(clock)
    with TemporaryDirectory(prefix="lms-bot-demo-", ignore_cleanup_errors=True) as folder:
        web_url = f"http://{listen[0]}:{listen[1]}" if in_browser else "none"
        stage = Stage(Path(folder), clock, screen, kind, web_url)
        try:
            _open(stage, screen, kind)
            if in_browser:
                browser.run(stage, screen, listen)
            elif is_talk:
                prompt.run(stage, screen)
            else:
                tour.run(stage, screen, clock)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # impatience must not stop the cleaning up
            stage.close()
    screen.note(GOODBYE)
    return 0


def _open(stage: Stage, screen: Screen, kind: str) -> None:
    screen.plain(WELCOME % kind)
    with screen.progress() as progress:
        history = stage.poll_history(progress).history_events
    screen.note(f"{history} events of the last five weeks are recorded as history; nobody is told of those.")


def _leave(number: int, _frame: object) -> NoReturn:
    # An exception, so that the temporary directory is removed on the way out.
    sys.exit(128 + number)
