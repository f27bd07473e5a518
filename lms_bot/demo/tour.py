"""Plays the demo without a person: the whole story of the school, with a few questions in between."""

from __future__ import annotations

from datetime import timedelta

from lms_bot.demo.chat import PEOPLE
from lms_bot.demo.screen import Screen
from lms_bot.demo.stage import Clock, Stage
from lms_bot.fixtures.school import School

STEP = timedelta(minutes=7)
DURATION = STEP * School.STEPS
ASKED = {  # after which step who asks what
    1: [("mary", "help"), ("mary", "notify progress now")],
    4: [("mary", "history @jane_smith"), ("omar", "history @jane_smith")],
    6: [("lucy", "histroy @kwame_mensah")],
    10: [
        *(("mary", text) for text in ("students", "streaks", "stats", "open")),
        *(("jane", "streak"), ("omar", "pending"), ("ada", "pending"), ("ada", "status")),
    ],
}
SAID = {  # before which step the narrator says what
    5: "jane_smith is not Omar's student: he reads the same as about somebody who does not exist.",
    8: "Now much happens at once; whoever has more than three notifications reads one summary.",
}


def run(stage: Stage, screen: Screen, clock: Clock) -> None:
    """Play everything without a pause; told as if the steps were some minutes apart."""
    for step in range(1, School.STEPS + 1):
        clock.move_on(STEP)
        if step in SAID:
            screen.note(f"\n{SAID[step]}")
        stage.live()
        for handle, text in ASKED.get(step, ()):
            screen.question(PEOPLE[handle], text)
            stage.ask(PEOPLE[handle], text)
    screen.note("\nThe statistics of the event store, as `lms-bot monitor --stats` prints them:")
    for _, name, count in stage.statistics().named():
        screen.plain(f"{name}: {count}")
