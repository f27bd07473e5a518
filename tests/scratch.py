"""Where tests keep their files: in memory, on a machine that has room there; and that they keep compiled code."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ENOUGH = 2 * 1024**3  # bytes; the servers and files of all workers need less than half of it


def keep_in_memory() -> None:
    """Unless somebody chose a folder: no test pulls the plug, so that none needs to wait for a disk."""
    if "TMPDIR" not in os.environ and _is_fit():
        os.environ["TMPDIR"] = str(MEMORY)  # for processes too
        tempfile.tempdir = str(MEMORY)


def keep_compiled_code() -> None:
    """Where somebody kept Python from writing it, hundreds of processes would each compile all of our code anew."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # for processes too
    sys.dont_write_bytecode = False


def _is_fit() -> bool:
    if not os.access(MEMORY, os.R_OK | os.W_OK | os.X_OK):
        return False
    may_run_programs = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
    return may_run_programs and shutil.disk_usage(MEMORY).free >= ENOUGH
