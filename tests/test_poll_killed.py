"""A poller that is killed again and again misses nothing, and records and owes nothing twice."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from lms_bot.lms.schemas import CLASSIC
from tests.bot_process import BIN, from_store, wait_for
from tests.fake_zulip import FakeZulip
from tests.lms_rows import GULNORA, JANE, MARY, OMAR, Fact, Watch

KILLS = 10
ENDS = [("completed", "pass"), ("Finished", "FAIL"), ("finished", None)]
MENTORS = {JANE: (MARY,), GULNORA: (MARY, OMAR)}
KINDS = {"pass": "exam_passed", "FAIL": "exam_failed", None: "exam_completed"}


@pytest.fixture
def watch(lms_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watch]:
    on_sqlite = lms_url.startswith("sqlite")
    store_url = f"sqlite:///{tmp_path}/store.db" if on_sqlite else request.getfixturevalue("postgresql")
    watch = Watch(lms_url, store_url)
    yield watch
    watch.close()


@contextmanager
def running(bot_config: Path, zuliprc: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A poller of its own, killed at the end of the block."""
    command = [str(BIN / "lms-bot"), "--bot-config-file", str(bot_config), "--config-file", str(zuliprc)]
    with (
        log.open("ab") as stderr,
        subprocess.Popen([*command, "monitor", "--daemon", "--interval", "1"], stderr=stderr) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


class Writer:
    """An LMS in use: what it says is only changed once it is in the store, so that every state is seen."""

    def __init__(self, watch: Watch, random: Random) -> None:
        self._rows = watch.rows
        self._watch = watch
        self._random = random
        self._next = 1_000
        self._students: dict[int, int] = {}
        self.expected: set[Fact] = set()

    def write(self) -> None:
        self._finish_some(self._watch.facts())
        for _ in range(self._random.randint(1, 4)):
            self._start()
        content_id = 100_000 + self._next
        self._students[content_id] = JANE
        self._rows.insert_content_attempt(content_id, state="Viewed", created=datetime.now(UTC))
        self.expected.add(("content_attempts", content_id, "content_watched"))

    def owed(self) -> list[tuple[str, int, str, int]]:
        """Every state that was seen, to each of the student's mentors."""
        return sorted(
            (table, source_id, kind, mentor_id)
            for table, source_id, kind in self.expected
            for mentor_id in MENTORS[self._students[source_id]]
        )

    def _start(self) -> None:
        self._next += self._random.randint(1, 3)
        source_id = self._next if self._random.random() < 0.8 else 10_000 - self._next
        self._students[source_id] = student = self._random.choice(list(MENTORS))
        self._rows.insert_attempt(source_id, user_id=student, date=datetime.now(UTC))
        self.expected.add(("attempts", source_id, "exam_started"))

    def _finish_some(self, recorded: list[Fact]) -> None:
        ended = {source_id for _, source_id, kind in self.expected if kind in KINDS.values()}
        for table, source_id, kind in recorded:
            if (
                table == "attempts"
                and kind == "exam_started"
                and source_id not in ended
                and self._random.random() < 0.5
            ):
                state, result = self._random.choice(ENDS)
                self._rows.update_attempt(source_id, state=state, result=result)
                self.expected.add(("attempts", source_id, KINDS[result]))


def test_a_poller_killed_at_any_moment_records_and_owes_every_state_once(
    watch: Watch, zulip: FakeZulip, tmp_path: Path
) -> None:
    """Zulip cannot be reached meanwhile, so that all that is owed stays to be seen."""
    zuliprc = zulip.write_zuliprc(tmp_path / "zuliprc")
    zulip.stop()
    random = Random(20260302)
    watch.rows.insert_finished(1, 500)
    history = {("attempts", source_id, "exam_passed") for source_id in range(1, 501)}
    lms_url, store_url = (engine.url for engine in (watch.rows.engine, watch.store.engine))
    bot_config = tmp_path / "lms_bot.conf"
    bot_config.write_text(
        "[lms_bot]\n"
        f"lms_database_url = {lms_url.render_as_string(hide_password=False)}\n"
        f"store_database_url = {store_url.render_as_string(hide_password=False)}\n"
        "sweep_rows = 200\n",
        encoding="utf-8",
    )
    log = tmp_path / "log"
    all_marked = len(CLASSIC.watches)
    writer = Writer(watch, random)
    with running(bot_config, zuliprc, log):  # what is written before the baseline is owed to nobody
        wait_for(
            lambda: from_store(watch.settings.store_database_url, "SELECT count(*) FROM cursors")[0][0] >= all_marked
        )
    for _ in range(KILLS):
        with running(bot_config, zuliprc, log) as process:
            before = watch.facts()
            writer.write()
            if random.random() < 0.7:
                wait_for(lambda: watch.facts() != before)  # noqa: B023 - called in this round only
                writer.write()
            time.sleep(random.uniform(0.0, 1.0))
            assert process.poll() is None, log.read_text(encoding="utf-8")

    expected = sorted(history | writer.expected)
    with running(bot_config, zuliprc, log):
        wait_for(lambda: watch.facts() == expected)
    assert "Traceback" not in log.read_text(encoding="utf-8")
    assert any(kind in KINDS.values() for table, source_id, kind in writer.expected if table == "attempts")
    assert watch.owed() == writer.owed()
