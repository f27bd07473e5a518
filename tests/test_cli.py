"""`lms-bot` as people and cron jobs use it: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import re
import signal
import sys
from pathlib import Path

import pytest

from lms_bot.store.people.accounts import ZULIP_USERS_READ
from lms_bot.store.state import POLLED
from tests.bot_process import BIN, BOTH, GULNORA, JANE, PATIENCE, SOFIA, from_store, in_store, noted_facts, wait_for
from tests.shell import DONE, FAILED, WRONG_USE, Shell, daemon, daemon_log, lms_bot, problems, run, shell

__all__ = ["shell"]

STATISTICS = "Total Events", "Processed Events", "Pending Events", "Events with Notifications", "Events with Errors"
STATISTICS_KEYS = [
    *("total_events", "processed_events", "pending_events"),
    *("events_with_notifications", "events_with_errors"),
]
COUNTED_KEYS = ["new_events", "delivered", "postponed", "pending"]


# Asking for help, and using it wrongly


def test_help_names_the_commands_and_each_has_help(tmp_path: Path) -> None:
    done = lms_bot("--help", cwd=tmp_path)
    commands = re.findall(r"^    (\w+) ", done.stdout, re.MULTILINE)
    assert {"demo", "monitor", "migrate"} <= set(commands)
    for command in commands:
        assert "usage:" in lms_bot(command, "--help", cwd=tmp_path).stdout


def test_monitor_help_names_every_option(tmp_path: Path) -> None:
    text = lms_bot("monitor", "--help", cwd=tmp_path).stdout
    options = "--once", "--daemon", "--interval", "--process-pending", "--event-types", "--stats", "--verbose", "--json"
    assert all(option in text for option in options)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("fly",),
        ("monitor",),
        ("monitor", "--once", "--daemon"),
        ("monitor", "--once", "--interval", "soon"),
        ("monitor", "--once", "--interval", "0"),
        ("monitor", "--process-pending", "--event-types", "exam_pased"),
        ("monitor", "--process-pending", "--event-types", ""),
        ("migrate", "--once"),
    ],
)
def test_wrong_use_is_explained(shell: Shell, arguments: tuple[str, ...]) -> None:
    done = shell.run(*arguments, code=WRONG_USE)
    assert "usage:" in done.stderr
    assert not done.stdout


def test_no_configuration_is_wrong_use(tmp_path: Path) -> None:
    for arguments in (("monitor", "--once"), ("monitor", "--stats"), ("migrate",)):
        (sentence,) = lms_bot(*arguments, cwd=tmp_path, code=WRONG_USE).stderr.splitlines()
        assert "lms_database_url" in sentence
        assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("settings", "key"), [("poll_intervall = 5", "poll_intervall"), ("notify_mentors = maybe", "notify_mentors")]
)
def test_a_wrong_setting_is_wrong_use(shell: Shell, settings: str, key: str) -> None:
    done = shell.run("monitor", "--once", settings=settings, code=WRONG_USE)
    (sentence,) = done.stderr.splitlines()
    assert key in sentence
    assert not done.stdout


def test_a_missing_configuration_file_is_wrong_use(tmp_path: Path) -> None:
    done = lms_bot("--bot-config-file", "nowhere.conf", "monitor", "--once", cwd=tmp_path, code=WRONG_USE)
    assert "nowhere.conf" in done.stderr


def test_a_missing_zuliprc_is_wrong_use_and_loses_nothing(shell: Shell) -> None:
    shell.counts("--once")
    shell.lms.pass_exam(1000, JANE)
    done = shell.run("monitor", "--once", zuliprc=shell.folder / "nowhere", code=WRONG_USE)
    assert len(problems(done)) == 1
    assert "zuliprc" in done.stderr
    assert shell.counts("--process-pending")["delivered"] == 1


def test_the_module_is_the_command(shell: Shell) -> None:
    command = [sys.executable, "-m", "lms_bot", *shell.command("monitor", "--once", "--json")[1:]]
    assert json.loads(run(command, shell.folder, DONE).stdout)["new_events"] == 0
    run([sys.executable, "-m", "lms_bot", "fly"], shell.folder, WRONG_USE)


# monitor --once


@BOTH
def test_the_first_poll_is_history_and_the_next_is_told(shell: Shell) -> None:
    shell.lms.pass_exam(900, JANE)
    first = shell.run("monitor", "--once", "--json")
    assert first.stdout == '{"new_events": 0, "delivered": 0, "postponed": 0, "pending": 0}\n'
    shell.lms.start_exam(1000, JANE)
    shell.lms.pass_exam(1001, GULNORA)
    second = shell.counts("--once")
    assert list(second) == COUNTED_KEYS
    assert second == {"new_events": 2, "delivered": 3, "postponed": 0, "pending": 0}
    shell.lms.end_exam(1000)
    assert shell.counts("--once") == {"new_events": 1, "delivered": 1, "postponed": 0, "pending": 0}
    assert shell.counts("--once") == {"new_events": 0, "delivered": 0, "postponed": 0, "pending": 0}
    mary = "\n".join(shell.told(shell.people.mary))
    assert all(title in mary for title in ("Exam Started", "Exam Passed!", "gulnora"))
    assert len(shell.told(shell.people.omar)) == 1


def test_without_json_one_line_says_the_same(shell: Shell) -> None:
    shell.counts("--once")
    shell.lms.pass_exam(1000, JANE)
    (line,) = shell.run("monitor", "--once").stdout.splitlines()
    assert re.findall(r"\d+", line) == ["1", "1", "0", "0"]


def test_b16_the_first_poll_says_what_became_history(shell: Shell) -> None:
    for attempt_id in range(900, 930):
        shell.lms.pass_exam(attempt_id, JANE)
    first = shell.run("monitor", "--once")
    counts = "0 new events, 0 delivered, 0 postponed, 0 pending"
    recorded = re.fullmatch(rf"{counts}; (\d+) older events are recorded as history, nobody is told\n", first.stdout)
    assert recorded
    assert int(recorded[1]) >= 30
    assert f"poll: 0 new events, {recorded[1]} of history" in first.stderr
    assert "history" not in shell.run("monitor", "--once").stdout


def test_c13_verbose_says_what_was_read_asked_and_decided(shell: Shell) -> None:
    shell.counts("--once")
    shell.lms.pass_exam(1000, JANE)
    quiet = shell.run("monitor", "--once").stderr
    shell.lms.pass_exam(1001, SOFIA)
    shell.lms.pass_exam(1002, JANE)
    log = shell.run("monitor", "--once", "--verbose").stderr
    assert re.search(r"attempts: [1-9] changed rows, read until 1002", log)
    assert re.search(r"poll: [1-9]\d* statements to the LMS, [1-9]\d* to the store", log)
    assert re.search(r"event \d+, exam_passed: nobody is told, the student has no mentor", log)
    assert re.search(r"event \d+: mentor #1 is told at 20", log)
    assert "statements" not in quiet
    assert not any(name in log for name in ("jane", "Jane", "sofia"))


def test_c13_a_kind_of_event_that_does_not_exist_names_those_that_do(shell: Shell) -> None:
    done = shell.run("monitor", "--once", "--event-types", "exam_failed,foo", code=WRONG_USE)
    assert "'exam_failed,foo' is not allowed" in done.stderr
    for name in ("exam_failed", "content_watched", "all"):
        assert name in done.stderr.partition("there are")[2]


@pytest.mark.parametrize("ahead", [0, 1, 2])
def test_c13_options_stand_before_the_command_or_after_it(shell: Shell, ahead: int) -> None:
    config, zuliprc = str(shell.configure()), str(shell.zulip.write_zuliprc(shell.folder / "zuliprc"))
    options = [["--json"], ["--bot-config-file", config], ["--config-file", zuliprc], ["--stats"]]
    before = [word for option in options[:ahead] for word in option]
    after = [word for option in options[ahead:] for word in option]
    done = lms_bot(*before, "monitor", *after, cwd=shell.folder)
    assert list(json.loads(done.stdout)) == STATISTICS_KEYS


def test_c13_a_file_may_be_called_like_a_command(shell: Shell) -> None:
    shell.configure().rename(shell.folder / "migrate")
    done = lms_bot("--bot-config-file", "migrate", "monitor", "--stats", cwd=shell.folder)
    assert done.stdout.startswith("Total Events: ")


def test_logs_are_on_stderr_and_results_on_stdout(shell: Shell) -> None:
    shell.counts("--once")
    shell.lms.pass_exam(1000, JANE)
    done = shell.run("monitor", "--once", "--verbose", "--json")
    assert list(json.loads(done.stdout)) == COUNTED_KEYS
    assert re.search(r"\b(INFO|DEBUG)\b", done.stderr)


def test_an_unreachable_lms_fails_in_one_sentence_and_loses_nothing(shell: Shell) -> None:
    shell.counts("--once")
    shell.lms.pass_exam(1000, JANE)
    here, elsewhere = shell.folder / "lms.db", shell.folder / "elsewhere.db"
    here.rename(elsewhere)
    done = shell.run("monitor", "--once", "--json", code=FAILED)
    (sentence,) = problems(done)
    assert "LMS" in sentence
    assert list(json.loads(done.stdout.splitlines()[-1])) == COUNTED_KEYS
    assert not here.exists()
    elsewhere.rename(here)
    assert shell.counts("--once")["delivered"] == 1


def test_what_is_due_is_delivered_although_the_lms_is_away(shell: Shell) -> None:
    shell.counts("--once")
    shell.lms.pass_exam(1000, JANE)
    shell.zulip.stop()
    shell.run("monitor", "--once", code=FAILED)
    shell.zulip.start()
    (shell.folder / "lms.db").rename(shell.folder / "elsewhere.db")
    wait_for(lambda: _try_pending(shell) or shell.told(shell.people.mary))
    assert len(shell.told(shell.people.mary)) == 1


def _try_pending(shell: Shell) -> bool:
    return shell.counts("--process-pending")["delivered"] == 1


def test_an_unreachable_zulip_fails_in_one_sentence_and_loses_nothing(shell: Shell) -> None:
    shell.counts("--once")
    shell.lms.pass_exam(1000, JANE)
    shell.zulip.stop()
    done = shell.run("monitor", "--once", "--json", code=FAILED)
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "new_events": 1,
        "delivered": 0,
        "postponed": 0,
        "pending": 1,
    }
    (sentence,) = problems(done)
    assert "Zulip" in sentence
    assert shell.zulip.api_key not in done.stderr
    shell.zulip.start()
    assert shell.counts("--process-pending")["delivered"] == 1
    assert len(shell.told(shell.people.mary)) == 1


def test_nothing_new_needs_no_zulip(shell: Shell) -> None:
    shell.zulip.stop()
    assert shell.counts("--once")["pending"] == 0


def test_without_notifications_no_zuliprc_is_needed_and_nothing_is_owed(shell: Shell) -> None:
    command = [str(BIN / "lms-bot"), "--bot-config-file", str(shell.configure("notify_mentors = false"))]
    run([*command, "monitor", "--once"], shell.folder, DONE)
    shell.lms.pass_exam(1000, JANE)
    done = run([*command, "monitor", "--once", "--json"], shell.folder, DONE)
    assert json.loads(done.stdout) == {"new_events": 1, "delivered": 0, "postponed": 0, "pending": 0}
    shell.lms.pass_exam(1001, JANE)
    assert shell.counts("--once")["delivered"] == 1, "turning it on starts from then"
    assert not shell.zulip.unknown_calls


def test_only_the_wanted_kinds_are_owed_and_all_are_stored(shell: Shell) -> None:
    settings = "event_types = exam_failed, exam_passed"
    shell.counts("--once", settings=settings)
    shell.lms.start_exam(1000, JANE)
    assert shell.counts("--once", settings=settings) == {
        "new_events": 1,
        "delivered": 0,
        "postponed": 0,
        "pending": 0,
    }
    shell.lms.end_exam(1000, "fail", 12)
    assert shell.counts("--once", settings=settings)["delivered"] == 1


def test_what_cannot_be_delivered_is_postponed_and_says_why(shell: Shell) -> None:
    shell.zulip.deactivate(shell.people.mary)
    shell.counts("--once")
    shell.lms.pass_exam(1000, JANE)
    assert shell.counts("--once") == {"new_events": 1, "delivered": 0, "postponed": 1, "pending": 1}
    assert json.loads(shell.run("monitor", "--stats", "--json").stdout)["events_with_errors"] == 1


# monitor --process-pending


def owe(shell: Shell) -> None:
    """One start, one failure and one success of Jane's, stored while Zulip is away."""
    shell.counts("--once")
    shell.zulip.stop()
    shell.lms.start_exam(1000, JANE)
    shell.lms.start_exam(1001, JANE)
    shell.lms.end_exam(1001, "fail", 20)
    shell.lms.pass_exam(1002, JANE)
    shell.run("monitor", "--once", code=FAILED)
    shell.zulip.start()


