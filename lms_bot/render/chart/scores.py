"""A student's scores over time: a picture, and the same numbers as text for those who do not see it."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from statistics import fmean
from typing import Any

from lms_bot.core.calendar import UNKNOWN_TIME
from lms_bot.core.events import Event, EventType, percentage
from lms_bot.core.people import Student
from lms_bot.core.reports.students import PASS_LINE
from lms_bot.render.chart.fonts import BOX, Lettering, lettering
from lms_bot.render.events import exam_line
from lms_bot.render.fitting import MESSAGE_LIMIT, counted, listed
from lms_bot.render.quoting import mean, plain, student_name

NAME, TITLE = 60, 24  # characters
MARK = 9  # pixels from the middle of a mark to its edge
LEAST_SPACE = timedelta(hours=12)  # left and right of the first and last exam
# What an LMS says beyond these years is a mistake, and no axis could be drawn to the ends of the calendar.
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
# (event type, what the legend says, shape, colour); the colours are told apart by the colour-blind too.
_MARKS = (
    (EventType.EXAM_PASSED, "passed", "o", "#009e73"),
    (EventType.EXAM_FAILED, "failed", "X", "#d55e00"),
    (EventType.EXAM_COMPLETED, "no verdict", "s", "#56606b"),
)
# Of the exams with the most attempts; more could not be told apart.
_COLOURS = ("#0072b2", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#8c6d31")
_OTHERS = "#b8c0c8"
_BESIDE = ((0, 9), (0, -18), (18, -4), (-18, -4), (0, 22), (0, -31), (18, 10), (-18, 10))  # where a number may stand


def chart_text(student: Student, exams: Sequence[Event], now: datetime, limit: int = MESSAGE_LIMIT) -> str:
    """Return the result on one line, and the numbers of the picture, newest first; exams come oldest first."""
    name, scored = student_name(student, bold=True), _scored(exams)
    if not scored:
        return f"{name} has no finished exam with a percentage in that time."
    values = _values(scored)
    start = (
        f"📈 {name} · average {mean(fmean(values))} over {counted(len(values), 'exam')}, last {mean(values[-1])}"
        f"\n\n```spoiler The numbers: {mean(min(values))} to {mean(max(values))}\n"
    )
    lines = (f"* {exam_line(event, now)}" for event in reversed(scored))
    room = limit - len(start) - len("\n```")
    return start + listed(lines, len(scored), room, lambda count: f"* … and {count:,} more").text + "\n```"


def undrawn_text(student: Student, exams: Sequence[Event]) -> str:
    """Return what to do about letters of the picture that no font of this machine has; "" if it has them all."""
    if not _lettering(student, _scored(exams)).missing:
        return ""
    return f"{BOX} in the picture is a letter that the server has no font for; your admins can install one."


def chart_png(student: Student, exams: Sequence[Event], zone: tzinfo) -> bytes:
    """Return a PNG of the exams with a percentage and a time, oldest first; dates are shown in `zone`.

    Each exam has a line through its attempts; passed and failed differ in shape and colour.
    """
    from matplotlib.figure import Figure

    scored = [event for event in _scored(exams) if event.timestamp != UNKNOWN_TIME]
    letters = _lettering(student, scored)
    figure = Figure(figsize=(9, 5), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(letters.drawable(_heading(student)), loc="left", fontsize=15, **letters.style)
    if scored:
        _dress(axes, scored, zone)
        _draw(axes, scored, zone, letters)
        _explain(axes, scored, letters)
        _number(figure, axes, scored, zone)
    else:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no finished exam with a percentage and a time", ha="center", va="center", fontsize=13)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _draw(axes: Any, exams: Sequence[Event], zone: tzinfo, letters: Lettering) -> None:
    """Draw a line for each exam, and a mark for each attempt at it."""
    by_exam: dict[object, list[Event]] = defaultdict(list)
    for event in exams:
        by_exam[event.source_table, event.activity_id, event.activity_id or event.activity_title].append(event)
    most_first = sorted(by_exam.values(), key=len, reverse=True)
    for place, attempts in enumerate(most_first):
        colour = _COLOURS[place] if place < len(_COLOURS) else _OTHERS
        label = letters.drawable(_cut(_title(attempts[-1]), TITLE)) if place < len(_COLOURS) else ""
        times, values = _times(attempts, zone), _values(attempts)
        # A label that begins with "_" would not be in the legend.
        axes.plot(times, values, color=colour, linewidth=1.8, label=f" {label}" if label else "_", zorder=1)
        for kind, _, shape, fill in _MARKS:
            points = [(t, v) for t, v, event in zip(times, values, attempts, strict=True) if event.event_type is kind]
            if points:
                style = {"marker": shape, "color": fill, "edgecolors": colour, "linewidths": 1.8, "zorder": 3}
                axes.scatter(*zip(*points, strict=True), s=110, **style)
    axes.axhline(PASS_LINE, color="#d55e00", linestyle=":", linewidth=1.3, label=f"usual pass mark {PASS_LINE:g}%")
    average = fmean(_values(exams))
    axes.axhline(average, color="#56606b", linestyle="--", linewidth=1.3, label=f"average {average:.1f}%")


def _explain(axes: Any, exams: Sequence[Event], letters: Lettering) -> None:
    """Say below what the marks and the lines mean."""
    from matplotlib.lines import Line2D

    counts = Counter(event.event_type for event in exams)
    marks: list[Any] = [
        Line2D([], [], marker=shape, color=fill, linestyle="", markersize=10, label=f"{label} ({counts[kind]})")
        for kind, label, shape, fill in _MARKS
        if counts[kind]
    ]
    handles = marks + axes.get_legend_handles_labels()[0]
    labels = [handle.get_label() for handle in handles]
    font = {"family": list(letters.families), "size": 10}
    legend = axes.legend(
        handles, labels, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=4, frameon=False, prop=font
    )
    for text in legend.get_texts():
        text.set(parse_math=False, usetex=False)


def _dress(axes: Any, exams: Sequence[Event], zone: tzinfo) -> None:
    from matplotlib import dates

    untyped: Any = dates
    locator = untyped.AutoDateLocator(tz=zone, minticks=3, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(untyped.ConciseDateFormatter(locator, tz=zone))
    values, times = _values(exams), _times(exams, zone)
    axes.set_ylim(min(0, *values) - 4, max(100, *values) + 8)
    space = max((max(times) - min(times)) * 0.05, LEAST_SPACE)
    axes.set_xlim(min(times) - space, max(times) + space)
    axes.set_ylabel("percent", fontsize=12)
    axes.tick_params(labelsize=11)
    axes.grid(axis="y", color="#e3e6e8")
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _number(figure: Any, axes: Any, exams: Sequence[Event], zone: tzinfo) -> None:
    """Write the percentage beside each mark where there is room, the newest first; no number covers another."""
    from matplotlib.transforms import Bbox

    figure.draw_without_rendering()
    points = list(zip(_times(exams, zone), _values(exams), strict=True))
    middles = [axes.transData.transform((axes.convert_xunits(when), value)) for when, value in points]
    taken = [Bbox.from_extents(x - MARK, y - MARK, x + MARK, y + MARK) for x, y in middles]
    for when, value in reversed(points):
        label = axes.annotate(f"{value:.3g}", (when, value), xytext=(0, 9), textcoords="offset points", ha="center")
        label.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6})
        for beside in _BESIDE:
            label.set_position(beside)
            box = label.get_window_extent()
            if not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
        else:
            label.remove()


def _scored(exams: Iterable[Event]) -> list[Event]:
    return [event for event in exams if percentage(event.metadata) is not None]


def _values(exams: Sequence[Event]) -> list[float]:
    return [value for event in exams if (value := percentage(event.metadata)) is not None]


def _times(exams: Sequence[Event], zone: tzinfo) -> list[datetime]:
    return [min(max(event.timestamp, EARLIEST), LATEST).astimezone(zone) for event in exams]


def _lettering(student: Student, exams: Iterable[Event]) -> Lettering:
    return lettering([_heading(student), *map(_title, exams)])


def _heading(student: Student) -> str:
    return f"{_cut(plain(student.name) or 'student', NAME)}: exam scores"


def _title(event: Event) -> str:
    return plain(event.activity_title) or ("an exam" if event.activity_id is None else f"exam #{event.activity_id}")


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
