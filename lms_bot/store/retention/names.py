"""Finds the names of one person in any text, however it was quoted, cut, typed or encoded."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

SHORTEST_CUT = 16  # characters that are left of a name that was cut, at least
_CUT = "\ue000"  # stands for the sign of what was cut, which normalising would turn into three dots
_BETWEEN = re.compile(rf"[^\w#{_CUT}]+")


class Names:
    """The names of one person: usernames and display names of today and before, addresses, the LMS id as #id."""

    def __init__(self, names: Iterable[str]) -> None:
        folded = {fold(name).strip() for name in names} - {""}
        self._forms = {f" {name} " for name in folded}
        for name in folded:
            self._forms |= {f" {name[:length].rstrip()}{_CUT}" for length in range(SHORTEST_CUT, len(name))}

    def are_in(self, value: Any) -> bool:
        """Return whether one of the names is in a text, a file, or anywhere in a JSON value."""
        return any(form in folded for folded in map(fold, _texts(value)) for form in self._forms)


def fold(text: str) -> str:
    """Return the words of a text in one form, a space before and after each.

    What cannot be seen, letter case, the way of encoding accents, and all signs that quoting adds or changes are gone.
    """
    seen = "".join(sign for sign in text if unicodedata.category(sign) != "Cf") if not text.isascii() else text
    folded = unicodedata.normalize("NFKC", seen.replace("…", _CUT)).casefold()
    return f" {_BETWEEN.sub(' ', folded)} ".replace(f" {_CUT}", _CUT)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
