"""Figures at the end of weeks: how well attention orders students, and how right the alerts were that were sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from benchmarks.oulad.feed import BEGIN, Fed
from lms_bot.core.backtest.figures import auc, top_share
from lms_bot.core.calendar import DAY
from lms_bot.reports.backtest.replays import Backtest

WEEKS = (3, 4, 6, 8, 10, 15, 20)
GROUPED_IN = 10  # the week of which the figures of groups are


def weeks(found: Backtest, fed: Fed) -> list[dict[str, Any]]:
    """Return the figures of each week, over the students who are still enrolled at its end."""
    return [_week(week, found, fed) for week in WEEKS]


def _week(week: int, found: Backtest, fed: Fed) -> dict[str, Any]:
    end = BEGIN + 7 * week * DAY
    points = found.replayed.points[end]
    labels = {number: fed.enrolments[number].is_bad for number in points}
    bad = sum(labels.values())
    told = _told(found, end) & labels.keys()
    right = sum(labels[one] for one in told)
    precision, recall = top_share(points, labels, 0.1)
    sent = sum(1 for one in found.replayed.sent if one.at <= end)
    return {
        "week": week,
        "n": len(labels),
        "base": _ratio(bad, len(labels)),
        "auc": round(auc(points, labels), 3),
        "precision_top10": round(precision, 3),
        "recall_top10": round(recall, 3),
        "sent_precision": _ratio(right, len(told)),
        "sent_recall": _ratio(right, bad),
        "alerts_per_mentor_week": _ratio(sent, fed.mentors * week),
    }


def _told(found: Backtest, end: datetime) -> set[int]:
    return {one.student_id for one in found.replayed.sent if one.at <= end}


def table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of a table in Markdown."""
    names = list(rows[0])
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(str(row[name]) for name in names)} |"


def gaps(found: Backtest, fed: Fed) -> Iterator[str]:
    """Yield how right the alerts sent until week 10 were for each group of students."""
    end = BEGIN + 7 * GROUPED_IN * DAY
    enrolled = found.replayed.points[end].keys()
    told = _told(found, end) & enrolled
    rules: dict[str, set[int]] = defaultdict(set)
    for one in found.replayed.sent:
        if one.at <= end and one.student_id in enrolled:
            rules[one.rule].add(one.student_id)
    yield f"Until week {GROUPED_IN}: students told of, by rule, and by group"
    for rule, students in sorted(rules.items()):
        yield f"* {rule}: {len(students):,}, of whom {_share(fed, students)} fail or withdraw"
    for name in ("gender", "imd_band", "disability"):
        by_value: dict[str, set[int]] = defaultdict(set)
        for number in enrolled:
            by_value[fed.enrolments[number].groups[name]].add(number)
        for value, members in sorted(by_value.items()):
            of_group = told & members
            bad = {one for one in members if fed.enrolments[one].is_bad}
            recall = _ratio(len(of_group & bad), len(bad))
            yield f"* {name} {value}: n {len(members):,}, precision {_share(fed, of_group)}, recall {recall}"


def _share(fed: Fed, students: set[int]) -> float:
    return _ratio(sum(fed.enrolments[one].is_bad for one in students), len(students))


def _ratio(part: float, whole: float) -> float:
    return round(part / whole, 3) if whole else 0.0
