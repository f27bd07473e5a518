"""What people get when they ask: each command, each way to name a student, and who may know what."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lms_bot.chat import Incoming
from lms_bot.config.settings import Settings, load
from lms_bot.core.alerts import NAME_LETTERS
from lms_bot.core.notifications import Message
from lms_bot.core.people import ZulipUser
from lms_bot.core.principal import Role
from lms_bot.fixtures import school
from lms_bot.handlers import dispatch
from lms_bot.handlers.registry import REGISTRY
from lms_bot.lms import Lms
from lms_bot.pipeline.poller import Poller
from lms_bot.store.people import accounts
from lms_bot.store.session import Store, open_store
from lms_bot.worker.clock import ClockJobs
from tests import NOW
from tests.bot_process import GULNORA, KWAME, MEI, OBRIEN, SOFIA, from_store, in_store
from tests.databases import on_server
from tests.questions import ADMIN_STREAM, BOT_ID, BOT_NAME, OTHER_STREAM, incoming

MARY, OMAR, LUCY, ADA, EVE, NORA, ROBOT, GONE, GUEST, JANE_HERSELF, OBRIEN_HERSELF, GULNORA_HERSELF = range(20, 32)
HERS = "jane_smith", "ravi_patel", "gulnora", "john_doe"
OWN_IDS = {1001, 1002, 1003, 1005}
NOT_HERS = "obrien", "mei_lin", "sofia_rossi", "kwame_mensah", "lena_vogel"
OF_ALL = ("help", "stats", "pending", "students", "students failing", "feed", "feed 50 type:failed", "export all")
STATISTICS = "Total Events", "Processed Events", "Pending Events", "Events with Notifications", "Events with Errors"
LIVE = re.compile(
    r"@_?\*\*|#\*\*|\]\(|://|mailto:[^\s\u200b]|www\.\w|<time:(?!\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ>)|\$\$|~~|:(?!\d\d:)\w+:(?!\d)"
)
# Slow enough for everybody's pace, and today.
HOURS_BEFORE, SECONDS_BETWEEN = 23 * 3600, 3
_message_ids = itertools.count(1000)


@dataclass(frozen=True)
class Asked:
    """A store after real polls of the school, and the settings that go with it."""

    store: Store
    store_url: str
    settings: Settings

    def answer(self, question: Incoming, now: datetime = NOW) -> Sequence[Message]:
        return dispatch.answer(self.store, question, self.settings, now, ADMIN_STREAM)

    def text(self, text: str, sender_id: int = MARY, **where: Any) -> str:
        """The one private answer to a question."""
        (message,) = self.answer(question(text, sender_id, **where))
        assert message.recipient.user_ids == (sender_id,)
        return message.content

    def admin_text(self, text: str) -> str:
        """The one answer to a question that Ada asks in the admin stream, given there."""
        (message,) = self.answer(question(text, ADA, stream_id=ADMIN_STREAM))
        assert message.recipient.stream_id == ADMIN_STREAM
        assert message.recipient.topic == "a topic"
        return message.content

    def reply(self, text: str, sender_id: int = MARY, **where: Any) -> str:
        """The same without a claim."""
        with self.store.reading() as transaction:
            asked = question(text, sender_id, **where)
            return dispatch.reply_to(transaction, asked, self.settings, NOW, ADMIN_STREAM).text

    def count(self, query: str, **values: Any) -> int:
        ((number,),) = from_store(self.store_url, query, **values)
        return int(number)


def question(
    text: str, sender_id: int = MARY, *, stream_id: int | None = None, group: Sequence[int] = (), id: int | None = None
) -> Incoming:
    message_id = next(_message_ids) if id is None else id
    at = NOW - timedelta(seconds=HOURS_BEFORE - SECONDS_BETWEEN * message_id)
    return incoming(text, sender_id, message_id, at, stream_id=stream_id, group=group)


ACCOUNTS = (
    ZulipUser(BOT_ID, BOT_NAME, "bot@zulip.example.com", True, True),
    ZulipUser(MARY, "Mary Jones", "Mary@Example.org", True, False),
    ZulipUser(OMAR, "Omar Haddad", "omar@example.org", True, False),
    ZulipUser(LUCY, "Lucy Brown", "lucy@example.org", True, False),
    ZulipUser(ADA, "Ada Admin", "ada@example.org", True, False),
    ZulipUser(EVE, "Eve Stranger", "eve@example.org", True, False),
    ZulipUser(NORA, "Nora New", "nora@example.org", True, False),
    ZulipUser(ROBOT, "Robot", "robot@example.org", True, True),
    ZulipUser(GONE, "Gone Mentor", "gone@example.org", False, False),
    ZulipUser(GUEST, "Guest Mentor", "guest@example.org", True, False, is_guest=True),
    ZulipUser(JANE_HERSELF, "Jane Smith", "jane.smith@example.org", True, False),
    ZulipUser(OBRIEN_HERSELF, "Sean O'Brien", "sean.obrien@example.org", True, False),
    ZulipUser(GULNORA_HERSELF, "Гульнора К.", "gulnora@example.org", True, False),
)
# Nora has no students, two have accounts that cannot be answered, and the guest mentors Kwame.
MORE_MENTORS = ("nora", "robot", "gone", "guest")


def live(folder: Path, store_url: str, *, without: Sequence[int] = ()) -> Asked:
    """Poll the school through its story, with more mentors, as if the students `without` had never been there."""
    original = folder / "school.db"
    school.build(original, NOW - timedelta(hours=2))
    alive = school.School(original)
    _add_mentors(f"sqlite:///{original}")
    store = open_store(store_url)
    lms_url = f"sqlite:///{folder}/lms.db"
    settings = load(None, {"LMS_DATABASE_URL": lms_url, "LMS_STORE_DATABASE_URL": store_url})

    def poll(now: datetime) -> None:
        (folder / "lms.db").write_bytes(original.read_bytes())
        _forget(lms_url, without)
        lms = Lms.of(settings)
        Poller(store, lms, settings).poll(now)
        ClockJobs(store, lms, settings).run(now)
        lms.close()

    poll(NOW - timedelta(hours=2))
    with store.writing() as transaction:
        accounts.keep_zulip_users(transaction, ACCOUNTS, NOW - timedelta(hours=2))
    for step in range(school.School.STEPS):
        now = NOW - timedelta(minutes=90 - step)
        alive.step(now)
        poll(now)
    poll(NOW)
    return Asked(store, store_url, settings)


def _add_mentors(lms_url: str) -> None:
    for number, username in enumerate(MORE_MENTORS, start=11):
        in_store(
            lms_url,
            "INSERT INTO mentors (id, username, email, created, students_count)"
            " VALUES (:id, :username, :email, '2025-09-01', 0)",
            id=number,
            username=username,
            email=f"{username}@example.org",
        )
    in_store(lms_url, 'INSERT INTO "_MentorToStudent" (id, "A", "B") VALUES (50, 14, 1008)')


def _forget(lms_url: str, student_ids: Sequence[int]) -> None:
    ids = ", ".join(map(str, student_ids)) or "NULL"
    for table, column in (
        *(("content_attempts", "user_id"), ("attempts", "user_id"), ("_MentorToStudent", "B")),
        *(("_BatchToStudent", "B"), ("students", "id")),
    ):
        in_store(lms_url, f'DELETE FROM "{table}" WHERE "{column}" IN ({ids})')


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder = tmp_path_factory.mktemp("asked")
    place: AbstractContextManager[str] = nullcontext(f"sqlite:///{folder}/store.db")
    if request.param == "postgresql":
        place = on_server(request.getfixturevalue("postgresql_server"))
    with place as store_url:
        asked = live(folder, store_url)
        yield asked
        asked.store.close()


@pytest.fixture(scope="module")
def two_worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Asked, Asked]]:
    """The school, and the same school without the students who are not Mary's."""
    folders = [tmp_path_factory.mktemp(name) for name in ("whole", "without")]
    whole = live(folders[0], f"sqlite:///{folders[0]}/store.db")
    without = live(folders[1], f"sqlite:///{folders[1]}/store.db", without=(OBRIEN, MEI, SOFIA, KWAME, 1009))
    yield whole, without
    whole.store.close()
    without.store.close()


