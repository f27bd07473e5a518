"""Draws docs/conversation.svg from the demo: `make picture`."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from lms_bot.demo.chat import PEOPLE
from lms_bot.demo.screen import Screen
from lms_bot.demo.stage import Clock, Stage
from lms_bot.demo.tour import STEP

STEPS = 5
SHOWN_FROM = 3
WIDTH = 92


def main() -> None:
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False, markup=False, emoji=False)
    clock = Clock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    with TemporaryDirectory() as folder:
        stage = Stage(Path(folder), clock, Screen(clock, console))
        stage.poll_history(None)
        for step in range(1, STEPS + 1):
            if step == SHOWN_FROM:
                console.export_text(clear=True)
            clock.move_on(STEP)
            stage.live()
        for text in ("stats", "histroy @john_doe"):
            Screen(clock, console).question(PEOPLE["mary"], text)
            stage.ask(PEOPLE["mary"], text)
        stage.close()
    Path(__file__).with_suffix(".svg").write_text(console.export_svg(title="Zulip, as the demo plays it"), "utf-8")


if __name__ == "__main__":
    main()
