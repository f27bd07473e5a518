"""Mentors see who needs them, say what they do about it, and change what they are told; nobody sees another's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.alert_school import DAY, HOUR, Ward
from tests.bot_process import Place
from tests.lms_rows import GULNORA, JANE, MARY, NOW, OBRIEN, OMAR, RAVI

RULES = ("inactive", "never_started", "failed_twice", "score_drop", "abandoned", "streak_broken", "stuck", "many_fail")


@pytest.fixture
def ward(place: Place) -> Iterator[Ward]:
    """Jane has failed an exam twice (Mary's A1), and Gulnora, whom both mentor, too (Mary's A2, Omar's A1)."""
    with Ward.at(place) as ward:
        for student in (JANE, RAVI, GULNORA, OBRIEN):
            ward.ends("pass", NOW - HOUR, student=student)
        ward.poll(NOW)
        for student in (JANE, GULNORA):
            for hours in (1, 2):
                ward.ends("fail", NOW + hours * HOUR, student=student, exam=502, percent=30 + hours)
        ward.poll(NOW + 3 * HOUR)
        owners = [(alert.number, alert.mentor_id, alert.student_id) for alert in ward.alerts()]
        assert owners == [(1, MARY, JANE), (2, MARY, GULNORA), (1, OMAR, GULNORA)]
        yield ward


def omar(ward: Ward, text: str) -> str:
    return ward.ask(text, ward.place.people.omar)


def admin(ward: Ward, text: str) -> str:
    return ward.ask(text, ward.place.people.ada, in_stream=True)


def test_open_shows_each_mentor_their_own_the_most_serious_first(ward: Ward) -> None:
    ward.live(NOW + 7 * DAY)
    shown = ward.ask("open").splitlines()
    assert shown[0] == "**5 open alerts**"
    assert [line.split("`")[1] for line in shown[2:]][:2] == ["A1", "A2"]
    assert [line[2] for line in shown[2:]] == ["🟠", "🟠", "🟡", "🟡", "🟡"]
    assert "obrien" not in ward.ask("open")
    assert "jane_smith" not in omar(ward, "open")


def test_who_has_no_alert_reads_so(ward: Ward) -> None:
    assert "None of your students needs you" in ward.ask("open", ward.place.people.lucy)


@pytest.mark.parametrize("command", ["why A2", "ack A2", "snooze A2 2d", "done A2 called"])
def test_numbers_are_each_mentor_s_own_and_say_nothing_of_others(ward: Ward, command: str) -> None:
    before = ward.alerts()
    assert omar(ward, command) == omar(ward, command.replace("A2", "A999")).replace("A999", "A2")
    assert ward.alerts() == before
    assert "gulnora" in omar(ward, "why A1")
    assert "jane_smith" in ward.ask("why A1")


@pytest.mark.parametrize("typed", ["A1", "a1", "А1", "1", "`A1`"])
def test_the_number_of_an_alert_forgives_how_it_is_typed(ward: Ward, typed: str) -> None:
    assert "A1 is yours" in ward.ask(f"ack {typed}")


@pytest.mark.parametrize("typed", ["", "banana", "e1", "-1", "A1A", "99999999999999999999", "A1 A2"])
def test_what_is_no_number_of_an_alert_is_said(ward: Ward, typed: str) -> None:
    assert "`open` shows them" in ward.ask(f"ack {typed}")


def test_why_says_what_an_alert_was_based_on_and_what_became_of_it(ward: Ward) -> None:
    text = ward.ask("why A1")
    assert "has failed **Functions and Modules Test** 2 times without a pass (31%, 32%)" in text
    assert "the same exam failed twice within 14 days" in text
    assert "**True since:** <time:2026-03-02T14:00:00Z>, found <time:2026-03-02T15:00:00Z>" in text
    assert "**Told:** <time:2026-03-02T15:00:00Z>" in text
    ward.ask("ack A1")
    assert "by mary" in ward.ask("why A1").casefold()
    ward.ends("pass", NOW + 4 * HOUR, exam=502)
    ward.poll(NOW + 5 * HOUR)
    assert "It was over by itself" in ward.ask("why A1")


def test_why_of_an_event_is_still_answered(ward: Ward) -> None:
    line = next(line for line in ward.ask("history jane_smith").splitlines() if "failed" in line)
    assert "Told" in ward.ask(f"why {line.rsplit('`', 2)[1]}")


def test_what_one_mentor_takes_the_student_s_other_mentors_see_as_taken(ward: Ward) -> None:
    ward.ask("ack A2")
    assert "A1` **Failed Twice**" in omar(ward, "open")
    assert "taken by" in omar(ward, "open")
    assert "taken by you" in ward.ask("open")
    ward.live(NOW + 4 * DAY)
    assert [text for text in ward.told(ward.place.people.omar) if "Nobody has taken" in text] == []


def test_done_closes_it_for_all_and_it_stays_closed_for_the_same_reason(ward: Ward) -> None:
    assert ward.ask("done A2 called her, she tries again on Friday") == (
        "✅ A2 is done: called her, she tries again on Friday"
    )
    assert "None of your students needs you" in omar(ward, "open")
    assert "called her, she tries again on Friday" in omar(ward, "why A1")
    assert "is closed already" in ward.ask("ack A2")
    ward.live(NOW + 2 * DAY)
    assert [alert.alert_id for alert in ward.opened("failed_twice")] == [1]
    assert "was done" in ward.ask("why-not gulnora")


def test_a_note_is_needed_and_can_say_anything(ward: Ward) -> None:
    assert "`done <alert> <note>`" in ward.ask("done A1")
    assert "@**all**" not in ward.ask("done A1 @**all** `x` **b** " + "y" * 2_000)
    assert "@**all**" not in ward.ask("why A1")


def test_snoozed_it_comes_back_if_it_is_still_so(ward: Ward) -> None:
    ward.ask("snooze A1 2d")
    ward.ask("snooze A2 2d")
    assert ward.ask("open").count("snoozed until") == 2
    ward.ends("pass", NOW + 4 * HOUR, student=GULNORA, exam=502)
    ward.live(NOW + 2 * DAY + 4 * HOUR, HOUR)
    again = [text for text in ward.told() if "You wanted to hear of this again" in text]
    assert [text.split("**")[3] for text in again] == ["jane_smith"]
    assert "snoozed" not in ward.ask("open")


def test_why_not_says_for_each_rule_what_is_so_and_from_when_on(ward: Ward) -> None:
    text = ward.ask("why-not jane")
    lines = [line.split("`")[1] for line in text.splitlines() if line.startswith("* ")]
    assert lines == [rule for rule in RULES if rule != "many_fail"]
    assert "`failed_twice`: `A1` is open. **Told:**" in text
    assert "it counts from <time:2026-03-07T14:00:00Z> on" in text
    assert ward.ask("why-not obrien") == ward.ask("why-not nobody_at_all").replace("nobody_at_all", "obrien")


def test_rules_can_be_changed_and_turned_off_for_oneself(ward: Ward) -> None:
    assert "finished for 5 days" in ward.ask("rules")
    ward.ask("rule inactive 2d")
    assert "`inactive` (yours): nothing finished for 2 days" in ward.ask("rules")
    assert "finished for 5 days" in omar(ward, "rules")
    ward.live(NOW + 3 * DAY)
    assert {alert.mentor_id for alert in ward.opened("inactive")} == {MARY}
    assert "off for you" in ward.ask("rule inactive off")
    assert ward.opened("inactive") == []
    ward.live(NOW + 7 * DAY)
    assert {alert.mentor_id for alert in ward.opened("inactive")} == {OMAR}
    ward.ask("rule inactive default")
    assert {alert.untold for alert in ward.opened("inactive") if alert.mentor_id == MARY} == {"baseline"}


@pytest.mark.parametrize(
    ("typed", "limit"),
    [
        ("inactive 7d", 7),
        ("inactive 2w", 14),
        ("Inactive 7", 7),
        ("score-drop 25 points", 25),
        ("score drop 25", 25),
        ("abandoned 6h", 6),
        ("many_fail 50%", 50),
        ("many fail 50 percent", 50),
        ("stuck 2,5 days", 2.5),
    ],
)
def test_a_limit_is_read_as_people_write_it(ward: Ward, typed: str, limit: float) -> None:
    assert f"{limit:g}" in ward.ask(f"rule {typed}")
    assert "(yours)" in ward.ask("rules")


@pytest.mark.parametrize(
    "typed", ["inactive 0d", "inactive 91d", "inactive 5h", "inactive soon", "many_fail 101%", "stuck -1d"]
)
def test_a_limit_that_is_none_says_what_is_allowed(ward: Ward, typed: str) -> None:
    assert "`off` or `default`" in ward.ask(f"rule {typed}")
    assert "(yours)" not in ward.ask("rules")


def test_a_rule_that_is_mistyped_is_guessed(ward: Ward) -> None:
    assert "Did you mean `inactive`?" in ward.ask("rule inactve 7d")


def test_admins_turn_a_rule_off_for_everybody_and_on_again(ward: Ward) -> None:
    assert all(f"`{rule}`" in admin(ward, "rules") for rule in (*RULES, "blind"))
    assert "off for everybody" in admin(ward, "rule failed_twice off")
    assert ward.opened("failed_twice") == []
    assert "`failed_twice` (**off**)" in admin(ward, "rules")
    assert "off for everybody" in ward.ask("rules")
    assert "have turned `failed_twice` off" in ward.ask("rule failed_twice 5d")
    assert "already" in admin(ward, "rule failed_twice off")
    told = len(ward.told())
    assert "is on" in admin(ward, "rule failed_twice on")
    ward.poll(NOW + 4 * HOUR)
    assert {alert.untold for alert in ward.opened("failed_twice")} == {"baseline"}
    assert len(ward.told()) == told
    assert "failed_twice" in admin(ward, "audit")


def test_a_mentor_cannot_turn_a_rule_off_for_everybody(ward: Ward) -> None:
    ward.ask("rule failed_twice off")
    assert [alert.mentor_id for alert in ward.opened("failed_twice")] == [OMAR]
    assert "That rule is the admins'" in ward.ask("rule blind off")


def test_a_stranger_and_a_student_learn_nothing(ward: Ward) -> None:
    for command in ("open", "why A1", "ack A1", "rules", "why-not jane_smith"):
        assert ward.ask(command, ward.place.people.eve) == ward.ask("hello", ward.place.people.eve)


def test_a_long_list_goes_on_with_more(ward: Ward) -> None:
    crowd = range(2001, 2101)
    for student in crowd:
        name = f"crowd_{student}_{'x' * 40}"
        ward.watch.rows.run(f"INSERT INTO students (id, username, is_active) VALUES ({student}, '{name}', {ward.true})")
        ward.watch.rows.run(f'INSERT INTO "_MentorToStudent" ("A", "B") VALUES ({MARY}, {student})')
        ward.ends("pass", NOW, student=student)
    ward.live(NOW + 7 * DAY, DAY)
    first, then = ward.ask("open"), ward.ask("more")
    assert "Write `more`" in first
    seen = {line.split("`")[1] for text in (first, then) for line in text.splitlines() if line.startswith("* ")}
    while "Write `more`" in then:
        then = ward.ask("more")
        seen |= {line.split("`")[1] for line in then.splitlines() if line.startswith("* ")}
    assert seen == {f"A{alert.number}" for alert in ward.opened() if alert.mentor_id == MARY}
