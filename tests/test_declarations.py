"""An LMS is a declaration: ours keep their names, and one of the operator's own is used, or refused in a sentence."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import sqlalchemy as sa

from lms_bot.config.settings import Settings, load
from lms_bot.errors import ConfigError
from lms_bot.lms import Lms, schemas
from lms_bot.lms.schemas import classic, lessons, letter_of, moodle, sources_with
from lms_bot.lms.schemas.faults import faults
from lms_bot.lms.schemas.tables import Tables
from lms_bot.lms.source import EnrolmentQueries, PeopleQueries, PresenceQueries, Schema, Source
from tests.databases import store_in_file
from tests.lms_rows import PollingWatch

PAGE = (Path(__file__).parent.parent / "docs" / "adding-an-lms.md").read_text("utf-8")
OWN = {"classic": classic, "moodle": moodle, "lessons": lessons}
MOST_LINES = 250
URL = "sqlite:///lms.db"

each_of_ours = pytest.mark.parametrize("name", OWN)

OF_THE_OPERATOR = '''
"""A school that keeps its tests in one table."""

import sqlalchemy as sa

from lms_bot.lms.schemas.tables import Tables
from lms_bot.lms.source import PeopleQueries, Schema, Source, states

PREFIX = "our_"


def declare(prefix=PREFIX):
    t = Tables(
        "test id pupil:id subject:id state:text at:time mark:number\\n"
        "subject id:id name:text\\n"
        "person id:id name:text tutor:id",
        prefix,
    )
    person = t.person.c
    names = [person.id, person.name.label("username")]
    names += [sa.null().label(name) for name in ("email", "first_name", "last_name", "display_name")]
    return Schema(
        name="school",
        sources=(
            Source(
                name="tests",
                letter="t",
                table=t.test,
                student="pupil",
                activity="subject",
                title="subjects",
                states=states(exam_started="sat", exam_passed="good", none="planned"),
                started=("at",),
                ended=("at",),
                facts={"score": "mark"},
            ),
        ),
        catalogue={"subjects": (sa.select(*t.subject.c),)},
        people=PeopleQueries(
            students=sa.select(*names, sa.literal(True).label("is_active")).where(person.tutor.is_not(None)),
            mentors=sa.select(*names).where(person.tutor.is_(None)),
            links={"tutors": sa.select(person.tutor, person.id)},
        ),
    )
'''


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Puts text into a module of a package of the operator's, and gives its name as settings have it."""
    package = tmp_path / "operators_package"
    package.mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    known = dict(schemas._declared)

    def write(text: str) -> str:
        (package / "school.py").write_text(text, "utf-8")
        return "module:operators_package.school"

    yield write
    for module in ("operators_package", "operators_package.school"):
        sys.modules.pop(module, None)
    schemas._declared.clear()
    schemas._declared.update(known)


def settings(**given: str) -> Settings:
    return load(None, {"LMS_DATABASE_URL": URL, **given})


def refusal(**given: str) -> str:
    with pytest.raises(ConfigError) as error:
        Lms.of(settings(**given)).close()
    assert "\n" not in str(error.value)
    return str(error.value)


# Ours


def test_the_names_in_the_contract_are_kept() -> None:
    names = {name: [source.name for source in module.declare().sources] for name, module in OWN.items()}
    assert names["classic"] == ["attempts", "content_attempts", "user_videos", "certifications"]
    assert names["lessons"] == ["user_progress", "exam_attempts", "lesson_quiz_attempts", "certifications"]
    assert {"quiz_attempts", "assign_submission", "course_modules_viewed"} <= set(names["moodle"])
    assert {"course_modules_completion", "course_completions", "badge_issued"} <= set(names["moodle"])


@each_of_ours
def test_nothing_is_wrong_with_a_declaration_of_ours(name: str) -> None:
    assert faults(OWN[name].declare()) == []


