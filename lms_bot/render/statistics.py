"""Counts of events as Zulip Markdown."""

from __future__ import annotations

from lms_bot.core.reports.statistics import Statistics


def statistics_text(counts: Statistics, of: str = "") -> str:
    """Return the counts, a line each, after a heading that ends in `of` what they are."""
    heading = f"📊 **Statistics**{of}"
    return "\n".join([heading, "", *(f"* **{name}:** {count:,}" for _, name, count in counts.named())])
