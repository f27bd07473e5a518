"""A student's subjects: a picture of bars, and the same numbers as text for those who do not see it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from lms_bot.core.people import Student
from lms_bot.core.reports.academics.subjects import STRONG_FROM, STRUGGLING_BELOW, PartPerformance
from lms_bot.render.chart.fonts import BOX, Lettering, lettering
from lms_bot.render.fitting import MESSAGE_LIMIT, counted, listed
from lms_bot.render.quoting import mean, number, plain, quote, student_name

NAME, TITLE = 60, 30  # characters
MOST_DRAWN = 20  # bars; the text has them all
_WEAK, _MIDDLE, _GOOD = "#d55e00", "#0072b2", "#009e73"  # told apart by the colour-blind too


def subjects_text(student: Student, parts: Sequence[PartPerformance], limit: int = MESSAGE_LIMIT) -> str:
    """Return the weakest and the strongest subject on one line, and the numbers of the picture, the weakest first."""
    name = student_name(student, bold=True)
    if not parts:
        return f"{name} has no results by subject in that time."
    ends = f"weakest {_words(parts[0])}"
    if len(parts) > 1:
        ends += f", strongest {_words(parts[-1])}"
    start = f"📊 {name} · {counted(len(parts), 'subject')}: {ends}\n\n```spoiler The numbers\n"
    room = limit - len(start) - len("\n```")
    lines = (f"* {_line(part)}" for part in parts)
    return start + listed(lines, len(parts), room, lambda count: f"* … and {count:,} more").text + "\n```"


def undrawn_subjects_text(student: Student, parts: Sequence[PartPerformance]) -> str:
    """Return what to do about letters of the picture that no font of this machine has; "" if it has them all."""
    if not _lettering(student, parts[:MOST_DRAWN]).missing:
        return ""
    return f"{BOX} in the picture is a letter that the server has no font for; your admins can install one."


def subjects_png(student: Student, parts: Sequence[PartPerformance]) -> bytes:
    """Return a PNG with a bar for each subject (at most the weakest twenty), the weakest above."""
    from matplotlib.figure import Figure

    drawn = parts[:MOST_DRAWN]
    letters = _lettering(student, drawn)
    figure = Figure(figsize=(9, 1.8 + 0.42 * len(drawn)), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(letters.drawable(_heading(student)), loc="left", fontsize=15, **letters.style)
    _draw(axes, drawn, letters)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _draw(axes: Any, parts: Sequence[PartPerformance], letters: Lettering) -> None:
    places = range(len(parts))
    shares = [part.percentage for part in parts]
    axes.barh(places, shares, color=[_colour(part) for part in parts], height=0.62)
    axes.set_yticks(places, [letters.drawable(_cut(plain(part.label) or "—", TITLE)) for part in parts])
    for label in axes.get_yticklabels():
        label.set(fontsize=11, **letters.style)
    for place, part in zip(places, parts, strict=True):
        axes.annotate(
            f"{part.percentage:.3g}% (n {part.n})", (part.percentage, place), xytext=(5, 0), textcoords="offset points",
            va="center", fontsize=11,
        )  # fmt: skip
    for line in (STRUGGLING_BELOW, STRONG_FROM):
        axes.axvline(line, color="#56606b", linestyle=":", linewidth=1.3)
    axes.invert_yaxis()
    axes.set_xlim(0, 118)  # so that what stands behind a bar of 100 has room
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.set_xlabel("percent of the questions answered right", fontsize=12)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _colour(part: PartPerformance) -> str:
    if part.percentage < STRUGGLING_BELOW:
        return _WEAK
    return _GOOD if part.percentage >= STRONG_FROM else _MIDDLE


def _words(part: PartPerformance) -> str:
    return f"{quote(part.label, TITLE)} {mean(part.percentage)}"


def _line(part: PartPerformance) -> str:
    line = f"**{quote(part.label)}** · {mean(part.percentage)} · {counted(part.n, 'result')}"
    if part.trend is None:
        return line
    points = round(part.trend, 1)
    return f"{line} · trend {'+' if points > 0 else ''}{number(points)} points"


def _lettering(student: Student, parts: Sequence[PartPerformance]) -> Lettering:
    return lettering([_heading(student), *(plain(part.label) or "—" for part in parts)])


def _heading(student: Student) -> str:
    return f"{_cut(plain(student.name) or 'student', NAME)}: subjects"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
