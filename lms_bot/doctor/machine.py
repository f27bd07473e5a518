"""Checks whether this machine has room left, what its disks are, and who has the port for metrics."""

from __future__ import annotations

import http.client
import importlib.util
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lms_bot.config.settings import Settings
from lms_bot.core.reports.findings import Finding, failed, ok, warning
from lms_bot.store.operations.inspection import file_of

MEBIBYTE = 2**20
LOW_SPACE, NO_SPACE = 1024 * MEBIBYTE, 64 * MEBIBYTE
MOUNTS = Path("/proc/self/mounts")


def checks(settings: Settings) -> Sequence[tuple[str, Callable[[], Iterator[Finding]]]]:
    """Return the checks of this machine, in order."""
    file = file_of(settings.store_database_url)
    folder = file.parent if file is not None and file.parent.is_dir() else Path.cwd()
    return (
        ("disk", lambda: iter([disk(folder, shutil.disk_usage(folder).free)])),
        ("metrics", lambda: iter([metrics(settings.metrics_port)])),
    )


def disk(folder: Path, free: int) -> Finding:
    """Check the bytes that are free where the store, or else the log, is written."""
    message = f"{free // MEBIBYTE:,} MiB are free at {folder}"
    if free < NO_SPACE:
        return failed("disk", message, "make room: the store cannot grow, and the bot stops")
    if free < LOW_SPACE:
        return warning("disk", message, "make room soon; a million events, each told in a message, take 1 to 1.3 GiB")
    return ok("disk", message)


def metrics(port: int | None) -> Finding:
    """Check whether metrics are there, or could be."""
    if port is None:
        return ok("metrics", "are not wanted")
    if importlib.util.find_spec("prometheus_client") is None:
        return failed("metrics", "prometheus_client is not installed", "install lms_bot with the extra metrics")
    shown = _shown_at(port)
    if shown is None:
        return ok("metrics", f"port {port} is free; no bot shows metrics there now")
    if "lms_bot_lease_held" in shown:
        return ok("metrics", f"a bot shows them at port {port}")
    return warning("metrics", f"port {port} is taken by another program", "choose another metrics_port")


def _shown_at(port: int) -> str | None:
    """Return what a program on this machine shows there as metrics; None where none listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read(MEBIBYTE).decode("utf-8", "replace")
    except ConnectionRefusedError:
        return None
    except (OSError, http.client.HTTPException):
        return ""  # somebody does, who does not speak HTTP
    finally:
        connection.close()


def file_system(path: Path, mounts: Path = MOUNTS) -> str | None:
    """Return the kind of file system that `path` is on; None where this machine does not say."""
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
