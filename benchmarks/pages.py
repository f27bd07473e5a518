"""How long pages take from a store with much history, for a mentor with 200 students and for an admin."""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.questions import filled
from benchmarks.web import RUNS, STUDENT, _taken
from lms_bot.core.people import ZulipUser
from lms_bot.core.web.sessions import new_secret
from lms_bot.store.operations import admin_channel
from lms_bot.store.operations.admin_channel import AdminChannel
from lms_bot.store.people import accounts, people
from lms_bot.store.session import Store
from lms_bot.store.web import sessions
from lms_bot.store.web.sessions import Link
from tests.web_process import serving

ACCOUNT, MENTOR = 9_001, 2
PATHS = (
    "/",
    "/feed",
    "/feed?type=exam_failed&course=English",
    "/feed?search=quiz",
    f"/students/{STUDENT}",
    "/settings",
)


def measure(kind: str, rows: int) -> None:
    """Print what each page takes."""
    with filled(kind, rows) as store, tempfile.TemporaryDirectory(prefix="lms_bot_bench_") as folder:
        secret = _signed_in(store)
        with serving(store.engine.url.render_as_string(hide_password=False), Path(folder)) as web:
            client = web.client(Accept="text/html")
            client.cookies.set("session", secret)
            print(f"{kind}: {rows:,} events, {RUNS} times each, milliseconds")
            for path in (*PATHS, "/school"):
                size = len(client.get(path).raise_for_status().content)
                median, late = _taken(lambda: client.get(path).raise_for_status())  # noqa: B023
                print(f"{path}: p50 {median:.1f} p95 {late:.1f}, {size:,} bytes", flush=True)


def _signed_in(store: Store) -> str:
    """Return the secret of a session of a mentor with 200 students, who is an admin too."""
    now, secret = datetime.now(UTC), new_secret()
    with store.writing() as transaction:
        mentor = people.mentor(transaction, MENTOR)
        assert mentor is not None
        account = ZulipUser(ACCOUNT, mentor.name, mentor.email, is_active=True, is_bot=False)
        accounts.keep_zulip_users(transaction, [account], now)
        accounts.map_by_hand(transaction, MENTOR, ACCOUNT, now)
        admin_channel.keep(transaction, AdminChannel(3, "lms-admin", "lms-admin", members=(ACCOUNT,)), now)
        sessions.begin(transaction, secret.hash, Link(ACCOUNT, True), now, now + timedelta(hours=12))
    return secret.text


if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]))
