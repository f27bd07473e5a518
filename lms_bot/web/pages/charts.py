"""Charts as SVG, drawn here; the table with the same numbers stands behind each, for whoever reads no picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

from markupsafe import Markup

from lms_bot.core.streaks import Day, Mark

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 34, 8, 12, 24
_SVG = Markup('<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
_LINE = Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
_TEXT = Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>')
_RECT = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="{}"><title>{}</title></rect>')
_DOT = Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="4"><title>{}</title></circle>')
_PATH = Markup('<polyline class="{}" points="{}"/>')
_CELL, _GAP = 14, 3
_MARKS = {Mark.COMPLETE: "complete", Mark.PARTIAL: "partial", Mark.NONE: "none"}


class Score(NamedTuple):
    """An exam in a chart: when, how many percent, whether it was passed (None: no verdict), and its title."""

    at: datetime
    percentage: float
    is_passed: bool | None
    title: str


def meter(value: float, most: float, label: str = "") -> Markup:
    """Draw how much a value is of the most that it can be; without a label the number stands beside it."""
    width = 100 * max(0.0, min(value, most)) / most if most else 0
    bars = _RECT.format("track", 0, 0, 100, 6, 3, "") + _RECT.format("fill", 0, 0, width, 6, 3, "")
    what = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" {}>{}</svg>').format(what, bars)


def scores(found: Sequence[Score], pass_mark: float, zone: tzinfo) -> Markup:
    """Draw exams over time, oldest first, with the pass mark."""
    top = max(100.0, *(score.percentage for score in found))
    low = min(0.0, *(score.percentage for score in found))
    first, last = found[0].at, found[-1].at
    span = max((last - first).total_seconds(), 1.0)
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(score: Score) -> float:
        return LEFT + across * (score.at - first).total_seconds() / span if len(found) > 1 else LEFT + across / 2

    def y(value: float) -> float:
        return TOP + down * (1 - (value - low) / (top - low))

    drawn = [_LINE.format("grid", LEFT, y(step), WIDTH - RIGHT, y(step)) for step in (0, 25, 75, 100)]
    drawn += [_TEXT.format("axis end", LEFT - 6, y(step) + 4, step) for step in (0, 50, 100)]
    drawn.append(_LINE.format("mark", LEFT, y(pass_mark), WIDTH - RIGHT, y(pass_mark)))
    drawn.append(_TEXT.format("axis end", WIDTH - RIGHT, y(pass_mark) - 5, "pass mark"))
    points = " ".join(f"{x(score):.1f},{y(score.percentage):.1f}" for score in found)
    drawn.append(_PATH.format("path", points))
    for score in found:
        tone = {True: "good", False: "bad", None: "calm"}[score.is_passed]
        told = f"{score.title}: {score.percentage:g} %, {_day(score.at.astimezone(zone).date())}"
        drawn.append(_DOT.format(tone, x(score), y(score.percentage), told))
    drawn.append(_TEXT.format("axis", LEFT, HEIGHT - 6, _day(first.astimezone(zone).date())))
    if len(found) > 1:
        drawn.append(_TEXT.format("axis end", WIDTH - RIGHT, HEIGHT - 6, _day(last.astimezone(zone).date())))
    return _SVG.format("chart", WIDTH, HEIGHT, f"{len(found)} exams over time, in percent", Markup().join(drawn))


def calendar(days: Sequence[Day], goal: int) -> Markup:
    """Draw days, oldest first, one column a week from Monday to Sunday."""
    begin = days[0].day - timedelta(days=days[0].day.weekday())
    drawn, month = [], 0
    for one in days:
        week, weekday = divmod((one.day - begin).days, 7)
        place = (30 + week * (_CELL + _GAP), 18 + weekday * (_CELL + _GAP))
        told = f"{_day(one.day)}: {one.finished} finished, {one.events} events"
        drawn.append(_RECT.format(f"day {_MARKS[one.mark(goal)]}", *place, _CELL, _CELL, 3, told))
        if one.day.month != month and (one.day.day <= 7 or not month):
            month = one.day.month
            drawn.append(_TEXT.format("axis", place[0], 11, f"{one.day:%b}"))
    for weekday, name in ((0, "Mon"), (2, "Wed"), (4, "Fri"), (6, "Sun")):
        drawn.append(_TEXT.format("axis", 0, 29 + weekday * (_CELL + _GAP), name))
    weeks = (days[-1].day - begin).days // 7 + 1
    told = f"The last {len(days)} days: which were complete, partial, or empty"
    return _SVG.format("days", 30 + weeks * (_CELL + _GAP), 18 + 7 * (_CELL + _GAP), told, Markup().join(drawn))


def columns(values: Sequence[tuple[str, float]], label: str) -> Markup:
    """Draw a column for each value; the first, the middle and the last are named."""
    most = max((value for _, value in values), default=0) or 1
    step = (WIDTH - LEFT - RIGHT) / len(values)
    down = HEIGHT - TOP - BOTTOM
    drawn = [
        _LINE.format("grid", LEFT, TOP + down, WIDTH - RIGHT, TOP + down),
        _TEXT.format("axis end", LEFT - 6, TOP + 8, f"{most:g}"),
    ]
    for place, (name, value) in enumerate(values):
        high = down * value / most
        drawn.append(
            _RECT.format(
                "column", LEFT + place * step + 1, TOP + down - high, max(1.0, step - 2), high, 2, f"{name}: {value:g}"
            )
        )
    for place in sorted({0, len(values) // 2, len(values) - 1}):
        end = " end" if place == len(values) - 1 else ""
        at = LEFT + place * step + (step if end else 0)
        drawn.append(_TEXT.format(f"axis{end}", at, HEIGHT - 6, values[place][0]))
    return _SVG.format("chart", WIDTH, HEIGHT, label, Markup().join(drawn))


def hours(peaks: Sequence[Sequence[int]], names: Sequence[str]) -> Markup:
    """Draw how much happens in each hour (24) of each weekday (7), the more the darker, in five steps."""
    most = max(max(row) for row in peaks) or 1
    step, high = (WIDTH - LEFT - RIGHT) / 24, 20
    drawn = []
    for weekday, row in enumerate(peaks):
        drawn.append(_TEXT.format("axis end", LEFT - 6, 14 + weekday * (high + 2), names[weekday][:2]))
        for hour, count in enumerate(row):
            level = 0 if not count else 1 + min(3, int(4 * count / (most + 1)))
            told = f"{names[weekday]}, {hour}:00: {count}"
            drawn.append(
                _RECT.format(f"heat h{level}", LEFT + hour * step, weekday * (high + 2), step - 2, high, 3, told)
            )
    bottom = 7 * (high + 2) + 14
    drawn += [_TEXT.format("axis", LEFT + hour * step, bottom, f"{hour}:00") for hour in (0, 6, 12, 18)]
    return _SVG.format("chart", WIDTH, bottom + 6, "Events by weekday and hour", Markup().join(drawn))


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"
