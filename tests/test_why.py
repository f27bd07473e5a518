"""A mentor learns why they were told of an event, or not yet, or never."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from lms_bot.core.events import Event, EventType
from lms_bot.core.people import Mentor, Student
from lms_bot.handlers import dispatch
from lms_bot.lms.schemas import letter_of
from lms_bot.pipeline.enqueue import Enqueuer
from lms_bot.store import state, tables
from lms_bot.store.events import events
from lms_bot.store.people import people
from tests import NOW
from tests.delivery_scenario import GULNORA, JANE, LINKS, MARY, OMAR, RAVI, STUDENTS, DeliveryScenario, happened
from tests.questions import incoming
from tests.test_commands import LIVE

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PASSED, STARTED, WATCHED = EventType.EXAM_PASSED, EventType.EXAM_STARTED, EventType.CONTENT_WATCHED
SHOWN_NOW = "<time:2026-03-02T12:00:00Z>"
UNKNOWN = "None of your students has an event of that number. `history` and `feed` show their numbers."
_message_ids = itertools.count(10_000)


@pytest.fixture
def delivery(any_delivery: DeliveryScenario) -> DeliveryScenario:
    """A delivery whose LMS was read just now, whenever that is."""
    with any_delivery.store.writing() as transaction:
        state.note(transaction, state.POLLED, True, NOW + 300 * DAY)
    return any_delivery


def ask(delivery: DeliveryScenario, text: str, mentor: Mentor = MARY) -> str:
    """The answer, which is not sent."""
    asking = incoming(text, delivery.account(mentor), next(_message_ids), delivery.clock())
    with delivery.store.writing() as transaction:
        return dispatch.reply_to(transaction, asking, delivery.settings, delivery.clock(), None).text


def why(delivery: DeliveryScenario, event: Event, mentor: Mentor = MARY) -> str:
    return ask(delivery, f"why {letter_of(event.source_table)}{event.source_id}", mentor)


def outcome(answer: str) -> str:
    """The line about the one event that says what became of it."""
    (line,) = re.findall(r"^\* (\*\*(?:Told|Not told|Not told yet):\*\* .*)$", answer, re.MULTILINE)
    return str(line)


def record(delivery: DeliveryScenario, event: Event) -> Event:
    """Record an event that is owed to nobody."""
    with delivery.store.writing() as transaction:
        ((event_id, recorded),) = events.record(transaction, [event], {}, delivery.clock())
    return recorded._replace(event_id=event_id)


def enqueue(delivery: DeliveryScenario, event: Event) -> None:
    """Record an event and enqueue it by the preferences of now, as a poll does."""
    with delivery.store.writing() as transaction:
        around = people.mentoring_of(transaction, {JANE.student_id})
        recorded = events.record(transaction, [event], around, delivery.clock())
        Enqueuer(delivery.settings, delivery.clock()).enqueue(transaction, recorded, around)


# Told


def test_one_who_was_told_learns_when_and_why(delivery: DeliveryScenario) -> None:
    (event,) = delivery.owe(happened(JANE, "Algebra", at=NOW - HOUR, percentage=80, source_id=4711))
    delivery.turn()
    assert ask(delivery, "why e4711") == (
        "🎉 **jane** passed **Algebra** · 80% · <time:2026-03-02T11:00:00Z> · `e4711`\n"
        "\n"
        f"* **Found:** {SHOWN_NOW}\n"
        f"* **Told:** {SHOWN_NOW}, because **jane** is your student; "
        "you were told of passed exams and certificates at once"
    )
    assert "notify" not in why(delivery, event)


def test_a_summary_is_said_to_be_one(delivery: DeliveryScenario) -> None:
    found = delivery.owe(*[happened(JANE, f"Task {number}") for number in range(4)])
    delivery.turn()
    assert "in one message with 3 other events, because" in outcome(why(delivery, found[2]))


def test_a_start_that_was_told_with_its_end_says_so(delivery: DeliveryScenario) -> None:
    delivery.owe(happened(JANE, "Algebra", STARTED, at=NOW - HOUR, source_id=7), happened(JANE, "Algebra", source_id=7))
    delivery.turn()
    end, start = ask(delivery, "why e7").split("\n\n📝")
    assert outcome(end).startswith(f"**Told:** {SHOWN_NOW}, in one message with 1 other event, because")
    assert outcome(start).startswith(f"**Told:** {SHOWN_NOW} with its end, which was told instead, because")


def test_a_start_that_waited_until_its_end_was_told_says_so(delivery: DeliveryScenario) -> None:
    ask(delivery, "notify started digest")
    delivery.owe(happened(JANE, "Algebra", STARTED, source_id=7))
    delivery.turn()
    assert "**Not told yet:** digest, due <time:2026-03-03T08:00:00Z>" in ask(delivery, "why e7")
    delivery.owe(happened(JANE, "Algebra", source_id=7))
    delivery.turn()
    delivery.clock.forward(DAY.total_seconds())
    delivery.turn()
    assert len(delivery.told(MARY)) == 1
    assert "with its end, which was told instead" in ask(delivery, "why e7")


def test_a_start_that_was_told_before_its_end_speaks_of_no_end(delivery: DeliveryScenario) -> None:
    (start,) = delivery.owe(happened(JANE, "Algebra", STARTED, source_id=7))
    delivery.turn()
    assert outcome(why(delivery, start)).startswith(f"**Told:** {SHOWN_NOW}, because")
    delivery.clock.forward(60)
    delivery.owe(happened(JANE, "Algebra", source_id=7))
    delivery.turn()
    end, start_ = (outcome(part) for part in ask(delivery, "why e7").split("\n\n📝"))
    assert start_.startswith(f"**Told:** {SHOWN_NOW}, because")
    assert end.startswith("**Told:** <time:2026-03-02T12:01:00Z>, because")


@pytest.mark.parametrize(
    ("wish", "decided"),
    [
        ("settings", "you were told of passed exams and certificates at once"),
        ("notify passed digest", "you were told of passed exams and certificates in the digest"),
        ("mute jane 3h", "it waited until the student was not muted any more"),
        ("pause 3h", "it waited for the end of your pause"),
        ("quiet 9:00-14:30", "it waited for the end of your quiet time"),
    ],
)
@pytest.mark.parametrize("is_asked_first", [True, False])
def test_b7_what_was_decided_then_is_said_whatever_the_preferences_are_now(
    delivery: DeliveryScenario, wish: str, decided: str, is_asked_first: bool
) -> None:
    event = happened(JANE, "Algebra")
    if is_asked_first:
        ask(delivery, wish)
        enqueue(delivery, event)
    else:
        enqueue(delivery, event)
        ask(delivery, wish)
    delivery.clock.forward(20.5 * 3600)  # half past eight
    delivery.turn()
    for now in ("notify passed off", "notify passed digest", "notify passed now", "quiet off", "quiet 1:00-2:00"):
        ask(delivery, now)
        assert outcome(why(delivery, event)).endswith(f"; {decided}")


def test_b7_what_is_scheduled_anew_goes_by_the_last_decision(delivery: DeliveryScenario) -> None:
    ask(delivery, "notify passed digest")
    enqueue(delivery, event := happened(JANE, "Algebra"))
    ask(delivery, "notify passed now")
    delivery.turn()
    ask(delivery, "notify passed digest")
    assert outcome(why(delivery, event)).endswith("; you were told of passed exams and certificates at once")


def test_b7_where_no_decision_was_kept_the_settings_of_now_are_said_to_be_those(delivery: DeliveryScenario) -> None:
    (event,) = delivery.owe(happened(JANE, "Algebra"))
    delivery.turn()
    with delivery.store.writing() as transaction:
        transaction.execute(sa.update(tables.logs).values(decision=None))
    ask(delivery, "notify passed digest")
    assert outcome(why(delivery, event)).endswith(
        "; by your settings of now you are told of passed exams and certificates in the digest"
    )
    ask(delivery, "notify passed off")
    assert outcome(why(delivery, event)).endswith("; by now you have turned off passed exams and certificates")


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
def test_what_waits_says_for_what(delivery: DeliveryScenario, wish: str, reason: str) -> None:
    (event,) = delivery.owe(happened(JANE, "Algebra"))
    ask(delivery, wish)
    assert outcome(why(delivery, event)) == f"**Not told yet:** {reason}"


def test_what_zulip_did_not_take_yet_says_so_and_when_it_is_tried_again(delivery: DeliveryScenario) -> None:
    delivery.zulip.fail("500_before")
    (event,) = delivery.owe(happened(JANE, "Algebra"))
    delivery.turn()
    assert re.search(r"^\*\*Not told yet:\*\* .+; next try <time:", outcome(why(delivery, event)))


# Not, and never


def test_what_zulip_refused_for_good_says_who_can_help(delivery: DeliveryScenario) -> None:
    delivery.zulip.fail("refuse")
    (event,) = delivery.owe(happened(JANE, "Algebra"))
    delivery.turn()
    answer = outcome(why(delivery, event))
    assert answer.startswith("**Not told:** Zulip refused the message: ")
    assert answer.endswith("The LMS administrators can have it sent anew")


def test_what_was_turned_off_while_it_waited(delivery: DeliveryScenario) -> None:
    (event,) = delivery.owe(happened(JANE, "Algebra"))
    ask(delivery, "notify passed off")
    assert outcome(why(delivery, event)) == "**Not told:** you had turned it off before it was due"


def test_what_was_due_while_the_student_was_anothers(delivery: DeliveryScenario) -> None:
    (event,) = delivery.owe(happened(JANE, "Algebra"))
    delivery.move(JANE, OMAR)
    delivery.turn()
    assert why(delivery, event) == UNKNOWN
    assert outcome(why(delivery, event, OMAR)).startswith("**Told:** ")
    delivery.move(JANE, MARY)
    assert outcome(why(delivery, event)) == "**Not told:** when it was due, this student was not yours"
    assert why(delivery, event, OMAR) == UNKNOWN


def test_a_certificate_is_told_at_once_and_progress_to_who_asked_for_it(delivery: DeliveryScenario) -> None:
    enqueue(delivery, happened(JANE, "Python", EventType.CERTIFICATION_ISSUED))
    enqueue(delivery, happened(JANE, "Loops", EventType.CONTENT_PROGRESS, progress=50))
    delivery.turn()
    ask(delivery, "notify progress now")
    enqueue(delivery, happened(JANE, "Lists", EventType.CONTENT_PROGRESS, progress=90))
    delivery.turn()
    first, second = delivery.told(MARY)
    assert "**jane** has earned: **Python**" in first
    assert "**jane** has watched 90 % of: **Lists**" in second
    assert "Loops" not in first + second


def test_what_was_never_owed_says_why(delivery: DeliveryScenario) -> None:
    old = record(delivery, happened(JANE, "Old")._replace(is_history=True))
    mirror = record(delivery, happened(JANE, "Twice", EventType.CONTENT_COMPLETED)._replace(mirrors=7))
    plain = record(delivery, happened(JANE, "Plain"))
    said = "**Not told:** "
    assert outcome(why(delivery, old)) == f"{said}it was old when I found it, or there before I began to watch"
    assert outcome(why(delivery, mirror)) == f"{said}another event says the same, and you are told of that"
    not_yours = f"{said}when I found it, it was turned off for you, or this student was not yours"
    assert outcome(why(delivery, plain)) == not_yours
    ask(delivery, "notify passed off")
    turned_off = f"{not_yours}; by now you are not told of {{}}, and `notify {{}} now` changes that".format
    assert outcome(why(delivery, plain)) == turned_off("passed exams and certificates", "passed")
    progress = record(delivery, happened(JANE, "Video", EventType.CONTENT_PROGRESS))
    assert outcome(why(delivery, progress)) == turned_off("progress in content", "progress")
    settings = delivery.settings
    for less in (replace(settings, notify_mentors=False), replace(settings, event_types=frozenset({WATCHED}))):
        delivery.settings = less
        assert outcome(why(delivery, plain)) == f"{said}the settings of this bot leave it out"


def test_what_the_lms_says_otherwise_by_now_is_said(delivery: DeliveryScenario) -> None:
    failed, passed = delivery.owe(
        happened(JANE, "Algebra", EventType.EXAM_FAILED, at=NOW - HOUR, source_id=7),
        happened(JANE, "Algebra", source_id=7),
    )
    with delivery.store.writing() as transaction:
        events.supersede(transaction, [failed.event_id])
    newer, _, older = ask(delivery, "why e7").partition("\n\n❌ **jane** failed")
    assert newer.startswith("🎉 **jane** passed")
    assert "otherwise" not in newer
    assert older.endswith("\n* The LMS says something else of it by now.")
    assert "by now" not in ask(delivery, f"why {passed.event_id}")


def test_a10_one_person_who_is_two_mentors_learns_of_one_notification(delivery: DeliveryScenario) -> None:
    both = replace(OMAR, email=MARY.email)
    delivery.read_people(mentors=[MARY, both], links=LINKS | {(2, JANE.student_id)})
    (event,) = delivery.owe(happened(JANE, "Algebra"))
    answer = why(delivery, event)
    assert answer.count("Not told yet") == answer.count("Algebra") == 1


# What is asked about


@pytest.mark.parametrize("written", ["e47", "E47", "е47", "Е47", "`e47`", "e47.", "  e47 "])
def test_a_number_is_understood_as_it_is_typed(delivery: DeliveryScenario, written: str) -> None:
    delivery.owe(happened(JANE, "Algebra", source_id=47), happened(JANE, "Film", WATCHED, source_id=47))
    answer = ask(delivery, f"Why {written}")
    assert "Algebra" in answer
    assert "Film" not in answer


def test_an_event_is_known_by_its_own_id_too(delivery: DeliveryScenario) -> None:
    (first, second) = delivery.owe(happened(JANE, "Algebra"), happened(JANE, "Film", WATCHED))
    assert "Algebra" in ask(delivery, f"why {first.event_id}")
    assert "Film" in ask(delivery, f"why {second.event_id}")


@pytest.mark.parametrize("mistake", ["#47", "y47", "e", "e 47", "e47 c47", "e-1", "e4.7", "jane", "٣", "e" + "9" * 30])
def test_what_is_no_number_is_explained(delivery: DeliveryScenario, mistake: str) -> None:
    delivery.owe(happened(JANE, "Algebra", source_id=47))
    answer = ask(delivery, f"why {mistake}")
    assert answer.endswith("is no number of an event: `history`, `feed` and `pending` show them.")


def test_without_a_number_the_usage_is_shown(delivery: DeliveryScenario) -> None:
    assert "`why <event>`" in ask(delivery, "why")


def test_somebody_elses_event_and_none_are_the_same_words(delivery: DeliveryScenario) -> None:
    (exam, film) = delivery.owe(
        happened(GULNORA, "Algebra", source_id=47), happened(GULNORA, "Film", WATCHED, source_id=9)
    )
    nobodys = record(delivery, happened(Student(99, "ghost"), "Ghost", source_id=48))
    for event in (exam, film, nobodys):
        assert why(delivery, event) == ask(delivery, f"why {event.event_id}") == UNKNOWN
    assert ask(delivery, "why e4040") == ask(delivery, "why 4040") == ask(delivery, f"why c{2**63 - 1}") == UNKNOWN
    assert "Algebra" in why(delivery, exam, OMAR)


def test_the_numbers_of_events_are_those_that_why_understands(delivery: DeliveryScenario) -> None:
    delivery.owe(*[happened(one, f"Of {one.username}", kind) for one in STUDENTS[:2] for kind in (PASSED, WATCHED)])
    for listing in ("feed", "history jane", "history ravi", "pending"):
        lines = [line for line in ask(delivery, listing).split("\n") if line.startswith("* ")]
        assert lines
        for line in lines:
            (number,) = re.findall(r" · `(\w+)`", line)
            (title,) = re.findall(r"\*\*(Of \w+)\*\*", line)
            assert title in ask(delivery, f"why {number}")


def test_no_title_means_anything_to_zulip(delivery: DeliveryScenario) -> None:
    hostile = "@**all** [x](http://evil.example.com) `a`\n* b"
    (event,) = delivery.owe(happened(replace(RAVI, username=hostile), hostile, score=hostile))
    delivery.turn()
    answer = why(delivery, event)
    assert "**Told:** " in answer
    assert "evil" in answer
    assert not LIVE.search(answer)
    assert answer.count("`") == 2, "those of the event's number"
    assert answer.count("\n* ") == 2
