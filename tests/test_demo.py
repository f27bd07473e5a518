"""The demo tells all that the bot can tell, talks with a person, and leaves nothing behind."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from lms_bot.core.events import OBSERVED, EventType
from lms_bot.demo.markdown import friendly, rendered
from lms_bot.render import TITLES
from tests.bot_process import PATIENCE, wait_for

COMMAND = [str(Path(sys.executable).with_name("lms-bot")), "demo"]
NOW = datetime(2026, 1, 15, 14, 30, tzinfo=UTC)
CONTROL_CODE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


@dataclass(frozen=True)
class Place:
    """An empty working directory and an empty directory for temporary files."""

    cwd: Path
    tmp: Path

    @classmethod
    def under(cls, path: Path) -> Place:
        place = cls(path / "cwd", path / "tmp")
        place.cwd.mkdir()
        place.tmp.mkdir()
        return place

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "TMPDIR": str(self.tmp), "TERM": "xterm"}

    @property
    def left_behind(self) -> list[Path]:
        return [*self.cwd.rglob("*"), *self.tmp.rglob("*")]


@dataclass(frozen=True)
class Played:
    """A demo without a terminal, after its end."""

    result: subprocess.CompletedProcess[str]
    left_behind: list[Path]


def play(tmp_path_factory: pytest.TempPathFactory, *options: str) -> Played:
    place = Place.under(tmp_path_factory.mktemp("played"))
    result = subprocess.run(
        [*COMMAND, *options],
        cwd=place.cwd,
        env=place.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    return Played(result, place.left_behind)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory)


@pytest.fixture(scope="module")
def played_on_moodle(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory, "--lms", "moodle")


class Terminal:
    """A demo in a pseudo terminal, with a person who types and reads."""

    def __init__(self, place: Place, *options: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
        self.process = subprocess.Popen(
            [*COMMAND, *options],
            cwd=place.cwd,
            env=place.env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._read = b""

    def types(self, line: str) -> None:
        os.write(self._ours, f"{line}\n".encode())

    def presses(self, key: bytes) -> None:
        os.write(self._ours, key)

    def sees(self, text: str) -> bool:
        """Whether `text` comes to the screen; what stands before it is read then."""
        end = time.monotonic() + PATIENCE
        while True:
            shown = CONTROL_CODE.sub("", self._read.decode("utf-8", "ignore"))
            if text in shown:
                self._read = shown.partition(text)[2].encode()
                return True
            if time.monotonic() > end or not self._more():
                return False

    def is_awaited(self) -> bool:
        """Tell whether the demo, which has shown its prompt, sleeps until a key is pressed."""
        state = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2]
        return state.startswith("S")

    def ends_with(self) -> int:
        end = time.monotonic() + PATIENCE
        while self._more() and time.monotonic() < end:
            pass
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)

    def _more(self) -> bool:
        ready, _, _ = select.select([self._ours], [], [], PATIENCE)
        try:
            # A pseudo terminal whose other side is closed gives an error on Linux, and nothing elsewhere.
            new = os.read(self._ours, 65536) if ready else b""
        except OSError:
            new = b""
        self._read += new
        return bool(new)


@contextmanager
def terminal(place: Place, *options: str) -> Iterator[Terminal]:
    opened = Terminal(place, *options)
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.under(tmp_path)


def shown(text: str) -> str:
    console = Console(file=io.StringIO(), width=60)
    with console.capture() as capture:
        console.print(rendered(text, NOW))
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def test_without_a_terminal_it_plays_by_itself(played: Played) -> None:
    assert played.result.returncode == 0, played.result.stderr


def test_it_tells_every_kind_of_event(played: Played) -> None:
    missing = [TITLES[kind] for kind in OBSERVED if TITLES[kind] not in played.result.stdout]
    assert not missing


def test_it_prints_the_statistics_and_nothing_is_pending_or_failed(played: Played) -> None:
    found = dict(re.findall(r"^([A-Z][\w ]+): (\d+)$", played.result.stdout, re.MULTILINE))
    assert list(found) == [
        "Total Events",
        "Processed Events",
        "Pending Events",
        "Events with Notifications",
        "Events with Errors",
    ]
    assert found["Total Events"] == found["Processed Events"]
    assert int(found["Events with Notifications"]) >= len(TITLES)
    assert found["Pending Events"] == found["Events with Errors"] == "0"


def test_its_questions_are_answered_and_other_peoples_students_stay_theirs(played: Played) -> None:
    answers = played.result.stdout
    assert "What you can ask me" in answers
    assert "Jane Smith, newest first" in answers
    assert "You have no student “@jane_smith”." in answers
    assert "I take that for history." in answers
    assert "Nothing is waiting for you." in answers
    assert "LMS Bot → Jane Smith" in answers
    assert "Works and answers: " in answers
    assert "Rows of the LMS that I cannot place" in answers


def test_without_a_terminal_it_is_plain_text_of_a_hundred_columns(played: Played) -> None:
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u200b]", played.result.stdout)
    assert max(cell_len(line) for line in played.result.stdout.splitlines()) == 100
    assert "<time:" not in played.result.stdout
    assert "**" not in played.result.stdout.replace("∗∗kwargs", "").replace("**kwargs", "")


def test_it_is_quiet_on_stderr(played: Played) -> None:
    assert played.result.stderr == ""


def test_it_leaves_nothing_behind(played: Played) -> None:
    assert played.left_behind == []


def test_it_plays_on_moodle_too(played_on_moodle: Played) -> None:
    result = played_on_moodle.result
    assert (result.returncode, result.stderr, played_on_moodle.left_behind) == (0, "", [])
    assert "a moodle LMS" in result.stdout
    beyond_moodle = {EventType.CONTENT_WATCHED, EventType.CONTENT_PROGRESS}
    assert [kind for kind in OBSERVED if TITLES[kind] not in result.stdout] == [
        kind for kind in OBSERVED if kind in beyond_moodle
    ]
    assert "Pending Events: 0\n" in result.stdout
    assert "Events with Errors: 0\n" in result.stdout


def test_what_moodle_calls_things_is_shown_plainly(played_on_moodle: Played) -> None:
    assert "Jane Smith (jane_smith) has passed: Python Basics Quiz" in played_on_moodle.result.stdout
    assert "Course: Databases with SQL | Chapter: Asking & Answering | Type: url" in played_on_moodle.result.stdout
    assert not re.search(r"None|mlang|&amp;|<\w|https?:", played_on_moodle.result.stdout)


def test_a_kind_of_lms_that_is_not_there_is_a_wrong_use() -> None:
    result = subprocess.run([*COMMAND, "--lms", "blackboard"], capture_output=True, text=True, timeout=PATIENCE)
    assert result.returncode == 2
    assert "'classic', 'moodle'" in result.stderr


def test_a_person_is_a_mentor_on_moodle_too(place: Place) -> None:
    with terminal(place, "--lms", "moodle") as person:
        assert person.sees("You are Mary Jones, the mentor of gulnora, jane_smith, john_doe, ravi_patel.")
        person.types("as omar")
        assert person.sees("You are Omar Haddad, the mentor of gulnora, mei_lin, obrien.")
        person.types("quit")
        assert person.ends_with() == 0
    assert place.left_behind == []


def test_a_person_is_a_mentor_asks_and_becomes_another(place: Place) -> None:
    with terminal(place) as person:
        assert person.sees("You are Mary Jones, the mentor of gulnora, jane_smith, john_doe, ravi_patel.")
        assert person.sees("mary> ")
        person.types("whoami")
        assert person.sees("You are Mary Jones")
        person.types("as oamr")
        assert person.sees("Did you mean `as omar`?")
        person.types("as omar")
        assert person.sees("You are Omar Haddad, the mentor of gulnora, mei_lin, obrien.")
        assert person.sees("omar> ")
        person.types("history @jane_smith")
        assert person.sees("LMS Bot → Omar Haddad")
        assert person.sees("You have no student “@jane_smith”.")
        person.types("stats")
        assert person.sees("Total Events: ")
        person.types("quit")
        assert person.sees("Goodbye!")
        assert person.sees("README.md")
        assert person.ends_with() == 0
    assert place.left_behind == []


def test_an_admin_is_answered_in_the_admin_stream(place: Place) -> None:
    with terminal(place) as person:
        assert person.sees("mary> ")
        person.types("as ada")
        assert person.sees("the private channel #lms-admin")
        person.types("pending")
        assert person.sees("LMS Bot → #lms-admin > ")
        assert person.sees("Rows of the LMS that I cannot place")
        assert person.sees("ada> ")
        person.presses(b"\x04")
        assert person.sees("Goodbye!")
        assert person.ends_with() == 0


def test_the_school_lives_on_while_the_person_types(place: Place) -> None:
    with terminal(place) as person:
        assert person.sees("mary> ")
        person.presses(b"whoa")
        assert person.sees("In the LMS, jane_smith opens the exam Python Basics Quiz.")
        assert person.sees("LMS Bot → Mary Jones")
        assert person.sees("mary> whoa")
        person.types("mi")
        assert person.sees("You are Mary Jones")


def test_c14_a_student_asks_too_and_files_can_be_opened(place: Place) -> None:
    with terminal(place) as person:
        assert person.sees("mary> ")
        person.types("as jane")
        assert person.sees("You are Jane Smith, a student.")
        person.types("streak")
        assert person.sees("LMS Bot → Jane Smith")
        person.types("as mary")
        for question, pattern, begins in (
            ("chart @jane_smith", "scores-1001.png", b"\x89PNG"),
            ("export @jane_smith", "Jane-Smith_all-time.csv", b"\xef\xbb\xbftime"),
        ):
            person.types(question)
            assert person.sees(f"/{pattern}")
            (path,) = place.tmp.rglob(pattern)
            assert path.read_bytes().startswith(begins)
        person.types("quit")
        assert person.ends_with() == 0
    assert place.left_behind == []


def test_c14_a_table_is_shown_as_one_and_sentences_are_whole() -> None:
    table = "**Two**\n\n| Name | Last exam |\n| --- | --- |\n| **Jane** | `90%` |\n| Ravi | — |\n\nEnd"
    lines = [line.strip() for line in shown(table).splitlines()]
    assert [line for line in lines if line and set(line) != {"─"}] == [
        *("Two", "Name   Last exam", "Jane   90%", "Ravi   —", "End")
    ]
    assert "|" not in shown(table)
    sentence = "has finished nothing since Monday, and usually does so every day, so ask what keeps them from it"
    assert " ".join(shown(f"* **Jane** {sentence}.").split()) == f"• Jane {sentence}."


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_however_it_is_ended_it_leaves_nothing_behind(place: Place, number: int, status: int) -> None:
    with terminal(place) as person:
        assert person.sees("mary> ")
        wait_for(person.is_awaited)  # readline cannot be interrupted between showing its prompt and waiting for a key
        person.process.send_signal(number)
        assert person.ends_with() == status
    assert place.left_behind == []


def test_zulip_markdown_is_shown_as_zulip_shows_it() -> None:
    text = "📬 **2 events** of `jane\u200b_smith`\n\n---\n\n* one\n* two\n\n```spoiler Details\nthree\n```\nfour"
    assert shown(text) == f"📬 2 events of jane_smith\n\n{'─' * 60}\n\n• one\n• two\n\n▾ Details\n  three\nfour"


def test_a_link_into_the_lms_is_shown_by_its_name_and_a_file_by_its_place() -> None:
    assert (
        shown("🎉 jane passed [**Algebra**](https://lms.example.org/exams/17) · 85%") == "🎉 jane passed Algebra · 85%"
    )
    assert shown("[events.csv](/tmp/events.csv)") == "📎 /tmp/events.csv"


def test_times_are_told_as_people_say_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert friendly(NOW, NOW) == "20:00 today"
        assert friendly(NOW - timedelta(days=1), NOW) == "20:00 yesterday"
        assert friendly(NOW - timedelta(days=8), NOW) == "20:00 on Wed 7 Jan"
        assert shown("at <time:2026-01-15T14:30:00Z>") == "at 20:00 today"
    finally:
        monkeypatch.undo()
        time.tzset()
