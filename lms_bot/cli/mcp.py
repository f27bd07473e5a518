"""`lms-bot mcp`: answer one AI agent on standard input and output; needs the extra `web`."""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

from lms_bot.cli.options import DONE, Commands, settings_of
from lms_bot.errors import ConfigError

VARIABLE = "LMS_BOT_TOKEN"


def add_to(commands: Commands) -> None:
    parser = commands.add_parser(
        "mcp",
        help="answer an AI agent on standard input and output, with the rights of a token",
        description="Answers an AI agent by the Model Context Protocol on standard input and output, with the rights "
        f"of the token in the environment variable {VARIABLE} or in a file, until standard input ends. Needs the "
        "extra `web`; docs/agents.md says what there is.",
    )
    parser.add_argument(
        "--token-file", metavar="FILE", help=f"holds the token, instead of {VARIABLE} (or {VARIABLE}_FILE)"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        from lms_bot.web.mcp.stdio import serve
    except ModuleNotFoundError as error:
        raise ConfigError(f"mcp needs {error.name}, of the extra web: pip install 'lms_bot[web]'.") from error
    from lms_bot.store.session import open_store

    token, settings = _token(options.token_file), settings_of(options)
    logging.getLogger("mcp").setLevel(logging.WARNING)
    store = open_store(settings.store_database_url)
    try:
        serve(store, settings, token)
    finally:
        store.close()
    return DONE


def _token(file: str | None) -> str:
    """Return the token of a file or of the environment. Raises ConfigError where there is none."""
    path = file or os.environ.get(f"{VARIABLE}_FILE")
    if path is None:
        token = os.environ.get(VARIABLE, "")
    else:
        try:
            token = Path(path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"the token cannot be read from {path}: {error}") from None
    if not token.strip():
        raise ConfigError(f"mcp needs a token of `lms-bot token create`, in {VARIABLE} or --token-file FILE.")
    return token.strip()
