"""The command line: parse, call one function, print what it gives."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from lms_bot import __version__
from lms_bot.cli import (
    activity,
    backtest,
    completion,
    copy_store,
    diagnosis,
    events,
    forget,
    mcp,
    monitor,
    serve,
    sync,
    token,
)
from lms_bot.cli.options import DONE, FAILED, WRONG_USE, Commands, add_global, command_first, settings_of
from lms_bot.errors import ConfigError, LmsBotError

__all__ = ["DONE", "FAILED", "WRONG_USE", "main"]

EPILOG = "Exit code 0: done, 1: failed, 2: wrong use. Results go to standard output, logs to standard error."


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command; exits 0 when done, 1 when it failed, 2 when it was used wrongly.

    A reader that has seen enough, as `head` has, ends it in peace.
    """
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        code = DONE
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at its end
    sys.exit(code)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        parser, commands = _parser()
        options = parser.parse_args(command_first(sys.argv[1:] if arguments is None else arguments, commands.choices))
    except SystemExit as ending:  # after help, or a wrong use
        return int(ending.code or DONE)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if getattr(options, "verbose", False) else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
    )
    for noisy in ("urllib3", "schedule", "filelock", "markdown_it", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        return int(options.run(options))
    except ConfigError as error:
        print(f"lms-bot: {error}", file=sys.stderr)
        return WRONG_USE
    except LmsBotError as error:
        print(f"lms-bot: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return 130


def _parser() -> tuple[argparse.ArgumentParser, Commands]:
    """Return the parser, and its commands."""
    parser = argparse.ArgumentParser(
        prog="lms-bot", description="Tells mentors in Zulip what matters about their own students.", epilog=EPILOG
    )
    parser.add_argument("--version", action="version", version=f"lms-bot {__version__}")
    add_global(parser)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    demo = commands.add_parser("demo", help="see it at work on a small LMS that lives, with Zulip in the terminal")
    demo.add_argument(
        "--lms", choices=("classic", "moodle"), default="classic", help="the kind of the small LMS (default: classic)"
    )
    demo.add_argument("--web", action="store_true", help="see its pages in a browser instead; needs the extra `web`")
    demo.set_defaults(run=_demo)
    monitor.add_to(commands)
    sync.add_to(commands)
    diagnosis.add_to(commands)
    events.add_to(commands)
    activity.add_to(commands)
    backtest.add_to(commands)
    forget.add_to(commands)
    copy_store.add_to(commands)
    serve.add_to(commands)
    mcp.add_to(commands)
    token.add_to(commands)
    completion.add_to(commands, parser)
    migrate = commands.add_parser("migrate", help="bring the event store to the current schema")
    migrate.set_defaults(run=_migrate)
    for command in commands.choices.values():
        add_global(command, argparse.SUPPRESS)
    return parser, commands


def _demo(options: argparse.Namespace) -> int:
    from lms_bot.demo import run

    try:
        return run(options.lms, in_browser=options.web)
    except ModuleNotFoundError as error:
        raise ConfigError(f"demo --web needs {error.name}, of the extra web: pip install 'lms_bot[web]'.") from error


def _migrate(options: argparse.Namespace) -> int:
    from lms_bot.store.schema import CURRENT
    from lms_bot.store.session import open_store

    open_store(settings_of(options).store_database_url).close()
    print(f"The event store has schema {CURRENT}.")
    return DONE
