"""From docs/architecture.md a stranger finds every room, and every file that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import lms_bot

PACKAGE = Path(lms_bot.__file__).parent
DOCS = PACKAGE.parent / "docs"
PAGE = (DOCS / "architecture.md").read_text("utf-8")
NOT_LISTED = {"__init__", "__main__", "env"}
UNLISTED = "store/migrations/"  # its row is that of the tables


def rows(heading: str) -> list[list[str]]:
    """Return the cells of each row of the table below a heading."""
    section = PAGE[PAGE.index(f"## {heading}") :].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


ROOMS = {row[0].strip("`"): re.findall(r"`(\w+)`", row[2]) for row in rows("Rooms")}
NAMED = sorted({path for row in rows("Where do I …") for path in re.findall(r"`([\w/]+(?:\.py|/))`", row[1])})


def rooms_of_the_package() -> dict[str, set[str]]:
    """Return the modules of each package of lms_bot that has a room, and no modules for one that is a single file."""
    found: dict[str, set[str]] = {path.stem: set() for path in PACKAGE.glob("*.py") if path.stem not in NOT_LISTED}
    for path in PACKAGE.rglob("__init__.py"):
        room = path.parent.relative_to(PACKAGE).as_posix()
        if room != "." and not f"{room}/".startswith(UNLISTED):
            found[room] = {module.stem for module in path.parent.glob("*.py")} - NOT_LISTED
    return found


def test_every_package_and_module_has_its_room() -> None:
    found = rooms_of_the_package()
    assert found.keys() <= ROOMS.keys()
    missing = {room: modules - set(ROOMS[room]) for room, modules in found.items()}
    assert {room: modules for room, modules in missing.items() if modules} == {}


def test_every_room_that_is_named_is_there() -> None:
    named = [*ROOMS, *(f"{room}/{module}" for room, modules in ROOMS.items() for module in modules)]
    assert [name for name in named if not (PACKAGE / name).is_dir() and not (PACKAGE / f"{name}.py").is_file()] == []


@pytest.mark.parametrize("path", NAMED)
def test_every_file_that_is_named_is_there(path: str) -> None:
    target = PACKAGE / path
    assert target.is_dir() if path.endswith("/") else target.is_file()


def test_twenty_questions_are_answered() -> None:
    assert len(rows("Where do I …")) >= 20


def test_every_room_is_in_the_picture() -> None:
    drawn = set(re.findall(r'class="name"[^>]*>(\w+)<', (DOCS / "architecture.svg").read_text("utf-8")))
    assert {room.split("/")[0] for room in ROOMS} <= drawn
