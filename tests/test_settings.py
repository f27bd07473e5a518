"""Settings are read, refused in one sentence that can be acted on, and never show a password."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from lms_bot.config import settings
from lms_bot.config.settings import SETTINGS, Settings, load
from lms_bot.config.urls import hide_password
from lms_bot.core.events import OBSERVED, EventType
from lms_bot.errors import ConfigError

ROOT = Path(__file__).parent.parent
LMS = "postgresql://mary:pw@db.example.com/lms"
SECRET = "S3cr3t-of-Mary"


def read(tmp_path: Path, text: str | bytes, environ: Mapping[str, str] | None = None) -> Settings:
    path = tmp_path / "lms_bot.conf"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load(path, environ or {})


def from_environment(**environ: str) -> Settings:
    return load(None, {"LMS_DATABASE_URL": LMS, **environ})


def refusal(path: Path | None, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path, environ)
    return one_sentence(caught.value)


def refusal_of_file(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    return one_sentence(caught.value)


def refusal_of(**environ: str) -> str:
    return refusal(None, **{"LMS_DATABASE_URL": LMS, **environ})


def one_sentence(error: ConfigError) -> str:
    text = str(error)
    assert "\n" not in text
    assert text.endswith(".")
    assert ". " not in text
    assert SECRET.lower() not in text.lower()
    return text


# Where settings come from


def test_without_a_file_the_environment_and_the_defaults_are_enough() -> None:
    assert from_environment() == Settings(
        lms_database_url="postgresql+psycopg2://mary:pw@db.example.com/lms",
        lms_schema="classic",
        lms_table_prefix=None,
        lms_mentors=("all",),
        lms_url=None,
        longest_transaction=15,
        store_database_url="sqlite:///lms_bot.db",
        monitor_enabled=True,
        poll_interval=60,
        notify_mentors=True,
        event_types=frozenset(OBSERVED),
        delivery="now",
        quiet_minutes=5,
        messages_per_minute=150,
        sweep_rows=10_000,
        admin_stream="lms-admin",
        admin_stream_id=None,
        timezone=ZoneInfo("UTC"),
        stale_after_hours=24,
        daily_goal=3,
        alerts_per_day=5,
        retention_days=None,
        metrics_port=None,
        web_url=None,
        web_listen=("127.0.0.1", 8484),
        signal_secret=None,
    )


def test_a_file_gives_every_setting(tmp_path: Path) -> None:
    text = f"""
        [other]
        poll_interval = 7
        [lms_bot]
        lms_database_url = {LMS}
        store_database_url: sqlite:////var/lib/lms_bot/store.db
        monitor_enabled = No
        POLL_INTERVAL = 15
        notify_mentors = 0
        event_types = Exam_Passed, exam_failed,
        delivery = CALM
        quiet_minutes = 120
        messages_per_minute = 1000
        sweep_rows = 500
        # a comment
        admin_stream = #mentors of Омар
        timezone = Asia/Tashkent
        stale_after_hours = 168
        retention_days = 400
        metrics_port = 9464
    """
    found = read(tmp_path, text)
    assert found.store_database_url == "sqlite:////var/lib/lms_bot/store.db"
    assert (found.monitor_enabled, found.notify_mentors, found.poll_interval) == (False, False, 15)
    assert found.event_types == {EventType.EXAM_PASSED, EventType.EXAM_FAILED}
    assert (found.delivery, found.messages_per_minute, found.sweep_rows) == ("calm", 1000, 500)
    assert found.quiet_minutes == 120
    assert (found.admin_stream, found.timezone.key) == ("mentors of Омар", "Asia/Tashkent")
    assert found.stale_after_hours == 168
    assert (found.retention_days, found.metrics_port) == (400, 9464)


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    text = f"[lms_bot]\nlms_database_url = {LMS}\npoll_interval = 15"
    assert read(tmp_path, text, {"LMS_ACTIVITY_POLL_INTERVAL": " 30 "}).poll_interval == 30


def test_a_variable_can_name_a_file_that_holds_the_value(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"\ufeff{LMS}\r\n", encoding="utf-8")
    found = load(None, {"LMS_DATABASE_URL_FILE": str(tmp_path / "secret")})
    assert found.lms_database_url == LMS.replace("://", "+psycopg2://")


def test_every_setting_can_come_from_a_file_named_by_its_variable(tmp_path: Path) -> None:
    path = tmp_path / "value"
    for setting in SETTINGS[1:]:
        path.write_text(f"{setting.default}\n")
        assert from_environment(**{f"{setting.environment}_FILE": str(path)}) == from_environment()


def test_a_value_may_not_be_given_twice_in_the_environment() -> None:
    text = refusal_of(LMS_DATABASE_URL_FILE="/run/secrets/lms")
    assert text.startswith("LMS_DATABASE_URL and LMS_DATABASE_URL_FILE are both set")


def test_an_unreadable_value_file_is_named_with_its_variable(tmp_path: Path) -> None:
    missing = str(tmp_path / "secret")
    text = refusal(None, LMS_DATABASE_URL_FILE=missing)
    assert text == (f"LMS_DATABASE_URL_FILE names '{missing}', which cannot be read: No such file or directory.")
    assert "Is a directory" in refusal(None, LMS_DATABASE_URL_FILE=str(tmp_path))
    assert "LMS_DATABASE_URL_FILE" in refusal(None, LMS_DATABASE_URL_FILE="")


def test_a_url_given_for_the_name_of_a_file_does_not_show_its_password() -> None:
    text = refusal(None, LMS_DATABASE_URL_FILE=f"postgresql://mary:{SECRET}@db/lms")
    assert "'postgresql://mary:***@db/lms'" in text


def test_a_bad_value_from_a_named_file_names_the_variable(tmp_path: Path) -> None:
    (tmp_path / "value").write_text("soon")
    text = refusal_of(LMS_ACTIVITY_POLL_INTERVAL_FILE=str(tmp_path / "value"))
    assert text.startswith("poll_interval (from LMS_ACTIVITY_POLL_INTERVAL_FILE) is 'soon'")


def test_variables_of_other_programs_are_ignored() -> None:
    assert from_environment(LMS_COLOUR="blue", LMS_POLL="x", LMS_COLOUR_FILE="/nowhere") == from_environment()


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    found = read(tmp_path, f"\ufeff[lms_bot]\r\nlms_database_url = {LMS}\r\npoll_interval = 5\r\n")
    assert found.poll_interval == 5


def test_percent_signs_and_hashes_in_a_password_are_kept(tmp_path: Path) -> None:
    url = "postgresql://mary:%40%(x)s#;%25@db/lms"
    found = read(tmp_path, f"[lms_bot]\nlms_database_url = {url}")
    assert make_url(found.lms_database_url).password == "@%(x)s#;%"


# What is refused about a file


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    missing = tmp_path / "none.conf"
    assert refusal(missing) == f"The configuration file {missing} cannot be read: No such file or directory."
    assert refusal(tmp_path) == f"The configuration file {tmp_path} cannot be read: Is a directory."


def test_a_file_below_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lms_bot.conf"
    path.write_text("[lms_bot]")
    assert "Not a directory" in refusal(path / "more.conf")


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    text = refusal_of_file(tmp_path, f"[lms_bot]\nlms_database_url = {SECRET}\xff".encode("latin-1"))
    assert text.endswith("lms_bot.conf cannot be read: it is not UTF-8 text.")


@pytest.mark.parametrize("name", ["lms-bot", "LMS_BOT", "lmsbot", " lms_bot "])
def test_a_section_with_nearly_the_right_name_is_pointed_at(tmp_path: Path, name: str) -> None:
    text = refusal_of_file(tmp_path, f"[{name}]\nlms_database_url = {SECRET}")
    assert f"has no section [lms_bot] (did you mean it by [{name}]?)" in text


@pytest.mark.parametrize("content", ["", "# nothing", "[api]\nkey = 1", "[DEFAULT]\npoll_interval = 5"])
def test_a_file_without_the_section_is_refused(tmp_path: Path, content: str) -> None:
    assert refusal_of_file(tmp_path, content).endswith("lms_bot.conf has no section [lms_bot].")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (f"lms_database_url = {SECRET}", "Line 1 of {} stands before the section [lms_bot]"),
        (f"[lms_bot]\n\n{SECRET}", "Line 3 of {} is not of the form key = value"),
        (f"[lms_bot]\nlms_database_url =\n    {SECRET}", "Line 3 of {} is not of the form key = value"),
        (f"[lms_bot]\n= {SECRET}", "Line 2 of {} is not of the form key = value"),
        (f"[lms_bot]\ntimezone = UTC\nTimezone = {SECRET}", "Line 3 of {} repeats a section or a key"),
        (f"[lms_bot]\n[{SECRET}]\n[{SECRET}]", "Line 3 of {} repeats a section or a key"),
    ],
)
def test_a_broken_line_is_named_by_number_and_never_shown(tmp_path: Path, content: str, problem: str) -> None:
    assert refusal_of_file(tmp_path, content) == f"{problem.format(tmp_path / 'lms_bot.conf')}."


def test_an_unknown_key_is_named_with_the_most_similar_one(tmp_path: Path) -> None:
    text = refusal_of_file(tmp_path, f"[lms_bot]\nlms_database_url = {LMS}\npol_intervall = {SECRET}")
    assert "is unknown, 'pol_intervall' (did you mean poll_interval?)" in text
    assert "docs/settings.md" in text
    assert "'x'" in refusal_of_file(tmp_path, "[lms_bot]\nx = 1")


def test_a_url_on_a_line_of_its_own_is_not_shown_as_a_key(tmp_path: Path) -> None:
    text = refusal_of_file(tmp_path, f"[lms_bot]\npostgresql//mary;{SECRET}@db/lms?sslmode=require")
    assert "is unknown, not shown here" in text


def test_an_indented_line_is_a_setting_and_not_the_rest_of_the_one_above(tmp_path: Path) -> None:
    found = read(tmp_path, f"[lms_bot]\npoll_interval = 5\n    lms_database_url = {LMS}")
    assert found.poll_interval == 5


# What is refused about a value


def test_a_missing_required_key_says_where_to_set_it(tmp_path: Path) -> None:
    expected = "set it in the section [lms_bot] of the configuration file or as LMS_DATABASE_URL in the environment."
    assert refusal(None) == f"lms_database_url is missing: {expected}"
    assert refusal_of_file(tmp_path, "[lms_bot]") == f"lms_database_url is missing: {expected}"
    in_file = refusal_of_file(tmp_path, "[lms_bot]\nlms_database_url =")
    assert in_file == f"lms_database_url in {tmp_path / 'lms_bot.conf'} is empty: {expected}"
    assert "(LMS_DATABASE_URL in the environment) is empty" in refusal_of(LMS_DATABASE_URL=" ")


@pytest.mark.parametrize("setting", SETTINGS[1:], ids=lambda setting: setting.key)
def test_an_empty_value_is_refused_with_what_is_allowed(setting: settings.Setting) -> None:
    text = refusal_of(**{setting.environment: ""})
    assert text.startswith(f"{setting.key} ({setting.environment} in the environment) is ")
    assert f"allowed is {setting.allowed}" in text


BAD = [
    ("LMS_ACTIVITY_MONITOR_ENABLED", "maybe"),
    ("LMS_NOTIFY_MENTORS_ENABLED", "2"),
    ("LMS_ACTIVITY_POLL_INTERVAL", "0"),
    ("LMS_ACTIVITY_POLL_INTERVAL", "86401"),
    ("LMS_ACTIVITY_POLL_INTERVAL", "1.5"),
    ("LMS_ACTIVITY_POLL_INTERVAL", "1_0"),
    ("LMS_ACTIVITY_POLL_INTERVAL", "９"),
    ("LMS_ACTIVITY_POLL_INTERVAL", "9" * 90),
    ("LMS_MESSAGES_PER_MINUTE", "0"),
    ("LMS_MESSAGES_PER_MINUTE", "100001"),
    ("LMS_SWEEP_ROWS", "99"),
    ("LMS_SWEEP_ROWS", "1000001"),
    ("LMS_STALE_AFTER_HOURS", "0"),
    ("LMS_STALE_AFTER_HOURS", "169"),
    ("LMS_DELIVERY", "later"),
    ("LMS_TIMEZONE", "../../etc/passwd"),
    ("LMS_TIMEZONE", "Europe"),
    ("LMS_TIMEZONE", "/etc/localtime"),
    ("LMS_ADMIN_STREAM", "a" * 61),
    ("LMS_ADMIN_STREAM", "#"),
    ("LMS_EVENT_TYPES_TO_MONITOR", "exam_passed;exam_failed"),
    ("LMS_BOT_WEB_LISTEN", "8484"),
    ("LMS_BOT_WEB_LISTEN", "127.0.0.1:0"),
    ("LMS_BOT_WEB_LISTEN", "127.0.0.1:65536"),
    ("LMS_BOT_WEB_URL", "bot.example.org"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_shown_with_its_key_its_variable_and_what_is_allowed(name: str, value: str) -> None:
    setting = next(setting for setting in SETTINGS if setting.environment == name)
    text = refusal_of(**{name: value})
    assert text.startswith(f"{setting.key} ({name} in the environment) is '{value}': ")
    assert f"allowed is {setting.allowed}" in text


def test_a_bad_value_in_a_file_names_the_file(tmp_path: Path) -> None:
    text = refusal_of_file(tmp_path, f"[lms_bot]\nlms_database_url = {LMS}\nsweep_rows = many")
    assert text == f"sweep_rows in {tmp_path / 'lms_bot.conf'} is 'many': allowed is 100 to 1000000."


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("LMS_TIMEZONE", "europe/berln", "(did you mean Europe/Berlin?)"),
        ("LMS_DELIVERY", "clam", "(did you mean calm?)"),
        ("LMS_ACTIVITY_MONITOR_ENABLED", "ture", "(did you mean true?)"),
        ("LMS_EVENT_TYPES_TO_MONITOR", "exam_passed, exam_faild", "(did you mean exam_failed?)"),
        ("LMS_EVENT_TYPES_TO_MONITOR", " , ", "set notify_mentors = false"),
    ],
)
def test_a_near_miss_gets_a_hint(name: str, value: str, hint: str) -> None:
    assert hint in refusal_of(**{name: value})


@pytest.mark.parametrize("value", ["true", "YES", "On", "1"])
def test_truth_has_many_spellings(value: str) -> None:
    assert from_environment(LMS_ACTIVITY_MONITOR_ENABLED=value).monitor_enabled is True


@pytest.mark.parametrize("value", ["false", "NO", "Off", "0"])
def test_falsehood_has_many_spellings(value: str) -> None:
    assert from_environment(LMS_NOTIFY_MENTORS_ENABLED=value).notify_mentors is False


@pytest.mark.parametrize("value", ["1", "86400"])
def test_the_limits_of_a_number_are_allowed(value: str) -> None:
    assert from_environment(LMS_ACTIVITY_POLL_INTERVAL=value).poll_interval == int(value)


def test_all_stands_for_every_event_type() -> None:
    assert from_environment(LMS_EVENT_TYPES_TO_MONITOR="ALL").event_types == frozenset(OBSERVED)


# Database URLs


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg2", "postgres"])
def test_every_spelling_of_postgresql_becomes_one(scheme: str) -> None:
    rest = "://mary:p%40w/x@[::1]:6432/lms?sslmode=require&host=/var/run"
    found = from_environment(LMS_DATABASE_URL=scheme + rest).lms_database_url
    assert found == f"postgresql+psycopg2{rest}"
    assert make_url(found).render_as_string(hide_password=False) != ""
    assert make_url(found).password == "p@w/x"


@pytest.mark.parametrize("url", ["sqlite:///lms.db", "sqlite:////srv/a b@c/lms.db?timeout=5"])
def test_a_file_of_sqlite_is_taken_as_it_is(url: str) -> None:
    assert from_environment(LMS_DATABASE_URL=url).lms_database_url == url


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"]
)
def test_a_database_in_memory_is_refused_with_the_reason(url: str) -> None:
    assert "could not be seen by other threads and processes" in refusal_of(LMS_STORE_DATABASE_URL=url)


@pytest.mark.parametrize("scheme", ["mysql", "mysql+pymysql", "mariadb", "mariadb+pymysql"])
def test_every_spelling_of_mysql_becomes_one(scheme: str) -> None:
    rest = "://mary:p%40w@[::1]:3307/lms?ssl_ca=/etc/ca.pem&charset=utf8"
    found = from_environment(LMS_DATABASE_URL=scheme + rest).lms_database_url
    assert found == f"mysql+pymysql{rest}"
    assert make_url(found).password == "p@w"


@pytest.mark.parametrize("scheme", ["mysql", "mysql+pymysql", "mariadb"])
def test_mysql_keeps_no_events(scheme: str) -> None:
    text = refusal_of(LMS_STORE_DATABASE_URL=f"{scheme}://mary:{SECRET}@db/bot")
    assert f"is '{scheme}://mary:***@db/bot': allowed is postgresql://" in text
    assert text.endswith("; MySQL and MariaDB can be the LMS, but not keep the events.")


@pytest.mark.parametrize(
    ("rest", "hint"),
    [
        ("db", "the database of MySQL or MariaDB must be named"),
        ("db/", "the database of MySQL or MariaDB must be named"),
        ("db/lms?sslmode=require", "the options for MySQL and MariaDB are ssl_ca, "),
        ("db/lms?read_default_file=/etc/my.cnf", "the options for MySQL and MariaDB are ssl_ca, "),
        ("db/lms?ssl_ca=a&ssl_ca=b", "the options for MySQL and MariaDB are ssl_ca, "),
        ("db/l\nms", "or sqlite:///file."),
        (f"db@{SECRET}/lms", "or sqlite:///file."),
    ],
)
def test_a_url_of_mysql_that_could_not_be_used_is_refused(rest: str, hint: str) -> None:
    assert hint in refusal_of(LMS_DATABASE_URL=f"mysql://mary:{SECRET}@{rest}")


@pytest.mark.parametrize("scheme", ["mysql+mysqldb", "postgresql+asyncpg", "postgresql+psycopg", "http"])
def test_another_driver_is_refused_with_the_password_hidden(scheme: str) -> None:
    text = refusal_of(LMS_DATABASE_URL=f"{scheme}://mary:{SECRET}@db/lms?password={SECRET}&a=b")
    assert f"is '{scheme}://mary:***@db/lms?password=***&a=b': allowed is postgresql://" in text


@pytest.mark.parametrize("url", ["sqlite+pysqlite:///lms.db", "sqlite://lms.db", "sqlite:lms.db"])
def test_another_way_to_write_sqlite_is_refused(url: str) -> None:
    assert "or sqlite:///file" in refusal_of(LMS_DATABASE_URL=url)


UNPARSEABLE = [
    SECRET,
    f"postgresql:/mary:{SECRET}@db/lms",
    f"postgresql//mary:{SECRET}@db/lms",
    f'"postgresql://mary:{SECRET}@db/lms"',
    f"postgresql://mary:pw@{SECRET}@db/lms",
    f"postgresql://mary:p@w/{SECRET}@db/lms",
    f"postgresql://mary:p@w?{SECRET}@db/lms",
    f"postgresql://mary:{SECRET}",
    f"postgresql://mary:{SECRET}/lms",
    f"postgresql:///mary:{SECRET}@db/lms",
    f"postgresql://mary@db/lms?pass%77ord={SECRET}",
    f"postgresql://mary@db/lms?password=a&{SECRET}",
]


@pytest.mark.parametrize("url", UNPARSEABLE)
def test_a_url_that_cannot_be_parsed_is_not_shown_at_all(url: str) -> None:
    assert "is a value not shown here: allowed is" in refusal_of(LMS_DATABASE_URL=url)
    assert hide_password(url) == "***"


def test_a_url_with_a_line_break_is_refused() -> None:
    assert "allowed is" in refusal_of(LMS_DATABASE_URL=f"postgresql://mary:{SECRET}@db/l\nms")


def test_a_url_under_the_wrong_key_does_not_show_its_password() -> None:
    assert "***" in refusal_of(LMS_TIMEZONE=f"postgresql://mary:{SECRET}@db/lms")
    assert "not shown" in refusal_of(LMS_DELIVERY=f"mary:{SECRET}@db")


@pytest.mark.parametrize(
    ("lms", "store"),
    [
        ("sqlite:///lms.db", "sqlite:///lms.db"),
        ("sqlite:///lms.db", "sqlite:///./x/../lms.db?timeout=5"),
        ("sqlite:///lms.db", "sqlite:///file:lms.db?mode=ro&uri=true"),
        (LMS, LMS),
        (LMS, "postgres://omar:x@DB.example.com:5432/lms?sslmode=require"),
        ("postgresql:///lms?host=/run/pg", "postgresql://omar@/lms?host=/run/pg&port=5432"),
    ],
)
def test_the_store_may_not_be_in_the_lms(lms: str, store: str) -> None:
    assert "are one" in refusal(None, LMS_DATABASE_URL=lms, LMS_STORE_DATABASE_URL=store)


def test_a_link_to_the_file_of_the_lms_is_the_lms(tmp_path: Path) -> None:
    (tmp_path / "lms.db").touch()
    (tmp_path / "store.db").symlink_to(tmp_path / "lms.db")
    lms, store = (f"sqlite:///{tmp_path}/{name}.db" for name in ("lms", "store"))
    assert "are one" in refusal(None, LMS_DATABASE_URL=lms, LMS_STORE_DATABASE_URL=store)


@pytest.mark.parametrize(
    "store",
    [
        "postgresql://mary:pw@db.example.com/bot",
        "postgresql://mary:pw@db.example.com:5433/lms",
        "sqlite:///lms",
    ],
)
def test_the_store_may_be_beside_the_lms(store: str) -> None:
    assert from_environment(LMS_STORE_DATABASE_URL=store).lms_database_url


def test_two_servers_on_one_machine_may_have_databases_of_one_name() -> None:
    assert from_environment(LMS_DATABASE_URL="mysql://mary@db/lms", LMS_STORE_DATABASE_URL="postgresql://mary@db/lms")


# Secrets


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://mary:pw@db/lms", "postgresql://mary:***@db/lms"),
        ("postgresql://mary:p/w?x#y:z@db:1/lms", "postgresql://mary:***@db:1/lms"),
        ("postgresql://:pw@db/lms", "postgresql://:***@db/lms"),
        ("postgresql://mary@db:5432/lms", "postgresql://mary@db:5432/lms"),
        ("postgresql:///lms?a=b&Password=pw&c=d", "postgresql:///lms?a=b&Password=***&c=d"),
        ("postgresql:///lms?sslpassword=pw", "postgresql:///lms?sslpassword=***"),
        ("sqlite:////srv/a@b:c/lms.db", "sqlite:////srv/a@b:c/lms.db"),
        ("mary:pw@db", "***"),
    ],
)
def test_a_password_is_hidden_and_nothing_else(url: str, shown: str) -> None:
    assert hide_password(url) == shown


def test_settings_can_be_logged_without_the_passwords() -> None:
    found = from_environment(
        LMS_DATABASE_URL=f"postgresql://mary:{SECRET}@db/lms",
        LMS_STORE_DATABASE_URL=f"postgresql:///bot?password={SECRET}",
    )
    assert SECRET not in f"{found!r} {found}"
    assert "mary:***@db/lms" in repr(found)
    assert "poll_interval=60" in repr(found)


SIGNAL_SECRET = "whsec_" + base64.b64encode(b"thirty-two bytes for the signals").decode()


def test_the_secret_of_signals_is_taken_as_it_is_and_never_shown() -> None:
    found = from_environment(LMS_BOT_SIGNAL_SECRET=SIGNAL_SECRET)
    assert found.signal_secret == SIGNAL_SECRET
    assert "whsec_" not in f"{found!r} {found}"


@pytest.mark.parametrize("value", [SIGNAL_SECRET[6:], SIGNAL_SECRET[:-3], "whsec_", "whsec_c2hvcnQ=", "whsec_ключ"])
def test_a_bad_secret_of_signals_is_refused_and_not_shown(value: str) -> None:
    text = refusal_of(LMS_BOT_SIGNAL_SECRET=value)
    assert text.startswith("signal_secret (LMS_BOT_SIGNAL_SECRET in the environment) is a value not shown here: ")
    assert value not in text.replace("whsec_ and", "")


@pytest.mark.parametrize(
    ("value", "found"), [("0.0.0.0:80", ("0.0.0.0", 80)), ("[::1]:8484", ("::1", 8484)), ("bot:1", ("bot", 1))]
)
def test_where_to_listen_is_a_host_and_a_port(value: str, found: tuple[str, int]) -> None:
    assert from_environment(LMS_BOT_WEB_LISTEN=value).web_listen == found


QUICK = hypothesis_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
KEYS = [setting.key for setting in SETTINGS]
URLS = st.sampled_from([*UNPARSEABLE, f"postgresql://mary:{SECRET}@db/lms", f"mysql://mary:{SECRET}@db/lms"])
LINES = st.one_of(
    st.sampled_from(["[lms_bot]", "[lms-bot]", "", "# note", "\t", "=", "[", "timezone = Mars"]),
    st.builds("{}{} = {}".format, st.sampled_from(["", "  "]), st.sampled_from(KEYS), URLS),
    st.sampled_from(["\n", " ", "  \n\t"]).map(lambda gap: f"lms_database_url = {gap}{SECRET}@db"),
    st.text(max_size=20),
    st.builds("{}{}".format, st.sampled_from(["", "  ", "%", "\ufeff", "\x0b"]), URLS),
)


def outcome(reading: Callable[[], Settings]) -> str:
    try:
        return repr(reading())
    except ConfigError as error:
        return str(error)


@QUICK
@given(lines=st.lists(LINES, max_size=8), begun=st.booleans())
def test_no_file_of_lines_leaks_a_password(tmp_path: Path, lines: list[str], begun: bool) -> None:
    content = "\n".join((["[lms_bot]"] if begun else []) + lines).encode(errors="replace")
    assert SECRET.lower() not in outcome(lambda: read(tmp_path, content)).lower()


@QUICK
@given(content=st.binary(max_size=200), environ=st.booleans())
def test_no_content_of_a_file_is_more_than_a_mistake(tmp_path: Path, content: bytes, environ: bool) -> None:
    variables = {"LMS_DATABASE_URL": LMS} if environ else {}
    assert "\n" not in outcome(lambda: read(tmp_path, b"[lms_bot]\n" + content, variables))


@QUICK
@given(name=st.sampled_from([setting.environment for setting in SETTINGS]), value=st.text(max_size=70))
def test_no_value_is_more_than_a_mistake(name: str, value: str) -> None:
    assert outcome(lambda: from_environment(**{name: value})).isprintable()


@QUICK
@given(password=st.text(st.characters(codec="ascii", exclude_categories=["Cc"], exclude_characters="@ ")))
def test_no_password_of_a_good_url_is_shown(password: str) -> None:
    url = f"mysql://mary:<{password}>@db/lms"
    assert f"<{password}>" not in outcome(lambda: from_environment(LMS_DATABASE_URL=url))
    assert from_environment(LMS_DATABASE_URL=url.replace("mysql", "postgres"))
    assert hide_password(url) == "mysql://mary:***@db/lms"


# Documentation


def test_the_table_has_every_setting_in_its_order() -> None:
    assert [field.name for field in fields(Settings)] == KEYS
    assert len({setting.environment for setting in SETTINGS}) == len(SETTINGS)


def test_the_settings_page_is_made_from_the_table() -> None:
    assert (ROOT / "docs/settings.md").read_text(encoding="utf-8") == settings.settings_markdown()


def test_the_example_file_is_made_from_the_table() -> None:
    assert (ROOT / "lms_bot.conf.example").read_text(encoding="utf-8") == settings.example_file()


def test_the_example_file_works_and_shows_the_defaults(tmp_path: Path) -> None:
    example = settings.example_file()
    shown = example
    for key in KEYS:
        shown = shown.replace(f"\n#{key} = ", f"\n{key} = ")
    assert shown != example
    assert read(tmp_path, shown) == read(tmp_path, example)


def test_the_example_of_a_zuliprc_has_what_zulip_reads() -> None:
    lines = (ROOT / "zuliprc.example").read_text(encoding="utf-8").splitlines()
    assert "Settings > Personal > Bots" in lines[0]
    assert [line.partition("=")[0] for line in lines[1:]] == ["[api]", "email", "key", "site"]


def test_reading_settings_loads_no_database_library() -> None:
    code = "import sys, lms_bot.config; sys.exit('sqlalchemy' in sys.modules or 'zulip' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
