"""An alert has one name for all mentors of its student, which says nothing of other alerts and is never given again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lms_bot.core.alerts import NAME_LETTERS, Key, Opening, Rule, Verdict
from lms_bot.store import tables
from lms_bot.store.alerts import alerts, names
from lms_bot.store.session import Store, Transaction, open_store
from tests.alert_scenario import DAY, HOUR, AlertScenario
from tests.bot_process import BOTH, Place
from tests.lms_rows import GULNORA, JANE, MARY, NOW, OMAR, RAVI
from tests.test_alert_commands import omar
from tests.test_migrations import BOTH_STORES, load


@pytest.fixture
def scenario(place: Place) -> Iterator[AlertScenario]:
    """Jane, and Gulnora, whom both mentor, learned this morning."""
    with AlertScenario.at(place) as scenario:
        for student in (JANE, GULNORA):
            scenario.ends("pass", NOW - HOUR, student=student)
        scenario.poll(NOW)
        yield scenario


def opening(student: int, mentor: int = MARY, rule: Rule = Rule.STUCK, subject: int = 0) -> Opening:
    return Opening(Key(mentor, student, rule, subject), Verdict(rule, NOW, subject_id=subject), NOW)


def opened(transaction: Transaction, *found: Opening) -> list[str]:
    """The names of alerts that are opened now."""
    alerts.open_new(transaction, found, NOW)
    by_key = {one.key: one.name for one in alerts.open_for_mentors(transaction, [MARY, OMAR])}
    return [by_key[one.key] for one in found]


@BOTH
def test_b9_both_mentors_of_a_student_know_an_alert_by_one_name(scenario: AlertScenario) -> None:
    for hours in (1, 2):
        scenario.ends("fail", NOW + hours * HOUR, student=GULNORA, exam=502)
    scenario.poll(NOW + 3 * HOUR)
    [name] = re.findall(r"`([A-Z]+\d+)`", scenario.ask("open"))
    assert f"`{name}`" in omar(scenario, "open")
    assert all(f"`ack {name}`" in scenario.told(who)[0] for who in (None, scenario.place.people.omar))
    scenario.ask(f"ack {name}")
    assert "taken by" in omar(scenario, "open")
    assert f"{name} is done" in omar(scenario, f"done {name} called her")
    assert "called her" in scenario.ask(f"why {name}")


def test_b9_also_where_their_limits_differ_and_as_it_becomes_more_serious(scenario: AlertScenario) -> None:
    scenario.ask("rule inactive 2d")
    scenario.live(NOW + 4 * DAY)
    assert {one.mentor_id for one in scenario.opened("inactive") if one.student_id == GULNORA} == {MARY}
    seen = set()
    for days in (6, 12):
        scenario.live(NOW + days * DAY)
        both = [one for one in scenario.opened("inactive") if one.student_id == GULNORA]
        assert {one.mentor_id for one in both} == {MARY, OMAR}
        [name] = {one.name for one in both}
        seen.add(name)
    assert len(seen) == 2
    assert len({one.name for one in scenario.opened()}) == len(
        {(one.student_id, one.rule) for one in scenario.opened()}
    )


def test_b9_what_is_opened_again_or_for_another_mentor_keeps_its_name(scenario: AlertScenario) -> None:
    for hours in (1, 2):
        scenario.ends("fail", NOW + hours * HOUR, student=GULNORA, exam=502)
    scenario.poll(NOW + 3 * HOUR)
    name = scenario.name_of(GULNORA)
    omar(scenario, "rule failed_twice off")
    scenario.ask("rule failed_twice off")
    assert scenario.opened() == []
    omar(scenario, "rule failed_twice default")
    scenario.ask("rule failed_twice default")
    assert [one.name for one in scenario.opened()] == [name, name]


def test_b9_an_alert_about_an_exam_is_each_mentor_s_own(store: Store) -> None:
    with store.writing() as transaction:
        of_mary, of_omar = (opening(0, who, Rule.MANY_FAIL, 501) for who in (MARY, OMAR))
        assert len(set(opened(transaction, of_mary, of_omar))) == 2


def test_b9_names_say_nothing_of_each_other(store: Store) -> None:
    with store.writing() as transaction:
        given = opened(transaction, *(opening(student) for student in range(2_000, 2_500)))
    assert len(set(given)) == 500
    assert all(re.fullmatch(rf"[{NAME_LETTERS}]{{2,3}}[1-9][0-9]{{3}}", name) for name in given)
    assert given != sorted(given)
    assert len({name[:2] for name in given}) > 20


def test_b9_a_name_is_not_given_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "NUMBERS", range(1))
    monkeypatch.setattr(names, "NAME_LETTERS", "KT")
    with store.writing() as transaction:
        first = set(opened(transaction, *(opening(student) for student in range(2_000, 2_020))))
        transaction.execute(sa.delete(tables.student_alerts))
        second = set(opened(transaction, *(opening(student) for student in range(2_000, 2_020))))
    assert (len(first), len(second), len(first & second)) == (20, 20, 0)


@pytest.mark.parametrize("letter", ["e", "c", "s", "A"])
def test_b9_the_number_of_an_event_is_no_name(scenario: AlertScenario, letter: str) -> None:
    for hours in (1, 2):
        scenario.ends("fail", NOW + hours * HOUR, exam=502)
    scenario.poll(NOW + 3 * HOUR)
    number = re.sub("[A-Z]", "", scenario.name_of(JANE))
    assert "Jane" not in scenario.ask(f"why {letter}{number}")
    assert "is yours" not in scenario.ask(f"ack {letter}{number}")
    assert "is yours" not in scenario.ask(f"ack {number}")


@pytest.mark.parametrize("schema", ["0002", "0004"])
@BOTH_STORES
def test_b9_names_that_were_told_before_stay_their_mentor_s(schema: str, empty_url: str) -> None:
    load(schema, empty_url)
    store = open_store(empty_url)
    with store.reading() as transaction:
        kept = list(transaction.execute(sa.select(tables.student_alerts).order_by("alert_id")))
        assert len({one.name for one in kept}) == len(kept) - 1, "two mentors have one student"
        assert len({one.name for one in kept if one.student_id == kept[3].student_id}) == 1
        for one in kept:
            for name in {one.name, one.former_name}:
                found = alerts.find_by_name(transaction, name, [one.mentor_id])
                assert found is not None
                assert (found.alert_id, found.mentor_id) == (one.alert_id, one.mentor_id)
        of_mary = {one.former_name for one in kept if one.mentor_id == MARY}
        assert of_mary == {f"A{number}" for number in range(1, len(of_mary) + 1)}
        assert alerts.find_by_name(transaction, "A4", [OMAR]) is None
        assert alerts.find_by_name(transaction, kept[0].name, [OMAR]) is None
    with store.writing() as transaction:
        assert opened(transaction, opening(RAVI))[0] not in {one.name for one in kept}
    store.close()


def test_b9_the_id_of_a_removed_alert_is_not_given_again_after_the_upgrade(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    load("0004", url)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        last = connection.scalar(sa.text("SELECT max(alert_id) FROM student_alerts"))
        connection.execute(sa.text(f"DELETE FROM student_alerts WHERE alert_id > {last - 3}"))
    store = open_store(url)
    with store.writing() as transaction:
        opened(transaction, opening(RAVI))
        assert transaction.scalar(sa.select(sa.func.max(tables.student_alerts.c.alert_id))) == last + 1
    store.close()
