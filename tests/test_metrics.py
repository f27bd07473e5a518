"""Metrics are read over HTTP from a real process, name nobody, and never stand in the way of the work."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from pathlib import Path

import requests

from tests.bot_process import BIN, JANE, PATIENCE, BotProcess, wait_for
from tests.shell import WRONG_USE, Shell, daemon, daemon_log, shell

__all__ = ["shell"]

ROOT = Path(__file__).parent.parent
LINE = re.compile(r"(?P<series>[a-z_:]+(?:\{[^}]*\})?) (?P<value>\S+)")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def scrape(port: int) -> dict[str, float]:
    """The value of every series that a process shows; none while it does not listen."""
    try:
        answer = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE)
    except requests.ConnectionError:
        return {}
    assert answer.status_code == 200
    found = (LINE.fullmatch(line) for line in answer.text.splitlines())
    return {line["series"]: float(line["value"]) for line in found if line}


def has(port: int, **wanted: float) -> bool:
    found = scrape(port)
    return all(found.get(f"lms_bot_{name}", 0.0) >= value for name, value in wanted.items())


def test_the_bot_shows_what_it_polled_recorded_told_and_answered(shell: Shell) -> None:
    port, mary = free_port(), shell.people.mary
    shell.lms.pass_exam(900, JANE)
    with BotProcess(
        shell.zulip, shell.folder, shell.lms_url, shell.store_url, settings=f"metrics_port = {port}"
    ) as bot:
        assert scrape(port)['lms_bot_events_total{history="no",type="exam_passed"}'] == 0
        begun = time.monotonic()
        shell.lms.pass_exam(1000, JANE)
        bot.wait_for(lambda: shell.zulip.direct_to(mary))
        bot.ask(mary, "stats")
        bot.wait_for(lambda: has(port, answer_seconds_count=1, lag_seconds_count=1))
        found, passed = scrape(port), time.monotonic() - begun
    assert found['lms_bot_polls_total{outcome="ok"}'] >= 2
    assert found['lms_bot_events_total{history="yes",type="exam_passed"}'] == 1
    assert found['lms_bot_events_total{history="no",type="exam_passed"}'] == 1
    assert found["lms_bot_lag_seconds_count"] == 1
    assert 0 <= found["lms_bot_lag_seconds_sum"] < passed + 1  # the LMS tells whole seconds
    assert found['lms_bot_sends_total{outcome="accepted",purpose="delivery"}'] == 1
    assert found['lms_bot_sends_total{outcome="accepted",purpose="reply"}'] == 1
    assert found["lms_bot_answer_seconds_count"] == 1
    assert found['lms_bot_notifications{state="due"}'] == found['lms_bot_notifications{state="waiting"}'] == 0
    assert found["lms_bot_lease_held"] == found["lms_bot_store_up"] == 1
    assert found["lms_bot_last_poll_timestamp_seconds"] > 1.7e9


def test_no_label_names_anybody(shell: Shell) -> None:
    port = free_port()
    shell.lms.pass_exam(900, JANE)
    with daemon(shell, settings=f"metrics_port = {port}"):
        wait_for(lambda: has(port, **{'polls_total{outcome="ok"}': 1}), story=lambda: daemon_log(shell))
        series = [name for name in scrape(port) if name.startswith("lms_bot")]
    labels = {label for name in series for label in re.findall(r'(\w+)="', name)}
    assert labels == {"history", "le", "outcome", "purpose", "kind", "state", "type", "version"}


def test_refused_and_unknown_sends_and_failed_polls_are_counted_apart(shell: Shell) -> None:
    port = free_port()
    shell.counts("--once")
    shell.lms.pass_exam(1000, JANE)
    shell.zulip.fail("500_before", on="POST /api/v1/messages", times=1)
    with daemon(shell, "--interval", "1", settings=f"metrics_port = {port}"):
        wait_for(
            lambda: has(port, **{'sends_total{outcome="unknown",purpose="delivery"}': 1}),
            story=lambda: daemon_log(shell),
        )
        (shell.folder / "lms.db").unlink()
        wait_for(lambda: has(port, **{'polls_total{outcome="lms_unavailable"}': 1}), story=lambda: daemon_log(shell))
        assert scrape(port)['lms_bot_sends_total{outcome="accepted",purpose="reply"}'] == 0


def test_of_two_processes_with_one_port_the_second_says_so_works_on_and_has_it_when_the_first_ends(
    shell: Shell,
) -> None:
    port, mary = free_port(), shell.people.mary
    metrics = f"metrics_port = {port}"
    places = (shell.zulip, shell.folder, shell.lms_url, shell.store_url)
    with (
        BotProcess(*places, settings=metrics, name="first") as first,
        BotProcess(*places, settings=metrics, name="second", wait_until_ready=False) as second,
    ):
        second.wait_for(lambda: f"no metrics: port {port} of 127.0.0.1 cannot be used" in second.output)
        assert "Total Events" in second.ask(mary, "stats")
        first.kill()
        second.wait_for(lambda: has(port, lease_held=1))


def test_without_the_setting_nothing_listens_and_prometheus_is_not_imported(shell: Shell) -> None:
    code = (
        "import os, sys; from lms_bot.app import Parts; from lms_bot.config.settings import load\n"
        "Parts.assemble(load(sys.argv[1], os.environ), None).close()\n"
        "print(*sys.modules)"
    )
    command = [str(BIN / "python"), "-c", code, str(shell.configure())]
    loaded = subprocess.run(command, check=True, timeout=PATIENCE, capture_output=True, text=True).stdout.split()
    assert "lms_bot.app" in loaded
    assert "prometheus_client" not in loaded


def test_without_the_extra_one_sentence_names_it(shell: Shell) -> None:
    (shell.folder / "prometheus_client.py").write_text("raise ModuleNotFoundError('as if it were not installed')")
    command = shell.command("monitor", "--once", settings="metrics_port = 9464")
    done = subprocess.run(
        command,
        cwd=shell.folder,
        env={**os.environ, "PYTHONPATH": str(shell.folder)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == WRONG_USE, done.stderr
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("lms-bot: ")]
    assert "'.[metrics]'" in sentence
    assert "Traceback" not in done.stderr


def test_the_documents_list_every_metric(shell: Shell) -> None:
    port = free_port()
    with daemon(shell, settings=f"metrics_port = {port}"):
        wait_for(lambda: scrape(port), story=lambda: daemon_log(shell))
        shown = {bare(name.split("{")[0]) for name in scrape(port)}
    text = (ROOT / "docs" / "operating.md").read_text("utf-8")
    assert {bare(name) for name in re.findall(r"^\| `(lms_bot_\w+)", text, re.MULTILINE)} == {
        name for name in {*shown, *OF_THE_WEB} if name.startswith("lms_bot")
    }


# Shown by another process, `lms-bot serve`; tests/test_web.py asks for them there.
OF_THE_WEB = {f"lms_bot_web_{name}" for name in ("answer_seconds", "refused_tokens", "signals", "open_streams")}


def bare(name: str) -> str:
    """A metric's name without what Prometheus adds for its series."""
    return re.sub(r"_(bucket|sum|count|created|total)$", "", name)
