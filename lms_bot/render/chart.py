"""A student's scores over time: a picture, and the same numbers as text for those who do not see it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from statistics import fmean
from typing import Any

from lms_bot.core.events import Event, EventType, percentage
from lms_bot.render.events import exam_line
from lms_bot.render.fitting import MESSAGE_LIMIT, counted, listed
from lms_bot.render.quoting import mean, plain, quote

FONT = "DejaVu Sans"
NAME = 60
LABELS = 20  # with more points, numbers beside them would cover each other
LEAST_SPACE = timedelta(hours=12)  # left and right of the first and last exam
# What an LMS says beyond these years is a mistake, and no axis could be drawn to the ends of the calendar.
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
# (event type, what the legend says, shape, colour); the colours are told apart by the colour-blind too.
_MARKS = (
    (EventType.EXAM_PASSED, "passed", "o", "#009e73"),
    (EventType.EXAM_FAILED, "failed", "X", "#d55e00"),
    (EventType.EXAM_COMPLETED, "no verdict", "s", "#56606b"),
)


def chart_text(username: str, exams: Sequence[Event], limit: int = MESSAGE_LIMIT) -> str:
    """Return the numbers of the picture, newest first; exams come oldest first and with a percentage."""
    if not exams:
        return f"**{quote(username)}** has no finished exam with a percentage in that time."
    values = _values(exams)
    start = (
        f"📈 **{quote(username)}** · {counted(len(exams), 'exam')} · average {mean(fmean(values))} · "
        f"lowest {mean(min(values))} · highest {mean(max(values))}\n\n"
    )
    lines = (f"* {exam_line(event)}" for event in reversed(exams))
    return start + listed(lines, len(exams), limit - len(start), lambda count: f"* … and {count:,} more").text


def chart_png(username: str, exams: Sequence[Event], zone: tzinfo) -> bytes:
    """Return a PNG of exams that have a percentage, at least one, oldest first; dates are shown in `zone`.

    Passed and failed differ in shape and colour.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    _draw(axes, exams, zone)
    _dress(axes, exams, zone)
    title = f"{_drawable(username)}: exam scores"
    axes.set_title(title, loc="left", fontsize=15, parse_math=False, usetex=False, fontfamily=FONT)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _draw(axes: Any, exams: Sequence[Event], zone: tzinfo) -> None:
    times, values = _times(exams, zone), _values(exams)
    axes.plot(times, values, color="#b8c0c8", linewidth=1.5, zorder=1)
    for kind, label, shape, colour in _MARKS:
        points = [(t, v) for t, v, event in zip(times, values, exams, strict=True) if event.event_type is kind]
        if points:
            style = {"marker": shape, "color": colour, "edgecolors": "white", "zorder": 3}
            axes.scatter(*zip(*points, strict=True), s=110, label=f"{label} ({len(points)})", **style)
    if len(exams) <= LABELS:
        for when, value in zip(times, values, strict=True):
            label = axes.annotate(f"{value:.3g}", (when, value), xytext=(0, 9), textcoords="offset points", ha="center")
            label.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6})
    axes.axhline(fmean(values), color="#0072b2", linestyle="--", linewidth=1.3, label=f"average {fmean(values):.1f}%")


def _dress(axes: Any, exams: Sequence[Event], zone: tzinfo) -> None:
    from matplotlib import dates

    untyped: Any = dates
    locator = untyped.AutoDateLocator(tz=zone, minticks=3, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(untyped.ConciseDateFormatter(locator, tz=zone))
    values = _values(exams)
    axes.set_ylim(min(0, *values) - 4, max(100, *values) + 8)
    times = _times(exams, zone)
    space = max((max(times) - min(times)) * 0.05, LEAST_SPACE)
    axes.set_xlim(min(times) - space, max(times) + space)
    axes.set_ylabel("percent", fontsize=12)
    axes.tick_params(labelsize=11)
    axes.grid(axis="y", color="#e3e6e8")
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=4, frameon=False, fontsize=11)


def _values(exams: Sequence[Event]) -> list[float]:
    return [value for event in exams if (value := percentage(event.metadata)) is not None]


def _times(exams: Sequence[Event], zone: tzinfo) -> list[datetime]:
    return [min(max(event.timestamp, EARLIEST), LATEST).astimezone(zone) for event in exams]


def _drawable(name: str) -> str:
    """Return a name with a box for each character that the font cannot draw, cut to what fits above the picture."""
    known = _characters()
    short = plain(name) or "student"
    if len(short) > NAME:
        short = short[: NAME - 1] + "…"
    return "".join(character if ord(character) in known else "\N{WHITE SQUARE}" for character in short)


@cache
def _characters() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties(family=FONT))).get_charmap())
