"""The commands of mentors that show what their students did, newest first or as a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from lms_bot.core.events import Event
from lms_bot.core.people import Student
from lms_bot.core.principal import Role
from lms_bot.core.reports.feed import Exported, Filter, Page, Position
from lms_bot.errors import UserError
from lms_bot.handlers.argument_types import COURSE, PERIOD, SINCE, STUDENT, STUDENTS, TYPES, Period, choice, count
from lms_bot.handlers.arguments import Arguments
from lms_bot.handlers.freshness import note_of_age
from lms_bot.handlers.registry import REGISTRY
from lms_bot.handlers.request import Reply, Request
from lms_bot.render import ROOM_FOR_LINES, counted, student_name
from lms_bot.render.export import csv_pages, file_name, performances_csv, profiles_csv
from lms_bot.render.feed import feed_text
from lms_bot.reports import export as exports
from lms_bot.reports import feed as feeds

LINES = 20
MOST_LINES = 50
FILE_EVENTS = 10_000  # in one file; a second is enough to read and write so many
FILE_STUDENTS = 50  # in one file of figures, each of which takes many statements
EVENTS, PROFILE, PERFORMANCE = "events", "profile", "performance"
WHAT = choice("what", [EVENTS, PROFILE, PERFORMANCE], "What they did, or the figures of their studies.").by_default(
    EVENTS
)
COMMANDS = REGISTRY.section(Role.MENTOR, 2, "activity")


@COMMANDS.command("history", STUDENT, PERIOD, TYPES, COURSE, count(MOST_LINES, LINES))
def history(request: Request, arguments: Arguments) -> Reply:
    """Show what one of your students did, newest first.

    Write `more` for what was before, and `why` with the number of an event to learn why you were told of it or not.
    """
    student, most = arguments["student"], arguments["n"]
    wanted = Filter(arguments["period"].since, arguments["type"] or frozenset(), arguments["course"] or "")
    page = Page(most + 1, request.position or 0)
    events = feeds.history(request.transaction, request.principal, student.student_id, wanted, page, request.settings)
    name = student_name(student, bold=True)
    return _page(request, events, most, name, _nothing(f"{name} has", arguments, arguments["period"]))


@COMMANDS.command("feed", count(MOST_LINES, LINES, is_keyed=False), TYPES, SINCE, COURSE)
def feed(request: Request, arguments: Arguments) -> Reply:
    """Show what all your students did, newest first.

    Write `more` for what was before, and `why` with the number of an event to learn why you were told of it or not.
    """
    most, since = arguments["n"], arguments["since"]
    wanted = Filter(since.since, arguments["type"] or frozenset(), arguments["course"] or "")
    page = Page(most + 1, request.position or 0)
    events = feeds.feed(request.transaction, request.principal, wanted, page, request.settings)
    return _page(request, events, most, "**Your students**", _nothing("Your students have", arguments, since))


@COMMANDS.command("export", STUDENTS, PERIOD, WHAT)
def export(request: Request, arguments: Arguments) -> Reply:
    """Get what one of your students did, or all of them, as a file for a spreadsheet.

    It is CSV, by student and oldest first, with times in UTC. `profile` has the figures of each student on a line,
    `performance` their subjects, as they are now. What is more than fits one file comes with `more`.
    """
    students, period = arguments["students"], arguments["period"]
    if arguments["what"] != EVENTS:
        return _studies(request, students, arguments["what"], period)
    since, after, before = _resumed(request, period)
    ids = [student.student_id for student in students]
    found = exports.export(request.transaction, request.principal, ids, since, FILE_EVENTS + 1, after)
    whose = student_name(students[0], bold=True) if len(students) == 1 else counted(len(students), "student")
    if not found:
        nothing = "There is nothing more to export" if before else "There is nothing to export"
        return Reply(f"{nothing} of {whose}, {period.words}." + note_of_age(request))
    events, goes_on = found[:FILE_EVENTS], len(found) > FILE_EVENTS
    first, last = before + 1, before + len(events)
    text = f"📄 {whose} · {period.words} · {counted(len(events), 'event')}"
    if goes_on or before:
        text += f", number {first:,} to {last:,}"
    text += "\n\nThere are more than fit one file: write `more` for the next one." if goes_on else ""
    student = students[0] if len(students) == 1 else None
    name = file_name(student, period.words, part=(first, last) if goes_on or before else None)
    more = _ended(since, events[-1], last) if goes_on else None
    return Reply(text + note_of_age(request), attachment=(name, csv_pages([events])), more=more)


def _studies(request: Request, students: Sequence[Student], what: str, period: Period) -> Reply:
    """Return a file with figures of studies. Raises UserError for a period, which they do not have."""
    if period.since is not None:
        raise UserError(f"A {what} is how a student stands now: leave out the period.")
    before, after = request.position or (0, 0)
    left = sorted(one.student_id for one in students if one.student_id > after)
    ids = left[:FILE_STUDENTS]
    if not ids:
        return Reply(f"There is nothing more to export of {what}s." + note_of_age(request))
    asked = (request.transaction, request.principal, ids, request.settings, request.now)
    if what == PROFILE:
        content = profiles_csv(exports.profiles(*asked))
    else:
        content = performances_csv(exports.performances(*asked))
    first, last, goes_on = before + 1, before + len(ids), len(left) > len(ids)
    student = students[0] if len(students) == 1 else None
    whose = student_name(student, bold=True) if student else counted(len(students), "student")
    text = f"📄 {whose} · {what}"
    if goes_on or before:
        text += f", number {first:,} to {last:,}"
    text += "\n\nThere are more than fit one file: write `more` for the next one." if goes_on else ""
    name = file_name(student, what, part=(first, last) if goes_on or before else None)
    more = (last, ids[-1]) if goes_on else None
    return Reply(text + note_of_age(request), attachment=(name, content), more=more)


def _page(request: Request, events: Sequence[Event], most: int, whose: str, nothing: str) -> Reply:
    """Return a page of a list that `more` goes on with; `events` are one more than `most` where there are more."""
    offset = request.position or 0
    if not events:
        return Reply((f"There is nothing more of {whose}." if offset else nothing) + note_of_age(request))
    heading = f"{whose}, before that" if offset else f"{whose}, newest first"
    shown = feed_text(events, most, heading, ROOM_FOR_LINES)
    more = offset + shown.entries if len(events) > shown.entries else None
    return Reply(shown.text + note_of_age(request), more=more)


def _nothing(who_has: str, arguments: Arguments, period: Period) -> str:
    is_narrowed = arguments["type"] or arguments["course"] or period.since
    return f"{who_has} done nothing {'like that' if is_narrowed else 'yet'}, as far as the LMS told me."


def _resumed(request: Request, period: Period) -> tuple[datetime | None, Position | None, int]:
    """Return since when to export (as for the first file), after which event, and how many went before."""
    if request.position is None:
        return period.since, None, 0
    since, (student_id, timestamp, event_id), before = request.position
    after = student_id, datetime.fromisoformat(timestamp), event_id
    return datetime.fromisoformat(since) if since else None, after, before


def _ended(since: datetime | None, last: Exported, count: int) -> list[Any]:
    """Return the same as JSON can hold it."""
    position = [last.student_id, last.timestamp.isoformat(), last.event_id]
    return [since.isoformat() if since else None, position, count]
