"""A process that has imported what the product's programs import, and becomes one of them in each of its forks."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pickle
import runpy
import socket
import sys
import time
from pathlib import Path

HEAVY = (
    "alembic.command",
    "fastapi",
    "filelock",
    "mcp.server.streamable_http_manager",
    "orjson",
    "psycopg2",
    "rapidfuzz.process",
    "rich.console",
    "rich.progress",
    "schedule",
    "sqlalchemy.dialects.postgresql.psycopg2",
    "sqlalchemy.dialects.sqlite",
    "zulip_bots.run",
    "lms_bot.chat",
    "lms_bot.cli",
    "lms_bot.lms.schemas",
    "lms_bot.render.notifications",
    "lms_bot.store.tables",
)
NOT_SHARED = "lms_bot.core.process"  # says which process it is, and since when
LONGEST = 1 << 20  # bytes of a request


def become_program(requests: socket.socket) -> str:
    """Fork at each request, until nobody can ask any more; return in the fork, with the path of the program.

    A fork of a fork is left to the process that asked, which then is its parent as if it had started it.
    """
    while True:
        asked, files, _, _ = socket.recv_fds(requests, LONGEST, 3)
        if not asked:
            os._exit(0)
        if between := os.fork():
            os.waitpid(between, 0)
            requests.send(b"without a parent")
            for file in files:
                os.close(file)
        elif pid := os.fork():
            requests.send(str(pid).encode())
            os._exit(0)
        else:
            arguments, folder, environment = pickle.loads(asked)
            requests.close()
            _begin_anew(arguments, files, folder, environment)
            return str(arguments[0])


def _begin_anew(arguments: list[str], files: list[int], folder: str, environment: dict[str, str]) -> None:
    """Make everything as a new interpreter finds it."""
    for target, file in enumerate(files):
        os.dup2(file, target)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = arguments
    if environment.get("PYTHONUNBUFFERED"):
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]


if __name__ == "__main__":
    sys.path[0] = str(Path(sys.executable).parent)  # as of each program
    for name in HEAVY:
        importlib.import_module(name)
    assert NOT_SHARED not in sys.modules
    gc.collect()
    gc.freeze()
    with contextlib.suppress(KeyboardInterrupt):
        program = become_program(socket.socket(fileno=os.dup(0)))
    runpy.run_path(program, run_name="__main__")
