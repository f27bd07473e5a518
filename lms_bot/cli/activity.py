"""`lms-bot activity`: print days and streaks of students, from the event store or simulated."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from lms_bot.cli.options import DONE, Commands, positive, settings_of
from lms_bot.errors import UserError

if TYPE_CHECKING:
    from lms_bot.core.streaks import StudentStreaks
    from lms_bot.store.session import Store

MOST_SIMULATED = 365  # days


def add_to(commands: Commands) -> None:
    parser = commands.add_parser(
        "activity",
        help="show on which days students did something, and their streaks",
        description="Shows the learning streak, the longest one, the same of presence, and the last 14 days of each "
        "student: # goal met, + some activity, . none. Names of students are in it. With --simulate-days it needs no "
        "configuration: a small school lives for so many days in a store that is thrown away.",
    )
    parser.add_argument("--user-id", type=positive, metavar="ID", help="only the student with this LMS id")
    parser.add_argument("--simulate-days", type=_days, metavar="N", help="live through so many days on a scratch store")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if options.simulate_days:
        return _simulated(options)
    from lms_bot.store.session import open_store

    settings = settings_of(options)
    store = open_store(settings.store_database_url)
    try:
        _show(store, settings.timezone, settings.daily_goal, options.user_id, datetime.now(UTC))
    finally:
        store.close()
    return DONE


def _simulated(options: argparse.Namespace) -> int:
    from lms_bot.demo.simulation import simulated

    with simulated(options.simulate_days, datetime.now(UTC)) as lived:
        _show(lived.store, lived.settings.timezone, lived.settings.daily_goal, options.user_id, lived.now)
        print(f"\n{options.simulate_days} days were simulated; streaks and alerts were {lived.clock_events} events.")
    return DONE


def _show(store: Store, zone: ZoneInfo, goal: int, student_id: int | None, now: datetime) -> None:
    """Print a line for each student, by username. Raises UserError for a student who is not known."""
    from lms_bot.core.people import Student
    from lms_bot.store.people import directory
    from lms_bot.store.streaks.overview import streaks_of

    with store.reading() as transaction:
        people = (
            directory.everybody(transaction) if student_id is None else directory.with_number(transaction, student_id)
        )
        students = [one for one in people if isinstance(one, Student)]
        found = streaks_of(transaction, students, zone, now)
    if not found and student_id is not None:
        raise UserError(f"the store knows no student #{student_id}")
    print(f"{'id':>8}  {'username':<24} {'streak':>6} {'longest':>7} {'present':>7} {'longest':>7}  last days")
    for one in found:
        print(_line(one, goal))


def _line(one: StudentStreaks, goal: int) -> str:
    from lms_bot.core.streaks import Mark
    from lms_bot.render.quoting import plain

    signs = {Mark.COMPLETE: "#", Mark.PARTIAL: "+", Mark.NONE: "."}
    name = plain(one.student.username)[:24]
    numbers = (one.learning.current, one.learning.best, one.presence.current, one.presence.best)
    widths = (6, 7, 7, 7)
    cells = " ".join(f"{number:>{width}}" for number, width in zip(numbers, widths, strict=True))
    days = "".join(signs[day.mark(goal)] for day in one.days)
    return f"{one.student.student_id:>8}  {name:<24} {cells}  {days}"


def _days(text: str) -> int:
    number = positive(text)
    if number > MOST_SIMULATED:
        raise argparse.ArgumentTypeError(f"must be at most {MOST_SIMULATED}")
    return number
