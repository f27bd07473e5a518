"""Programs of the product that begin as forks of one process, which has imported already what they import."""

from __future__ import annotations

import ctypes
import functools
import inspect
import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROGRAMS = {Path(sys.executable).with_name(name) for name in ("lms-bot", "zulip-run-bot")}
READ_AT_START = ("LANG", "LC_", "LD_", "PYTHON")  # environment that comes too late for a fork
PLAIN = {"preexec_fn": None, "pass_fds": (), "shell": False, "start_new_session": False, "umask": -1}
PR_SET_CHILD_SUBREAPER = 36

_execute_child = subprocess.Popen._execute_child  # type: ignore[attr-defined]
_NAMES = tuple(inspect.signature(_execute_child).parameters)


class ForkServer:
    """A process that forks when it is asked; it begins when it is first needed, and ends with this one."""

    def __init__(self) -> None:
        self._environment = dict(os.environ)
        self._lock = threading.Lock()

    def suits(self, environment: Mapping[str, str]) -> bool:
        """Return whether an interpreter would begin in this environment as the server did."""
        return _at_start(environment) == _at_start(self._environment)

    def fork(self, arguments: list[str], folder: str, environment: Mapping[str, str], files: list[int]) -> int:
        """Return the number of a new process, a child of this one, with these as its standard files."""
        request = pickle.dumps((arguments, folder, dict(environment)))
        with self._lock:
            server, _ = self._started
            _adopt_orphans(True)
            socket.send_fds(server, [request], files)
            pid = int(server.recv(64))
            assert server.recv(64) == b"without a parent"
            _adopt_orphans(False)
        return pid

    @functools.cached_property
    def _started(self) -> tuple[socket.socket, subprocess.Popen[bytes]]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command, end = [sys.executable, str(Path(__file__).with_name("fork_server.py"))], theirs.fileno()
        with theirs:
            return ours, subprocess.Popen(command, stdin=end, stdout=end, env=self._environment)


def begin_programs_as_forks() -> None:
    """Let `subprocess` start `lms-bot` and `zulip-run-bot` as forks, where that makes no difference to them.

    What is started in another way, as in `env lms-bot` or `python lms-bot`, begins in an interpreter of its own.
    """
    server = ForkServer()

    def begin(*given: Any) -> None:
        asked = dict(zip(_NAMES, given, strict=True))
        environment = os.environ if asked["env"] is None else asked["env"]
        ends = (asked["p2cread"], asked["c2pwrite"], asked["errwrite"])
        files = [standard if end == -1 else end for standard, end in enumerate(ends)]
        if not _is_program(asked) or any(map(os.isatty, files)) or not server.suits(environment):
            _execute_child(*given)
            return
        process, folder = asked["self"], os.path.abspath(asked["cwd"] or ".")
        process.pid = server.fork([os.fspath(word) for word in asked["args"]], folder, environment, files)
        process._child_created = True
        process._close_pipe_fds(*(asked[name] for name in _NAMES if name.startswith(("p2c", "c2p", "err"))))

    if sys.platform == "linux":
        subprocess.Popen._execute_child = begin  # type: ignore[attr-defined]


def _is_program(asked: Mapping[str, Any]) -> bool:
    plain = all(asked[name] == value for name, value in PLAIN.items())
    return plain and isinstance(asked["args"], list) and Path(asked["args"][0]) in PROGRAMS


def _at_start(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what an interpreter reads of its environment before it does anything; a fork can follow one more."""
    named = {name: value for name, value in environment.items() if name.startswith(READ_AT_START)}
    return {name: value for name, value in named.items() if name != "PYTHONUNBUFFERED"}


def _adopt_orphans(yes: bool) -> None:
    """Be the parent of those whose own one ends, instead of the first process of the machine."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, yes, 0, 0, 0)