def test_a_source_has_one_letter_wherever_it_is_declared() -> None:
    for name, module in OWN.items():
        assert module.declare().name == name
        for source in module.declare().sources:
            assert letter_of(source.name) == source.letter
            assert source.name in sources_with(source.letter)
    assert letter_of("page_reports") == "x"


@each_of_ours
def test_a_declaration_is_a_small_module(name: str) -> None:
    lines = Path(str(OWN[name].__file__)).read_text("utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) <= MOST_LINES


@each_of_ours
def test_a_prefix_stands_before_every_name_of_its_own_tables(name: str) -> None:
    of_django = {"auth_user", "core_dailyactivity"}

    def tables(schema: Schema) -> set[str]:
        return {str(column.table.name) for column in schema.wanted()} - of_django

    usual, other, bare = (tables(OWN[name].declare(prefix)) for prefix in (OWN[name].PREFIX, "School_", ""))
    assert {f"School_{table}" for table in bare} == other
    assert {OWN[name].PREFIX + table for table in bare} == usual
    assert [OWN[one].PREFIX for one in OWN] == ["", "mdl_", "myApp_"]


def test_a_kind_of_column_that_there_is_not_is_refused() -> None:
    with pytest.raises(KeyError, match="nmuber"):
        Tables("attempts id:id score:nmuber")
    with pytest.raises(AttributeError, match="no table exams is declared"):
        _ = Tables("attempts id:id").exams


# The operator's own


def test_a_declaration_of_the_operators_own_is_polled(written: Callable[[str], str], tmp_path: Path) -> None:
    url, name = f"sqlite:///{tmp_path}/lms.db", written(OF_THE_OPERATOR)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE our_test (id integer PRIMARY KEY, pupil int, subject int, state text, at text, mark int)",
            "CREATE TABLE our_subject (id integer PRIMARY KEY, name text)",
            "CREATE TABLE our_person (id integer PRIMARY KEY, name text, tutor int)",
            "INSERT INTO our_person VALUES (1, 'mary', NULL), (2, 'jane', 1)",
            "INSERT INTO our_subject VALUES (5, 'Latin')",
        ):
            connection.exec_driver_sql(statement)
    watch = PollingWatch(url, store_in_file(tmp_path / "store.db"), LMS_SCHEMA=name)
    watch.poll()
    watch.rows.run("INSERT INTO our_test VALUES (7, 2, 5, 'Good ', :at, 9)", {"at": watch.now.isoformat()})
    watch.poll()
    event = watch.event(7, "tests")
    assert (event.event_type, event.student_username, event.activity_title) == ("exam_passed", "jane", "Latin")
    assert watch.owed_for(7, "tests") == [("exam_passed", 1)]
    assert (letter_of("tests"), sources_with("t")) == ("t", ["tests"])
    watch.close()


def test_its_prefix_is_the_modules_or_that_of_the_settings(written: Callable[[str], str]) -> None:
    name = written(OF_THE_OPERATOR)
    assert schemas.load(name, None).sources[0].table.name == "our_test"
    assert schemas.load(name, "their_").sources[0].table.name == "their_test"


NOT_THERE = {
    "module:no_such_package.school": "No module named 'no_such_package'",
    "module:operators_package.missing": "No module named 'operators_package.missing'",
    "module:operators_package.": "No module named 'operators_package.'",
    "module:json": "module 'json' has no attribute",
}


@pytest.mark.parametrize(("name", "reason"), NOT_THERE.items())
def test_a_module_that_declares_nothing_is_named(written: Callable[[str], str], name: str, reason: str) -> None:
    written("")
    told = refusal(LMS_SCHEMA=name)
    assert told.startswith(f"lms_schema names the module {name.removeprefix('module:')}, which cannot be used: ")
    assert reason in told


TEXTS = {
    "": "AttributeError: module 'operators_package.school' has no attribute",
    "PREFIX = ''": "has no attribute 'declare'",
    "PREFIX = ''\ndef declare(prefix): return {'name': 'school'}": "its declare() gives no Schema",
    "PREFIX = ''\ndef declare(): return None": "TypeError: declare() takes 0 positional arguments but 1 was given",
    "PREFIX = ''\ndef declare(prefix): return nothing": "NameError: name 'nothing' is not defined",
    "def declare(prefix) return None": "SyntaxError: expected ':' (school.py, line 1)",
    "1 / 0": "ZeroDivisionError",
}


