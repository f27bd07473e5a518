"""`lms-bot serve` as a process, and programs that ask it over real HTTP."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from lms_bot.core.people import Mentor, Student
from lms_bot.core.web.tokens import Scope
from lms_bot.pipeline.actions import tokens
from lms_bot.pipeline.actions.tokens import Wanted
from lms_bot.store import state, tables
from lms_bot.store.people.people import keep_people
from lms_bot.store.session import Store
from lms_bot.store.tables import events
from tests.bot_process import BIN, PATIENCE, wait_for

MARY, OMAR = 1, 2
JANE, RAVI, GULNORA, OBRIEN = 1001, 1002, 1003, 1004
OF = {MARY: {JANE, RAVI}, OMAR: {RAVI, GULNORA}}
STUDENTS = {JANE: "jane_smith", RAVI: "ravi_patel", GULNORA: "gulnora", OBRIEN: "o_brien"}
NOTHING_YET = {"total_exams_taken": 0, "videos_watched": 0, "streak_count": 0, "subject_scores": {}}
READ_AT = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


def people_the_store(store: Store) -> None:
    """Mary mentors Jane and Ravi, Omar mentors Ravi and Gulnora, and nobody O'Brien; the LMS was read once."""
    students = [Student(number, name, f"{name}@example.org", name.title()) for number, name in STUDENTS.items()]
    mentors = [Mentor(MARY, "mary", "mary@example.org", "Mary"), Mentor(OMAR, "omar", "omar@example.org", "Omar")]
    links = [(mentor, student) for mentor, theirs in OF.items() for student in theirs]
    with store.writing() as transaction:
        keep_people(transaction, students, mentors, links, READ_AT)
        state.note(transaction, state.POLLED, {}, READ_AT)


def record(store: Store, student_id: int | None, count: int = 1, **values: Any) -> list[int]:
    """Record exams that a student passed, one a minute; gives their numbers."""
    row = {
        "event_type": "exam_passed",
        "student_id": student_id,
        "student_username": STUDENTS.get(student_id or 0),
        "mentor_id": next((mentor for mentor, theirs in OF.items() if student_id in theirs), None),
        "activity_title": "Python Quiz",
        "activity_metadata": {"percentage": 85, "course_title": "Python"},
        "course_key": "python",
        "zulip_user_id": 77,
        "created_at": READ_AT,
        "source_table": "attempts",
        "fingerprint": 0,
        **values,
    }
    row["mentor_username"] = {MARY: "mary", OMAR: "omar"}.get(row["mentor_id"])
    with store.writing() as transaction:
        first = (transaction.scalar(sa.select(sa.func.max(events.c.source_id))) or 0) + 1
        numbers = range(first, first + count)
        rows = [{"source_id": n, "timestamp": READ_AT + timedelta(minutes=n), **row} for n in numbers]
        transaction.execute(sa.insert(events), rows)
        query = sa.select(events.c.event_id).where(events.c.source_id >= first).order_by(events.c.event_id)
        return list(transaction.scalars(query))


def study(store: Store, student_id: int) -> None:
    """Put a student into a batch and a course, with results by subject of the exams that are recorded."""
    parts = (("subject", "Algebra", 1), ("subject", "Physics", 9), ("difficulty", "hard", 5))
    course, who = {"course_id": 1}, {"student_id": student_id}
    with store.writing() as transaction:
        exams = transaction.scalars(sa.select(events.c.source_id).where(events.c.student_id == student_id)).all()
        results = [
            {"source_table": f"{kind}_stats", "source_id": 10 * exam + place, "exam_source": "attempts"}
            | {"attempt_id": exam, "dimension": kind, "label": label}
            | {"correct": right, "incorrect": 10 - right, "unanswered": 0, "total": 10}
            for exam in exams
            for place, (kind, label, right) in enumerate(parts)
        ]
        counts = {"source_id": 1, "day": READ_AT.date(), "current_streak": 9, "downloads": 2}
        rows: list[tuple[sa.Table, list[dict[str, Any]]]] = [
            (tables.attempt_results, results),
            (tables.batches, [{"batch_id": 1, "name": "Spring"}]),
            (tables.batch_students, [{"batch_id": 1, **who}]),
            (tables.courses, [{**course, "title": "Maths"}]),
            (tables.course_students, [{**course, **who}]),
            (tables.course_items, [{**course, "item": "a", "source_table": "attempts", "activity_id": 1}]),
            (tables.lms_counts, [{**who, **counts}]),
            (tables.snapshots, [{**who, "snapshot_date": READ_AT.date() - timedelta(days=7), **NOTHING_YET}]),
        ]
        for table, values in rows:
            transaction.execute(sa.insert(table), values)


def make_token(store: Store, name: str, *scopes: Scope, mentor: int | None = None, days: int | None = None) -> str:
    with store.writing() as transaction:
        return tokens.create(transaction, Wanted(name, scopes or tuple(Scope), mentor, days), datetime.now(UTC))


@dataclass
class WebProcess:
    """A running `lms-bot serve`."""

    url: str
    process: subprocess.Popen[bytes]
    output_file: Path
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def output(self) -> str:
        return self.output_file.read_text(errors="replace")

    def client(self, token: str | None = None, **headers: str) -> httpx.Client:
        given = {"Authorization": f"Bearer {token}"} if token else {}
        client = httpx.Client(base_url=self.url, headers={**given, **headers}, timeout=PATIENCE, trust_env=False)
        self.clients.append(client)
        return client

    def end(self, signal: int) -> int:
        self.process.send_signal(signal)
        return self.process.wait(PATIENCE)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def serving(store_url: str, folder: Path, settings: str = "", port: int | None = None) -> Iterator[WebProcess]:
    """Start it in a folder, and wait until it answers."""
    port = port or free_port()
    config = folder / "web.conf"
    config.touch(0o600)
    config.write_text(
        f"[lms_bot]\nlms_database_url = sqlite:///{folder}/never_opened.db\nstore_database_url = {store_url}\n"
        f"web_listen = 127.0.0.1:{port}\n{settings}\n"
    )
    output_file = folder / "web_output.txt"
    with output_file.open("ab") as output:
        command = [str(BIN / "lms-bot"), "serve", "--bot-config-file", str(config)]
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
    running = WebProcess(f"http://127.0.0.1:{port}", process, output_file)
    try:
        wait_for(lambda: _answers(running), story=lambda: running.output)
        yield running
    finally:
        for client in running.clients:
            client.close()
        process.kill()
        process.wait()


def _answers(running: WebProcess) -> bool:
    assert running.process.poll() is None, running.output
    try:
        return httpx.get(f"{running.url}/healthz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def items_of(stream: httpx.Response) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where to resume after each event of a stream, and its JSON."""
    position = ""
    for line in stream.iter_lines():
        if line.startswith("id: "):
            position = line[4:]
        elif line.startswith("data: "):
            yield position, json.loads(line[6:])
