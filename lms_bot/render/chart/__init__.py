"""Pictures of how students do."""

from lms_bot.render.chart.scores import chart_png, chart_text, undrawn_text

__all__ = ["chart_png", "chart_text", "undrawn_text"]
