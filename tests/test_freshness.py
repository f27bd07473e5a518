"""Whoever asks learns how old the data is, and is told plainly when there is none to be had."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.bot import LmsBotHandler
from lms_bot.core.principal import Role
from lms_bot.handlers import dispatch
from lms_bot.handlers.commands import REGISTRY
from lms_bot.store import tables
from lms_bot.store.session import Store
from tests import NOW
from tests.bot_process import BotProcess, Place, in_store
from tests.questions import JANE, MARY, School

OLD = "⏳ The LMS could last be read at"

# Each command that shows figures of the LMS, as a mentor asks it.
WITH_FIGURES = {
    "stats": "stats",
    "pending": "pending",
    "history": "history @jane_smith",
    "feed": "feed",
    "export": "export all",
    "streak": "streak @jane_smith",
    "streaks": "streaks",
    "open": "open",
    "why-not": "why-not @jane_smith",
    "rule": "rule inactive 7d",
    "students": "students",
    "overview": "overview",
    "student": "student @jane_smith",
    "profile": "profile @jane_smith",
    "progress": "progress @jane_smith",
    "chart": "chart @jane_smith",
    "why": "why e1",
    "whoami": "whoami",
}
# What is said of the commands themselves, of alerts by name, and of one's own settings.
WITHOUT_FIGURES = {
    *("help", "more", "ack", "snooze", "done", "rules"),
    *("settings", "notify", "digest", "quiet", "mute", "unmute", "pause", "resume", "dashboard"),
}


@pytest.fixture
def school(store: Store) -> School:
    school = School.open(store)
    school.happens(JANE, 3)
    school.count_days()
    return school


def test_every_command_of_mentors_shows_figures_or_none() -> None:
    names = {command.name for command in REGISTRY.of(Role.MENTOR)}
    assert WITH_FIGURES.keys() | WITHOUT_FIGURES == names
    assert not WITH_FIGURES.keys() & WITHOUT_FIGURES


@pytest.mark.parametrize("question", WITH_FIGURES.values())
def test_figures_that_are_old_say_so_and_fresh_ones_do_not(school: School, question: str) -> None:
    if question == "why e1":
        number = re.search(r"\be\d+\b", school.ask("history @jane_smith"))
        assert number is not None
        question = f"why {number[0]}"
    assert OLD not in school.ask(question)
    school.forward(hours=1)
    last = school.ask(question).strip().splitlines()[-1]
    assert last.startswith(OLD)
    assert NOW.strftime("%Y-%m-%dT%H:%M") in last
    assert last.endswith("newer events are missing here.")


def test_an_empty_answer_says_how_old_it_is_too(school: School) -> None:
    school.forward(hours=1)
    for question in ("history @ravi", "chart @ravi", "students failing", "export @ravi", "why-not @ravi", "open"):
        assert OLD in school.ask(question)


# The store is away


def test_a_question_while_the_store_is_away_is_answered_plainly(place: Place) -> None:
    with BotProcess(place.zulip, place.folder, place.lms_url, place.store_url) as bot:
        in_store(place.store_url, f"ALTER TABLE {tables.zulip_users.name} RENAME TO elsewhere")
        assert bot.ask(place.people.mary, "stats") == dispatch.NO_STORE


class Shell:
    """What a bot without Zulip is given, as zulip-bot-shell does."""

    user_id, full_name = 13, "LMS Bot"

    def __init__(self, config: Path) -> None:
        self.bot_config_file = str(config)
        self.sent: list[str] = []

    def send_reply(self, message: Any, text: str) -> None:
        self.sent.append(text)


@pytest.fixture
def shell(place_with_store: Place) -> Shell:
    config = place_with_store.folder / "shell.conf"
    config.write_text(
        f"[lms_bot]\nlms_database_url = {place_with_store.lms_url}\n"
        f"store_database_url = {place_with_store.store_url}\n",
        encoding="utf-8",
    )
    return Shell(config)


def test_the_same_is_said_where_there_is_no_zulip(shell: Shell, place_with_store: Place) -> None:
    handler = LmsBotHandler()
    handler.initialize(shell)
    store = Path(sa.make_url(place_with_store.store_url).database or "")
    store.write_bytes(b"this is no database" * 100)
    handler.handle_message({"content": "stats", "sender_id": MARY, "type": "private", "id": 7}, shell)
    assert shell.sent == [dispatch.NO_STORE]
