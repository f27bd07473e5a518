"""Finds fonts on this machine for the letters that a picture needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lms_bot.render.quoting import plain

FONT = "DejaVu Sans"
BOX = "\N{WHITE SQUARE}"
REGULAR = 400  # as fonts count their weight
_DRAWS_ALL_AS_BOXES = "Last Resort"


@dataclass(frozen=True, slots=True)
class Lettering:
    """The fonts that draw some texts together, and which of their letters none has."""

    families: tuple[str, ...]
    missing: frozenset[str]

    @property
    def style(self) -> dict[str, Any]:
        """Return how matplotlib draws such a text: as it is written, and never as a formula."""
        return {"fontfamily": list(self.families), "parse_math": False, "usetex": False}

    def drawable(self, text: str) -> str:
        """Return a text with a box for each letter that cannot be drawn."""
        return "".join(BOX if letter in self.missing else letter for letter in text)


def lettering(texts: Iterable[str]) -> Lettering:
    """Return the fonts for these texts."""
    return _lettering(frozenset("".join(map(plain, texts))))


@lru_cache(100)
def _lettering(letters: frozenset[str]) -> Lettering:
    families, left = [FONT], _missing(_path(FONT), letters)
    others = _machine_fonts() if left else {}
    while left:
        fewest, family = min((len(_missing(path, left)), family) for family, path in others.items())
        if fewest == len(left):
            break
        families.append(family)
        left = _missing(others[family], left)
    return Lettering(tuple(families), left)


def _missing(path: str, letters: frozenset[str]) -> frozenset[str]:
    from matplotlib.font_manager import get_font

    try:
        font = get_font(path)
    except (OSError, RuntimeError):  # a file that is no font, or one of pictures only
        return letters
    if not font.scalable:
        return letters
    return frozenset(letter for letter in letters if not font.get_char_index(ord(letter)))


def _machine_fonts() -> dict[str, str]:
    """Return the path of each family of fonts, those too that were installed since this process began."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = {font.fname for font in fontManager.ttflist}
    for path in findSystemFonts():
        if path not in known:
            try:
                fontManager.addfont(path)
            except (OSError, RuntimeError, ValueError):  # as above
                continue
    plainest = sorted(fontManager.ttflist, key=lambda font: (font.style != "normal", abs(_weight(font) - REGULAR)))
    families: dict[str, str] = {}
    for font in plainest:
        if not font.name.startswith(_DRAWS_ALL_AS_BOXES):
            families.setdefault(font.name, font.fname)
    return families


def _weight(font: Any) -> int:
    from matplotlib.font_manager import weight_dict

    return font.weight if isinstance(font.weight, int) else weight_dict.get(font.weight, REGULAR)


def _path(family: str) -> str:
    from matplotlib.font_manager import FontProperties, findfont

    return str(findfont(FontProperties(family=family)))