def without_names(text: str) -> str:
    """A text with one name for all alerts, which have them at random."""
    return re.sub(rf"\b[{NAME_LETTERS}]{{2,3}}[0-9]{{4}}\b", "KT1000", text)


def figures(text: str) -> list[tuple[str, int]]:
    """The counts in the order in which an answer has them."""
    found = re.findall(rf"({'|'.join(STATISTICS)}):\W*([\d,]+)", text)
    return [(name, int(count.replace(",", ""))) for name, count in found]


# help


@pytest.mark.parametrize("text", ["help", "HELP", "Help ", "`help`", "", "   ", "Help!", "/help"])
def test_b18_help_is_eight_lines_with_what_one_needs_first(asked: Asked, text: str) -> None:
    lines = [line for line in asked.text(text).splitlines() if line]
    assert len(lines) == 8
    assert [line.split("`")[1].split()[0] for line in lines[1:3]] == ["open", "students"]
    assert "`help alerts`" in lines[-1]


@pytest.mark.parametrize("is_admin", [False, True])
def test_b18_the_rest_is_found_by_topic(asked: Asked, is_admin: bool) -> None:
    ask = asked.admin_text if is_admin else asked.text
    answer = ask("help")
    assert len([line for line in answer.splitlines() if line]) == 8
    topics = re.findall(r"`help (\w+)`", answer)
    found = {name for topic in topics for name in re.findall(r"^\*? ?`([\w-]+)", ask(f"help {topic}"), re.MULTILINE)}
    commands = {one.name for one in REGISTRY.of(Role.ADMIN if is_admin else Role.MENTOR)}
    assert commands <= found


