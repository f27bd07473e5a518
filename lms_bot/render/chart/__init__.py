"""Pictures of how students do."""

from lms_bot.render.chart.scores import chart_png, chart_text, undrawn_text
from lms_bot.render.chart.subjects import subjects_png, subjects_text, undrawn_subjects_text

__all__ = ["chart_png", "chart_text", "subjects_png", "subjects_text", "undrawn_subjects_text", "undrawn_text"]
