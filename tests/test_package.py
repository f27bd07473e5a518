"""The package is quick to import, says why it cannot be, and ships what it promises."""

from __future__ import annotations

import ast
import configparser
import subprocess
import sys
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import lms_bot
from lms_bot.config import settings
from tests.bot_process import BIN, PATIENCE
from tests.fake_zulip import FakeZulip

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "lms_bot"
MODULES = sorted(PACKAGE.rglob("*.py"))


def python(code: str, *options: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *options, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=PATIENCE, check=False)


@pytest.mark.parametrize("heavy", ["sqlalchemy", "alembic", "psycopg2", "pymysql", "zulip", "rich", "schedule"])
def test_importing_the_package_imports_nothing_heavy(heavy: str) -> None:
    done = python(f"import lms_bot, sys; sys.exit({heavy!r} in sys.modules)")
    assert done.returncode == 0, done.stderr


def test_the_handler_is_exposed_when_it_is_asked_for() -> None:
    code = "import lms_bot, sys; assert 'lms_bot.bot' not in sys.modules; print(lms_bot.handler_class.__name__)"
    assert python(code).stdout.strip() == "LmsBotHandler"


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = lms_bot.nonsense


def test_a_broken_import_inside_shows_its_own_traceback(zulip: FakeZulip, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['lms_bot.handlers'] = None\n"
        "from zulip_bots.run import main\n"
        f"sys.argv = ['zulip-run-bot', 'lms_bot', '-c', {str(zulip.write_zuliprc(tmp_path / 'zuliprc'))!r}]\n"
        "main()"
    )
    done = python(code, cwd=tmp_path)
    assert done.returncode != 0
    assert "lms_bot.handlers" in done.stderr
    assert "Traceback" in done.stderr
    assert "Could not load bot" not in done.stdout


def test_without_the_extra_for_mysql_one_sentence_says_what_to_install(zulip: FakeZulip, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pymysql'] = None\n"
        "from lms_bot.cli import main\n"
        f"sys.exit(main(['--config-file', {str(zulip.write_zuliprc(tmp_path / 'zuliprc'))!r}, *sys.argv[1:]]))"
    )
    (tmp_path / "lms_bot.conf").write_text("[lms_bot]\nlms_database_url = mysql://mary:s3cr3t@db/lms\n")
    for arguments in (["doctor"], ["monitor", "--once"]):
        command = [sys.executable, "-c", code, "--bot-config-file", str(tmp_path / "lms_bot.conf"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=PATIENCE, check=False)
        assert done.returncode == 2, done.stderr
        (line,) = done.stderr.splitlines()
        assert line.endswith("PyMySQL is not installed: pip install 'lms_bot[mysql]'.")
        assert not (tmp_path / "lms_bot.db").exists()


@pytest.mark.parametrize(("command", "missing"), [("serve", "uvicorn"), ("mcp", "mcp")])
def test_without_the_extra_for_the_web_one_sentence_says_what_to_install(
    tmp_path: Path, command: str, missing: str
) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None\nfrom lms_bot.cli import main\nmain([{command!r}])"
    done = python(code, cwd=tmp_path)
    assert done.returncode == 2
    (said,) = done.stderr.splitlines()
    assert said.startswith(f"lms-bot: {command} needs {missing}")
    assert said.endswith(", of the extra web: pip install 'lms_bot[web]'.")


def test_the_package_carries_what_figures_mean() -> None:
    assert (PACKAGE / "web" / "mcp" / "definitions.md").read_text("utf-8") == (
        ROOT / "docs" / "definitions.md"
    ).read_text("utf-8")


@pytest.mark.parametrize("heavy", ["fastapi", "mcp", "starlette", "uvicorn", "pydantic", "standardwebhooks", "anyio"])
def test_nothing_but_serve_imports_the_libraries_of_the_web(heavy: str, tmp_path: Path) -> None:
    code = f"import sys; sys.modules[{heavy!r}] = None\nfrom lms_bot.cli import main\nmain(['token', 'list'])"
    done = python(f"import os; os.environ['LMS_DATABASE_URL'] = 'sqlite:///lms.db'\n{code}", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "There is no token.\n"), done.stderr


def test_the_entry_point_names_the_package_and_its_version() -> None:
    (entry,) = entry_points(group="zulip_bots.registry", name="lms_bot")
    module = entry.load()
    assert module is lms_bot
    assert isinstance(module.__version__, str)
    assert module.__version__ == version("lms_bot")


def test_the_command_says_its_version() -> None:
    command = ["env", str(BIN / "lms-bot"), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert lms_bot.__version__ in done.stdout


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_says_in_one_sentence_what_it_is(module: Path) -> None:
    docstring = (ast.get_docstring(ast.parse(module.read_text("utf-8"))) or "").strip()
    assert docstring
    assert docstring.endswith(".")
    sentence = docstring.replace("e.g. ", "").replace("zulip.Client", "")
    assert ". " not in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_fits_into_three_hundred_lines(module: Path) -> None:
    assert len(module.read_text("utf-8").splitlines()) <= 300


def test_the_example_zuliprc_has_what_zulip_wants() -> None:
    parser = configparser.ConfigParser()
    parser.read_string((ROOT / "zuliprc.example").read_text("utf-8"))
    assert {"email", "key", "site"} <= set(parser["api"])


def test_the_example_settings_are_accepted_and_name_every_key() -> None:
    example = ROOT / "lms_bot.conf.example"
    loaded = settings.load(example, {})
    assert loaded.poll_interval == 60
    text = example.read_text("utf-8")
    assert all(setting.key in text and setting.environment in text for setting in settings.SETTINGS)


def test_types_are_shipped() -> None:
    assert (PACKAGE / "py.typed").exists()
