"""Who asks how a student stands gets figures that fit a phone; students get their own, and nobody anybody else's."""

from __future__ import annotations

import csv
import io
import struct
from datetime import timedelta

import pytest
import sqlalchemy as sa

from lms_bot.core.events import Event, EventType
from lms_bot.core.notifications import Message
from lms_bot.core.people import ZulipUser
from lms_bot.handlers.mentor import history
from lms_bot.store import tables
from lms_bot.store.notifications import outbox
from lms_bot.store.people import accounts
from lms_bot.store.session import Store
from tests import NOW
from tests.delivery_scenario import happened, owe
from tests.questions import ACCOUNTS, ADA, ADMIN_STREAM, GULNORA, JANE, JANET, MARY, OMAR, RAVI, School

DAY = timedelta(days=1)
FAILED, PASSED, COMPLETED = EventType.EXAM_FAILED, EventType.EXAM_PASSED, EventType.CONTENT_COMPLETED
JANES_ACCOUNT = 30
HOSTILE = "@**all** | [x](http://evil.example.com) `a` _$x^2$"


@pytest.fixture
def school(store: Store) -> School:
    """Jane took three exams of two subjects in her batch, watched a video, and takes Maths; the LMS counts more."""
    opened = School.open(store)
    with store.writing() as transaction:
        account = ZulipUser(JANES_ACCOUNT, "Jane", "jane@example.org", True, False)
        accounts.keep_zulip_users(transaction, [*ACCOUNTS, account], NOW)
    exams = owe(
        store,
        [
            happened(JANE, "Algebra", PASSED, at=NOW - 2 * DAY, percentage=70),
            happened(JANE, "Geometry", PASSED, at=NOW - DAY, percentage=90),
            happened(JANE, "Optics", FAILED, percentage=35)._replace(activity_id=600),
        ],
    )
    owe(store, [happened(JANE, "Fractions", COMPLETED, at=NOW - 3 * DAY, content_type="video")._replace(activity_id=7)])
    opened.count_days()
    with store.writing() as transaction:
        add(transaction, exams)
    return opened


def add(transaction: sa.Connection, exams: list[Event]) -> None:
    """Put results by subject, a batch, a course and the LMS's counts into the tables."""
    results = [
        {"source_table": "subject_stats", "source_id": 10 * place + part, "attempt_id": exam.source_id, "label": label}
        | {"exam_source": "attempts", "dimension": "subject", "correct": right, "incorrect": 10 - right}
        | {"unanswered": 0, "total": 10}
        for place, exam in enumerate(exams)
        for part, (label, right) in enumerate([("Algebra", 8 + place % 2), ("Physics", 4 - place)])
    ]
    items = [("exam", "attempts", 501), ("video", "content_attempts", 7), ("end", "attempts", 999)]
    course_items = [{"course_id": 1, "item": i, "source_table": s, "activity_id": a} for i, s, a in items]
    counts = {"student_id": JANE.student_id, "source_id": 1, "day": (NOW - DAY).date(), "videos": 1}
    transaction.execute(sa.insert(tables.attempt_results), results)
    transaction.execute(sa.insert(tables.batches), [{"batch_id": 1, "name": "Spring"}])
    transaction.execute(sa.insert(tables.batch_students), [{"batch_id": 1, "student_id": JANE.student_id}])
    transaction.execute(sa.insert(tables.courses), [{"course_id": 1, "title": "Maths"}])
    transaction.execute(sa.insert(tables.course_students), [{"course_id": 1, "student_id": JANE.student_id}])
    transaction.execute(sa.insert(tables.course_items), course_items)
    transaction.execute(sa.insert(tables.lms_counts), [counts | {"current_streak": 5, "highest_streak": 9}])


def picture(school: School, message: Message) -> bytes:
    with school.store.reading() as transaction:
        return outbox.attachment(transaction, message) or b""


