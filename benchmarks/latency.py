"""From a row's commit in the LMS to its message in Zulip, through the real zulip-run-bot."""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from lms_bot.fixtures import school
from tests.bot_process import BotProcess, LmsHands, People, wait_for
from tests.fake_zulip import FakeZulip

JANE = 1001
ROWS = 12


def measure(poll_interval: int) -> None:
    """Print how long rows committed at random moments take to be told."""
    os.environ["LMS_ACTIVITY_POLL_INTERVAL"] = str(poll_interval)
    randomly = random.Random(7)
    with tempfile.TemporaryDirectory() as name, FakeZulip() as zulip:
        folder = Path(name)
        school.build(folder / "lms.db", datetime.now(UTC))
        people = People.join(zulip)
        lms = LmsHands(f"sqlite:///{folder}/lms.db")
        urls = f"sqlite:///{folder}/lms.db", f"sqlite:///{folder}/store.db"
        with BotProcess(zulip, folder, *urls):
            taken = [_one(zulip, people.mary, lms, 900_000 + number, randomly) for number in range(ROWS)]
    print(
        f"poll_interval {poll_interval} s: {ROWS} rows told after {min(taken):.1f} to {max(taken):.1f} s "
        f"(promised: at most {poll_interval + 2} s)"
    )


def _one(zulip: FakeZulip, mentor: int, lms: LmsHands, attempt_id: int, randomly: random.Random) -> float:
    time.sleep(randomly.uniform(0, 3))
    before = len(zulip.direct_to(mentor))
    lms.pass_exam(attempt_id, JANE)
    committed = time.perf_counter()
    wait_for(lambda: len(zulip.direct_to(mentor)) > before)
    return time.perf_counter() - committed


if __name__ == "__main__":
    measure(int(sys.argv[1]))
