"""`lms-bot completion`: print what makes a shell complete commands and options; needs the extra `completion`."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from lms_bot.cli.options import DONE, Commands
from lms_bot.errors import ConfigError

SHELLS = ("bash", "zsh", "fish")


def add_to(commands: Commands, program: argparse.ArgumentParser) -> None:
    """Add the command, which describes the whole `program`."""
    parser = commands.add_parser(
        "completion",
        help="print what makes bash, zsh or fish complete commands and options",
        description="Prints a script that makes a shell complete what is typed after lms-bot; its first lines say "
        "where it goes. For this session only: source <(lms-bot completion bash). Needs no settings, but the extra "
        "`completion`.",
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    parser.set_defaults(run=partial(_run, program))


def _run(program: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    try:
        import shtab
    except ImportError as error:
        raise ConfigError("completion needs shtab: pip install '.[completion]'") from error
    for action in program._actions:
        if action.dest.endswith("config_file"):
            named: Any = action  # shtab reads an attribute that argparse does not know
            named.complete = shtab.FILE
    print(shtab.complete(program, options.shell))
    return DONE
