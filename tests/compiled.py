"""One cache of compiled statements for all engines of a process: each test makes its own."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from sqlalchemy.engine import Engine


class SharedCache(MutableMapping[Any, Any]):
    """Compiled statements by what they say and how their dialect is set up, whichever engine compiled them first."""

    def __init__(self) -> None:
        self._compiled: dict[Any, Any] = {}

    def __getitem__(self, key: Any) -> Any:
        return self._compiled[_general(key)]

    def __setitem__(self, key: Any, compiled: Any) -> None:
        self._compiled[_general(key)] = compiled

    def __delitem__(self, key: Any) -> None:
        del self._compiled[_general(key)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._compiled)

    def __len__(self) -> int:
        return len(self._compiled)


def _general(key: Any) -> Any:
    dialect, *rest = key
    return dialect.name, getattr(dialect, "executemany_mode", None), getattr(dialect, "_json_serializer", None), *rest


def share_compiled_statements() -> None:
    """Let all engines share what they compile."""
    cache = SharedCache()
    Engine._compiled_cache = property(lambda _: cache, lambda *_: None)  # type: ignore[assignment]
