"""Chat, REST and files say the same of studies, and it is what plain SQL counts."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import given, settings

from lms_bot.core.events import EventType
from lms_bot.core.people import Mentor
from lms_bot.core.principal import Principal
from lms_bot.render.academics.profile import profile_text
from lms_bot.render.chart import subjects_text
from lms_bot.render.export import performances_csv, profiles_csv
from lms_bot.render.quoting import mean
from lms_bot.reports import export
from lms_bot.reports.academics import performances, profiles
from lms_bot.store import tables
from lms_bot.store.session import Store, Transaction
from lms_bot.web.application import application
from lms_bot.web.context import Context
from tests import NOW
from tests.databases import shared_store
from tests.delivery_scenario import SETTINGS
from tests.test_academics import ASKED, ATTEMPTS, BATCHES, CLASS, EVERYBODY_TOOK, Rows, keep, near
from tests.web_process import make_token

MARY = Mentor(1, "mary")
STUDENTS = "mentors/1/students/?limit=100"
PROFILE, PERFORMANCE = "students/{}/profile/", "students/{}/performance/?limit=100"
ENDED = "is_current AND NOT is_withdrawn AND mirrors IS NULL AND event_type LIKE 'exam_%ed' AND event_type <> :started"
OWN = f"FROM lms_activity_events WHERE student_id = :who AND {ENDED}"
EXAMS = f"SELECT count(*), avg(percentage), count(percentage) {OWN}"
RANK = f"""
  WITH best AS (
    SELECT student_id, activity_id, max(percentage) AS mark FROM lms_activity_events
    WHERE {ENDED} AND percentage IS NOT NULL AND activity_id IS NOT NULL GROUP BY student_id, activity_id
  ), compared AS (
    SELECT student_id FROM students WHERE NOT EXISTS (SELECT 1 FROM batch_students)
    UNION SELECT theirs.student_id FROM batch_students AS theirs JOIN batch_students AS mine USING (batch_id)
    WHERE mine.student_id = :who
  ), ranks AS (
    SELECT count(*) AS took, 100.0 * count(CASE WHEN other.mark < own.mark THEN 1 END) / count(*) AS below
    FROM best AS own JOIN best AS other USING (activity_id)
    WHERE own.student_id = :who AND other.student_id IN (SELECT student_id FROM compared) GROUP BY activity_id
  ) SELECT avg(below), count(*) FROM ranks WHERE took >= 10"""
PARTS = f"""
  SELECT label, count(*), 100.0 * sum(correct) / sum(total) FROM attempt_results
  WHERE dimension = :dimension AND total > 0 AND attempt_id IN
    (SELECT source_id {OWN}) GROUP BY label"""


class Counted:
    """The figures of one student, as plain SQL counts them."""

    def __init__(self, transaction: Transaction, who: int) -> None:
        def rows(query: str, **more: Any) -> Sequence[Any]:
            given = {"who": who, "started": EventType.EXAM_STARTED.value}
            return transaction.execute(sa.text(query), given | more).all()

        ((self.exams, self.average, self.marks),) = rows(EXAMS)
        ((self.rank, self.ranked),) = rows(RANK)
        self.parts = {
            kind: {label: (n, share) for label, n, share in rows(PARTS, dimension=kind)}
            for kind in ("subject", "difficulty")
        }


@settings(max_examples=12)
@given(attempts=ATTEMPTS, members=BATCHES, everybody=EVERYBODY_TOOK)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_each_figure_is_the_same_at_every_door(
    attempts: list[tuple[Any, ...]],
    members: list[tuple[int, int]],
    everybody: list[float | None],
    kind: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    store = shared_store(kind, request, tmp_path_factory)
    rows = Rows()
    for *attempt, parts in attempts:
        rows.parts(rows.attempt(*attempt), parts)
    for whose, mark in zip(CLASS, everybody, strict=False):
        rows.attempt(whose, 1, EventType.EXAM_COMPLETED, mark, 3, "now")
    if everybody and members:
        members = [*members, *((3, whose) for whose in CLASS)]
    with store.writing() as transaction:
        keep(transaction, rows, members)
        transaction.execute(sa.insert(tables.mentors).values(mentor_id=1, username="mary"))
        links = [{"mentor_id": 1, "student_id": whose} for whose in CLASS]
        transaction.execute(sa.insert(tables.mentor_students), links)
    with store.reading() as transaction:
        counted = {who: Counted(transaction, who) for who in ASKED}
        for who, expected in counted.items():
            compare_chat(transaction, who, expected)
        compare_files(transaction, counted)
    compare_rest(store, counted)


def compare_chat(transaction: Transaction, who: int, expected: Counted) -> None:
    mary = Principal.of([MARY], [])
    text = profile_text(profiles.profile(transaction, mary, who, SETTINGS, NOW), NOW)
    assert f"**Average:** {mean(expected.average)}" in text
    assert re.search(rf"📝 {expected.exams} exams? finished", text)
    assert ("better than" in text) == (expected.rank is not None)
    if expected.rank is not None:
        assert f"better than {mean(float(expected.rank))} of" in text
    found = performances.performance(transaction, mary, who, SETTINGS, NOW)
    chart = subjects_text(found.student, found.subject_performance)
    for label, (n, share) in expected.parts["subject"].items():
        assert re.search(rf"\*\*{label}\*\* · {re.escape(mean(float(share)))} · {n} result", chart)


def compare_files(transaction: Transaction, counted: dict[int, Counted]) -> None:
    asked = (transaction, Principal.of([MARY], []), list(counted), SETTINGS, NOW)
    for line in read(profiles_csv(export.profiles(*asked))):
        expected = counted[int(line["student_id"])]
        assert (int(line["total_exams"]), int(line["average_score_n"])) == (expected.exams, expected.marks)
        assert value(line["average_score"]) == near(expected.average)
        assert value(line["percentile_rank"]) == near(number(expected.rank))
        assert int(line["percentile_rank_n"]) == expected.ranked
    lines = read(performances_csv(export.performances(*asked)))
    for who, expected in counted.items():
        own = [line for line in lines if int(line["student_id"]) == who]
        figures = {line["name"]: value(line["value"]) for line in own if line["kind"] == "figure"}
        assert figures["total_exams"] == expected.exams
        assert figures["percentile_rank"] == near(number(expected.rank))
        for kind, parts in expected.parts.items():
            found = {one["name"]: (int(one["n"]), value(one["value"])) for one in own if one["kind"] == kind}
            assert found == {label: (n, near(number(share))) for label, (n, share) in parts.items()}


async def answers(store: Store, paths: Sequence[str]) -> dict[str, Any]:
    """What a program of Mary's is answered to each path."""
    token = make_token(store, "reader", mentor=1)
    transport = httpx.ASGITransport(application(Context(store, SETTINGS)))
    bearer = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1/lms/", headers=bearer) as web:
        return {path: (await web.get(path)).raise_for_status().json() for path in paths}


