"""A shell that was told how completes commands, options and files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.bot_process import PATIENCE
from tests.shell import WRONG_USE, lms_bot

COMMANDS = {"monitor", "doctor", "events", "activity", "forget", "copy-store", "migrate", "demo", "completion"}
_ASKING = 'COMP_WORDS=(lms-bot "$@"); COMP_CWORD=$#; eval "$(complete -p lms-bot | sed "s/.*-F \\([^ ]*\\).*/\\1/")"'


def completed_by_bash(folder: Path, *words: str) -> set[str]:
    """What bash offers for the last of the words."""
    (folder / "completion.bash").write_text(lms_bot("completion", "bash", cwd=folder).stdout)
    script = f'source ./completion.bash; {_ASKING}; printf "%s\\n" "${{COMPREPLY[@]}}"'
    command = ["bash", "--norc", "-c", script, "bash", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


def test_c13_bash_completes_commands_options_and_files(tmp_path: Path) -> None:
    assert completed_by_bash(tmp_path, "") >= COMMANDS
    assert completed_by_bash(tmp_path, "co") == {"copy-store", "completion"}
    assert completed_by_bash(tmp_path, "monitor", "--on") == {"--once"}
    assert completed_by_bash(tmp_path, "completion", "") == {"bash", "zsh", "fish"}
    (tmp_path / "school.conf").touch()
    assert completed_by_bash(tmp_path, "--bot-config-file", "sch") == {"school.conf"}


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_c13_the_other_shells_are_told_every_command(tmp_path: Path, shell: str) -> None:
    script = lms_bot("completion", shell, cwd=tmp_path).stdout
    assert all(command in script for command in COMMANDS)
    assert "process-pending" in script


def test_c13_another_shell_is_refused_with_the_choices(tmp_path: Path) -> None:
    assert "bash" in lms_bot("completion", "korn", cwd=tmp_path, code=WRONG_USE).stderr