@pytest.mark.parametrize("command", ["help", "stats", "history", "pending"])
def test_help_explains_a_command(asked: Asked, command: str) -> None:
    answer = asked.text(f"help {command}")
    assert f"`{command}" in answer
    assert len(answer) > len(command) + 20
    assert asked.text(f"help {command.upper()}") == answer


def test_help_about_an_unknown_command_says_so_and_what_was_meant(asked: Asked) -> None:
    answer = asked.text("help histroy")
    assert "histroy" in answer
    assert "`history`" in answer


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("histroy @jane_smith", "history @jane_smith"),
        ("stat", "stats"),
        ("pendign", "pending"),
        ("Studnts", "students"),
    ],
)
def test_b13_a_misspelled_command_runs_and_says_so(asked: Asked, text: str, meant: str) -> None:
    assert asked.text(text) == f"I take that for `{meant.split()[0]}`.\n\n{asked.text(meant)}"


def test_an_unknown_command_leads_to_help(asked: Asked) -> None:
    assert "`help`" in asked.text("make me a sandwich")


# stats


def test_statistics_have_the_five_lines_in_their_order(asked: Asked) -> None:
    assert [name for name, _ in figures(asked.text("stats"))] == list(STATISTICS)
    assert [name for name, _ in figures(asked.admin_text("stats"))] == list(STATISTICS)


def test_statistics_of_a_mentor_count_their_own_students(asked: Asked) -> None:
    own = (
        "SELECT count(*) FROM lms_activity_events WHERE student_id IN (1001, 1002, 1003, 1005)",
        "SELECT count(DISTINCT event_id) FROM lms_event_logs WHERE mentor_id = 1 AND due_at IS NOT NULL",
    )
    total, pending = (asked.count(query) for query in own)
    assert pending
    expected = [total, total - pending, pending, 0, 0]
    assert [count for _, count in figures(asked.text("stats"))] == expected


def test_statistics_of_an_admin_count_everything(asked: Asked) -> None:
    total = asked.count("SELECT count(*) FROM lms_activity_events")
    pending = asked.count("SELECT count(DISTINCT event_id) FROM lms_event_logs WHERE due_at IS NOT NULL")
    assert [count for _, count in figures(asked.admin_text("stats"))] == [total, total - pending, pending, 0, 0]


