"""SIGTERM and SIGINT end the process with exit code 0 within five seconds, whatever it waits for."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from functools import cache
from pathlib import Path
from typing import NoReturn

FINISH = 3.0  # seconds that the worker has for the statement at hand
PATIENCE = 4.0  # seconds after which the process ends even if something still waits
SIGNALS = (signal.SIGTERM, signal.SIGINT)  # a shell starts its background jobs deaf to SIGINT


@cache
def end_on_signals() -> None:
    """Let the first of these signals raise SystemExit in the main thread, which must be calling this.

    Python runs a handler only between two steps of the main thread, and a driver that waits for a dead server is one
    step; so a thread of its own, woken by the signal itself, ends what is not over by then. That may be done at any
    instruction: whatever is not committed is done again. Called again, it changes nothing.
    """
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    for number in SIGNALS:
        signal.signal(number, _exit)
    threading.Thread(target=_end_later, args=(woken,), name="lms_bot end", daemon=True).start()


def is_in_main_thread_of(program: str) -> bool:
    """Return whether this process is that program, and this its main thread."""
    return Path(sys.argv[0]).name == program and threading.current_thread() is threading.main_thread()


def _exit(_number: int, _frame: object) -> NoReturn:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(0)


def _end_later(woken: int) -> None:
    while os.read(woken, 1)[0] not in SIGNALS:
        pass
    time.sleep(PATIENCE)
    os._exit(0)
