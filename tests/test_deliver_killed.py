"""The real process, killed again and again under a failing Zulip, tells what is owed, each thing once."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lms_bot.core.events import Event
from lms_bot.core.people import Mentor, Student
from lms_bot.fixtures import school
from lms_bot.store.session import Store, open_store
from tests.bot_process import PATIENCE, wait_for
from tests.delivery_scenario import (
    GULNORA,
    JANE,
    MARY,
    OBRIEN,
    OMAR,
    RAVI,
    TOLD,
    DeliveryScenario,
    notifications,
    owe,
    several,
)
from tests.fake_zulip import FakeZulip

LMS_BOT = Path(sys.executable).parent / "lms-bot"
PAIRS = 6  # Mary and Omar, each as often as this, with two students each
WAVES, WAVE_EVERY, EVENTS_IN_A_WAVE = 12, 0.3, 2  # a wave is due for every mentor at once
LIVES = (4, 2, 3)  # messages that each of the processes offers to Zulip, at least, before it is killed
FAULT_RATE = 0.3
KINDS = (
    "500_after",
    "json_500_after",
    "502_after",
    "close_after",
    "garbage_after",
    "429",
    "500_before",
    "close_before",
)


class Process:
    """`lms-bot monitor --daemon`, as often as it is started."""

    def __init__(self, folder: Path, lms_url: str, store_url: str, zulip: FakeZulip) -> None:
        settings = folder / "lms_bot.conf"
        settings.write_text(
            f"[lms_bot]\nlms_database_url = {lms_url}\nstore_database_url = {store_url}\nmessages_per_minute = 100000\n"
            "quiet_minutes = 0\n"
        )
        zuliprc = zulip.write_zuliprc(folder / "zuliprc")
        self._command = [str(LMS_BOT), "--bot-config-file", str(settings), "--config-file", str(zuliprc)]
        self._command += ["monitor", "--daemon", "--interval", "1"]
        self._log = folder / "log.txt"
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(self._command, stdout=log, stderr=log, env=dict(os.environ))

    def end(self, number: signal.Signals) -> None:
        assert self._running is not None
        assert self._running.poll() is None, self.log()
        self._running.send_signal(number)
        self._running.wait(PATIENCE)

    def kill_for_sure(self) -> None:
        if self._running is not None:
            self._running.kill()
            self._running.wait()

    def log(self) -> str:
        return self._log.read_text(errors="replace")[-5000:]


def crowd() -> tuple[list[Mentor], list[Student], set[tuple[int, int]]]:
    """Many who are called Mary and Omar, and their students."""
    mentors: list[Mentor] = []
    students: list[Student] = []
    links: set[tuple[int, int]] = set()
    for pair in range(PAIRS):
        for first, theirs in ((MARY, (JANE, RAVI)), (OMAR, (GULNORA, OBRIEN))):
            mentor_id = first.mentor_id + 2 * pair
            name = f"{first.username}{pair}"
            mentors.append(Mentor(mentor_id, name, f"{name}@school.example"))
            for student in theirs:
                student_id = student.student_id + 4 * pair
                students.append(
                    replace(student, student_id=student_id, username=f"{student.username}{pair}", email=None)
                )
                links.add((mentor_id, student_id))
    return mentors, students, links


def make_lms(path: Path, mentors: list[Mentor], students: list[Student], links: set[tuple[int, int]]) -> str:
    """An LMS in which these people are, and nothing happened yet."""
    with closing(sqlite3.connect(path)) as lms, lms:
        lms.executescript(school.schema("sqlite"))
        lms.executemany(
            "INSERT INTO mentors (id, username, email, created, students_count) VALUES (?, ?, ?, '2026-01-01', 2)",
            [(mentor.mentor_id, mentor.username, mentor.email) for mentor in mentors],
        )
        lms.executemany(
            "INSERT INTO students (id, username, is_active) VALUES (?, ?, 1)",
            [(student.student_id, student.username) for student in students],
        )
        lms.executemany('INSERT INTO "_MentorToStudent" ("A", "B") VALUES (?, ?)', sorted(links))
    return f"sqlite:///{path}"


def owe_in_waves(store: Store, students: list[Student], dice: random.Random) -> dict[int, list[Event]]:
    """Owe every mentor a few events every now and then, from a moment after now on; by student id.

    Only of kinds that are told at once: what the clock causes waits for the next morning.
    """
    owed: dict[int, list[Event]] = {student.student_id: [] for student in students}
    start = datetime.now(UTC) + timedelta(seconds=1)
    for wave in range(WAVES):
        due_at = start + timedelta(seconds=wave * WAVE_EVERY)
        found = [
            event for student in students for event in several(student, EVENTS_IN_A_WAVE, dice.choice(TOLD), at=due_at)
        ]
        for event in owe(store, found, at=due_at):
            owed[event.student_id or 0].append(event)
    return owed


def kill_and_compare(store: Store, folder: Path, seed: int) -> None:
    folder.mkdir()
    dice = random.Random(seed)
    mentors, students, links = crowd()
    lms_url = make_lms(folder / "lms.db", mentors, students, links)
    with FakeZulip() as zulip:
        zulip.retry_after = 0.2
        accounts = {mentor.mentor_id: zulip.add_user(mentor.username, mentor.email or "") for mentor in mentors}
        delivery = DeliveryScenario(store, zulip, zulip.write_zuliprc(folder / "zuliprc"), accounts=accounts)
        delivery.clock.now = datetime.now(UTC)
        delivery.restart()
        delivery.read_people(mentors=mentors, students=students, links=links)
        delivery.read_accounts()
        owed = owe_in_waves(store, students, dice)
        process = Process(folder, lms_url, store.engine.url.render_as_string(hide_password=False), zulip)
        zulip.chaos(seed, FAULT_RATE, KINDS)
        try:
            for offers in LIVES:
                enough = delivery.sends() + offers
                process.start()
                wait_for(lambda: delivery.sends() >= enough or is_all_told(store), story=process.log)  # noqa: B023
                time.sleep(dice.random() * 0.4)
                process.end(signal.SIGKILL)
            process.start()
            zulip.calm()
            wait_for(lambda: is_all_told(store), story=process.log)
            process.end(signal.SIGTERM)
        finally:
            process.kill_for_sure()
        compare(delivery, mentors, links, owed)


def is_all_told(store: Store) -> bool:
    return all(row.due_at is None for row in notifications(store))


def compare(
    delivery: DeliveryScenario, mentors: list[Mentor], links: set[tuple[int, int]], owed: dict[int, list[Event]]
) -> None:
    """Every mentor was told what was owed, each thing once, and nothing else."""
    rows = notifications(delivery.store)
    assert len(rows) == sum(len(events) for events in owed.values())
    assert all(row.is_sent and row.error is None for row in rows)
    assert {row.zulip_message_id for row in rows} == {message.id for message in delivery.zulip.sent_by_bot()}
    for mentor in mentors:
        theirs = {student_id for mentor_id, student_id in links if mentor_id == mentor.mentor_id}
        times = {
            event.activity_title: delivery.times_told(mentor, event)
            for student_id, events in owed.items()
            if student_id in theirs
            for event in events
        }
        assert times == dict.fromkeys(times, 1)
        mentioned = sum(row.zulip_message_id in ids_to(delivery, mentor) for row in rows)
        assert mentioned == len(times)


def ids_to(delivery: DeliveryScenario, mentor: Mentor) -> set[int]:
    return {message.id for message in delivery.zulip.direct_to(delivery.account(mentor))}


def test_a_process_that_is_killed_again_and_again_tells_everything_once(tmp_path: Path, postgresql: str) -> None:
    """On SQLite and on PostgreSQL at once, each with a Zulip that fails in every third send."""
    urls = {"sqlite": f"sqlite:///{tmp_path}/store.db", "postgresql": postgresql}
    stores = {name: open_store(url) for name, url in urls.items()}
    with ThreadPoolExecutor() as at_once:
        running = [
            at_once.submit(kill_and_compare, store, tmp_path / name, seed)
            for seed, (name, store) in enumerate(stores.items())
        ]
    for store in stores.values():
        store.close()
    for scenario in running:
        scenario.result()