def compare_rest(store: Store, counted: dict[int, Counted]) -> None:
    paths = [path for who in counted for path in (PROFILE.format(who), PERFORMANCE.format(who))]
    said = asyncio.run(answers(store, [STUDENTS, *paths]))
    attention = {one["student_id"]: one for one in said[STUDENTS]["items"]}
    assert set(attention) == set(CLASS)
    for who, expected in counted.items():
        profile, performance = said[PROFILE.format(who)], said[PERFORMANCE.format(who)]
        figures, evidence = profile["academic_metrics"], profile["evidence"]
        assert figures["total_exams"] == evidence["total_exams"]["n"] == expected.exams
        assert figures["average_score"] == attention[who]["average_score"] == near(expected.average)
        assert figures["percentile_rank"] == performance["percentile_rank"] == near(number(expected.rank))
        history = performance["exam_history"]
        assert history["total"] == len(history["items"]) == expected.exams
        for kind, parts in expected.parts.items():
            found = {one[kind]: (one["n"], one["percentage"]) for one in performance[f"{kind}_performance"]}
            assert found == {label: (n, near(number(share))) for label, (n, share) in parts.items()}


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def value(cell: str) -> float | None:
    return float(cell) if cell else None


def number(found: Any) -> float | None:
    return None if found is None else float(found)
