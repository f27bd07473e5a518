"""`lms-bot forget`: remove one student everywhere."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lms_bot.cli.options import DONE, FAILED, Commands, settings_of, student
from lms_bot.errors import ConfigError, UserError

if TYPE_CHECKING:
    from lms_bot.core.people import Student
    from lms_bot.pipeline.forget_student import Forgotten


def add_to(commands: Commands) -> None:
    parser = commands.add_parser(
        "forget",
        help="remove a student from the event store, and from the bot's messages as far as Zulip allows",
        description="Removes a student for good: events, notifications, and their part of the bot's own messages. They "
        "are not recorded again, even if the LMS still has them. Says what could not be removed, and exits 1 then.",
    )
    parser.add_argument("student", type=student, metavar="STUDENT", help="the username; #ID is an LMS id")
    parser.add_argument("--yes", action="store_true", help="do not ask whether this is meant")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from lms_bot.chat import Chat, RateLimiter
    from lms_bot.pipeline.forget_student import forget
    from lms_bot.store.retention import forget_student
    from lms_bot.store.session import open_store

    settings = settings_of(options)
    store = open_store(settings.store_database_url)
    try:
        with store.reading() as transaction:
            whom = forget_student.find_student(transaction, options.student)
        if whom is None:
            raise UserError("the store knows no such student: give the exact username, or #ID")
        if not options.yes:
            _ask(whom)
        chat = Chat(options.config_file, RateLimiter(settings.messages_per_minute))
        return _print_report(forget(store, chat, whom, datetime.now(UTC)))
    finally:
        store.close()


def _ask(whom: Student) -> None:
    """Ask whether it is meant. Raises ConfigError where nobody can answer, UserError where the answer is no."""
    name = whom.username or f"#{whom.student_id}"
    if not sys.stdin.isatty():
        raise ConfigError("nobody is there to be asked: say --yes if it is meant")
    print(f"All that is known of {name} (#{whom.student_id}) will be removed for good.", file=sys.stderr)
    print(f"Type {name} to go on: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != name:
        raise UserError("nothing was removed")


def _print_report(done: Forgotten) -> int:
    from lms_bot.render.fitting import counted

    print(f"Removed from the store: {counted(done.events, 'event')}, {counted(done.notifications, 'notification')}.")
    print(f"Removed in Zulip: {counted(done.deleted, 'message')}.")
    print(f"Rewritten in Zulip, since they tell of others too: {counted(done.rewritten, 'message')}.")
    if done.left:
        ids = ", ".join(map(str, done.left))
        print(
            f"Left in Zulip, which does not allow it any more: {counted(len(done.left), 'message')}, "
            f"with the id{'s' if len(done.left) > 1 else ''} {ids}. An administrator of Zulip can delete them."
        )
    if done.still_stored:
        print(f"Left in the store, with a name of the student: {', '.join(done.still_stored)}.")
    print("Not touched: the LMS, the student's account in Zulip, backups, and what `lms-bot events` wrote.")
    return FAILED if done.left or done.still_stored else DONE