# history


def test_history_shows_what_a_student_did_newest_first(asked: Asked) -> None:
    answer = asked.text("history jane_smith")
    times = re.findall(r"<time:([^>]+)>", answer)
    assert len(times) == 20
    assert times == sorted(times, reverse=True)
    assert "Functions and Modules Test" in answer
    assert not any(name in answer for name in (*HERS[1:], *NOT_HERS))


WAYS_TO_NAME_JANE = (
    "jane_smith",
    "@jane_smith",
    "JANE_SMITH",
    "jane.smith@example.org",
    "Jane.Smith@Example.ORG",
    "#1001",
    "Jane Smith",
    "jane smith",
    "Jane",
    "Smith",
    "@Jane Smith",
    "@**Jane Smith**",
    "@_**Jane Smith**",
    f"@**Jane Smith|{JANE_HERSELF}**",
    f"@_**Jane Smith|{JANE_HERSELF}**",
    f"@**Some Newer Name|{JANE_HERSELF}**",
    '"Jane Smith"',
    "“Jane Smith”",
    "'jane_smith'",
    "`jane_smith`",
    "`@jane_smith`",
    "  jane_smith  ",
    "jan",
)


@pytest.mark.parametrize("name", WAYS_TO_NAME_JANE)
def test_a_student_is_found_by(asked: Asked, name: str) -> None:
    assert asked.text(f"history {name}") == asked.text("history jane_smith")


@pytest.mark.parametrize(
    "name",
    [
        *("gulnora", "Гульнора", "гульнора", "ГУЛЬНОРА", "Каримова", "Гульнора Каримова", "@**Гульнора Каримова**"),
        *(f"@**Гульнора К.|{GULNORA_HERSELF}**", f"#{GULNORA}", "Гуль", "gulnora@example.org"),
    ],
)
def test_a_name_in_other_letters_is_found_by(asked: Asked, name: str) -> None:
    expected = asked.text("history gulnora", OMAR)
    assert expected.startswith("**Гульнора Каримова**")
    assert asked.text(f"history {name}", OMAR) == expected


@pytest.mark.parametrize(
    "name",
    [
        "obrien",
        "O'Brien",
        "o'brien",
        "Sean O'Brien",
        "O’Brien",
        '"O\'Brien"',
        "@**Sean O'Brien**",
        "Brien",
        f"#{OBRIEN}",
    ],
)
def test_a_name_with_an_apostrophe_is_found_by(asked: Asked, name: str) -> None:
    expected = asked.text("history obrien", OMAR)
    assert expected.startswith("**Sean O'Brien**")
    assert asked.text(f"history {name}", OMAR) == expected


@pytest.mark.parametrize("name", ["Mei Lin", "mei", "Lin", "mei_lin", "@**Mei Lin**"])
def test_a_student_without_a_display_name_is_found_by(asked: Asked, name: str) -> None:
    assert asked.text(f"history {name}", OMAR).startswith("**Mei Lin**")


def test_a_name_that_several_have_lists_them(asked: Asked) -> None:
    answer = asked.text("history j")
    assert "Jane Smith" in answer
    assert "John Doe" in answer
    assert "<time:" not in answer


def test_an_exact_name_wins_over_a_part_of_another(asked: Asked) -> None:
    assert asked.text("history jane_smith").startswith("**Jane Smith**")


def test_a_misspelled_student_is_not_guessed_but_named(asked: Asked) -> None:
    answer = asked.text("history jane_smtih")
    assert "jane_smith" in answer
    assert "<time:" not in answer


def test_history_of_nobody_asks_of_whom(asked: Asked) -> None:
    answer = asked.text("history")
    assert "history" in answer
    assert "<time:" not in answer


# pending


