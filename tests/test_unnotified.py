"""What was told to nobody is counted from the rows it is about, and from no others."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.store.people import directory, people
from lms_bot.store.session import Store
from tests import NOW
from tests.delivery_scenario import happened, owe
from tests.questions import GULNORA, JANE, School

OTHERS = 20_000


@pytest.fixture
def school(store: Store) -> School:
    return School.open(store)


def unled(school: School, count: int) -> None:
    """Events of Gulnora while she has no mentor."""
    school.link({(1, JANE.student_id)})
    owe(school.store, [happened(GULNORA, f"Task {number}") for number in range(count)])


def test_students_without_a_mentor_are_counted_by_what_nobody_was_told(school: School) -> None:
    school.happens(GULNORA, 2)
    unled(school, 3)
    assert "**Гульнора Каримова** (#1004): 3 events" in school.ask_as_admin("pending")
    school.link({(2, GULNORA.student_id)})
    assert "without a mentor" not in school.ask_as_admin("pending")


def test_events_of_nobody_that_the_lms_knows_are_counted(school: School) -> None:
    stranger = happened(JANE, "Algebra")._replace(student_id=9999)
    owe(school.store, [stranger, happened(JANE, "Algebra")._replace(student_id=None)])
    assert "* 2 events of students that the LMS does not have" in school.ask_as_admin("pending")


def test_many_students_without_a_mentor_are_counted_and_the_first_are_listed(school: School) -> None:
    many = [happened(GULNORA, "Task")._replace(student_id=student_id) for student_id in range(5000, 5025)]
    with school.store.writing() as transaction:
        everybody = [JANE, *(JANE.__class__(e.student_id or 0, f"student {e.student_id}") for e in many)]
        people.keep_people(transaction, everybody, [], [], NOW)
    owe(school.store, many)
    answer = school.ask_as_admin("pending")
    assert answer.count(": 1 event") == 20
    assert "* … and 5 more" in answer


@pytest.mark.parametrize(
    "ask", [lambda t: directory.students_without_mentor(t, 20), directory.count_events_without_student]
)
def test_the_events_that_were_told_are_not_looked_at(school: School, ask: Any) -> None:
    unled(school, 5)
    with school.store.writing() as transaction:
        transaction.execute(
            sa.text(
                "INSERT INTO lms_activity_events (event_type, student_id, mentor_id, activity_metadata, timestamp,"
                " created_at, source_table, source_id, fingerprint) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
                f" SELECT i + 1 FROM n WHERE i < {OTHERS}) SELECT 'exam_passed', 1001, 1, '{{}}',"
                " '2026-03-01 00:00:00.000000', '2026-03-01 00:00:00.000000', 'attempts', 1000000 + i, 0 FROM n"
            )
        )
        transaction.execute(sa.text("ANALYZE"))
    asked: list[tuple[str, Any]] = []
    sa.event.listen(school.store.engine, "before_cursor_execute", lambda _c, _k, s, p, *_: asked.append((s, p)))
    with school.store.reading() as transaction:
        ask(transaction)
        statement, parameters = next(one for one in asked if one[0].startswith(("SELECT", "WITH")))
        explain = "EXPLAIN QUERY PLAN " if transaction.dialect.name == "sqlite" else "EXPLAIN "
        plan = "\n".join(str(row[-1]) for row in transaction.exec_driver_sql(explain + statement, parameters))
    assert "ix_lms_activity_events_nobodys" in plan
    assert "Seq Scan on lms_activity_events" not in plan
