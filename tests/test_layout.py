"""The house is laid out as docs/architecture.md says: small rooms, short functions, and one room that knows an LMS."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lms_bot.lms.schemas import CLASSIC

PACKAGE = Path(__file__).parent.parent / "lms_bot"
MODULES = sorted(PACKAGE.rglob("*.py"))
PACKAGES = sorted({module.parent for module in MODULES})
KNOW_AN_LMS = tuple(PACKAGE / room for room in ("lms/schemas", "fixtures", "demo", "store/migrations"))
OURS_TOO = {"students", "mentors"}  # the store has tables of the same names
MOST_FILES, MOST_LINES, MOST_PARAMETERS = 15, 30, 6


def functions() -> Iterator[ast.FunctionDef]:
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield node


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(PACKAGE.parent)))
def test_a_package_has_at_most_fifteen_files(package: Path) -> None:
    if package.name != "versions":  # migrations are added for as long as there are releases
        assert len(list(package.glob("*.py"))) <= MOST_FILES


def test_nearly_all_functions_are_short() -> None:
    lengths = [(node.end_lineno or 0) - node.lineno + 1 for node in functions()]
    short = sum(length < MOST_LINES for length in lengths)
    assert short / len(lengths) >= 0.95


def test_no_function_has_seven_parameters() -> None:
    long = {
        node.name
        for node in functions()
        for parameters in [[*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]]
        if len([one for one in parameters if one.arg not in ("self", "cls")]) > MOST_PARAMETERS
    }
    assert long == set()


def test_only_declarations_name_tables_of_an_lms() -> None:
    tables = {str(column.table.name) for column in CLASSIC.wanted()} - OURS_TOO
    distinctive = [name for name in tables if "_" in name or not name.islower()]
    anywhere = re.compile(rf"\b({'|'.join(distinctive)})\b")
    in_sql = re.compile(rf"\b(FROM|JOIN|INTO|UPDATE|TABLE) ({'|'.join(tables)})\b")
    compared = re.compile(rf"source_table *(=|==|IN|in) *\(?['\"]({'|'.join(tables)})\b")
    found = [
        (str(module.relative_to(PACKAGE)), pattern.pattern)
        for module in MODULES
        if not any(module.is_relative_to(room) for room in KNOW_AN_LMS)
        for pattern in (anywhere, in_sql, compared)
        if pattern.search(module.read_text("utf-8"))
    ]
    assert found == []
