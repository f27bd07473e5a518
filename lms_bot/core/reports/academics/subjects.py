"""How a student does by subject and by difficulty."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lms_bot.core.reports.academics.facts import DIFFICULTY, SUBJECT, Evidence, PartResult, evidence

STRUGGLING_BELOW, STRONG_FROM = 50.0, 75.0  # percent
FEWEST_RESULTS = 3  # or a subject is neither strong nor struggling
TREND_RESULTS = 3  # the last so many are compared with so many before


@dataclass(frozen=True, slots=True)
class PartPerformance:
    """All results in one subject, or at one level of difficulty; `n` of them, with their answers together.

    `trend` is by how many points the last three are above the three before; None with fewer than six.
    """

    label: str
    correct: int
    incorrect: int
    unanswered: int
    total: int
    trend: float | None
    evidence: Evidence

    @property
    def n(self) -> int:
        return self.evidence.n

    @property
    def percentage(self) -> float:
        """Return the share of all questions that was answered right."""
        return 100 * self.correct / self.total

    @property
    def is_strong(self) -> bool:
        return self.n >= FEWEST_RESULTS and self.percentage >= STRONG_FROM

    @property
    def is_struggling(self) -> bool:
        return self.n >= FEWEST_RESULTS and self.percentage < STRUGGLING_BELOW


def subjects(results: Iterable[PartResult]) -> tuple[PartPerformance, ...]:
    """Return the subjects of these results (which come newest first), the weakest first."""
    found = _parts(one for one in results if one.dimension == SUBJECT)
    return tuple(sorted(found, key=lambda part: (part.percentage, part.label.casefold(), part.label)))


def difficulties(results: Iterable[PartResult]) -> tuple[PartPerformance, ...]:
    """Return the levels of difficulty of these results (which come newest first), by name."""
    found = _parts(one for one in results if one.dimension == DIFFICULTY)
    return tuple(sorted(found, key=lambda part: (part.label.casefold(), part.label)))


def strong(parts: Sequence[PartPerformance]) -> tuple[PartPerformance, ...]:
    """Return the strong subjects of those that come weakest first, the strongest first."""
    return tuple(part for part in reversed(parts) if part.is_strong)


def struggling(parts: Sequence[PartPerformance]) -> tuple[PartPerformance, ...]:
    """Return the subjects in which the student struggles, the weakest first."""
    return tuple(part for part in parts if part.is_struggling)


def _parts(results: Iterable[PartResult]) -> list[PartPerformance]:
    by_label: dict[str, list[PartResult]] = {}
    for result in results:
        by_label.setdefault(result.label, []).append(result)
    return [_part(label, of_label) for label, of_label in by_label.items()]


def _part(label: str, results: Sequence[PartResult]) -> PartPerformance:
    return PartPerformance(
        label,
        sum(one.correct for one in results),
        sum(one.incorrect for one in results),
        sum(one.unanswered for one in results),
        sum(one.total for one in results),
        _trend(results),
        evidence((one.event_id, one.at) for one in results),
    )


def _trend(results: Sequence[PartResult]) -> float | None:
    if len(results) < 2 * TREND_RESULTS:
        return None
    return _share(results[:TREND_RESULTS]) - _share(results[TREND_RESULTS : 2 * TREND_RESULTS])


def _share(results: Sequence[PartResult]) -> float:
    return 100 * sum(one.correct for one in results) / sum(one.total for one in results)