@pytest.mark.parametrize(("text", "reason"), TEXTS.items(), ids=TEXTS.values())
def test_a_module_that_is_no_declaration_is_refused(written: Callable[[str], str], text: str, reason: str) -> None:
    assert reason in refusal(LMS_SCHEMA=written(text))


MISTAKES = {
    ("id pupil:id", "id pupil:idd"): "KeyError: 'idd'",
    ("table=t.test", "table=t.tests"): "no table tests is declared",
    ("letter=", "leter="): "unexpected keyword argument 'leter'",
    ('letter="t"', 'letter="s"'): "'s' is no letter from b to z but s",
    ('letter="t"', 'letter="A"'): "'A' is no letter from b to z but s",
    ('student="pupil"', 'student="user_id"'): "source tests: there is no column user_id",
    ('facts={"score": "mark"}', 'facts={"score": "score"}'): "source tests: there is no column score",
    ('title="subjects"', 'title="exams"'): "source tests: there is no catalogue exams",
    ('"sat"', '"sat Seated"'): "source tests: the word 'Seated' is not in lower case",
    ('letter="t"', 'results={"OK": None}, letter="t"'): "source tests: the word 'OK' is not in lower case",
    ('letter="t"', 'parts=(t.subject,), letter="t"'): "source tests: the part our_subject is not among its joins",
    ('letter="t"', 'parts=(sa.table("marks"),), letter="t"'): "source tests: the part marks has no column id",
    ("exam_started", "content_progress"): "source tests: a state is content_progress, but progress says no percentage",
    ("exam_started", "exam_begun"): "ValueError: 'exam_begun' is not a valid EventType",
    ('{"score": "mark"}', '{"score": person.id}'): "source tests: something is read from a table that is not among its",
    ('"email", ', ""): "the query for students gives no email",
    ("person.tutor, person.id)}", "person.tutor)}"): "the links tutors are not two columns",
    ("sources=(", "sources=() and ("): "it has no sources",
    ("            ),\n        ),\n        catalogue", "            ),\n        ) * 2,\n        catalogue"): (
        "two sources are named tests"
    ),
    ('name="school",', 'name="school", urls={"exams": "x"},'): "urls name no source exams",
}


@pytest.mark.parametrize(("change", "reason"), MISTAKES.items(), ids=MISTAKES.values())
def test_a_mistake_in_a_declaration_is_told(
    written: Callable[[str], str], change: tuple[str, str], reason: str
) -> None:
    assert change[0] in OF_THE_OPERATOR
    told = refusal(LMS_SCHEMA=written(OF_THE_OPERATOR.replace(*change)))
    assert told.startswith("lms_schema names the module operators_package.school, which cannot be used: ")
    assert reason in told


# The page about declarations


def test_the_page_shows_lessons_as_it_is() -> None:
    declared = Path(str(lessons.__file__)).read_text("utf-8")
    shown = re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)
    assert len(shown) >= 10
    assert [block for block in shown if block not in declared] == []


@pytest.mark.parametrize("part", [Source, Schema, PeopleQueries, PresenceQueries, EnrolmentQueries])
def test_the_page_explains_every_field(part: type) -> None:
    names = {field.name for field in fields(part)} - {"name", "sources", "people", "presence", "enrolment", "catalogue"}
    assert [name for name in sorted(names) if not re.search(rf"`{name}[`=(]|\*\*.*\b{name}\b.*\*\*", PAGE)] == []


# Settings

