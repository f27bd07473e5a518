"""The real bot as a process, the people around it in Zulip, and the hands that write into its LMS."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from lms_bot.store.people.accounts import ZULIP_USERS_READ
from lms_bot.store.questions.claims import CAUGHT_UP_TO
from lms_bot.store.state import POLLED
from tests.fake_zulip import FakeZulip

BIN = Path(sys.executable).parent
PATIENCE = 300.0  # seconds that a test waits for anything: how fast a machine is says nothing about the code
JANE, RAVI, GULNORA, OBRIEN, JOHN, MEI, SOFIA, KWAME = range(1001, 1009)
PYTHON_QUIZ, CSS_CHALLENGE, HTML_CHECKPOINT = 501, 506, 505
BOTH = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
READY = {POLLED, ZULIP_USERS_READ, CAUGHT_UP_TO}
T = TypeVar("T")


def wait_for(predicate: Callable[[], T], seconds: float = PATIENCE, story: Callable[[], str] = str) -> T:
    """What `predicate` gives once it is true; AssertionError with `story` after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := predicate()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s\n{story()}")
        time.sleep(0.05)
    return found


@dataclass(frozen=True, slots=True)
class People:
    """Zulip user ids: three mentors, an admin (of the organisation too) who is none, and a stranger."""

    mary: int
    omar: int
    lucy: int
    ada: int
    eve: int

    @classmethod
    def join(cls, zulip: FakeZulip) -> People:
        """Give everybody an account, and the bot and Ada a private stream for admins."""
        names = ("Mary Jones", "Omar Haddad", "Lucy Brown", "Ada Admin", "Eve Stranger")
        ids = [zulip.add_user(name, f"{name.split()[0].lower()}@example.org") for name in names]
        people = cls(*ids)
        zulip.change_user(people.ada, is_admin=True)
        zulip.add_stream("lms-admin", private=True, subscribers=[people.ada, zulip.bot_id])
        zulip.add_stream("general", private=False, subscribers=[*people.mentors, people.ada, people.eve, zulip.bot_id])
        return people

    @property
    def mentors(self) -> tuple[int, int, int]:
        return self.mary, self.omar, self.lucy


