"""Looks whether this machine has room left, and what its disks are."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lms_bot.config import Settings
from lms_bot.findings import Finding, failed, ok, warning
from lms_bot.store.inspection import file_of

MEBIBYTE = 2**20
LITTLE, TOO_LITTLE = 1024 * MEBIBYTE, 64 * MEBIBYTE
MOUNTS = Path("/proc/self/mounts")


def checks(settings: Settings) -> Sequence[tuple[str, Callable[[], Iterator[Finding]]]]:
    file = file_of(settings.store_database_url)
    folder = file.parent if file is not None and file.parent.is_dir() else Path.cwd()
    return (("disk", lambda: iter([disk(folder, shutil.disk_usage(folder).free)])),)


def disk(folder: Path, free: int) -> Finding:
    """Judges the bytes that are free where the store, or else the log, is written."""
    told = f"{free // MEBIBYTE:,} MiB are free at {folder}"
    if free < TOO_LITTLE:
        return failed("disk", told, "make room: the store cannot grow, and the bot stops")
    if free < LITTLE:
        return warning("disk", told, "make room soon; a million events take about 1 GiB")
    return ok("disk", told)


def file_system(path: Path, mounts: Path = MOUNTS) -> str | None:
    """The kind of file system that `path` is on; None where this machine does not say."""
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    here, longest, kind = path.resolve(), -1, None
    for line in lines:
        if len(fields := line.split()) < 3:
            continue
        point, of_kind = Path(fields[1].encode().decode("unicode_escape", "replace")), fields[2]
        if here.is_relative_to(point) and len(point.parts) >= longest:
            longest, kind = len(point.parts), of_kind
    return kind