def test_pending_shows_what_is_owed_to_this_mentor_only(asked: Asked) -> None:
    owed = asked.count("SELECT count(*) FROM lms_event_logs WHERE mentor_id = 2 AND due_at IS NOT NULL")
    answer = asked.text("pending", OMAR)
    assert str(owed) in answer
    assert answer.count("\n* ") == owed
    assert "Sean O'Brien" in answer
    assert "Гульнора Каримова" in answer
    assert not any(name in answer for name in ("Jane", "jane_smith", "Ravi", "John"))


def test_pending_of_an_admin_names_the_mentor_and_the_reason(asked: Asked) -> None:
    answer = asked.admin_text("pending")
    assert "**Mary Jones**" in answer
    assert "**Omar Haddad**" in answer
    for mentor in ("robot", "gone"):
        assert f"**{mentor}**" in answer


def test_pending_of_an_admin_lists_the_students_without_a_mentor(asked: Asked) -> None:
    asked_again = asked.count("SELECT count(*) FROM lms_activity_events WHERE student_id = 1007 AND NOT is_history")
    answer = asked.admin_text("pending")
    assert ("Sofia Rossi" in answer) == bool(asked_again)


# Old data


@pytest.mark.parametrize("text", ["stats", "history jane_smith", "pending", "feed", "student jane_smith", "export all"])
def test_an_answer_from_old_data_says_how_old_it_is(asked: Asked, text: str) -> None:
    (fresh,) = asked.answer(question(text), NOW + timedelta(seconds=30))
    (old,) = asked.answer(question(text), NOW + timedelta(hours=5))
    shown = "<time:2026-03-02T12:00:00Z>"
    assert old.content.count(shown) == fresh.content.count(shown) + 1


def test_before_the_first_poll_an_answer_says_that_nothing_was_read(store: Store, tmp_path: Path) -> None:
    settings = load(None, {"LMS_DATABASE_URL": f"sqlite:///{tmp_path}/lms.db"})
    with store.writing() as transaction:
        accounts.keep_zulip_users(transaction, ACCOUNTS, NOW)
    (answer,) = dispatch.answer(store, question("stats", ADA, stream_id=ADMIN_STREAM), settings, NOW, ADMIN_STREAM)
    assert "not read the LMS" in answer.content


# Who may know what


def test_a_mentor_without_students_has_empty_answers_but_is_a_mentor(asked: Asked) -> None:
    assert "`stats " in asked.text("help", NORA)
    assert [count for _, count in figures(asked.text("stats", NORA))] == [0, 0, 0, 0, 0]
    assert "Nothing" in asked.text("pending", NORA)
    refused = asked.text("history jane_smith", NORA)
    assert "<time:" not in refused
    assert "Did you mean" not in refused


@pytest.mark.parametrize("text", ["help", "stats", "history jane_smith", "pending", "nonsense", ""])
@pytest.mark.parametrize("sender", [EVE, ADA, JANE_HERSELF, ROBOT, GONE, BOT_ID, 999_999])
def test_a_stranger_learns_nothing(asked: Asked, sender: int, text: str) -> None:
    """Eve, an admin outside the admin stream, a student, a bot, a deactivated mentor, the bot itself, nobody."""
    answer = asked.reply(text, sender)
    assert answer == asked.text("help", EVE)
    assert not any(word in answer for word in ("Total", "jane", "history", "`"))


def test_a_guest_who_is_a_mentor_is_answered_as_a_mentor_and_never_as_an_admin(asked: Asked) -> None:
    assert "Kwame Mensah" in asked.text("history kwame_mensah", GUEST)
    private, note = asked.answer(question("stats", GUEST, stream_id=ADMIN_STREAM))
    assert private.recipient.user_ids == (GUEST,)
    assert figures(private.content) == figures(asked.text("stats", GUEST))
    assert note.content == "I answered you in private."


@pytest.mark.parametrize("sender", [ROBOT, GONE, 999_999])
def test_no_bot_nobody_deactivated_and_nobody_unknown_is_an_admin(asked: Asked, sender: int) -> None:
    for message in asked.answer(question("stats", sender, stream_id=ADMIN_STREAM)):
        assert not figures(message.content)