ALLOWED = [
    ("LMS_SCHEMA", "Moodle", "lms_schema", "moodle"),
    ("LMS_SCHEMA", "module:Our.School_2", "lms_schema", "module:Our.School_2"),
    ("LMS_TABLE_PREFIX", "of the schema", "lms_table_prefix", None),
    ("LMS_TABLE_PREFIX", "none", "lms_table_prefix", ""),
    ("LMS_TABLE_PREFIX", "m_", "lms_table_prefix", "m_"),
    ("LMS_MENTORS", " role , csv:/srv/a b.csv,, table:x ", "lms_mentors", ("role", "csv:/srv/a b.csv", "table:x")),
    ("LMS_URL", "none", "lms_url", None),
    ("LMS_URL", "https://lms.example.com/moodle/", "lms_url", "https://lms.example.com/moodle"),
    ("LMS_LONGEST_TRANSACTION", "1440", "longest_transaction", 1440),
]


@pytest.mark.parametrize(("variable", "text", "field", "value"), ALLOWED)
def test_settings_of_an_lms_are_read(variable: str, text: str, field: str, value: object) -> None:
    assert getattr(settings(**{variable: text}), field) == value


def test_settings_of_an_lms_have_defaults() -> None:
    found = settings()
    assert (found.lms_schema, found.lms_table_prefix, found.lms_mentors) == ("classic", None, ("all",))
    assert (found.lms_url, found.longest_transaction) == (None, 15)


REFUSED = [
    ("LMS_SCHEMA", "mooodle", "(did you mean moodle?)"),
    ("LMS_SCHEMA", "canvas", "lms_schema (LMS_SCHEMA in the environment) is 'canvas': allowed is classic, moodle"),
    ("LMS_SCHEMA", "module:", "or module:NAME"),
    ("LMS_SCHEMA", "module:../school", "or module:NAME"),
    ("LMS_SCHEMA", "module:our-school", "or module:NAME"),
    ("LMS_TABLE_PREFIX", "m-", "letters, digits and _"),
    ("LMS_TABLE_PREFIX", 'm"; DROP TABLE x', "letters, digits and _"),
    ("LMS_TABLE_PREFIX", "m" * 41, "letters, digits and _"),
    ("LMS_URL", "lms.example.com", "begins with https:// or http://"),
    ("LMS_URL", "javascript:alert(1)", "begins with https:// or http://"),
    ("LMS_URL", "https://lms.example.com/)[x](y", "begins with https:// or http://"),
    ("LMS_URL", "https://lms example", "begins with https:// or http://"),
    ("LMS_LONGEST_TRANSACTION", "0", "1 to 1440"),
    ("LMS_LONGEST_TRANSACTION", "1441", "1 to 1440"),
    ("LMS_LONGEST_TRANSACTION", "an hour", "1 to 1440"),
]


@pytest.mark.parametrize(("variable", "text", "allowed"), REFUSED)
def test_settings_that_cannot_be_are_refused(variable: str, text: str, allowed: str) -> None:
    told = refusal(**{variable: text})
    assert allowed in told
    assert f"({variable} in the environment) is " in told


MENTORS = {
    ("classic", "role"): "lms_mentors names 'role': with lms_schema = classic, allowed are all, links, table:NAME",
    (
        "moodle",
        "links",
    ): "with lms_schema = moodle, allowed are all, role, group, table:NAME, csv:PATH",
    ("lessons", "all"): "lms_schema = lessons knows no links to mentors: name a table or a file in lms_mentors.",
}


@pytest.mark.parametrize(("given", "told"), MENTORS.items())
def test_links_that_a_schema_does_not_have_are_refused(given: tuple[str, str], told: str) -> None:
    assert told in refusal(LMS_SCHEMA=given[0], LMS_MENTORS=given[1])


@pytest.mark.parametrize("chosen", ["role", "group", "all", "role,group"])
def test_links_are_chosen_among_those_of_the_schema(chosen: str) -> None:
    lms = Lms.of(settings(LMS_SCHEMA="moodle", LMS_MENTORS=chosen))
    assert set(lms.schema.people.links) == ({"role", "group"} if chosen == "all" else set(chosen.split(",")))
    lms.close()
