"""Declarations of LMSs, a module each, and the one that settings name."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterable
from typing import Any

from lms_bot.errors import ConfigError
from lms_bot.lms.schemas import classic, lessons, moodle
from lms_bot.lms.schemas.faults import faults
from lms_bot.lms.source import Schema

_OWN: dict[str, Any] = {"classic": classic, "moodle": moodle, "lessons": lessons}
_MODULE = "module:"

CLASSIC = classic.declare()
_declared: dict[str, Schema] = {name: module.declare() for name, module in _OWN.items()}


def load(name: str, prefix: str | None) -> Schema:
    """Return the declaration of this name, or of the module behind `module:`, for tables with a prefix of one's own.

    Such a module has a function `declare(prefix)`, and PREFIX. Raises ConfigError where there is none, and for what
    is wrong with its declaration.
    """
    if name in _OWN:
        own: Schema = _OWN[name].declare(_OWN[name].PREFIX if prefix is None else prefix)
        return own
    path = name.removeprefix(_MODULE)
    try:
        module = importlib.import_module(path)
        schema: Schema = module.declare(module.PREFIX if prefix is None else prefix)
        wrong = faults(schema) if isinstance(schema, Schema) else ["its declare() gives no Schema"]
    except Exception as error:  # noqa: BLE001 - somebody else's code, whatever it does
        wrong = [f"{type(error).__name__}: {' '.join(str(error).split())}"]
    if wrong:
        raise ConfigError(f"lms_schema names the module {path}, which cannot be used: {'; '.join(wrong)}.")
    _declared[name] = schema
    return schema


def named(name: str) -> Schema:
    """Return the declaration of this name, of tables with its own prefix. Raises ConfigError where there is none."""
    return _declared[name] if name in _declared else load(name, None)


def recognise(names: Collection[str]) -> tuple[str, str] | None:
    """Return which of our own declarations has its tables among these, and their prefix; None where none has."""
    for schema, module in _OWN.items():
        tables = [source.table.name for source in module.declare("").sources if not source.is_optional]
        for prefix in sorted(name.removesuffix(tables[0]) for name in names if name.endswith(tables[0])):
            if all(prefix + table in names for table in tables):
                return schema, prefix
    return None


def prefix_of(name: str) -> str:
    """Return what stands before the names of tables of one of our own declarations, unless settings say otherwise."""
    return str(_OWN[name].PREFIX)


def declared() -> Iterable[Schema]:
    """Return all declarations that are known here: our own, and what was loaded."""
    return _declared.values()


def letter_of(source_name: str) -> str:
    """Return the letter before the numbers of a source's events; an `x` where no declaration knows the source."""
    letters = (source.letter for schema in declared() for source in schema.sources if source.name == source_name)
    return next(letters, "x")


def sources_with(letter: str) -> list[str]:
    """Return the names of the sources whose events' numbers have this letter."""
    return [source.name for schema in declared() for source in schema.sources if source.letter == letter]