def test_a_guest_who_is_no_mentor_is_a_stranger_in_the_admin_stream(asked: Asked) -> None:
    with asked.store.writing() as transaction:
        guests = [replace(user, is_guest=user.user_id == EVE) for user in ACCOUNTS]
        accounts.keep_zulip_users(transaction, guests, NOW)
        reply = dispatch.reply_to(
            transaction, question("stats", EVE, stream_id=ADMIN_STREAM), asked.settings, NOW, ADMIN_STREAM
        )
        accounts.keep_zulip_users(transaction, ACCOUNTS, NOW)
    assert not figures(reply.text)


@pytest.mark.parametrize("sender", [MARY, ADA, EVE])
@pytest.mark.parametrize("text", ["stats", "pending"])
def test_an_admin_command_outside_the_private_stream_is_not_answered_as_admin(
    asked: Asked, sender: int, text: str
) -> None:
    everything = asked.admin_text(text)
    for where in ({}, {"stream_id": OTHER_STREAM}, {"group": [ADA, OMAR]}):
        asking = question(text, sender, **where)
        assert all(message.content != everything for message in asked.answer(asking))
    public = question(text, sender, stream_id=ADMIN_STREAM)
    for message in dispatch.answer(asked.store, public, asked.settings, NOW, None):
        assert message.content != everything
        assert message.recipient.stream_id is None or message.content == "I answered you in private."


def test_a_mentor_in_the_admin_stream_is_an_admin_there(asked: Asked) -> None:
    (answer,) = asked.answer(question("stats", MARY, stream_id=ADMIN_STREAM))
    assert answer.recipient.stream_id == ADMIN_STREAM
    assert figures(answer.content) == figures(asked.admin_text("stats"))


def test_personal_data_asked_for_in_the_admin_stream_goes_to_the_asker(asked: Asked) -> None:
    private, note = asked.answer(question("history jane_smith", MARY, stream_id=ADMIN_STREAM))
    assert private.recipient.user_ids == (MARY,)
    assert "<time:" in private.content
    assert note.recipient.stream_id == ADMIN_STREAM
    assert note.content == "I answered you in private."


@pytest.mark.parametrize("text", ["help", "stats", "history jane_smith", "history obrien", "pending", "nonsense"])
@pytest.mark.parametrize("sender", [MARY, EVE])
def test_an_answer_to_a_question_in_a_stream_goes_private_and_the_stream_sees_that(
    asked: Asked, sender: int, text: str
) -> None:
    private, note = asked.answer(question(text, sender, stream_id=OTHER_STREAM))
    assert private.recipient.user_ids == (sender,)
    assert private.content == asked.text(text, sender)
    assert (note.recipient.stream_id, note.recipient.topic) == (OTHER_STREAM, "a topic")
    assert note.content == "I answered you in private."


def test_an_answer_to_a_question_in_a_group_goes_to_the_asker_alone(asked: Asked) -> None:
    private, note = asked.answer(question("history jane_smith", MARY, group=[OMAR, EVE]))
    assert private.recipient.user_ids == (MARY,)
    assert "<time:" in private.content
    assert note.content == "I answered you in private."


def test_a_question_is_answered_once(asked: Asked) -> None:
    asking = question("stats")
    assert len(asked.answer(asking)) == 1
    assert asked.answer(asking) == ()
    assert asked.answer(question("help", OMAR, id=asking.message_id)) == ()


# Nobody learns of another's student

# For each student of Omar's alone a name, and for each name one that nobody has.
ANOTHERS = (
    *("obrien", "@obrien", "sean.obrien@example.org", "#1004", "Brien", "O'Brien", "Sean O'Brien", "SEAN", "mei_lin"),
    *("@**Sean O'Brien**", "@_**Sean O'Brien**", f"@**Sean O'Brien|{OBRIEN_HERSELF}**", "kwame", "sofia_rossi", "Lena"),
)
NOBODYS = (
    *("xobrienx", "@qqqqqq", "no.body@example.org", "#4004", "Zzzzz", "Z'Zzzzz", "Zzzz Z'Zzzzz", "ZZZZ", "zzz_zzz"),
    *("@**Zzzz Z'Zzzzz**", "@_**Zzzz Z'Zzzzz**", "@**Zzzz Z'Zzzzz|777**", "zzzzz", "zzzzz_zzzzz", "Zzzz"),
)


