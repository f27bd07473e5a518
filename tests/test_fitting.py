"""What is too long for a message is cut between lines, and nothing stays open."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lms_bot.render import fitted, lines_within

LINES = st.lists(
    st.sampled_from(["```spoiler Details", "```", "````", "~~~", "~~~~", "| a | b |", "* **x**", "", "text " * 5]),
    max_size=60,
)
CUT = "… The rest is too long for one message."


def open_fences(text: str) -> int:
    """How many fences a reader of CommonMark leaves open."""
    fence = ""
    for line in text.split("\n"):
        mark = line[: len(line) - len(line.lstrip("`~"))]
        if len(mark) < 3:
            continue
        if not fence:
            fence = mark
        elif mark[0] == fence[0] and len(mark) >= len(fence) and line == mark:
            fence = ""
    return bool(fence)


@given(lines=LINES, limit=st.integers(100, 400))
def test_a_cut_text_has_whole_lines_and_closes_what_it_opened(lines: list[str], limit: int) -> None:
    text = "\n".join(lines)
    cut = fitted(text, limit)
    assert len(cut) <= limit
    if len(text) <= limit:
        assert cut == text
        return
    assert cut.endswith(f"\n\n{CUT}")
    kept = cut.removesuffix(f"\n\n{CUT}").split("\n")
    whole = kept == lines[: len(kept)]
    assert whole or kept[:-1] == lines[: len(kept) - 1]
    assert not open_fences(cut)
    assert not (whole and len(kept) < 2), "more would have fitted"


def test_one_endless_line_is_cut_where_it_must_be() -> None:
    assert fitted("x" * 20_000) == "x" * 9_999 + "…"


@given(lines=st.lists(st.text(alphabet="xy", max_size=30), max_size=30), room=st.integers(1, 300))
def test_as_many_lines_as_fit_and_at_least_one(lines: list[str], room: int) -> None:
    kept = lines_within(lines, room)
    assert kept == lines[: len(kept)]
    assert len(kept) >= min(1, len(lines))
    assert len(kept) <= 1 or sum(len(line) + 1 for line in kept) <= room
    if len(kept) < len(lines):
        assert sum(len(line) + 1 for line in lines[: len(kept) + 1]) > room
