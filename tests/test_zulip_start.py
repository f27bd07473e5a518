"""The bot starts when Zulip knows it, waits until then, and says what never comes right."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lms_bot.chat import Chat, RateLimiter
from lms_bot.errors import ConfigError
from tests.bot_process import BIN, PATIENCE, BotProcess, Place
from tests.doctor_scenario import examine, well
from tests.fake_zulip import FakeZulip
from tests.shell import FAILED, WRONG_USE, Shell, problems, shell

__all__ = ["shell", "well"]

Fail = Callable[[FakeZulip], object]
TARGETS = [
    ("https://zulip.school.example", "use https there, site=https://zulip.school.example"),
    ("http://127.0.0.1:9", "write site=http://127.0.0.1:9 there"),
    ("", "let the proxy before it hand on /api/ as it is"),
]


@contextmanager
def redirector(target: str) -> Iterator[str]:
    """Yield the URL of a server that leads every call to another one."""

    class Lead(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(301)
            self.send_header("Location", f"{target}{self.path}")
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Lead) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def lead(zuliprc: Path, zulip: FakeZulip, site: str) -> Path:
    zulip.write_zuliprc(zuliprc)
    zuliprc.write_text(zuliprc.read_text().replace(zulip.url, site))
    return zuliprc


# C7


@pytest.mark.parametrize(("target", "advice"), TARGETS)
def test_c7_the_doctor_fails_where_the_site_only_leads_elsewhere(well: Shell, target: str, advice: str) -> None:
    with redirector(target) as site:
        level, told, _ = examine(well, FAILED, zuliprc=lead(well.folder / "moved", well.zulip, site))["zulip"]
    assert level == "failed"
    assert advice in told
    assert well.zulip.api_key not in told


def test_c7_nothing_is_sent_through_a_redirect_and_every_call_says_so(zulip: FakeZulip, tmp_path: Path) -> None:
    with redirector(zulip.url) as site:
        chat = Chat(lead(tmp_path / "zuliprc", zulip, site), RateLimiter(6_000))
        with pytest.raises(ConfigError, match=f"write site={zulip.url}"):
            chat.users()
    assert zulip.calls == []


def test_c7_the_bot_and_the_command_line_say_so_too(well: Shell) -> None:
    with redirector("https://zulip.school.example") as site:
        zuliprc = lead(well.folder / "moved", well.zulip, site)
        bot = run_bot(well, zuliprc)
        well.lms.pass_exam(1000, 1001)
        done = well.run("monitor", "--once", zuliprc=zuliprc, code=WRONG_USE)
    assert (bot.returncode, "use https there" in bot.stderr) == (2, True)
    assert "use https there" in " ".join(problems(done))


# D1


def test_d1_the_zuliprc_of_a_person_is_refused_by_the_bot_and_the_doctor(well: Shell) -> None:
    become_a_person(well.zulip)
    level, told, advice = examine(well, FAILED)["zulip"]
    assert (level, "of a person" in told) == ("failed", True)
    assert "zuliprc" in advice
    bot = run_bot(well, well.zulip.write_zuliprc(well.folder / "zuliprc"))
    assert (bot.returncode, "of a person" in bot.stderr, "Traceback" in bot.stderr) == (2, True, False)


def test_d1_nothing_is_sent_in_the_name_of_a_person(well: Shell) -> None:
    become_a_person(well.zulip)
    well.lms.pass_exam(1000, 1001)
    done = well.run("monitor", "--once", code=WRONG_USE)
    assert "of a person" in " ".join(problems(done))
    assert well.zulip.sent_by_bot() == []


# C12


@pytest.mark.parametrize(
    "fail",
    [
        lambda zulip: zulip.stop(),
        lambda zulip: zulip.fail("502_before", on="GET /api/v1/*", times=2),
        lambda zulip: zulip.fail("429", on="GET /api/v1/users/me"),
        lambda zulip: zulip.fail("json_500_before", on="GET /api/v1/users/me"),
        lambda zulip: zulip.fail("garbage", on="GET /api/v1/server_settings"),
        lambda zulip: zulip.fail("close_before", on="GET /api/v1/users/me"),
        lambda zulip: zulip.fail("unauthorized", on="GET /api/v1/users/me"),
    ],
)
def test_c12_a_zulip_that_refuses_or_is_away_is_waited_for(place: Place, fail: Fail) -> None:
    fail(place.zulip)
    bot = BotProcess(place.zulip, place.folder, place.lms_url, place.store_url)
    try:
        bot.launch()
        bot.wait_for(lambda: "trying again until Zulip answers" in bot.output)
        place.zulip.start()
        bot.wait_for(lambda: place.zulip.count_calls("POST", "/api/v1/register"))
        said = [line for line in bot.output.splitlines() if "trying again until Zulip answers" in line]
        assert said[0].startswith("lms_bot: ")
        assert len(said) == len(set(said))
        assert "Traceback" not in bot.output
    finally:
        bot.kill()


def test_c12_a_signal_ends_the_waiting(place: Place) -> None:
    place.zulip.stop()
    bot = BotProcess(place.zulip, place.folder, place.lms_url, place.store_url)
    bot.launch()
    bot.wait_for(lambda: "trying again until Zulip answers" in bot.output)
    assert bot.signal(15) == 0
    assert "Traceback" not in bot.output


def become_a_person(zulip: FakeZulip) -> None:
    zulip.change_user(zulip.bot_id, is_bot=False)


def run_bot(well: Shell, zuliprc: Path) -> subprocess.CompletedProcess[str]:
    config = well.configure()
    command = [str(BIN / "zulip-run-bot"), "lms_bot", "-c", str(zuliprc), "-b", str(config)]
    return subprocess.run(command, cwd=well.folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