@pytest.mark.parametrize(("anothers", "nobodys"), list(zip(ANOTHERS, NOBODYS, strict=True)))
@pytest.mark.parametrize(
    "command",
    [
        "history {}",
        "help {}",
        "{}",
        "stats {}",
        "pending {}",
        "student {}",
        "chart {}",
        "export {}",
        "students {}",
        "why {}",
    ],
)
def test_not_yours_and_no_such_student_are_the_same_words(
    asked: Asked, command: str, anothers: str, nobodys: str
) -> None:
    def shape(name: str) -> str:
        answer = asked.text(command.format(name))
        for spelled in {name, name.replace("@**", "@\u200b**"), name.replace("*", "∗")}:
            answer = answer.replace(spelled, "NAME")
        return re.sub(r"“.*?”", "“NAME”", answer)

    assert shape(anothers) == shape(nobodys)


@pytest.mark.parametrize("name", ["#1004 ", "#01004", "#１００４", "# 1004", "1004", "%", "_", "*", "", "@", "#", "''"])
def test_no_trick_with_a_name_shows_anothers_student(asked: Asked, name: str) -> None:
    answer = asked.text(f"history {name}")
    assert not any(other in answer for other in NOT_HERS)


@pytest.mark.parametrize("text", ["obrein", "history obrein", "history meilin", "history kwame_mensa", "help obrein"])
def test_a_near_miss_never_suggests_anothers_student(asked: Asked, text: str) -> None:
    answer = asked.text(text)
    assert not any(other in answer for other in NOT_HERS)


def test_a_mentor_sees_only_their_own_students_through_every_command(asked: Asked) -> None:
    for sender, hidden in ((MARY, NOT_HERS), (OMAR, ("jane_smith", "ravi_patel", "john_doe", *NOT_HERS[2:]))):
        for text in (*OF_ALL, "history a", "history _", "student e", "export .", "nonsense", "whoami", "feed 50"):
            answer = asked.text(text, sender)
            assert not any(other in answer for other in hidden), text


