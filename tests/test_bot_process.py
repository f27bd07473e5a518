"""The bot as `zulip-run-bot` starts it, with a real LMS, a real store and a Zulip on a real socket."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.store.state import POLLED
from tests.bot_process import (
    BOTH,
    CSS_CHALLENGE,
    GULNORA,
    JANE,
    JOHN,
    OBRIEN,
    RAVI,
    SOFIA,
    BotProcess,
    LmsHands,
    Place,
    from_store,
    in_store,
    wait_for,
)
from tests.fake_zulip import Message

STATISTICS = "Total Events", "Processed Events", "Pending Events", "Events with Notifications", "Events with Errors"


@dataclass
class World(Place):
    """A place and the bots that a test starts in it."""

    def bot(self, **options: Any) -> BotProcess:
        return BotProcess(self.zulip, self.folder, self.lms_url, self.store_url, **options)

    def told(self, user_id: int, *words: str) -> list[Message]:
        """The direct messages to one person that hold all these words."""
        return [m for m in self.zulip.direct_to(user_id) if all(word in m.content for word in words)]

    def was_told(self, user_id: int, *words: str) -> Callable[[], list[Message]]:
        return lambda: self.told(user_id, *words)

    def everything_is_told(self) -> bool:
        return from_store(self.store_url, "SELECT count(*) FROM lms_event_logs WHERE due_at IS NOT NULL") == [(0,)]

    @property
    def recipients(self) -> set[int]:
        """Everybody that the bot wrote to directly."""
        return {user_id for m in self.zulip.sent_by_bot() if m.type == "private" for user_id in m.to}

    @property
    def to_streams(self) -> list[Message]:
        return [m for m in self.zulip.sent_by_bot() if m.type != "private"]


@pytest.fixture
def world(place: Place) -> World:
    return World(**vars(place))


# The main job


@BOTH
def test_a_row_becomes_a_message_to_the_right_mentors_only(world: World) -> None:
    mary, omar = world.people.mary, world.people.omar
    world.lms.pass_exam(900, JANE, CSS_CHALLENGE)
    with world.bot() as bot:
        world.lms.start_exam(1000, JANE)
        bot.wait_for(world.was_told(mary, "Exam Started", "jane_smith", "Python Basics Quiz"))
        world.lms.end_exam(1000)
        bot.wait_for(world.was_told(mary, "Exam Passed!", "jane_smith", "85%"))
        assert world.recipients == {mary}
        world.lms.pass_exam(1001, OBRIEN)
        bot.wait_for(world.was_told(omar, "Exam Passed!", "obrien"))
        assert not world.told(mary, "obrien")
        assert not world.told(omar, "jane_smith")
        world.lms.pass_exam(1002, SOFIA)
        world.lms.pass_exam(1003, GULNORA)
        bot.wait_for(world.was_told(mary, "Exam Passed!", "gulnora"))
        bot.wait_for(world.was_told(omar, "Exam Passed!", "gulnora"))
        bot.wait_for(world.everything_is_told)
    assert world.recipients == {mary, omar}
    assert not world.to_streams
    told = [m.content for m in world.zulip.sent_by_bot()]
    assert len(told) == 5
    assert not any("sofia_rossi" in text or "CSS Layout" in text for text in told)
    assert "Traceback" not in bot.output
    assert not world.zulip.unknown_calls


@BOTH
def test_a_command_is_answered_in_a_direct_message(world: World) -> None:
    world.lms.pass_exam(900, JANE)
    with world.bot() as bot:
        help_text = bot.ask(world.people.mary, "help")
        statistics = bot.ask(world.people.mary, "stats")
        history = bot.ask(world.people.mary, "history @jane_smith")
        pending = bot.ask(world.people.mary, "pending")
        refused = bot.ask(world.people.omar, "history @jane_smith")
    assert all(command in help_text for command in ("help", "stats", "history", "pending"))
    places = [statistics.index(name) for name in STATISTICS]
    assert places == sorted(places)
    assert re.search(r"Total Events\D*1\b", statistics)
    assert "Python Basics Quiz" in history
    assert pending.strip()
    assert "Python Basics Quiz" not in refused
    assert world.recipients == {world.people.mary, world.people.omar}


def test_the_registered_bot_starts_the_same_way(world: World) -> None:
    with world.bot(arguments=("-r", "lms_bot")) as bot:
        world.lms.pass_exam(1000, JANE)
        bot.wait_for(world.was_told(world.people.mary, "Exam Passed!", "jane_smith"))
        assert "stats" in bot.ask(world.people.mary, "help")


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_percent_sign_in_a_password_breaks_nothing(world: World) -> None:
    def with_password(url: str) -> str:
        return sa.make_url(url).set(password="100%@%(key)s%40").render_as_string(hide_password=False)

    world.lms_url, world.store_url = with_password(world.lms_url), with_password(world.store_url)
    assert "%25" in world.lms_url
    with world.bot() as bot:
        world.lms.pass_exam(1000, JANE)
        bot.wait_for(world.was_told(world.people.mary, "Exam Passed!", "jane_smith"))
    assert "100%" not in bot.output


def test_many_questions_at_once_are_all_answered(world: World) -> None:
    with world.bot() as bot:
        for _ in range(25):
            world.zulip.say(world.people.mary, "pending")
        bot.wait_for(lambda: len(world.zulip.direct_to(world.people.mary)) >= 25)
        assert "stats" in bot.ask(world.people.omar, "help")
    assert len(world.zulip.direct_to(world.people.mary)) == 25


# Where answers go


def test_an_answer_to_a_question_in_a_stream_goes_to_the_asker_alone(world: World) -> None:
    with world.bot() as bot:
        answer = bot.ask(world.people.mary, "@**LMS Bot** history @jane_smith", to_stream="general", topic="hello")
        bot.wait_for(lambda: world.to_streams)
    assert "Jane Smith" in answer
    assert [(m.content, m.topic) for m in world.to_streams] == [("I answered you in private.", "hello")]


def test_an_admin_is_answered_in_the_private_admin_stream_and_nowhere_else(world: World) -> None:
    ada = world.people.ada
    with world.bot() as bot:
        world.zulip.say(ada, "@**LMS Bot** stats", to_stream="lms-admin", topic="how is it")
        (answer,) = bot.wait_for(lambda: [message for message in world.to_streams if message.topic == "how is it"])
        assert "Total Events" in answer.content
        assert "Total Events" not in bot.ask(ada, "stats")
        assert "Total Events" not in bot.ask(ada, "@**LMS Bot** stats", to_stream="general")
        elsewhere = bot.wait_for(lambda: [one for one in world.to_streams if one.topic not in ("how is it", "alerts")])
    assert "Total Events" not in elsewhere[-1].content


def test_nobody_is_an_admin_while_the_admin_stream_is_public(world: World) -> None:
    world.zulip.make_public("lms-admin")
    with world.bot() as bot:
        answer = bot.ask(world.people.ada, "@**LMS Bot** stats", to_stream="lms-admin")
        bot.wait_for(lambda: world.to_streams)
    assert "Total Events" not in answer
    assert all("Total Events" not in m.content for m in world.to_streams)


# Bad days


@BOTH
def test_the_process_survives_a_handler_that_fails(world: World) -> None:
    mary = world.people.mary
    with world.bot() as bot:
        in_store(world.store_url, "ALTER TABLE lms_activity_events RENAME TO gone")
        answer = bot.ask(mary, "stats")
        assert re.search(r"\b[0-9a-f]{6,}\b|[Aa]sk again", answer)
        assert not any(word in answer for word in ("Total Events", "gone", "lms_activity_events", "SELECT", "Error"))
        in_store(world.store_url, "ALTER TABLE gone RENAME TO lms_activity_events")
        assert "Total Events" in bot.ask(mary, "stats")
        world.lms.pass_exam(1000, JANE)
        bot.wait_for(world.was_told(mary, "Exam Passed!", "jane_smith"))


def test_a_question_that_failed_is_not_answered_with_the_same_apology_again_and_again(world: World) -> None:
    mary = world.people.mary
    with world.bot() as bot:
        in_store(world.store_url, "ALTER TABLE lms_activity_events RENAME TO gone")
        apology = bot.ask(mary, "stats")
        looks = world.zulip.count_calls("GET", "/api/v1/messages")
        bot.wait_for(lambda: world.zulip.count_calls("GET", "/api/v1/messages") >= looks + 2)
        bot.ask(mary, "help")
    assert len(world.told(mary, apology)) == 1


@BOTH
def test_an_unreachable_lms_is_logged_once_and_loses_nothing(world: World, kind: str, tmp_path: Path) -> None:
    mary = world.people.mary
    world.lms.pass_exam(900, JANE)
    lms = Outage(world.lms_url, kind, tmp_path)
    with world.bot() as bot:
        world.zulip.say(world.people.ada, "@**LMS Bot** help", to_stream="lms-admin")
        bot.wait_for(lambda: world.to_streams)
        lms.begin()
        bot.wait_for(lambda: complaints(bot))
        assert "Python Basics Quiz" in bot.ask(mary, "history @jane_smith")
        long_ago = datetime.now(UTC) - timedelta(hours=3)
        note_at(world.store_url, POLLED, long_ago)
        for question in ("history @jane_smith", "stats", "pending"):
            assert f"<time:{long_ago:%Y-%m-%dT%H:%M}" in bot.ask(mary, question)
        bot.wait_for(lambda: any("The LMS cannot be read" in m.content for m in world.to_streams))  # polls went on
        assert len(complaints(bot)) == 1, bot.output
        assert "Traceback" not in bot.output
        lms.during(lambda hands: hands.pass_exam(1000, JANE, CSS_CHALLENGE))
        lms.end()
        bot.wait_for(world.was_told(mary, "Exam Passed!", "CSS Layout Challenge"))
        assert "<time:" not in bot.ask(mary, "stats")
    assert len(world.told(mary, "Exam Passed!")) == 1


def test_a_replaced_sqlite_lms_is_read_anew(world: World, tmp_path: Path) -> None:
    """A file that is put in the place of another, as a nightly copy of the LMS is."""
    copy = tmp_path / "copy.db"
    copy.write_bytes((tmp_path / "lms.db").read_bytes())
    LmsHands(f"sqlite:///{copy}").pass_exam(1000, JANE)
    with world.bot() as bot:
        copy.replace(tmp_path / "lms.db")
        bot.wait_for(world.was_told(world.people.mary, "Exam Passed!", "jane_smith"))
    assert len(world.told(world.people.mary)) == 1


def test_notifications_wait_for_zulip_and_arrive_once(world: World) -> None:
    mary, owed = world.people.mary, "SELECT count(*) FROM lms_event_logs WHERE due_at IS NOT NULL"
    with world.bot() as bot:
        world.zulip.stop()
        world.lms.pass_exam(1000, JANE)
        bot.wait_for(lambda: from_store(world.store_url, owed) == [(1,)])
        world.lms.start_exam(1001, RAVI)
        bot.wait_for(lambda: from_store(world.store_url, owed) == [(2,)])
        bot.wait_for(lambda: bot.output.count("Zulip cannot be reached") >= 2)
        world.zulip.start()
        bot.wait_for(world.was_told(mary, "jane_smith"))
        bot.wait_for(world.was_told(mary, "ravi_patel"))
        world.lms.pass_exam(1002, JOHN)
        bot.wait_for(world.was_told(mary, "john_doe"))
        bot.wait_for(world.everything_is_told)
    assert [len(world.told(mary, name)) for name in ("jane_smith", "ravi_patel", "john_doe")] == [1, 1, 1]
    assert world.recipients == {mary}


def test_a_lost_event_queue_loses_no_question(world: World) -> None:
    mary, omar = world.people.mary, world.people.omar
    with world.bot() as bot:
        bot.ask(mary, "pending")
        with world.zulip.lock:
            world.zulip.lose_queues()
            world.zulip.say(omar, "stats")
        bot.wait_for(world.was_told(omar, "Total Events"))
        assert world.zulip.queue_count <= 2, "that of zulip_bots, and ours"
        bot.ask(omar, "pending")
    assert len(world.zulip.direct_to(mary)) == 1
    assert len(world.zulip.direct_to(omar)) == 2


def test_a_question_asked_while_the_bot_was_down_is_answered_once(world: World) -> None:
    mary, omar, lucy = world.people.mentors
    world.zulip.say(lucy, "stats")
    with world.bot() as bot:
        bot.ask(mary, "pending")
        bot.kill()
        world.zulip.say(omar, "stats")
        world.zulip.say(mary, "@**LMS Bot** stats", to_stream="general")
        bot.start()
        bot.wait_for(world.was_told(omar, "Total Events"))
        bot.wait_for(world.was_told(mary, "Total Events"))
        bot.ask(omar, "pending")
        bot.signal(signal.SIGTERM)
        bot.start()
        bot.ask(omar, "pending")
    assert len(world.told(omar, "Total Events")) == 1
    assert len(world.told(mary, "Total Events")) == 1
    assert len(world.zulip.direct_to(mary)) == 2
    assert not world.zulip.direct_to(lucy), "the very first start answered an old question"


def test_a_mention_inside_a_sentence_that_asks_nothing_is_no_question(
    world: World,
) -> None:
    eve, mary = world.people.eve, world.people.mary
    with world.bot() as bot:
        world.zulip.say(eve, "did you see what @**LMS Bot** wrote?", to_stream="general")
        bot.ask(mary, "pending")
        bot.kill()
        world.zulip.say(eve, "I like @**LMS Bot** anyway", to_stream="general")
        world.zulip.say(mary, "well, I like @**LMS Bot** anyway", to_stream="general")
        world.zulip.say(mary, "stats")
        bot.start()
        bot.wait_for(world.was_told(mary, "Total Events"))
        bot.ask(mary, "pending")
    assert not world.told(mary, "anyway")
    assert not world.zulip.direct_to(eve)
    assert not world.to_streams


@BOTH
def test_a_second_process_stands_by_answers_and_takes_over(world: World) -> None:
    mary, omar = world.people.mary, world.people.omar
    with world.bot(name="first") as first, world.bot(name="second", wait_until_ready=False) as second:
        for number in range(3):
            world.lms.pass_exam(1000 + number, JANE)
            first.wait_for(lambda wanted=number + 1: len(world.told(mary, "Exam Passed!")) >= wanted)  # type: ignore[misc]
        for _ in range(5):
            second.ask(omar, "stats")
        second.ask(omar, "pending")
        assert len(world.told(omar, "Total Events")) == 5
        first.kill()
        world.lms.pass_exam(1100, GULNORA)
        second.wait_for(world.was_told(mary, "gulnora"))
        second.wait_for(world.was_told(omar, "gulnora"))
        second.wait_for(world.everything_is_told)
        assert "Total Events" in second.ask(omar, "stats")
    assert len(world.told(mary, "Exam Passed!", "jane_smith")) == 3
    assert len(world.told(mary, "gulnora")) == len(world.told(omar, "gulnora")) == 1


# Starting and stopping


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_peace(world: World, number: int) -> None:
    with world.bot() as bot:
        assert bot.signal(number) == 0
    assert "Traceback" not in bot.output


def test_a_signal_ends_it_while_zulip_does_not_answer(world: World) -> None:
    with world.bot() as bot:
        world.zulip.fail("hang_after")
        world.lms.pass_exam(1000, JANE)
        bot.wait_for(lambda: world.zulip.count_calls("POST", "/api/v1/messages"))
        assert bot.signal(signal.SIGTERM) == 0
        bot.start()
        bot.wait_for(world.was_told(world.people.mary, "Exam Passed!", "jane_smith"))
        bot.wait_for(world.everything_is_told)
    assert len(world.told(world.people.mary, "jane_smith")) == 1


SECRET = "Gehe1m"


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ("poll_interval = 60", "poll_interval"),
        ("pol_intervall = 5", "pol_intervall"),
        ("notify_mentors = perhaps", "notify_mentors"),
        ("event_types = exam_pased", "event_types"),
        ("timezone = Mars/Phobos", "timezone"),
        (f"admin_stream =\nlms_database_urls = postgresql://lms:{SECRET}@db/lms", "lms_database_url"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_sentence(world: World, settings: str, key: str) -> None:
    lines = refused(world.bot(settings=settings))
    (sentence,) = [line for line in lines if key in line or "repeats" in line]
    assert sentence.endswith(".")


@pytest.mark.parametrize("url", [f"mssql://lms:{SECRET}@db/lms", f"postgresql://lms:{SECRET}:5432", "school", ""])
def test_a_wrong_lms_url_is_refused_in_one_sentence_without_its_password(world: World, url: str) -> None:
    world.lms_url = url
    (sentence,) = [line for line in refused(world.bot()) if "lms_database_url" in line]
    assert sentence.endswith(".")


def refused(bot: BotProcess) -> list[str]:
    """What a bot says that ends itself over its configuration."""
    bot.launch()
    try:
        code = wait_for(lambda: bot.process.poll(), story=lambda: bot.output)
    finally:
        bot.kill()
    assert code == 2, bot.output
    assert "Traceback" not in bot.output
    assert SECRET not in bot.output
    return [line for line in bot.output.splitlines() if line.strip()]


class Outage:
    """An LMS that cannot be reached for a while: its file is elsewhere, or its server lets nobody in."""

    def __init__(self, lms_url: str, kind: str, folder: Path) -> None:
        self._url = lms_url
        self._kind = kind
        self._here, self._elsewhere = folder / "lms.db", folder / "elsewhere.db"
        self._waiting: list[Callable[[LmsHands], None]] = []

    def begin(self) -> None:
        if self._kind == "sqlite":
            self._here.rename(self._elsewhere)
        else:
            self._allow(False)

    def during(self, write: Callable[[LmsHands], None]) -> None:
        """What happens in the LMS while nobody can read it."""
        self._waiting.append(write)

    def end(self) -> None:
        if self._kind == "sqlite":
            for write in self._waiting:
                write(LmsHands(f"sqlite:///{self._elsewhere}"))
            self._elsewhere.rename(self._here)
        else:
            self._allow(True)
            for write in self._waiting:
                write(LmsHands(self._url))

    def _allow(self, allow: bool) -> None:
        url = sa.make_url(self._url)
        engine = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS {str(allow).lower()}")
            if not allow:
                terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
                connection.execute(sa.text(terminate), {"name": url.database})


def complaints(bot: BotProcess) -> list[str]:
    """The lines of the log that say that something is wrong."""
    return [line for line in bot.output.splitlines() if re.search(r"\b(WARNING|ERROR|CRITICAL)\b.*lms_bot", line)]


def note_at(store_url: str, name: str, when: datetime) -> None:
    engine = sa.create_engine(store_url, poolclass=sa.NullPool)
    facts = sa.table("facts", sa.column("name"), sa.column("noted_at", sa.DateTime(timezone=True)))
    value = when.replace(tzinfo=None) if store_url.startswith("sqlite") else when
    with engine.begin() as connection:
        connection.execute(sa.update(facts).where(facts.c.name == name).values(noted_at=value))
