"""For each schema of the event store a store with data in it, as the version wrote it that had this schema."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

from lms_bot.store.schema import MIGRATIONS

RELEASED = frozenset({"0001"})
"""Schemas that a released version has made: neither the migration nor the stores here may ever change."""

HERE = Path(__file__).parent
KINDS = ("sqlite", "postgresql")
IMPORTED = re.compile(r"lms_bot\.store\.migrations(?:\.| import )(\w+)")


def migrations() -> dict[str, Path]:
    """The file of each migration, by the schema that it makes."""
    return {path.name.split("_")[0]: path for path in sorted((MIGRATIONS / "versions").glob("[0-9]*.py"))}


def checksum(migration: Path) -> str:
    """Of the migration and of the modules beside `versions` that it imports."""
    text = migration.read_text("utf-8")
    parts = [MIGRATIONS / f"{name}.py" for name in sorted(set(IMPORTED.findall(text)))]
    return sha256("".join([text, *(part.read_text("utf-8") for part in parts)]).encode()).hexdigest()


def problems(found: dict[str, Path], schemas: Path = HERE) -> list[str]:
    """What is wrong with the stores, in a sentence each; none if every migration has its own and is as it was then."""
    told = []
    for schema, migration in found.items():
        folder = schemas / schema
        if any(not (folder / f"{kind}.sql").exists() for kind in KINDS):
            told.append(f"There is no store of schema {schema}: run make schemas.")
        elif (folder / "migration.sha256").read_text().strip() != checksum(migration):
            told.append(
                f"{migration.name} has changed since its store was made. If a released version has it, take the change "
                "back and write a new migration; if none has, run make schemas."
            )
    return told
