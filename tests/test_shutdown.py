"""SIGTERM and SIGINT end `monitor --daemon` and zulip-run-bot with 0, whatever they wait for."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.bot_process import JANE, PATIENCE, BotProcess, from_store, wait_for
from tests.shell import Shell, daemon, daemon_log, shell

__all__ = ["shell"]

BOTH_SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
BOTH_PROGRAMS = pytest.mark.parametrize("program", ["daemon", "zulip-run-bot"])


@pytest.fixture
def black_hole() -> Iterator[socket.socket]:
    """A socket that accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener


@contextmanager
def running(shell: Shell, program: str) -> Iterator[subprocess.Popen[bytes]]:
    """One of the two programs that work until they are stopped, just started."""
    if program == "daemon":
        channel = shell.zulip.find_stream("lms-admin")
        assert channel
        with daemon(shell, "--interval", "1", settings=f"admin_stream_id = {channel.stream_id}") as process:
            yield process
        return
    bot = BotProcess(shell.zulip, shell.folder, shell.lms_url, shell.store_url)
    bot.launch()
    try:
        yield bot.process
    finally:
        bot.kill()


def output(shell: Shell, program: str) -> str:
    return daemon_log(shell) if program == "daemon" else (shell.folder / "bot_output.txt").read_text()


def connected(listener: socket.socket) -> socket.socket:
    """The first connection that somebody makes, with something said in it."""
    listener.settimeout(PATIENCE)
    connection, _ = listener.accept()
    connection.settimeout(PATIENCE)
    assert connection.recv(1)
    return connection


def stop(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> None:
    assert process.poll() is None, "it ended by itself"
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0


def assert_quiet(shell: Shell, program: str) -> None:
    told = output(shell, program)
    assert "Traceback" not in told, told
    assert "Exception ignored" not in told, told


@BOTH_PROGRAMS
@BOTH_SIGNALS
def test_while_a_long_history_is_read(shell: Shell, program: str, number: int) -> None:
    shell.lms.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)"
        " INSERT INTO attempts (id, date, exam_id, user_id, state, result, last_answer_updated_time)"
        f" SELECT i, '2025-01-01', 501, {JANE}, 'completed', 'pass', '2025-01-01' FROM n"
    )
    recorded = "SELECT count(*) FROM lms_activity_events"
    with running(shell, program) as process:
        wait_for(lambda: Path(shell.folder / "store.db").exists() and _count(shell, recorded))
        stop(process, number)
        assert_quiet(shell, program)
    assert 0 < _count(shell, recorded) < 300_000


def _count(shell: Shell, query: str) -> int:
    try:
        ((count,),) = from_store(shell.store_url, query)
    except sa.exc.OperationalError:  # the tables are being made
        return 0
    return int(count)


@BOTH_PROGRAMS
@BOTH_SIGNALS
def test_while_an_lms_accepts_and_never_answers(
    shell: Shell, program: str, number: int, black_hole: socket.socket
) -> None:
    shell.lms_url = f"postgresql://reader@127.0.0.1:{black_hole.getsockname()[1]}/lms"
    with running(shell, program) as process, connected(black_hole):
        if program == "zulip-run-bot":
            wait_for(lambda: shell.zulip.count_calls("POST", "/api/v1/register"))
        stop(process, number)
        assert_quiet(shell, program)


@BOTH_PROGRAMS
@BOTH_SIGNALS
def test_while_a_store_accepts_and_never_answers(
    shell: Shell, program: str, number: int, black_hole: socket.socket
) -> None:
    shell.store_url = f"postgresql://bot@127.0.0.1:{black_hole.getsockname()[1]}/store"
    with running(shell, program) as process, connected(black_hole):
        stop(process, number)
        assert_quiet(shell, program)


@BOTH_SIGNALS
def test_while_a_zulip_accepts_and_never_answers(shell: Shell, number: int, black_hole: socket.socket) -> None:
    shell.zulip.stop()
    zuliprc = shell.zulip.write_zuliprc(shell.folder / "deaf_zuliprc")
    with (shell.folder / "daemon.txt").open("w") as log:
        command = shell.command("monitor", "--daemon", zuliprc=deaf(zuliprc, shell, black_hole))
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        with connected(black_hole):
            stop(process, number)
    finally:
        process.kill()
        process.wait()
    assert_quiet(shell, "daemon")


@BOTH_SIGNALS
def test_while_zulip_run_bot_waits_for_a_zulip_that_never_answers(
    shell: Shell, number: int, black_hole: socket.socket
) -> None:
    bot = BotProcess(shell.zulip, shell.folder, shell.lms_url, shell.store_url)
    deaf(shell.folder / "bot_zuliprc", shell, black_hole)
    bot.launch()
    try:
        with connected(black_hole):
            stop(bot.process, number)
    finally:
        bot.kill()
    assert_quiet(shell, "zulip-run-bot")


def deaf(zuliprc: Path, shell: Shell, black_hole: socket.socket) -> Path:
    """The zuliprc, of a Zulip that does not answer."""
    zuliprc.write_text(zuliprc.read_text().replace(str(shell.zulip.port), str(black_hole.getsockname()[1])))
    return zuliprc


@BOTH_PROGRAMS
@pytest.mark.parametrize("on", ["GET /api/v1/users", "POST /api/v1/messages"])
def test_while_a_call_to_zulip_hangs(shell: Shell, program: str, on: str) -> None:
    shell.counts("--once")
    shell.lms.pass_exam(1000, JANE)
    shell.zulip.fail("hang_before", on=on, times=1000)
    method, path = on.split()
    before = shell.zulip.count_calls(method, path)
    if "users" in on:
        (shell.folder / "store.db").unlink()
    with running(shell, program) as process:
        wait_for(
            lambda: shell.zulip.count_calls(method, path) > before + ("users" in on),
            story=lambda: str([call[1:] for call in shell.zulip.calls[-9:]]),
        )
        if program == "zulip-run-bot":
            wait_for(lambda: shell.zulip.count_calls("POST", "/api/v1/register"))
        stop(process)
        assert_quiet(shell, program)


@BOTH_PROGRAMS
@BOTH_SIGNALS
def test_while_everything_is_away(shell: Shell, program: str, number: int) -> None:
    with running(shell, program) as process:
        wait_for(lambda: shell.zulip.count_calls("GET", "/api/v1/users"))
        if program == "zulip-run-bot":
            wait_for(lambda: shell.zulip.count_calls("POST", "/api/v1/register"))
        shell.zulip.stop()
        (shell.folder / "lms.db").unlink()
        for away in ("unable to open database file", "Zulip cannot be reached"):
            wait_for(lambda: away in output(shell, program), story=lambda: output(shell, program))  # noqa: B023
        stop(process, number)
        assert_quiet(shell, program)


def is_ending(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether it has taken a first SIGINT, after which it is deaf to more, or has ended."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    ignored = int(status.partition("SigIgn:")[2].split()[0], 16)
    return process.poll() is not None or bool(ignored >> (signal.SIGINT - 1) & 1)


def test_two_signals_are_as_good_as_one(shell: Shell, black_hole: socket.socket) -> None:
    shell.lms_url = f"postgresql://reader@127.0.0.1:{black_hole.getsockname()[1]}/lms"
    with running(shell, "daemon") as process, connected(black_hole):
        process.send_signal(signal.SIGINT)
        wait_for(lambda: is_ending(process))
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert_quiet(shell, "daemon")
