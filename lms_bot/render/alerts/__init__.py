"""Alerts about students, and what the rules say, as Zulip Markdown."""

from lms_bot.render.alerts.entries import (
    NOTE_LENGTH,
    alert_entry_line,
    alert_entry_lines,
    alert_explanation,
    rule_setting_line,
    rules_text,
)
from lms_bot.render.alerts.messages import (
    HEADINGS,
    about_student,
    alert_line,
    alert_name,
    alert_text,
    limit_words,
    listed_student,
    meaning,
)

__all__ = [
    "HEADINGS",
    "NOTE_LENGTH",
    "about_student",
    "alert_entry_line",
    "alert_entry_lines",
    "alert_explanation",
    "alert_line",
    "alert_name",
    "alert_text",
    "limit_words",
    "listed_student",
    "meaning",
    "rule_setting_line",
    "rules_text",
]