PROFILE = (
    "👤 **Jane Smith** · Spring\n"
    "📊 **Average:** 65% over 3 exams\n"
    "📝 3 exams finished · 🎬 1 video watched\n"
    "🔥 **Streak:** 4 days, longest 4\n"
    "🆘 **Struggling:** Physics 30% (3)\n"
    "💪 **Strong:** Algebra 83.3% (3)\n"
    "⚖️ The LMS counts otherwise, on 2026-03-01: streak 5 (ours 4), longest streak 9 (ours 4)\n"
    "\n"
    "**Courses**\n"
    "* **Maths** · 2 of 3 done (66.7%) · 1 d ago\n"
    "\n"
    "**Last**\n"
    "* ❌ failed **Optics** · 35% · <time:2026-03-02T12:00:00Z>\n"
    "* 🎉 passed **Geometry** · 90% · <time:2026-03-01T12:00:00Z>"
)


def test_a_profile_says_how_a_student_stands_on_fifteen_lines(school: School) -> None:
    assert school.ask("profile @jane_smith") == PROFILE
    assert len(PROFILE.splitlines()) <= 15


def test_an_admin_asks_about_anybody_and_is_answered_in_private(school: School) -> None:
    private, note = school.answer(school.question("profile jane_smith", ADA, stream_id=ADMIN_STREAM))
    assert private.recipient.user_ids == (ADA,)
    assert private.content == PROFILE
    assert "Jane" not in note.content


def test_a_student_sees_the_same_figures_about_themselves(school: School) -> None:
    mine = school.ask("me", JANES_ACCOUNT)
    assert mine.count("Average") == mine.count("Streak") == mine.count("Struggling") == 1
    assert "* 🆘 **Struggling:** Physics 30% (3) · 💪 **Strong:** Algebra 83.3% (3)\n" in mine
    assert mine.endswith(
        "\n\n**Studies**\n"
        "* 🎬 1 video watched\n"
        "* ⚖️ The LMS counts otherwise, on 2026-03-01: streak 5 (ours 4), longest streak 9 (ours 4)\n"
        "* **Maths** · 2 of 3 done (66.7%) · 1 d ago"
    )


def test_the_card_has_a_line_with_the_clear_subjects(school: School) -> None:
    assert "* 🆘 **Struggling:** Physics 30% (3) · 💪 **Strong:** Algebra 83.3% (3)\n" in school.ask("student jane")


def test_of_who_did_nothing_it_says_what_is_known(store: Store) -> None:
    assert School.open(store).ask("profile ravi") == (
        "👤 **Ravi Patel**\n"
        "📊 **Average:** —\n"
        "📝 0 exams finished · 🎬 0 videos watched\n"
        "🔥 **Streak:** 0 days, longest 0"
    )


def test_subjects_are_drawn_with_their_numbers_as_text(school: School) -> None:
    (message,) = school.answer(school.question("chart jane subjects"))
    assert message.content == (
        "📊 **Jane Smith** · 2 subjects: weakest Physics 30%, strongest Algebra 83.3%\n"
        "\n"
        "```spoiler The numbers\n"
        "* **Physics** · 30% · 3 results\n"
        "* **Algebra** · 83.3% · 3 results\n"
        "```"
    )
    assert message.attachment == "subjects-1001.png"
    drawn = picture(school, message)
    width, height = struct.unpack(">II", drawn[16:24])
    assert drawn.startswith(b"\x89PNG\r\n\x1a\n")
    assert width > height


def test_subjects_may_be_those_of_a_period(school: School) -> None:
    shown = school.ask("chart jane subjects 1d")
    assert "* **Physics** · 25% · 2 results\n" in shown
    (message,) = school.answer(school.question("chart ravi subjects"))
    assert message.content == "**Ravi Patel** has no results by subject in that time."
    assert message.attachment is None


@pytest.mark.parametrize("question", ["profile gulnora", "chart gulnora subjects", "profile #1004", "profile nobody"])
def test_somebody_elses_student_is_like_nobody(school: School, question: str) -> None:
    (message,) = school.answer(school.question(question, MARY))
    assert message.content.startswith("You have no student “")
    assert message.attachment is None
    assert GULNORA.name in school.ask("profile gulnora", OMAR)