def test_pending_notifications_are_delivered_without_polling(shell: Shell) -> None:
    owe(shell)
    shell.lms.pass_exam(1003, JANE)
    assert shell.counts("--process-pending") == {"new_events": 0, "delivered": 3, "postponed": 0, "pending": 0}
    assert shell.counts("--process-pending") == {"new_events": 0, "delivered": 0, "postponed": 0, "pending": 0}
    assert shell.counts("--once")["delivered"] == 1


def test_pending_notifications_of_one_kind_are_delivered_alone(shell: Shell) -> None:
    owe(shell)
    chosen = shell.counts("--process-pending", "--event-types", "exam_failed")
    assert chosen == {"new_events": 0, "delivered": 1, "postponed": 0, "pending": 2}
    (text,) = shell.told(shell.people.mary)
    assert "Exam Failed" in text
    assert "Exam Passed" not in text
    assert "Exam Started" not in text
    assert shell.counts("--process-pending")["delivered"] == 2


def test_pending_notifications_need_no_lms(shell: Shell) -> None:
    owe(shell)
    (shell.folder / "lms.db").unlink()
    assert shell.counts("--process-pending")["delivered"] == 3


# monitor --stats


def test_statistics_are_printed_in_their_order(shell: Shell) -> None:
    shell.lms.pass_exam(900, JANE)
    owe(shell)
    lines = shell.run("monitor", "--stats").stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == list(STATISTICS)
    assert [int(line.split(":")[1]) for line in lines][:4] == [4, 1, 3, 0]
    counts = json.loads(shell.run("monitor", "--stats", "--json").stdout)
    assert list(counts) == STATISTICS_KEYS
    shell.counts("--process-pending")
    counts = json.loads(shell.run("monitor", "--stats", "--json").stdout)
    assert list(counts.values()) == [4, 4, 0, 3, 0]


