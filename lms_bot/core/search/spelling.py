"""What somebody meant who mistyped it."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

SHORT = 4  # letters: one of so few may be wrong, of more two


def nearest(word: str, names: Sequence[str]) -> str | None:
    """Return the one of `names` that a typing error may have made `word` from."""
    found = process.extractOne(word, names, scorer=DamerauLevenshtein.normalized_similarity, score_cutoff=0.6)
    return str(found[0]) if found else None


def similar(word: str, names: Sequence[str]) -> list[int]:
    """Return the places of those of `names` that a typing error may have made `word` from, the nearest first."""
    found = process.extract(
        word.casefold(),
        names,
        scorer=DamerauLevenshtein.normalized_similarity,
        processor=str.casefold,
        score_cutoff=0.6,
        limit=None,
    )
    return [place for _, _, place in found]


def corrections(word: str, names: Sequence[str]) -> list[str]:
    """Return those of `names` that a typing error made `word` from, or that it begins: only the nearest."""
    word = word.casefold()
    most = 1 if len(word) <= SHORT else 2
    distances = {name: int(DamerauLevenshtein.distance(word, name)) for name in names} if len(word) > 2 else {}
    nearest_by = min(distances.values(), default=most + 1)
    if nearest_by <= most:
        return [name for name in names if distances[name] == nearest_by]
    return [name for name in names if len(word) >= SHORT and name.startswith(word)]


def did_you_mean(word: str, names: Sequence[str]) -> str:
    """Return a sentence about the nearest of `names`, which are our own words; "" if none is near."""
    near = nearest(word.casefold(), names)
    return f" Did you mean `{near}`?" if near else ""
