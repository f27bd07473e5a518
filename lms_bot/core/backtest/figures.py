"""How well an order, or a choice, of students agrees with what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping


def auc(points: Mapping[int, float], labels: Mapping[int, bool]) -> float:
    """Return how likely one of the true has more points than one of the others, ties counting half; 0.5 if unknown."""
    true, false = (
        Counter(points[one] for one in points if labels[one]),
        Counter(points[one] for one in points if not labels[one]),
    )
    below, won = 0, 0.0
    for value in sorted({*true, *false}):
        won += true[value] * (below + false[value] / 2)
        below += false[value]
    pairs = true.total() * false.total()
    return won / pairs if pairs else 0.5


def top_share(points: Mapping[int, float], labels: Mapping[int, bool], share: float) -> tuple[float, float]:
    """Return precision and recall of the `share` of all with the most points.

    Of those with the same points at its edge, the average counts.
    """
    places = int(len(points) * share)
    by_points = Counter(points.values())
    true = Counter(points[one] for one in points if labels[one])
    left, found = places, 0.0
    for value in sorted(by_points, reverse=True):
        taken = min(left, by_points[value])
        found += true[value] * taken / by_points[value]
        left -= taken
    return (found / places if places else 0.0), (found / true.total() if true.total() else 0.0)
