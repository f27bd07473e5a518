"""What somebody meant who mistyped it."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein


def nearest(word: str, names: Sequence[str]) -> str | None:
    """Return the one of `names` that a typing error may have made `word` from."""
    found = process.extractOne(word, names, scorer=DamerauLevenshtein.normalized_similarity, score_cutoff=0.6)
    return str(found[0]) if found else None


def did_you_mean(word: str, names: Sequence[str]) -> str:
    """Return a sentence about the nearest of `names`, which are our own words; "" if none is near."""
    near = nearest(word.casefold(), names)
    return f" Did you mean `{near}`?" if near else ""
