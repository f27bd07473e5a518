"""Counts of events as Zulip Markdown."""

from __future__ import annotations

from lms_bot.core.reports.statistics import Results, Statistics
from lms_bot.render.fitting import counted
from lms_bot.render.quoting import mean


def results_text(results: Results, counts: Statistics, of: str, active: str) -> str:
    """Return what students came to, and then the counts, after a heading that ends in `of` what they are.

    `active` says in which time they were.
    """
    lines = {
        "Exams tried": f"{results.tried:,}",
        "Passed": f"{results.passed:,}",
        "Failed": f"{results.failed:,}",
        "Average": mean(results.average),
        "Active": f"{results.active:,} of {counted(results.students, 'student')}, {active}",
    }
    own = "\n".join(f"* **{name}:** {value}" for name, value in lines.items())
    heading, _, rest = statistics_text(counts, of).partition("\n\n")
    return f"{heading}\n\n{own}\n\nEvents, and what you were told of them:\n\n{rest}"


def statistics_text(counts: Statistics, of: str = "") -> str:
    """Return the counts, a line each, after a heading that ends in `of` what they are."""
    heading = f"📊 **Statistics**{of}"
    return "\n".join([heading, "", *(f"* **{name}:** {count:,}" for _, name, count in counts.named())])
