"""The three POSTs of the LMS's pages: only the LMS's own students, each for themselves, and what the contract says."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import sqlalchemy as sa

from lms_bot.config import settings
from lms_bot.core.events import PAGE_REPORTS
from lms_bot.store import tables
from lms_bot.store.session import Store, open_store
from lms_bot.web.application import application
from lms_bot.web.context import Context
from lms_bot.web.rate_limit import RateLimit
from tests.databases import make_store, on_server, store_in_file
from tests.test_settings import SIGNAL_SECRET
from tests.web_process import GULNORA, JANE, OBRIEN, RAVI, make_token, people_the_store, serving

KEY = base64.b64decode(SIGNAL_SECRET.removeprefix("whsec_"))
LESSON, WITH_QUIZ, QUIZ = 21, 22, 41
ACTIVITY, PROGRESS, COMPLETE = "/api/activity/update/", f"/api/lessons/{LESSON}/progress/", "/api/lessons/{}/complete/"
SETTINGS = f"signal_secret = {SIGNAL_SECRET}\nlms_schema = moodle\nlms_url = https://lms.example.org"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def signed(sub: Any = JANE, key: bytes = KEY, algorithm: str = "HS256", **claims: Any) -> str:
    """A token as the LMS makes it; a claim that is None is left out."""
    whole = {"sub": str(sub) if isinstance(sub, int) else sub, "aud": "lms_bot", "exp": datetime.now(UTC) + HOUR}
    kept = {name: value for name, value in {**whole, **claims}.items() if value is not None}
    return jwt.encode(kept, key, algorithm)


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass
class Site:
    """A process that answers the pages of an LMS."""

    store: Store
    client: httpx.Client

    def post(self, path: str, body: Any = None, student: int = JANE, token: str | None = None) -> httpx.Response:
        return self.client.post(path, json=body, headers=bearing(token or signed(student)))

    def answer(self, path: str, body: Any = None, student: int = JANE) -> dict[str, Any]:
        """What is answered, but for the two moments that stand in every answer."""
        answer = self.post(path, body, student)
        assert answer.status_code == 200, answer.text
        content = dict(answer.json())
        assert content.pop("as_of")
        assert content.pop("lms_read_at")
        return content

    def watch(self, body: dict[str, Any], student: int = JANE) -> tuple[float, str, bool]:
        found = self.answer(PROGRESS, body, student)
        assert found.keys() == {"success", "watch_percentage", "status", "completed"}
        return found["watch_percentage"], found["status"], found["completed"]

    def rows(self, table: sa.Table) -> list[Any]:
        with self.store.reading() as transaction:
            return list(transaction.execute(sa.select(table)))


def add_lessons(store: Store) -> None:
    with store.writing() as transaction:
        transaction.execute(sa.insert(tables.courses).values(course_id=1, title="Python"))
        for lesson in (LESSON, WITH_QUIZ):
            item = {"course_id": 1, "item": str(lesson), "source_table": PAGE_REPORTS, "activity_id": lesson}
            transaction.execute(sa.insert(tables.course_items).values(item))
        values = [
            {"lesson_id": LESSON, "title": "Loops", "quiz_source": None, "quiz_id": None},
            {"lesson_id": WITH_QUIZ, "title": "Variables", "quiz_source": "course_modules_viewed", "quiz_id": QUIZ},
        ]
        transaction.execute(sa.insert(tables.lessons), values)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def process(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("lessons")
    with ExitStack() as stack:
        url = store_in_file(folder / "store.db")
        if request.param == "postgresql":
            url = stack.enter_context(on_server(request.getfixturevalue("postgresql_server"), make_store))
        store = open_store(url)
        stack.callback(store.close)
        people_the_store(store)
        add_lessons(store)
        yield Site(store, stack.enter_context(serving(url, folder, SETTINGS)).client())


@pytest.fixture
def site(process: Site) -> Site:
    """The same process, for which nothing was reported yet."""
    with process.store.writing() as transaction:
        written = (tables.logs, tables.events, tables.page_reports, tables.streaks, tables.student_days)
        for table in written:
            transaction.execute(sa.delete(table))
        transaction.execute(sa.update(tables.students).values(is_active=True))
    return process


# Tokens


def forged() -> dict[str, str | None]:
    """Tokens that do not count, by what is wrong with them."""
    now = datetime.now(UTC)
    head, body, signature = signed().split(".")
    of_ravi = signed(RAVI).split(".")[1]
    claims = json.dumps({"sub": str(JANE), "aud": "lms_bot", "exp": 9e99}).encode()
    return {
        "none": None,
        "no token": "x",
        "other key": signed(key=KEY[:-1] + b"!"),
        "not signed": jwt.encode({"sub": str(JANE), "aud": "lms_bot", "exp": now + HOUR}, "", "none"),
        "other algorithm": signed(algorithm="HS512", key=KEY * 2),
        "the secret's own text": signed(key=SIGNAL_SECRET.encode()),
        "other body": f"{head}.{of_ravi}.{signature}",
        "no signature": f"{head}.{body}.",
        "expired": signed(exp=now - timedelta(minutes=2)),
        "too long": signed(exp=now + DAY + timedelta(minutes=2)),
        "endless": signed(exp=253_402_300_799_000),
        "no exp": signed(exp=None),
        "exp is no number": signed(exp="tomorrow"),
        "beyond numbers": f"{head}.{base64.urlsafe_b64encode(claims).decode().strip('=')}.{signature}",
        "other audience": signed(aud="lms"),
        "no audience": signed(aud=None),
        "not yet": signed(nbf=now + HOUR),
        "nobody": signed(sub=None),
        "no number": signed(sub="jane_smith"),
        "negative": signed(sub="-1001"),
        "other digits": signed(sub="١٠٠١"),
        "too high": signed(sub=str(2**53)),
        "a list": signed(sub=[JANE]),
        "true": signed(sub=True),
        "unknown": signed(sub=999_999),
        "a huge one": signed(more="x" * 8_000),
    }


@pytest.mark.parametrize("path", [ACTIVITY, PROGRESS, COMPLETE.format(LESSON)])
def test_a_token_that_does_not_count_is_refused_and_writes_nothing(site: Site, path: str) -> None:
    for wrong, token in forged().items():
        headers = {} if token is None else bearing(token)
        answer = site.client.post(path, json={"watch_percentage": 95}, headers=headers)
        assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json"), wrong
        assert "Bearer" in answer.headers["WWW-Authenticate"]
        assert SIGNAL_SECRET[6:20] not in answer.text
    for table in (tables.page_reports, tables.student_days, tables.events):
        assert site.rows(table) == []


def test_the_reason_is_said_of_a_token_that_expired_or_counts_for_too_long(site: Site) -> None:
    now = datetime.now(UTC)
    said = {
        now - HOUR: "The token is expired.",
        now + 2 * DAY: "The token counts for too long: its exp must be at most a day ahead.",
    }
    for exp, detail in said.items():
        assert site.post(ACTIVITY, token=signed(exp=exp)).json()["detail"] == detail


@pytest.mark.parametrize("sub", [JANE, str(JANE)])
def test_a_student_is_named_by_a_number_or_its_text(site: Site, sub: Any) -> None:
    token = jwt.encode({"sub": sub, "aud": ["x", "lms_bot"], "exp": datetime.now(UTC) + DAY}, KEY, "HS256")
    assert site.post(ACTIVITY, token=token).status_code == 200


def test_a_student_who_has_left_is_refused(site: Site) -> None:
    with site.store.writing() as transaction:
        of_jane = tables.students.c.student_id == JANE
        transaction.execute(sa.update(tables.students).where(of_jane).values(is_active=False))
    answer = site.post(ACTIVITY)
    assert (answer.status_code, answer.json()["detail"]) == (401, "The LMS has no such student now.")


def test_programs_and_students_have_no_use_for_each_others_tokens(site: Site) -> None:
    program = make_token(site.store, f"program-{datetime.now(UTC).timestamp()}")
    assert site.post(ACTIVITY, token=program).status_code == 401
    for path in ("/api/v1/activity/", "/api/v1/events/unprocessed"):
        assert site.client.get(path, headers=bearing(signed())).status_code == 401


def test_without_a_secret_nobody_is_believed(tmp_path: Path) -> None:
    url = store_in_file(tmp_path / "store.db")
    store = open_store(url)
    people_the_store(store)
    store.close()
    with serving(url, tmp_path) as web:
        for key in (KEY, bytes(32)):
            answer = web.client().post(ACTIVITY, headers=bearing(signed(key=key)))
            assert (answer.status_code, "signal_secret" in answer.json()["detail"]) == (401, True)


# Activity


def test_a_student_who_is_there_has_a_day_of_presence(site: Site) -> None:
    today = datetime.now(UTC).date()
    for _ in range(2):
        found = site.answer(ACTIVITY)
        assert found == {
            "success": True,
            "message": "Activity updated successfully",
            "streak": {"current_streak": 1, "max_streak": 1, "last_activity_date": today.isoformat()},
            "activity_date": today.isoformat(),
        }
    (day,) = site.rows(tables.student_days)
    assert (day.student_id, day.day, day.is_active, day.in_lms) == (JANE, today, False, True)


def test_the_streak_is_that_of_presence(site: Site) -> None:
    today = datetime.now(UTC).date()
    with site.store.writing() as transaction:
        for first, last in ((today - 20 * DAY, today - 10 * DAY), (today - 2 * DAY, today - DAY)):
            values = {"student_id": JANE, "kind": "presence", "first_day": first, "last_day": last}
            transaction.execute(sa.insert(tables.streaks).values(**values, days=(last - first).days + 1))
    streak = site.answer(ACTIVITY)["streak"]
    assert (streak["current_streak"], streak["max_streak"]) == (3, 11)


def test_a_day_is_written_once_however_often_it_is_said(site: Site) -> None:
    site.answer(ACTIVITY)
    with site.store.writing():  # who would write waits for this, and on SQLite nobody else may
        assert site.answer(ACTIVITY)["success"] is True


def test_a_day_is_cut_by_the_students_own_clock(site: Site) -> None:
    with site.store.writing() as transaction:
        transaction.execute(sa.insert(tables.student_zones).values(student_id=GULNORA, zone="Pacific/Kiritimati"))
    there = date.fromisoformat(site.answer(ACTIVITY, student=GULNORA)["activity_date"])
    assert there == (datetime.now(UTC) + timedelta(hours=14)).date()


# Progress


def test_what_was_played_counts_and_a_jump_does_not(site: Site) -> None:
    at = [site.watch({"watch_percentage": second, "timestamp": second}) for second in range(0, 41, 8)]
    assert at[0] == (0, "not_started", False)
    assert at[-1] == (40, "in_progress", False)
    assert site.watch({"watch_percentage": 99, "timestamp": 99})[0] == pytest.approx(40, abs=1)
    for second in range(40, 97, 8):
        last = site.watch({"watch_percentage": second, "timestamp": second})
    assert last == (96, "completed", True)
    kinds = sorted(row.event_type for row in site.rows(tables.events))
    assert kinds == ["content_progress", "content_progress", "content_watched"]
    (owed,) = site.rows(tables.logs)
    assert owed.mentor_id == 1


def test_a_bare_percentage_is_kept_as_reported(site: Site) -> None:
    assert site.watch({"watch_percentage": 49}) == (49, "in_progress", False)
    assert site.watch({"watch_percentage": 20}) == (49, "in_progress", False)
    assert site.watch({"watch_percentage": 92.5}) == (92.5, "completed", True)
    (row,) = site.rows(tables.page_reports)
    assert (row.reported, row.stretches, row.position) == (92.5, [], None)


def test_each_student_watches_alone(site: Site) -> None:
    site.watch({"watch_percentage": 95})
    assert site.watch({"watch_percentage": 10}, RAVI) == (10, "in_progress", False)
    assert {row.student_id for row in site.rows(tables.events)} == {JANE}
    site.watch({"watch_percentage": 95}, OBRIEN)  # who has no mentor
    assert {row.mentor_id for row in site.rows(tables.logs)} == {1}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "watch_percentage"),
        ({"watch_percentage": 101}, "watch_percentage"),
        ({"watch_percentage": -1}, "watch_percentage"),
        ({"watch_percentage": "much"}, "watch_percentage"),
        ({"watch_percentage": None}, "watch_percentage"),
        ({"watch_percentage": 5, "timestamp": -1}, "timestamp"),
        ({"watch_percentage": 5, "timestamp": 1e9}, "timestamp"),
        ({"watch_percentage": 5, "timestamp": 1, "duration": -1}, "duration"),
        ({"watch_percentage": 5, "student": 1}, "student"),
        ([], "body"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(site: Site, body: Any, where: str) -> None:
    answer = site.post(PROGRESS, body)
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where)
    assert site.rows(tables.page_reports) == []


@pytest.mark.parametrize("text", ['{"watch_percentage": NaN}', '{"watch_percentage": 5, "timestamp": Infinity}', "{"])
def test_what_is_no_json_is_refused_too(site: Site, text: str) -> None:
    headers = {**bearing(signed()), "Content-Type": "application/json"}
    assert site.client.post(PROGRESS, content=text, headers=headers).status_code == 422


@pytest.mark.parametrize(("lesson", "status"), [("999", 404), ("0", 422), ("x", 422), (str(2**60), 422)])
def test_a_lesson_that_is_not_there_is_refused(site: Site, lesson: str, status: int) -> None:
    for path in (f"/api/lessons/{lesson}/progress/", COMPLETE.format(lesson)):
        assert site.post(path, {"watch_percentage": 5}).status_code == status


# Complete


def test_a_lesson_is_marked_as_complete(site: Site) -> None:
    for _ in range(2):
        found = site.answer(COMPLETE.format(LESSON))
        assert found == {"success": True, "message": "Lesson marked as complete", "lesson_id": LESSON}
    assert [row.event_type for row in site.rows(tables.events)] == ["content_completed"]
    assert site.watch({"watch_percentage": 3}) == (3, "completed", True)


def test_a_lesson_whose_quiz_is_not_passed_is_not_complete(site: Site) -> None:
    refused = {
        "success": False,
        "error": "You must pass the lesson quiz before completing this lesson.",
        "quiz_required": True,
        "quiz_url": None,
    }
    assert site.answer(COMPLETE.format(WITH_QUIZ)) == refused
    passed = {
        "event_type": "exam_passed",
        "student_id": JANE,
        "source_table": "course_modules_viewed",
        "source_id": 1,
        "activity_id": QUIZ,
        "activity_metadata": {},
        "timestamp": datetime.now(UTC),
        "created_at": datetime.now(UTC),
        "fingerprint": 0,
    }
    with site.store.writing() as transaction:
        transaction.execute(sa.insert(tables.events).values(passed))
    assert site.answer(COMPLETE.format(WITH_QUIZ), student=RAVI) == refused
    assert site.answer(COMPLETE.format(WITH_QUIZ))["success"] is True


# The rest


def test_a_students_pages_are_limited_and_nobody_elses_by_it(tmp_path: Path) -> None:
    url = store_in_file(tmp_path / "store.db")
    store = open_store(url)
    people_the_store(store)
    environment = {"LMS_DATABASE_URL": "sqlite:///lms.db", "LMS_BOT_SIGNAL_SECRET": SIGNAL_SECRET}
    context = Context(store, settings.load(None, environment))
    context.students_rate_limit = RateLimit(lambda: 0.0, at_once=2)

    async def posts(*students: int) -> list[httpx.Response]:
        transport = httpx.ASGITransport(application(context))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [await client.post(ACTIVITY, headers=bearing(signed(student))) for student in students]

    answers = asyncio.run(posts(JANE, JANE, JANE, RAVI))
    assert [answer.status_code for answer in answers] == [200, 200, 429, 200]
    assert answers[2].headers["Retry-After"] == "1"
    store.close()


def test_no_other_site_may_ask_from_a_browser(site: Site) -> None:
    origin = {"Origin": "https://lms.example.org", "Access-Control-Request-Method": "POST"}
    for answer in (
        site.client.options(ACTIVITY, headers=origin),
        site.client.post(ACTIVITY, headers={**bearing(signed()), **origin}),
    ):
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_the_script_is_served_small_and_asked_for_again_only_when_it_changed(site: Site) -> None:
    answer = site.client.get("/tracker.js")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "max-age" in answer.headers["Cache-Control"]
    assert 0 < len(answer.content) <= 6_000
    again = site.client.get("/tracker.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert site.client.get("/tracker.js", headers={"If-None-Match": '"other"'}).status_code == 200
