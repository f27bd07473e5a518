"""A bot whose clock is moved while it works goes on polling, delivering and answering."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bot_process import JANE, BotProcess, Place

pytestmark = pytest.mark.services
SOURCE = Path(__file__).parent / "shifted_clock.c"
HOUR = 3600


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("clock") / "shifted_clock.so"
    subprocess.run(["cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", made, SOURCE], check=True)
    return made


@pytest.fixture
def move_clock(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Move the clock of the processes started from now on by so many seconds, while they run."""
    file = tmp_path / "shift"

    def move(seconds: int) -> None:
        with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT), "r+b") as shift:
            shift.write(seconds.to_bytes(8, "little", signed=True))

    move(0)
    monkeypatch.setenv("SHIFT_FILE", str(file))
    monkeypatch.setenv("LD_PRELOAD", str(library))
    return move


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Australia/Lord_Howe"])
def test_a8_a_clock_that_is_moved_back_and_forward_stops_nothing(
    place: Place, move_clock: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    mary = place.people.mary
    with BotProcess(place.zulip, place.folder, place.lms_url, place.store_url) as bot:
        for number, seconds in enumerate((-HOUR, -30 * HOUR, 0, 5 * HOUR, -HOUR)):
            move_clock(seconds)
            told = len(place.zulip.direct_to(mary))
            place.lms.pass_exam(1000 + number, JANE, 501 + number)
            bot.wait_for(lambda told=told: len(place.zulip.direct_to(mary)) > told)  # type: ignore[misc]
            assert "Exam Passed" in place.zulip.direct_to(mary)[told].content
            assert "Total Events" in bot.ask(mary, "stats")
