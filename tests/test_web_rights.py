"""Nothing foreign is ever answered, whatever a token asks; and it is what chat says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lms_bot.config import settings
from lms_bot.core.events import EventType
from lms_bot.core.principal import Principal
from lms_bot.core.reports.feed import Filter, Page
from lms_bot.core.web.tokens import Scope
from lms_bot.reports import access, feed
from lms_bot.reports.web import activity
from lms_bot.store.people.people import mentor
from lms_bot.store.reports import activity as newest_events
from lms_bot.store.session import Store, open_store
from tests.databases import make_store, on_server, store_in_file
from tests.web_process import (
    GULNORA,
    JANE,
    MARY,
    OBRIEN,
    OF,
    OMAR,
    RAVI,
    READ_AT,
    STUDENTS,
    make_token,
    people_the_store,
    record,
    serving,
)

SETTINGS = settings.load(None, {"LMS_DATABASE_URL": "sqlite:///lms.db"})
EVERYBODY = {*STUDENTS}
READS = ["/api/v1/activity/", "/api/v1/events/unprocessed"]


@dataclass
class School:
    """A process, and a program for each mentor and one for everybody, with and without names."""

    store: Store
    clients: dict[tuple[int | None, bool], httpx.Client]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def school(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    folder = tmp_path_factory.mktemp("rights")
    with ExitStack() as stack:
        url = store_in_file(folder / "store.db")
        if request.param == "postgresql":
            url = stack.enter_context(on_server(request.getfixturevalue("postgresql_server"), make_store))
        store = open_store(url)
        stack.callback(store.close)
        people_the_store(store)
        for _ in range(3):
            for student in (JANE, RAVI, GULNORA, OBRIEN, None, 5555):
                record(store, student)
                record(store, student, event_type="student_alert", source_table="student_alerts")
                record(store, student, is_withdrawn=True)
                record(store, student, mirrors=1)
        web = stack.enter_context(serving(url, folder))
        clients = {}
        for whose in (MARY, OMAR, None):
            for named in (False, True):
                scopes = [scope for scope in Scope if named or scope is not Scope.NAMES]
                clients[whose, named] = web.client(make_token(store, f"{whose}-{named}", *scopes, mentor=whose))
        yield School(store, clients)


def theirs(whose: int | None) -> set[int]:
    return EVERYBODY if whose is None else OF[whose]


def principal(school: School, whose: int | None) -> Principal:
    with school.store.reading() as transaction:
        return Principal.service(None if whose is None else mentor(transaction, whose))


def chat_says(school: School, whose: int | None, wanted: Filter) -> list[int]:
    """The numbers of the events that chat's `feed` shows for the same principal."""
    with school.store.reading() as transaction:
        found = feed.feed(transaction, principal(school, whose), wanted, Page(200), SETTINGS)
        return [event.source_id for event in found]


QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "student": st.sampled_from([*STUDENTS, 5555, 1, 2**53 - 1]),
        "limit": st.integers(1, 100),
        "type": st.sampled_from(["exam_passed", "exam_failed", "exam_passed,content_started"]),
        "after": st.text("0123456789abcdef", min_size=32, max_size=32) | st.integers(0, 99).map(str),
        "course": st.sampled_from(["python", "PYTH", "%", "java"]),
    },
)
QUICK = hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(whose=st.sampled_from([MARY, OMAR, None]), named=st.booleans(), path=st.sampled_from(READS), query=QUERIES)
def test_nothing_foreign_is_answered(
    school: School, whose: int | None, named: bool, path: str, query: dict[str, Any]
) -> None:
    answer = school.clients[whose, named].get(path, params=query)
    assert answer.status_code in (200, 404, 422)
    if "student" in query and path == READS[0] and answer.status_code != 422:
        assert (answer.status_code == 200) == (query["student"] in theirs(whose))
    for item in answer.json().get("items", []):
        assert whose is None or item["student_id"] in theirs(whose)
        assert whose is None or item["mentor_id"] in (whose, None)
        assert whose is None or item["event_type"] != "student_alert"
    shown = answer.text
    foreign = {name for number, name in STUDENTS.items() if number not in theirs(whose)}
    hidden = foreign if named else {*STUDENTS.values(), "mary", "omar"}
    assert not [name for name in hidden if f'"{name}"' in shown]


ABOUT_STUDENTS = ["/api/v1/lms/students/{}/profile/", "/api/v1/lms/students/{}/performance/"]
NUMBERS = st.sampled_from([*STUDENTS, MARY, OMAR, 5555, 2**53 - 1])


@QUICK
@given(
    whose=st.sampled_from([MARY, OMAR, None]), named=st.booleans(), path=st.sampled_from(ABOUT_STUDENTS), about=NUMBERS
)
def test_studies_are_those_of_own_students(
    school: School, whose: int | None, named: bool, path: str, about: int
) -> None:
    answer = school.clients[whose, named].get(path.format(about))
    if about not in theirs(whose):
        assert is_like_nothing(answer)
        return
    info = answer.raise_for_status().json()["student_info"]
    assert info["student_id"] == about
    assert {info["username"], info["name"].lower()} == {STUDENTS[about]} if named else info["name"] == info["username"]
    assert shown_names(answer) == ({STUDENTS[about]} if named else set())