def test_history_counts_as_processed_and_needs_neither_lms_nor_zulip(shell: Shell) -> None:
    shell.lms.pass_exam(900, JANE)
    shell.counts("--once")
    shell.zulip.stop()
    (shell.folder / "lms.db").unlink()
    command = [str(BIN / "lms-bot"), "--bot-config-file", str(shell.configure()), "monitor", "--stats", "--json"]
    assert list(json.loads(run(command, shell.folder, DONE).stdout).values()) == [1, 1, 0, 0, 0]


# migrate


def test_a_store_is_made_and_made_again_without_harm(shell: Shell) -> None:
    shell.run("migrate")
    shell.lms.pass_exam(900, JANE)
    shell.counts("--once")
    shell.run("migrate")
    assert from_store(shell.store_url, "SELECT count(*) FROM lms_activity_events") == [(1,)]


def test_a_store_of_a_newer_version_is_refused_in_one_sentence(shell: Shell) -> None:
    shell.run("migrate")
    in_store(shell.store_url, "UPDATE alembic_version SET version_num = '9999'")
    for arguments in (("migrate",), ("monitor", "--once"), ("monitor", "--stats")):
        (sentence,) = problems(shell.run(*arguments, code=FAILED))
        assert "9999" in sentence
        assert "newer" in sentence


