"""Mentors see who needs them, say what they do about it, and change what they are told; nobody sees another's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.alert_scenario import DAY, HOUR, AlertScenario
from tests.bot_process import Place
from tests.lms_rows import GULNORA, JANE, MARY, NOW, OBRIEN, OMAR, RAVI

RULES = (
    "inactive",
    "never_started",
    "failed_twice",
    "score_drop",
    "abandoned",
    "streak_broken",
    "stuck",
    "deadline_missed",
    "many_fail",
)


@pytest.fixture
def scenario(place: Place) -> Iterator[AlertScenario]:
    """Jane has failed an exam twice , and Gulnora, whom both mentor, too."""
    with AlertScenario.at(place) as scenario:
        for student in (JANE, RAVI, GULNORA, OBRIEN):
            scenario.ends("pass", NOW - HOUR, student=student)
        scenario.poll(NOW)
        for student in (JANE, GULNORA):
            for hours in (1, 2):
                scenario.ends("fail", NOW + hours * HOUR, student=student, exam=502, percent=30 + hours)
        scenario.poll(NOW + 3 * HOUR)
        owners = [(alert.mentor_id, alert.student_id) for alert in scenario.alerts()]
        assert owners == [(MARY, JANE), (MARY, GULNORA), (OMAR, GULNORA)]
        yield scenario


def omar(scenario: AlertScenario, text: str) -> str:
    return scenario.ask(text, scenario.place.people.omar)


def cyrillic(name: str) -> str:
    return name.translate(str.maketrans("BCHKMPTX", "ВСНКМРТХ"))


def admin(scenario: AlertScenario, text: str) -> str:
    return scenario.ask(text, scenario.place.people.ada, in_stream=True)


def test_open_shows_each_mentor_their_own_the_most_serious_first(scenario: AlertScenario) -> None:
    failed = [scenario.name_of(JANE), scenario.name_of(GULNORA)]
    scenario.live(NOW + 7 * DAY)
    shown = scenario.ask("open").splitlines()
    assert shown[0] == "**5 open alerts**"
    assert [line.split("`")[1] for line in shown[2:]][:2] == failed
    assert [line[2] for line in shown[2:]] == ["🟠", "🟠", "🟡", "🟡", "🟡"]
    assert "O'Brien" not in scenario.ask("open")
    assert "Jane" not in omar(scenario, "open")


def test_who_has_no_alert_reads_so(scenario: AlertScenario) -> None:
    assert "None of your students needs you" in scenario.ask("open", scenario.place.people.lucy)


@pytest.mark.parametrize("command", ["why {}", "ack {}", "snooze {} 2d", "done {} called"])
def test_b9_the_name_of_a_foreign_alert_is_as_any_unknown_one(scenario: AlertScenario, command: str) -> None:
    before, foreign = scenario.alerts(), scenario.name_of(JANE)
    for unknown in ("ZZ9999", "BC1", "A1", "A999"):
        told = omar(scenario, command.format(unknown))
        assert omar(scenario, command.format(foreign)) == told.replace(unknown, foreign)
    assert scenario.alerts() == before
    assert "Jane Smith" in scenario.ask(f"why {foreign}")


@pytest.mark.parametrize("change", [str, str.lower, "`{}`".format, "{}.".format, cyrillic])
def test_the_name_of_an_alert_forgives_how_it_is_typed(scenario: AlertScenario, change: Callable[[str], str]) -> None:
    name = scenario.name_of(JANE)
    assert f"{name} is yours" in scenario.ask(f"ack {change(name)}")
    assert "Jane Smith" in scenario.ask(f"why {change(name)}")


@pytest.mark.parametrize("typed", ["", "banana", "e1", "-1", "A1A", "99999999999999999999", "A1 A2"])
def test_what_is_no_name_of_an_alert_is_said(scenario: AlertScenario, typed: str) -> None:
    assert "`open` shows them" in scenario.ask(f"ack {typed}")


def test_why_says_what_an_alert_was_based_on_and_what_became_of_it(scenario: AlertScenario) -> None:
    text = scenario.ask(f"why {scenario.name_of(JANE)}")
    assert "has failed **Functions and Modules Test** 2 times without a pass (31%, 32%)" in text
    assert "the same exam failed twice within 14 days" in text
    assert "**True since:** <time:2026-03-02T14:00:00Z>, found <time:2026-03-02T15:00:00Z>" in text
    assert "**Told:** <time:2026-03-02T15:00:00Z>" in text
    scenario.ask(f"ack {scenario.name_of(JANE)}")
    assert "by mary" in scenario.ask(f"why {scenario.name_of(JANE)}").casefold()
    scenario.ends("pass", NOW + 4 * HOUR, exam=502)
    scenario.poll(NOW + 5 * HOUR)
    assert "It was over by itself" in scenario.ask(f"why {scenario.name_of(JANE)}")


def test_why_of_an_event_is_still_answered(scenario: AlertScenario) -> None:
    line = next(line for line in scenario.ask("history jane_smith").splitlines() if "failed" in line)
    assert "Told" in scenario.ask(f"why {line.rsplit('`', 2)[1]}")


def test_what_one_mentor_takes_the_student_s_other_mentors_see_as_taken(scenario: AlertScenario) -> None:
    scenario.ask(f"ack {scenario.name_of(GULNORA)}")
    assert f"{scenario.name_of(GULNORA)}` **Failed Twice**" in omar(scenario, "open")
    assert "taken by" in omar(scenario, "open")
    assert "taken by you" in scenario.ask("open")
    scenario.live(NOW + 4 * DAY)
    assert [text for text in scenario.told(scenario.place.people.omar) if "Nobody has taken" in text] == []


def test_done_closes_it_for_all_and_it_stays_closed_for_the_same_reason(scenario: AlertScenario) -> None:
    assert scenario.ask(f"done {scenario.name_of(GULNORA)} called her, she tries again on Friday") == (
        f"✅ {scenario.name_of(GULNORA)} is done: called her, she tries again on Friday"
    )
    assert "None of your students needs you" in omar(scenario, "open")
    assert "called her, she tries again on Friday" in omar(scenario, f"why {scenario.name_of(GULNORA)}")
    assert "is closed already" in scenario.ask(f"ack {scenario.name_of(GULNORA)}")
    scenario.live(NOW + 2 * DAY)
    assert [alert.alert_id for alert in scenario.opened("failed_twice")] == [1]
    assert "was done" in scenario.ask("why-not gulnora")


def test_a_note_is_needed_and_can_say_anything(scenario: AlertScenario) -> None:
    assert "`done <alert> <note>`" in scenario.ask(f"done {scenario.name_of(JANE)}")
    assert "@**all**" not in scenario.ask(f"done {scenario.name_of(JANE)} @**all** `x` **b** " + "y" * 2_000)
    assert "@**all**" not in scenario.ask(f"why {scenario.name_of(JANE)}")


def test_snoozed_it_comes_back_if_it_is_still_so(scenario: AlertScenario) -> None:
    scenario.ask(f"snooze {scenario.name_of(JANE)} 2d")
    scenario.ask(f"snooze {scenario.name_of(GULNORA)} 2d")
    assert scenario.ask("open").count("snoozed until") == 2
    scenario.ends("pass", NOW + 4 * HOUR, student=GULNORA, exam=502)
    scenario.live(NOW + 2 * DAY + 4 * HOUR, HOUR)
    again = [text for text in scenario.told() if "You wanted to hear of this again" in text]
    assert [text.split("**")[3] for text in again] == ["Jane Smith"]
    assert "snoozed" not in scenario.ask("open")


def test_why_not_says_for_each_rule_what_is_so_and_from_when_on(scenario: AlertScenario) -> None:
    text = scenario.ask("why-not jane")
    lines = [line.split("`")[1] for line in text.splitlines() if line.startswith("* ")]
    assert lines == [rule for rule in RULES if rule != "many_fail"]
    assert f"`failed_twice`: `{scenario.name_of(JANE)}` is open. **Told:**" in text
    assert "it counts from <time:2026-03-07T14:00:00Z> on" in text
    assert scenario.ask("why-not obrien") == scenario.ask("why-not nobody_at_all").replace("nobody_at_all", "obrien")


def test_rules_can_be_changed_and_turned_off_for_oneself(scenario: AlertScenario) -> None:
    assert "finished for 5 days" in scenario.ask("rules")
    scenario.ask("rule inactive 2d")
    assert "`inactive` (yours): nothing finished for 2 days" in scenario.ask("rules")
    assert "finished for 5 days" in omar(scenario, "rules")
    scenario.live(NOW + 3 * DAY)
    assert {alert.mentor_id for alert in scenario.opened("inactive")} == {MARY}
    assert "off for you" in scenario.ask("rule inactive off")
    assert scenario.opened("inactive") == []
    scenario.live(NOW + 7 * DAY)
    assert {alert.mentor_id for alert in scenario.opened("inactive")} == {OMAR}
    scenario.ask("rule inactive default")
    assert {alert.untold for alert in scenario.opened("inactive") if alert.mentor_id == MARY} == {"baseline"}


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
def test_a_limit_is_read_as_people_write_it(scenario: AlertScenario, typed: str, limit: float) -> None:
    assert f"{limit:g}" in scenario.ask(f"rule {typed}")
    assert "(yours)" in scenario.ask("rules")


@pytest.mark.parametrize(
    "typed", ["inactive 0d", "inactive 91d", "inactive 5h", "inactive soon", "many_fail 101%", "stuck -1d"]
)
def test_a_limit_that_is_none_says_what_is_allowed(scenario: AlertScenario, typed: str) -> None:
    assert "`off` or `default`" in scenario.ask(f"rule {typed}")
    assert "(yours)" not in scenario.ask("rules")


def test_a_rule_that_is_mistyped_is_guessed(scenario: AlertScenario) -> None:
    assert "Did you mean `inactive`?" in scenario.ask("rule inactve 7d")


def test_admins_turn_a_rule_off_for_everybody_and_on_again(scenario: AlertScenario) -> None:
    assert all(f"`{rule}`" in admin(scenario, "rules") for rule in (*RULES, "blind"))
    assert "off for everybody" in admin(scenario, "rule failed_twice off")
    assert scenario.opened("failed_twice") == []
    assert "`failed_twice` (**off**)" in admin(scenario, "rules")
    assert "off for everybody" in scenario.ask("rules")
    assert "have turned `failed_twice` off" in scenario.ask("rule failed_twice 5d")
    assert "already" in admin(scenario, "rule failed_twice off")
    told = len(scenario.told())
    assert "is on" in admin(scenario, "rule failed_twice on")
    scenario.poll(NOW + 4 * HOUR)
    assert {alert.untold for alert in scenario.opened("failed_twice")} == {"baseline"}
    assert len(scenario.told()) == told
    assert "failed_twice" in admin(scenario, "audit")


def test_a_mentor_cannot_turn_a_rule_off_for_everybody(scenario: AlertScenario) -> None:
    scenario.ask("rule failed_twice off")
    assert [alert.mentor_id for alert in scenario.opened("failed_twice")] == [OMAR]
    assert "That rule is the admins'" in scenario.ask("rule blind off")


def test_a_stranger_and_a_student_learn_nothing(scenario: AlertScenario) -> None:
    for command in ("open", f"why {scenario.name_of(JANE)}", "ack A1", "rules", "why-not jane_smith"):
        assert scenario.ask(command, scenario.place.people.eve) == scenario.ask("hello", scenario.place.people.eve)


def test_a_long_list_goes_on_with_more(scenario: AlertScenario) -> None:
    crowd = range(2001, 2101)
    for student in crowd:
        name = f"crowd_{student}_{'x' * 40}"
        scenario.watch.rows.run(
            f"INSERT INTO students (id, username, is_active) VALUES ({student}, '{name}', {scenario.true})"
        )
        scenario.watch.rows.run(f'INSERT INTO "_MentorToStudent" ("A", "B") VALUES ({MARY}, {student})')
        scenario.ends("pass", NOW, student=student)
    scenario.live(NOW + 7 * DAY, DAY)
    then = scenario.ask("open")
    seen = set(re.findall(r"`([A-Z]+\d+)`", then))
    while "Write `more`" in then:
        assert len(then) < 10_000
        then = scenario.ask("more")
        seen |= set(re.findall(r"`([A-Z]+\d+)`", then))
    assert seen == {alert.name for alert in scenario.opened() if alert.mentor_id == MARY}


def test_d14_open_goes_by_seriousness_and_many_of_one_kind_are_one_line(place: Place) -> None:
    with AlertScenario.at(place) as scenario:
        scenario.poll(NOW)
        for student in range(2001, 2013):
            scenario.watch.rows.run(
                f"INSERT INTO students (id, username, is_active, created) VALUES "
                f"({student}, 'crowd_{student}', {scenario.true}, '{(NOW - 9 * DAY).isoformat()}')"
            )
            scenario.watch.rows.run(f'INSERT INTO "_MentorToStudent" ("A", "B") VALUES ({MARY}, {student})')
        for hours in range(1, 5):
            scenario.ends("fail", NOW + hours * HOUR, percent=20)
        scenario.live(NOW + 6 * HOUR, HOUR)
        heading, *lines = [line for line in scenario.ask("open").splitlines() if line]
        assert heading == "**13 open alerts**"
        assert ["Failed Twice" in lines[0], "Never Started** · 12 students: **crowd" in lines[1]] == [True, True]
        assert len(lines) == 2
        name = re.findall(r"`([A-Z]+\d+)`", lines[1])[6]
        scenario.ask(f"ack {name}")
        assert len([line for line in scenario.ask("open").splitlines() if line.startswith("* ")]) == 3
