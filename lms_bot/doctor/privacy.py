"""Checks whether anybody else could read what the bot keeps, or what it sends to its databases."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lms_bot.config.settings import Settings
from lms_bot.config.urls import is_mysql, server
from lms_bot.core.reports.findings import Finding, ok, warning
from lms_bot.store.operations.inspection import file_of

ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})  # the values of sslmode that allow no plain text
BESIDE = ("", "-wal", "-shm", "-journal")  # what SQLite keeps of a store


def checks(
    settings: Settings, settings_file: str | None, zuliprc: str | None
) -> Sequence[tuple[str, Callable[[], Iterator[Finding]]]]:
    """Return the checks of privacy."""
    return (
        ("files", lambda: files(_files(settings, settings_file, zuliprc))),
        ("lms network", lambda: network("lms network", "lms_database_url", settings.lms_database_url)),
        ("store network", lambda: network("store network", "store_database_url", settings.store_database_url)),
    )


def files(paths: Sequence[Path]) -> Iterator[Finding]:
    """Check whether each of these files that is there can be read by its owner alone."""
    public = [str(path) for path in paths if _is_public(path)]
    if public:
        advice = shlex.join(["chmod", "600", *public])
        yield warning("files", f"others on this machine can read {', '.join(public)}", advice)
    else:
        yield ok("files", "nobody else can read the settings, the zuliprc or the store")


def network(check: str, key: str, url: str) -> Iterator[Finding]:
    """Check whether what goes to a server on another machine is encrypted."""
    hosts, mode = server(url, os.environ)
    if not hosts:
        return
    far = [host for host in hosts if not _is_local(host)]
    if far and mode not in ENCRYPTED:
        ending = "ssl_ca=FILE" if is_mysql(url) else "sslmode=verify-full"
        cheaper = "ssl_check_hostname=false" if is_mysql(url) else "sslmode=require"
        advice = f"end {key} with ?{ending} (or ?{cheaper}, which does not look who answers)"
        yield warning(check, f"what goes to {', '.join(far)} may be unencrypted (TLS is {mode})", advice)
    else:
        yield ok(check, f"encrypted (TLS is {mode})" if far else "does not leave this machine")


def _files(settings: Settings, settings_file: str | None, zuliprc: str | None) -> list[Path]:
    store = file_of(settings.store_database_url)
    own = [settings_file, zuliprc or os.environ.get("ZULIP_CONFIG") or Path.home() / ".zuliprc"]
    own += [value for name, value in os.environ.items() if name.startswith("LMS_") and name.endswith("_FILE")]
    beside = [f"{store}{end}" for end in BESIDE] if store else []
    return [Path(path) for path in (*own, *beside) if path]


def _is_public(path: Path) -> bool:
    """Return whether others may read a file, or a group that its owner, who runs us, does not need for it."""
    try:
        state = path.stat()
    except OSError:
        return False
    if not stat.S_ISREG(state.st_mode):
        return False
    needless = stat.S_IRGRP if state.st_uid == os.geteuid() else 0
    return bool(state.st_mode & (stat.S_IROTH | needless))


def _is_local(host: str) -> bool:
    return host in ("", "localhost", "::1", "[::1]") or host.startswith(("/", "@", "127."))