def test_a_store_that_cannot_be_opened_fails_in_one_sentence(shell: Shell) -> None:
    shell.store_url = f"sqlite:///{shell.folder}/nowhere/store.db"
    for arguments in (("migrate",), ("monitor", "--once"), ("monitor", "--stats")):
        assert len(problems(shell.run(*arguments, code=FAILED))) == 1


# Beside a living worker


@BOTH
def test_beside_a_living_worker_it_polls_and_leaves_delivery(shell: Shell) -> None:
    with daemon(shell, "--interval", "3600") as process:
        wait_for(lambda: _worker_is_ready(shell), story=lambda: daemon_log(shell))
        shell.zulip.fail("hang_after")
        shell.lms.pass_exam(1000, JANE)
        counts = shell.counts("--once")
        assert (counts["new_events"], counts["delivered"], counts["pending"]) == (1, 0, 1)
        wait_for(lambda: shell.told(shell.people.mary), story=lambda: daemon_log(shell))
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert len(shell.told(shell.people.mary)) == 1


def test_a_daemon_polls_delivers_and_ends_in_peace(shell: Shell) -> None:
    shell.counts("--once")
    with daemon(shell, "--interval", "1") as process:
        shell.lms.pass_exam(1000, JANE)
        wait_for(lambda: shell.told(shell.people.mary), story=lambda: daemon_log(shell))
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    assert "Traceback" not in daemon_log(shell)


def _worker_is_ready(shell: Shell) -> bool:
    return "works for the store" in daemon_log(shell) and noted_facts(shell.store_url).keys() >= {
        POLLED,
        ZULIP_USERS_READ,
    }
