"""What the README says can be typed works as it stands there, and what the documents point to is there."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pytest

import lms_bot
from tests.bot_process import BIN, JANE, PATIENCE, PYTHON_QUIZ, noted_facts, wait_for
from tests.shell import DONE, Shell, run, shell

__all__ = ["shell"]

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
FILES = "--bot-config-file lms_bot.conf --config-file zuliprc"
VALUES = {
    "A,B": "exam_failed,exam_passed",
    "NAME": "jane_smith",
    "STUDENT": "jane_smith",
    "N": "10",
    "ID": str(JANE),
    "FROM_URL": "sqlite:///store.db",
    "TO_URL": "sqlite:///copy.db",
    "SHELL": "bash",
    "FILE": "token.txt",
    "DATE": "2025-01-05",
}  # for the words in capitals
LAST = "forget"  # who is forgotten cannot be asked about
TYPED = re.findall(r"^ +(lms-bot .+?)(?:  .*)?$", README, re.MULTILINE)
ENDLESS = ("--daemon", " serve ")
COMMANDS = sorted({line for line in TYPED if not any(map(line.__contains__, ENDLESS))}, key=lambda line: LAST in line)


def words(line: str, *, optional: bool) -> list[str]:
    """A line of the README as it is typed, with or without what stands in brackets."""
    line = re.sub(r"\[(.+?)\]", r"\1" if optional else "", line).replace(" ... ", f" {FILES} ")
    return [str(BIN / "lms-bot"), *(VALUES.get(word, word) for word in line.split()[1:])]


@pytest.fixture
def folder(shell: Shell) -> Path:
    """A folder with an LMS, lms_bot.conf, zuliprc and a token, in which the bot has polled."""
    shell.lms.pass_exam(900, JANE)
    shell.counts("--once")
    (shell.folder / VALUES["FILE"]).write_text(shell.run("token", "create", "agent", "--scope", "profile").stdout)
    return shell.folder


def test_the_commands_are_those_that_the_program_has(tmp_path: Path) -> None:
    helped = run([str(BIN / "lms-bot"), "--help"], tmp_path, DONE).stdout
    known = set(re.findall(r"^    ([\w-]+) ", helped, re.MULTILINE))
    assert known == {re.sub(r"--\S+ \S+ |\.\.\. ", "", line).split()[1] for line in TYPED}


@pytest.mark.parametrize("optional", [False, True], ids=["as short as can be", "with all that may follow"])
def test_every_command_works(folder: Path, optional: bool) -> None:
    assert len(COMMANDS) >= 8
    for line in COMMANDS:
        command = words(line, optional=optional or LAST in line)  # without --yes it asks
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == DONE, f"{line}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr


def test_the_daemon_works_until_it_is_stopped(folder: Path, shell: Shell) -> None:
    (line,) = [line for line in TYPED if "--daemon" in line]
    before = noted_facts(shell.store_url)
    process = subprocess.Popen(["env", *words(line, optional=True)], cwd=folder, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: noted_facts(shell.store_url)["polled"] > before["polled"])
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == DONE
    finally:
        process.kill()
        process.wait()


def test_what_runs_the_bot_tells_a_mentor(folder: Path, shell: Shell) -> None:
    (line,) = re.findall(r"^ +(zulip-run-bot .+)$", README, re.MULTILINE)
    shell.configure("poll_interval = 1")
    shell.lms.pass_exam(1000, JANE, PYTHON_QUIZ)
    command = ["env", str(BIN / "zulip-run-bot"), *line.split()[1:]]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: "Python Basics Quiz" in "".join(shell.told(shell.people.mary)))
        assert len(shell.told(shell.people.mary)) == 1
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_every_target_of_make_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = set(re.findall(r"(?:^ +|`)make (\w+)", README, re.MULTILINE))
    assert named >= {"demo", "test", "lint"}
    assert named <= set(re.findall(r"^(\w+):", makefile, re.MULTILINE))


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted(ROOT.glob("docs/*.md")))]
)
def test_every_link_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    for link in links:
        path, _, heading = link.partition("#")
        target = ROOT / page if not path else (ROOT / page).parent / path
        assert target.exists(), link
        if heading:
            titles = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}, link


def test_every_module_has_its_room_in_the_architecture() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    package = Path(lms_bot.__file__).parent
    modules = {path.stem for path in package.glob("*.py")} | {
        path.parent.name for path in package.glob("*/__init__.py")
    }
    rooms = set(re.findall(r"`(\w+)`", page[page.index("## Rooms") :]))
    assert modules - {"__init__", "__main__", "fixtures"} <= rooms


def test_d15_the_login_has_one_name_everywhere() -> None:
    role = re.search(r"CREATE ROLE (\w+)", (ROOT / "deploy" / "postgresql-lms-role.sql").read_text("utf-8"))
    assert role
    for text in (README, (ROOT / "lms_bot.conf.example").read_text("utf-8")):
        assert set(re.findall(r"postgresql://(\w+):\S+/lms\b", text)) == {role[1]}


def test_d15_the_readme_says_what_is_needed_before_it_is_missed() -> None:
    steps = README.partition("## Set it up")[2]
    order = [
        "save it as `zuliprc` in this folder",
        "Who can access your email address",
        "lms_bot.conf.example",
        " doctor",
    ]
    places = [steps.index(words) for words in order]
    assert places == sorted(places)