def test_foreign_words_mean_nothing_in_a_profile(school: School) -> None:
    with school.store.writing() as transaction:
        transaction.execute(sa.update(tables.attempt_results).values(label=HOSTILE))
        transaction.execute(sa.update(tables.batches).values(name=HOSTILE))
        transaction.execute(sa.update(tables.courses).values(title=HOSTILE))
    for question in ("profile jane", "chart jane subjects", "student jane"):
        (message,) = school.answer(school.question(question))
        assert "@**all" not in message.content
        assert "](http" not in message.content
        if message.attachment:
            assert picture(school, message).startswith(b"\x89PNG")


def test_a_profile_says_what_has_changed_since_last_week_and_four_weeks_ago(school: School) -> None:
    rows = [
        {
            "student_id": JANE.student_id,
            "snapshot_date": NOW.date() - days * DAY,
            "total_exams_taken": exams,
            "subject_scores": {},
        }
        | {"average_score": average, "videos_watched": 1, "streak_count": 0}
        for days, exams, average in [(3, 2, 50.0), (10, 1, 60.0), (31, 0, None), (90, 9, 99.0)]
    ]
    with school.store.writing() as transaction:
        transaction.execute(sa.insert(tables.snapshots), rows)
    said = school.ask("profile @jane_smith")
    last_week, before = (NOW.date() - 10 * DAY).isoformat(), (NOW.date() - 31 * DAY).isoformat()
    assert f"📈 Since {last_week}: average +5 points, +2 exams" in said
    assert f"📈 Since {before}: +3 exams" in said
    assert "99" not in said


# Files


def file_of(school: School, question: str) -> tuple[Message, list[dict[str, str]]]:
    (message,) = school.answer(school.question(question))
    content = picture(school, message).decode("utf-8-sig")
    return message, list(csv.DictReader(io.StringIO(content, newline=""), strict=True))


def test_a_file_has_the_figures_of_the_profile(school: School) -> None:
    message, (line,) = file_of(school, "export @jane_smith profile")
    assert (message.content, message.attachment) == ("📄 **Jane Smith** · profile", "Jane-Smith_profile.csv")
    said = {"student": "jane_smith", "batches": "Spring", "current_streak": "4", "average_score_n": "3"}
    said |= {"total_exams": "3", "videos_watched": "1", "percentile_rank": "", "strong_subjects": "Algebra"}
    assert line | said | {"struggling_subjects": "Physics", "courses": "Maths 2/3"} == line


def test_a_file_has_the_figures_of_the_performance(school: School) -> None:
    message, lines = file_of(school, "export performance jane_smith")
    assert message.attachment == "Jane-Smith_performance.csv"
    by_name = {(line["kind"], line["name"]): line for line in lines}
    assert by_name["figure", "total_exams"]["value"] == "3"
    assert (by_name["subject", "Physics"]["value"], by_name["subject", "Physics"]["n"]) == ("30.0", "3")


def test_a_file_of_figures_goes_on_without_a_gap(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "FILE_STUDENTS", 2)
    first, lines = file_of(school, "export all profile")
    assert (first.attachment, "`more`" in first.content) == ("all-students_profile_1-2.csv", True)
    second, rest = file_of(school, "more")
    assert (second.attachment, "`more`" in second.content) == ("all-students_profile_3-3.csv", False)
    found = [int(line["student_id"]) for line in lines + rest]
    assert found == sorted(one.student_id for one in (JANE, RAVI, JANET))


def test_a_file_of_figures_has_no_period(school: School) -> None:
    assert school.ask("export all profile 7d") == "A profile is how a student stands now: leave out the period."


def test_a_hostile_subject_is_no_formula(school: School) -> None:
    with school.store.writing() as transaction:
        transaction.execute(sa.update(tables.attempt_results).values(label="=cmd()"))
    assert "'=cmd()" in {line["name"] for line in file_of(school, "export all performance")[1]}
