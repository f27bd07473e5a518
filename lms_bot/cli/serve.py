"""`lms-bot serve`: answer programs over HTTP; needs the extra `web`."""

from __future__ import annotations

import argparse
import logging

from lms_bot.cli.options import DONE, Commands, settings_of
from lms_bot.config.values import listen_address
from lms_bot.errors import ConfigError


def add_to(commands: Commands) -> None:
    parser = commands.add_parser(
        "serve",
        help="answer programs over HTTP, with the rights of their tokens",
        description="Answers programs over HTTP from the event store, with the rights of their tokens, until a signal "
        "ends it. The LMS is never opened. Needs the extra `web`; docs/api.md says what there is.",
    )
    parser.add_argument("--listen", type=_address, metavar="HOST:PORT", help="instead of the setting web_listen")
    parser.set_defaults(run=_run)


def _address(text: str) -> tuple[str, int]:
    try:
        return listen_address(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, as 127.0.0.1:8484") from None


def _run(options: argparse.Namespace) -> int:
    try:
        from lms_bot.web.server import serve
    except ModuleNotFoundError as error:
        raise ConfigError(f"serve needs {error.name}, of the extra web: pip install 'lms_bot[web]'.") from error
    from lms_bot.store.session import open_store

    settings = settings_of(options)
    for noisy in ("uvicorn", "mcp"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    store = open_store(settings.store_database_url)
    try:
        serve(store, settings, options.listen or settings.web_listen)
    finally:
        store.close()
    return DONE