class LmsHands:
    """Writes into an LMS as its own application does, committing each time."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url, poolclass=sa.NullPool)

    def run(self, statement: str, **values: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.text(statement), values)

    def start_exam(self, attempt_id: int, student_id: int, exam_id: int = PYTHON_QUIZ) -> None:
        self.run(
            "INSERT INTO attempts (id, date, exam_id, user_id, state, last_started_time)"
            " VALUES (:id, :at, :exam, :student, 'started', :at)",
            id=attempt_id,
            at=_now(),
            exam=exam_id,
            student=student_id,
        )

    def end_exam(self, attempt_id: int, result: str = "pass", percentage: int = 85) -> None:
        self.run(
            "UPDATE attempts SET state = 'completed', result = :result, percentage = :percentage, score = :percentage,"
            " time_taken = '45 minutes', last_answer_updated_time = :at WHERE id = :id",
            id=attempt_id,
            result=result,
            percentage=percentage,
            at=_now(),
        )

    def pass_exam(self, attempt_id: int, student_id: int, exam_id: int = PYTHON_QUIZ) -> None:
        """An attempt that appears when it is over already."""
        self.run(
            "INSERT INTO attempts (id, date, exam_id, user_id, state, result, percentage, score,"
            " last_answer_updated_time) VALUES (:id, :at, :exam, :student, 'completed', 'pass', 85, 85, :at)",
            id=attempt_id,
            at=_now(),
            exam=exam_id,
            student=student_id,
        )


@dataclass
class Place:
    """One Zulip, one LMS, one store, and a folder for what is started there."""

    zulip: FakeZulip
    people: People
    folder: Path
    lms_url: str
    store_url: str

    @property
    def lms(self) -> LmsHands:
        return LmsHands(self.lms_url)


class BotProcess:
    """`zulip-run-bot lms_bot` in an empty folder; `with` waits until it listens, and ends it for sure."""

    def __init__(
        self,
        zulip: FakeZulip,
        folder: Path,
        lms_url: str,
        store_url: str,
        *,
        arguments: Sequence[str] = ("lms_bot",),
        settings: str = "",
        name: str = "bot",
        wait_until_ready: bool = True,
    ) -> None:
        self._zulip = zulip
        self._store_url = store_url
        self._wait_until_ready = wait_until_ready
        self._cwd = folder / f"{name}_cwd"
        self._cwd.mkdir(exist_ok=True)
        self._output_file = folder / f"{name}_output.txt"
        config = folder / f"{name}.conf"
        config.write_text(
            f"[lms_bot]\nlms_database_url = {lms_url}\nstore_database_url = {store_url}\n"
            f"poll_interval = 1\nquiet_minutes = 0\n{settings}\n"
        )
        zuliprc = zulip.write_zuliprc(folder / f"{name}_zuliprc")
        self.command = [str(BIN / "zulip-run-bot"), *arguments, "-c", str(zuliprc), "-b", str(config)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> BotProcess:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it and wait until it listens to Zulip and, unless told otherwise, has recorded the baseline."""
        queues, since = self._zulip.count_calls("POST", "/api/v1/register") + 1, datetime.now(UTC)
        self.launch()
        try:
            self.wait_for(lambda: self._zulip.count_calls("POST", "/api/v1/register") > queues)
            if self._wait_until_ready:
                self.wait_for(lambda: self._is_ready(since))
        except BaseException:
            self.kill()
            raise

    def launch(self) -> None:
        """Start it without waiting for anything."""
        with self._output_file.open("ab") as output:
            self._process = subprocess.Popen(
                self.command,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it was never started"
        return self._process

    @property
    def output(self) -> str:
        return self._output_file.read_text(errors="replace")

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def wait_for(self, predicate: Callable[[], T], seconds: float = PATIENCE) -> T:
        """What `predicate` gives once it is true; fails with the output of a bot that ended or took too long."""

        def alive_and(predicate: Callable[[], T] = predicate) -> T:
            assert self.is_alive, f"the bot ended with {self.process.returncode}\n{self.output}"
            return predicate()

        return wait_for(alive_and, seconds, lambda: self.output)

    def ask(self, user_id: int, text: str, **where: Any) -> str:
        """Ask in Zulip and give the next direct message to the asker."""
        before = len(self._zulip.direct_to(user_id))
        self._zulip.say(user_id, text, **where)
        self.wait_for(lambda: len(self._zulip.direct_to(user_id)) > before)
        return self._zulip.direct_to(user_id)[before].content

    def signal(self, number: int) -> int:
        """Send a signal and give the exit code; killed, and an error, if it does not end."""
        self.process.send_signal(number)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise AssertionError(f"signal {number} did not end it\n{self.output}") from error

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _is_ready(self, since: datetime) -> bool:
        noted = noted_facts(self._store_url)
        return noted.keys() >= READY and noted[POLLED] >= since


def noted_facts(store_url: str) -> dict[str, datetime]:
    """When the facts of a store were last noted; none where there is no store yet."""
    engine = sa.create_engine(store_url, poolclass=sa.NullPool)
    facts = sa.table("facts", sa.column("name"), sa.column("noted_at", sa.DateTime(timezone=True)))
    try:
        with engine.connect() as connection:
            if not sa.inspect(connection).has_table("facts"):
                return {}
            rows = connection.execute(sa.select(facts.c.name, facts.c.noted_at)).all()
    except sa.exc.OperationalError:
        return {}
    return {name: at.replace(tzinfo=at.tzinfo or UTC) for name, at in rows}


def in_store(store_url: str, statement: str, **values: Any) -> None:
    """Change a store behind the bot's back."""
    engine = sa.create_engine(store_url, poolclass=sa.NullPool, connect_args=_patience(store_url))
    with engine.begin() as connection:
        connection.execute(sa.text(statement), values)


def from_store(store_url: str, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """What a store says."""
    engine = sa.create_engine(store_url, poolclass=sa.NullPool, connect_args=_patience(store_url))
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query), values)]


def _patience(url: str) -> dict[str, Any]:
    return {"timeout": PATIENCE} if url.startswith("sqlite") else {}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