@QUICK
@given(whose=st.sampled_from([MARY, OMAR, None]), named=st.booleans(), about=NUMBERS, limit=st.integers(1, 3))
def test_the_students_of_a_mentor_are_for_that_mentor(
    school: School, whose: int | None, named: bool, about: int, limit: int
) -> None:
    client, path = school.clients[whose, named], f"/api/v1/lms/mentors/{about}/students/"
    if about not in OF or whose not in (None, about):
        assert is_like_nothing(client.get(path))
        return
    mine = {STUDENTS[one] for one in OF[about]} if named else set()
    found: list[dict[str, Any]] = []
    asked: dict[str, Any] = {}
    while asked.get("after", "") is not None:
        answer = client.get(path, params={"limit": limit, **asked}).raise_for_status()
        found += answer.json()["items"]
        asked = {"after": answer.json()["next"]}
        assert shown_names(answer) <= mine
    assert [one["student_id"] for one in found] == [*dict.fromkeys(one["student_id"] for one in found)]
    assert {one["student_id"] for one in found} == OF[about]
    events = client.get("/api/v1/activity/", params={"student": found[0]["student_id"]}).json()["items"]
    assert {one["student_username"] for one in events} == {found[0]["username"]}


def is_like_nothing(answer: httpx.Response) -> bool:
    """Whether this is the answer of what does not exist."""
    problem = answer.json()
    return (answer.status_code, problem["detail"]) == (404, "There is no such thing, or it is not yours.")


def shown_names(answer: httpx.Response) -> set[str]:
    people = {*STUDENTS.values(), "mary", "omar"}
    return {name for name in people if f'"{name}"' in answer.text.lower()}


@pytest.mark.parametrize("whose", [MARY, OMAR, None])
def test_activity_is_what_chat_says(school: School, whose: int | None) -> None:
    client = school.clients[whose, True]
    for wanted, query in (
        (Filter(), {}),
        (Filter(course="PYTH"), {"course": "PYTH"}),
        (Filter(course="x"), {"course": "x"}),
    ):
        items = client.get("/api/v1/activity/", params={"limit": 100, **query}).json()["items"]
        assert [item["source_id"] for item in items] == chat_says(school, whose, wanted)


@pytest.mark.parametrize("whose", [MARY, OMAR])
def test_nothing_foreign_is_marked(school: School, whose: int) -> None:
    with school.store.reading() as transaction:
        mine = {student.student_id for student in access.students(transaction, principal(school, whose))}
    assert mine == OF[whose]
    client, all_of_them = school.clients[whose, True], school.clients[None, True]
    before = all_of_them.get("/api/v1/events/unprocessed?limit=1000").json()["items"]
    client.post("/api/v1/events/processed", json={"event_ids": [item["event_id"] for item in before]})
    after = all_of_them.get("/api/v1/events/unprocessed?limit=1000").json()["items"]
    gone = {item["event_id"] for item in before} - {item["event_id"] for item in after}
    assert {item["student_id"] for item in before if item["event_id"] in gone} <= mine


PLAN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}


@pytest.mark.parametrize("wanted", [Filter(), Filter(types=frozenset([EventType.EXAM_FAILED]), course="java")])
def test_the_newest_of_everybody_are_found_by_their_index(
    store: Store, wanted: Filter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newest_events, "LOOKED_AT", 1_000)
    people_the_store(store)
    record(store, JANE, 3_000)
    seen: list[tuple[str, Any]] = []
    dialect = store.engine.dialect.name
    with store.reading() as transaction:
        if dialect == "postgresql":
            transaction.exec_driver_sql("ANALYZE")
        sa.event.listen(store.engine, "before_cursor_execute", lambda *given: seen.append((given[2], given[3])))
        before = (READ_AT + timedelta(days=9), 5)
        activity.newest(transaction, Principal.service(), wanted, most=20, before=before)
        asked = [one for one in seen if "ORDER BY" in one[0]]
        plans = [str(transaction.exec_driver_sql(f"{PLAN[dialect]} {one[0]}", one[1]).all()).lower() for one in asked]
    assert len(plans) == (2 if wanted.course else 1)
    for plan in plans:
        assert "ix_lms_activity_events_newest" in plan
        assert "sort" not in plan.replace("presorted", "")
        assert "temp b-tree" not in plan
    if wanted.course:  # it ends where it has looked at so many
        assert ("timestamp>?" if dialect == "sqlite" else ">= row(") in plans[1]


def test_what_is_rare_is_found_in_pages_that_each_look_at_so_many(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newest_events, "LOOKED_AT", 50)
    people_the_store(store)
    rare = [record(store, JANE, 70, course_key="java" if at % 3 == 0 else "python") for at in range(5)]
    expected = [number for at in (3, 0) for number in reversed(rare[at])]
    found, before, pages = list[int](), None, 0
    with store.reading() as transaction:
        while pages == 0 or before is not None:
            page = activity.newest(transaction, Principal.service(), Filter(course="JAVA"), most=30, before=before)
            found += [event.event_id for event in page.events]
            before, pages = page.next, pages + 1
    assert found == expected
    assert 350 / 50 <= pages <= 350 / 50 + 140 / 30 + 1
