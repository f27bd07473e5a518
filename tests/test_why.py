"""A mentor learns why they were told of an event, or not yet, or never."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from lms_bot.core.events import Event, EventType
from lms_bot.core.people import Mentor, Student
from lms_bot.handlers import dispatch
from lms_bot.render.events import LETTERS
from lms_bot.store import state
from lms_bot.store.events import events
from tests import NOW
from tests.asking import incoming
from tests.office import GULNORA, JANE, LINKS, MARY, OMAR, RAVI, STUDENTS, Office, happened
from tests.test_commands import LIVE

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PASSED, STARTED, WATCHED = EventType.EXAM_PASSED, EventType.EXAM_STARTED, EventType.CONTENT_WATCHED
SHOWN_NOW = "<time:2026-03-02T12:00:00Z>"
UNKNOWN = "None of your students has an event of that number. `history` and `feed` show their numbers."
_message_ids = itertools.count(10_000)


@pytest.fixture
def office(any_office: Office) -> Office:
    """An office whose LMS was read just now, whenever that is."""
    with any_office.store.writing() as transaction:
        state.note(transaction, state.POLLED, True, NOW + 300 * DAY)
    return any_office


def ask(office: Office, text: str, mentor: Mentor = MARY) -> str:
    """The answer, which is not sent."""
    asking = incoming(text, office.account(mentor), next(_message_ids), office.clock())
    with office.store.writing() as transaction:
        return dispatch.reply_to(transaction, asking, office.settings, office.clock(), None).text


def why(office: Office, event: Event, mentor: Mentor = MARY) -> str:
    return ask(office, f"why {LETTERS[event.source_table]}{event.source_id}", mentor)


def outcome(answer: str) -> str:
    """The line about the one event that says what became of it."""
    (line,) = re.findall(r"^\* (\*\*(?:Told|Not told|Not told yet):\*\* .*)$", answer, re.MULTILINE)
    return str(line)


def record(office: Office, event: Event) -> Event:
    """Record an event that is owed to nobody."""
    with office.store.writing() as transaction:
        ((event_id, recorded),) = events.record(transaction, [event], {}, office.clock())
    return recorded._replace(event_id=event_id)


# Told


def test_one_who_was_told_learns_when_and_why(office: Office) -> None:
    (event,) = office.owe(happened(JANE, "Algebra", at=NOW - HOUR, percentage=80, source_id=4711))
    office.turn()
    assert ask(office, "why e4711") == (
        "🎉 **jane** passed **Algebra** · 80% · <time:2026-03-02T11:00:00Z> · `e4711`\n"
        "\n"
        f"* **Found:** {SHOWN_NOW}\n"
        f"* **Told:** {SHOWN_NOW}, because **jane** is your student; you are told of passed exams at once"
    )
    assert "notify" not in why(office, event)


def test_a_summary_is_said_to_be_one(office: Office) -> None:
    found = office.owe(*[happened(JANE, f"Task {number}") for number in range(4)])
    office.turn()
    assert "in one message with 3 other events, because" in outcome(why(office, found[2]))


def test_a_start_that_was_told_with_its_end_says_so(office: Office) -> None:
    office.owe(happened(JANE, "Algebra", STARTED, at=NOW - HOUR, source_id=7), happened(JANE, "Algebra", source_id=7))
    office.turn()
    end, start = ask(office, "why e7").split("\n\n📝")
    assert outcome(end).startswith(f"**Told:** {SHOWN_NOW}, in one message with 1 other event, because")
    assert outcome(start).startswith(f"**Told:** {SHOWN_NOW} with its end, which was told instead, because")


def test_a_start_that_waited_until_its_end_was_told_says_so(office: Office) -> None:
    ask(office, "notify started digest")
    office.owe(happened(JANE, "Algebra", STARTED, source_id=7))
    office.turn()
    assert "**Not told yet:** digest, due <time:2026-03-03T08:00:00Z>" in ask(office, "why e7")
    office.owe(happened(JANE, "Algebra", source_id=7))
    office.turn()
    office.clock.forward(DAY.total_seconds())
    office.turn()
    assert len(office.told(MARY)) == 1
    assert "with its end, which was told instead" in ask(office, "why e7")


def test_a_start_that_was_told_before_its_end_speaks_of_no_end(office: Office) -> None:
    (start,) = office.owe(happened(JANE, "Algebra", STARTED, source_id=7))
    office.turn()
    assert outcome(why(office, start)).startswith(f"**Told:** {SHOWN_NOW}, because")
    office.clock.forward(60)
    office.owe(happened(JANE, "Algebra", source_id=7))
    office.turn()
    end, start_ = (outcome(part) for part in ask(office, "why e7").split("\n\n📝"))
    assert start_.startswith(f"**Told:** {SHOWN_NOW}, because")
    assert end.startswith("**Told:** <time:2026-03-02T12:01:00Z>, because")


def test_wishes_of_today_are_told_beside_what_was(office: Office) -> None:
    (event,) = office.owe(happened(JANE, "Algebra"))
    office.turn()
    ask(office, "notify passed digest")
    assert outcome(why(office, event)).endswith("; you are told of passed exams in the digest")
    ask(office, "notify passed off")
    assert outcome(why(office, event)).endswith("; by now you have turned off passed exams")


# Not yet


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ("pause 2d", "paused, due <time:2026-03-04T12:00:00Z>"),
        ("mute jane 3h", "muted, due <time:2026-03-02T15:00:00Z>"),
        ("digest 17", "digest, due <time:2026-03-02T17:00:00Z>"),
        ("quiet 9:00-14:30", "quiet time, due <time:2026-03-02T14:30:00Z>"),
        ("settings", f"due {SHOWN_NOW}"),
    ],
)
def test_what_waits_says_for_what(office: Office, wish: str, reason: str) -> None:
    (event,) = office.owe(happened(JANE, "Algebra"))
    ask(office, wish)
    assert outcome(why(office, event)) == f"**Not told yet:** {reason}"


def test_what_zulip_did_not_take_yet_says_so_and_when_it_is_tried_again(office: Office) -> None:
    office.zulip.fail("500_before")
    (event,) = office.owe(happened(JANE, "Algebra"))
    office.turn()
    assert re.search(r"^\*\*Not told yet:\*\* .+; next try <time:", outcome(why(office, event)))


# Not, and never


def test_what_zulip_refused_for_good_says_who_can_help(office: Office) -> None:
    office.zulip.fail("refuse")
    (event,) = office.owe(happened(JANE, "Algebra"))
    office.turn()
    answer = outcome(why(office, event))
    assert answer.startswith("**Not told:** Zulip refused the message: ")
    assert answer.endswith("The LMS administrators can have it sent anew")


def test_what_was_turned_off_while_it_waited(office: Office) -> None:
    (event,) = office.owe(happened(JANE, "Algebra"))
    ask(office, "notify passed off")
    assert outcome(why(office, event)) == "**Not told:** you had turned it off before it was due"


def test_what_was_due_while_the_student_was_anothers(office: Office) -> None:
    (event,) = office.owe(happened(JANE, "Algebra"))
    office.move(JANE, OMAR)
    office.turn()
    assert why(office, event) == UNKNOWN
    assert outcome(why(office, event, OMAR)).startswith("**Told:** ")
    office.move(JANE, MARY)
    assert outcome(why(office, event)) == "**Not told:** when it was due, this student was not yours"
    assert why(office, event, OMAR) == UNKNOWN


def test_what_was_never_owed_says_why(office: Office) -> None:
    old = record(office, happened(JANE, "Old")._replace(is_history=True))
    mirror = record(office, happened(JANE, "Twice", EventType.CONTENT_COMPLETED)._replace(mirrors=7))
    plain = record(office, happened(JANE, "Plain"))
    said = "**Not told:** "
    assert outcome(why(office, old)) == f"{said}it was old when I found it, or there before I began to watch"
    assert outcome(why(office, mirror)) == f"{said}it is the same as an exam, of which you are told"
    not_yours = f"{said}when I found it, you had turned it off, or this student was not yours"
    assert outcome(why(office, plain)) == not_yours
    ask(office, "notify passed off")
    turned_off = f"{said}you have turned off passed exams; `notify passed now` turns them on"
    assert outcome(why(office, plain)) == turned_off
    settings = office.settings
    for less in (replace(settings, notify_mentors=False), replace(settings, event_types=frozenset({WATCHED}))):
        office.settings = less
        assert outcome(why(office, plain)) == f"{said}the settings of this bot leave it out"


def test_what_the_lms_says_otherwise_by_now_is_said(office: Office) -> None:
    failed, passed = office.owe(
        happened(JANE, "Algebra", EventType.EXAM_FAILED, at=NOW - HOUR, source_id=7),
        happened(JANE, "Algebra", source_id=7),
    )
    with office.store.writing() as transaction:
        events.supersede(transaction, [failed.event_id])
    newer, _, older = ask(office, "why e7").partition("\n\n❌ **jane** failed")
    assert newer.startswith("🎉 **jane** passed")
    assert "otherwise" not in newer
    assert older.endswith("\n* The LMS says something else of it by now.")
    assert "by now" not in ask(office, f"why {passed.event_id}")


def test_two_mentors_with_one_account_learn_of_both(office: Office) -> None:
    both = replace(OMAR, email=MARY.email)
    office.read_people(mentors=[MARY, both], links=LINKS | {(2, JANE.student_id)})
    (event,) = office.owe(happened(JANE, "Algebra"))
    answer = why(office, event)
    assert answer.endswith(
        f"* **Not told yet:** due {SHOWN_NOW} (mentor mary)\n* **Not told yet:** due {SHOWN_NOW} (mentor omar)"
    )
    assert answer.count("Algebra") == 1


# What is asked about


@pytest.mark.parametrize("written", ["e47", "E47", "е47", "Е47", "`e47`", "e47.", "  e47 "])
def test_a_number_is_understood_as_it_is_typed(office: Office, written: str) -> None:
    office.owe(happened(JANE, "Algebra", source_id=47), happened(JANE, "Film", WATCHED, source_id=47))
    answer = ask(office, f"Why {written}")
    assert "Algebra" in answer
    assert "Film" not in answer


def test_an_event_is_known_by_its_own_id_too(office: Office) -> None:
    (first, second) = office.owe(happened(JANE, "Algebra"), happened(JANE, "Film", WATCHED))
    assert "Algebra" in ask(office, f"why {first.event_id}")
    assert "Film" in ask(office, f"why {second.event_id}")


@pytest.mark.parametrize("mistake", ["#47", "b47", "e", "e 47", "e47 c47", "e-1", "e4.7", "jane", "٣", "e" + "9" * 30])
def test_what_is_no_number_is_explained(office: Office, mistake: str) -> None:
    office.owe(happened(JANE, "Algebra", source_id=47))
    answer = ask(office, f"why {mistake}")
    assert answer.endswith("is no number of an event: `history`, `feed` and `pending` show them.")


def test_without_a_number_the_usage_is_shown(office: Office) -> None:
    assert "`why <event>`" in ask(office, "why")


def test_somebody_elses_event_and_none_are_the_same_words(office: Office) -> None:
    (exam, film) = office.owe(
        happened(GULNORA, "Algebra", source_id=47), happened(GULNORA, "Film", WATCHED, source_id=9)
    )
    nobodys = record(office, happened(Student(99, "ghost"), "Ghost", source_id=48))
    for event in (exam, film, nobodys):
        assert why(office, event) == ask(office, f"why {event.event_id}") == UNKNOWN
    assert ask(office, "why e4040") == ask(office, "why 4040") == ask(office, f"why c{2**63 - 1}") == UNKNOWN
    assert "Algebra" in why(office, exam, OMAR)


def test_the_numbers_of_events_are_those_that_why_understands(office: Office) -> None:
    office.owe(*[happened(one, f"Of {one.username}", kind) for one in STUDENTS[:2] for kind in (PASSED, WATCHED)])
    for listing in ("feed", "history jane", "history ravi", "pending"):
        lines = [line for line in ask(office, listing).split("\n") if line.startswith("* ")]
        assert lines
        for line in lines:
            (number,) = re.findall(r" · `(\w+)`", line)
            (title,) = re.findall(r"\*\*(Of \w+)\*\*", line)
            assert title in ask(office, f"why {number}")


def test_no_title_means_anything_to_zulip(office: Office) -> None:
    hostile = "@**all** [x](http://evil.example.com) `a`\n* b"
    (event,) = office.owe(happened(replace(RAVI, username=hostile), hostile, score=hostile))
    office.turn()
    answer = why(office, event)
    assert "**Told:** " in answer
    assert "evil" in answer
    assert not LIVE.search(answer)
    assert answer.count("`") == 2, "those of the event's number"
    assert answer.count("\n* ") == 2
