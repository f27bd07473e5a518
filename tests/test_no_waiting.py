"""No test lets real time pass, or depends on how fast the machine is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = sorted(Path(__file__).parent.rglob("*.py"))
BLINK = 0.05  # seconds between two looks at what is waited for
LONG = 60.0  # a limit that no machine comes to while it works
CLOCKS = {"monotonic", "perf_counter", "process_time"}


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            yield name, node


def number(node: ast.AST) -> float | None:
    return float(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, int | float) else None


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_e1_no_test_sleeps_or_has_a_limit_of_seconds(source: Path) -> None:
    tree = ast.parse(source.read_text("utf-8"))
    found = []
    for name, call in calls(tree):
        if name == "sleep" and call.args and (number(call.args[0]) or 0.0) > BLINK:
            found.append(call.lineno)
        limits = [keyword.value for keyword in call.keywords if keyword.arg == "timeout"]
        found += [call.lineno for limit in limits if 0.0 < (number(limit) or 0.0) < LONG]
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and any(name in CLOCKS for name, _ in calls(node)):
            found.append(node.lineno)
    assert found == [], source.name