WORDS = st.sampled_from(
    [
        *("help", "stats", "history", "pending", "histry", "obrien", "jane_smith", "Sean", "O'Brien", "mei", "#1004"),
        *("#1001", "@**", "**", "@_**", "|31**", f"@**Sean O'Brien|{OBRIEN_HERSELF}**", "@**all**", "Гульнора"),
        *("[x](http://evil.example.com)", "http://evil.example.com", "#**general**", "#**lms-admin>x**", "`", "```"),
        *("<time:2020-01-01T00:00:00Z>", "$$x$$", "~~x~~", ":smile:", "@all", "@*admins*", "\n", "> ", "| a | b |"),
        *(
            "![x](http://evil.example.com/x.png)",
            "www.evil.com",
            "mailto:a@b.cd",
            "sean.obrien@example.org",
            "%",
            "\x00",
        ),
        *(
            "/me ",
            "'; DROP TABLE students; --",
            "{0}",
            "%s",
            "\u202e",
            "\ud800",
            '"',
            "“",
            "’",
            "9" * 30,
            "#" + "9" * 30,
        ),
    ]
)
QUESTIONS = st.lists(WORDS | st.text(max_size=8), max_size=6).flatmap(
    lambda parts: st.sampled_from([" ", ""]).map(lambda glue: glue.join(parts))
) | st.text(max_size=300)
STARTS = st.sampled_from(
    [
        *("", "history ", "help ", "stats ", "pending ", "history @", "history @**"),
        *("students ", "student ", "feed ", "export ", "why a", "why e", "why c", "whoami "),
        *("open ", "ack A", "snooze A1 ", "done A1 ", "why-not ", "rules ", "rule ", "rule inactive "),
    ]
)
ON_FIXTURES = hypothesis_settings(
    deadline=None, max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@ON_FIXTURES
@given(start=STARTS, rest=QUESTIONS)
def test_what_a_mentor_is_told_does_not_depend_on_students_of_others(
    two_worlds: tuple[Asked, Asked], start: str, rest: str
) -> None:
    whole, without = two_worlds
    assert without_names(whole.reply(start + rest)) == without_names(without.reply(start + rest))


@pytest.mark.parametrize(
    "text",
    [
        *(*OF_ALL, "whoami"),
        *(f"{command} {name}" for name in (*HERS, *ANOTHERS) for command in ("history", "student", "export")),
        *(f"chart {name}" for name in (HERS[0], ANOTHERS[0])),
    ],
)
def test_the_answer_is_the_same_where_the_students_of_others_are_not(
    two_worlds: tuple[Asked, Asked], text: str
) -> None:
    whole, without = two_worlds
    assert without_names(whole.reply(text)) == without_names(without.reply(text))


def test_no_number_of_an_event_tells_of_students_of_others(two_worlds: tuple[Asked, Asked]) -> None:
    whole, without = two_worlds
    letter = "CASE source_table WHEN 'attempts' THEN 'e' ELSE 'c' END"
    numbers = f"SELECT DISTINCT {letter} || source_id, student_id FROM lms_activity_events"  # no outside text in it
    rows = from_store(whole.store_url, numbers)
    own = [whole.reply(f"why {number}") for number, _ in rows]
    assert own == [without.reply(f"why {number}") for number, _ in rows]
    assert {student_id for (_, student_id), answer in zip(rows, own, strict=True) if "<time:" in answer} == OWN_IDS
    assert len({answer for answer in own if "<time:" not in answer}) == 1


@ON_FIXTURES
@given(start=STARTS, rest=QUESTIONS, sender=st.sampled_from([MARY, EVE, NORA, ADA]))
def test_foreign_text_in_a_question_stays_harmless_in_the_answer(
    two_worlds: tuple[Asked, Asked], start: str, rest: str, sender: int
) -> None:
    stream_id = ADMIN_STREAM if sender == ADA else None
    answer = two_worlds[0].reply(start + rest, sender, stream_id=stream_id)
    assert answer.strip()
    assert len(answer) <= 10_000
    assert not LIVE.search(answer), answer
    assert answer.encode()
    assert "\x00" not in answer
    fences = answer.count("```")
    assert fences % 2 == 0


@ON_FIXTURES
@given(text=st.sampled_from(["history {}", "{}", "help {}"]), name=st.sampled_from(ANOTHERS[:9] + NOT_HERS))
def test_a_question_in_any_case_does_not_find_anothers_student(
    two_worlds: tuple[Asked, Asked], text: str, name: str
) -> None:
    spell: Sequence[Callable[[str], str]] = (str.upper, str.lower, str.title, str.swapcase)
    for change in spell:
        answer = two_worlds[0].reply(text.format(change(name)))
        assert "<time:" not in answer


@hypothesis_settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(text=QUESTIONS)
def test_no_question_raises_through_the_front_door(two_worlds: tuple[Asked, Asked], text: str) -> None:
    whole = two_worlds[0]
    (message,) = whole.answer(question(text))
    assert message.recipient.user_ids == (MARY,)
    assert "wrote it down as" not in message.content


def test_a_failing_command_is_answered_with_a_reference_and_claimed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked = live(tmp_path, f"sqlite:///{tmp_path}/store.db")
    in_store(asked.store_url, "UPDATE lms_activity_events SET event_type = 'unheard_of' || event_type")
    asking = question("history jane_smith")
    (message,) = asked.answer(asking)
    found = re.search(r"\b[0-9a-f]{6,}\b", message.content)
    assert found
    assert found[0] in caplog.text
    assert "unheard_of" not in message.content
    assert asked.answer(asking) == ()
    asked.store.close()


def test_questions_are_read_at_any_time(asked: Asked) -> None:
    for now in (NOW - timedelta(days=900), NOW + timedelta(days=9000), datetime(9998, 1, 1, tzinfo=UTC)):
        assert asked.answer(question("stats"), now)
