"""What mentors read follows the contract, fits one message, and says nothing in the name of a title."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lms_bot.core.alerts import Rule
from lms_bot.core.events import Event, EventType
from lms_bot.render import (
    EMOJI,
    TITLES,
    event_line,
    event_text,
    moment,
    notification_text,
    number,
    percent,
    quote,
)
from lms_bot.render.alerts import HEADINGS
from tests.lms_rows import ATTEMPTS, CONTENT_ATTEMPTS

NOON = datetime(2024, 1, 15, 14, 30, tzinfo=UTC)
SHOWN_NOON = "<time:2024-01-15T14:30:00Z>"
NOT_ALERTS = tuple(kind for kind in EventType if not kind.is_alert)
SAID = NOON.isoformat()
NUMBERS = {
    "last": SAID,
    "enrolled": SAID,
    "started": SAID,
    "usual_gap": 1.5,
    "passing": False,
    "fails": 2,
    "days": 8,
    "missed": 2,
    "due": SAID,
    "scores": [40, None, 35.5],
    "score": 40,
    "mean": 71.25,
    "exams": 5,
    "allowed_hours": 3.0,
    "failed": 6,
    "took": 9,
}
INTRODUCTION = "Hello Mary, I tell you about your students.\nSend me `help` to see what I can do."


def event(
    kind: EventType = EventType.EXAM_PASSED,
    *,
    student: str | None = "jane",
    student_id: int | None = 12,
    title: str | None = "Mathematics Final Exam",
    activity_id: int | None = 17,
    metadata: dict[str, Any] | None = None,
    when: datetime = NOON,
    event_id: int = 1,
) -> Event:
    table = ATTEMPTS if kind.startswith("exam") else CONTENT_ATTEMPTS
    return Event(
        event_type=kind,
        source_table=table,
        source_id=event_id,
        student_id=student_id,
        student_username=student,
        activity_id=activity_id,
        activity_title=title,
        metadata=metadata or {},
        timestamp=when,
        is_history=False,
        fingerprint=0,
        mirrors=None,
        event_id=event_id,
    )


def events(count: int, *kinds: EventType, students: int = 5) -> list[Event]:
    """One event a minute, the last one newest, of `students` students in turn."""
    names = ("jane", "ravi", "Гульнора", "O'Brien", "Jane2")
    cycle = kinds or NOT_ALERTS
    return [
        event(
            cycle[at % len(cycle)],
            student=names[at % students],
            student_id=at % students,
            title=f"Exam {at}",
            when=NOON + timedelta(minutes=at),
            event_id=at + 1,
        )
        for at in range(count)
    ]


# What is live in a message of Zulip 9, after its own patterns, for one line that stands at a line's start.
LIVE = {
    "mention": r"@_?\*+[^*]+\*+",
    "channel or topic": r"#\*\*[^*]+\*\*",
    "link or picture": r"\]\(",
    "bare address": r"(https?|ftp|file)://|(mailto|bitcoin):\w|www\.\w",
    "bare domain": r"(?<![^\s'\"(,:<])(?:[\w-]+\.)+(?:com|org|net|io|ru|de|edu)(?=/|[!:;?),.'\">]*(?:\Z|\s))",
    "e-mail": r"(?<![^\s'\"(,:<])[\w.-]+@[\w.-]+\.\w+",
    "time": r"<time:",
    "math": r"\$\$",
    "code or fence": r"`|~~~",
    "struck out": r"~~",
    "bold or italic": r"\*",
    "cell": r"\|",
    "emoji": r":(?!(?<=\d:)\d\d:)[\w+-]+:",
    "line break": r"[\n\r\t\x0b\x0c\x1c-\x1f\x85\u2028\u2029]",
    "control character": r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]",
}
LIVE_AT_START = r"\s|>|#+(\s|$)|[-+*](\s|$)|\d+[.)](\s|$)|/(me|poll|todo)\b|([-_*] {0,2}){3,}$|```|~~~"


def live_tokens(text: str) -> list[str]:
    found = [name for name, pattern in LIVE.items() if re.search(pattern, text, re.IGNORECASE)]
    return found + (["line start"] if re.match(LIVE_AT_START, text) else [])


TOKENS = (
    "@**all**", "@**Mary|8**", "@_**Mary**", "@*mentors*", "@all", "#**general**", "#**general>exams**",
    "[x](http://evil.com)", "![x](/user_uploads/1)", "https://evil.com", "www.evil.com", "evil.com/x",
    "eve@evil.com", "mailto:eve@evil.com", "bitcoin:1Eve", "<time:2024-01-15T14:30:00Z>", "$$x$$",
    "~~x~~", ":smile:", ":100:", "10:30:45", "**b**", "*i*", "`c`", "```", "~~~",
    "```spoiler x\n", "| a | b |\n|---|---|",
    "> q", "# h", "- l", "+ l", "1. l", "1) l", "---", "___", "/me", "/poll x", "||", "@", "*", "#", "]",
    "(", "<", "time:", "$", "~", ":", "|", "`", "\\", "_", " ", "\n", "\r\n", "\t", "\0", "\u200b",
    "\u200d", "\u2060", "\ufeff", "\u202e", "\u2066", "\u2028", "\x85", "\ud800", ".", "com", "//", "http",
    "Jane", "Гульнора", "O'Brien",
)  # fmt: skip
HOSTILE = st.lists(st.sampled_from(TOKENS) | st.text(max_size=5), max_size=12).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3),
    max_leaves=5,
)
METADATA_KEYS = (
    "score", "percentage", "result", "time_taken", "correct_answers", "incorrect_answers", "unanswered",
    "percentile", "speed", "course_title", "attempt_number", "content_type", "state", "chapter_name",
    "completed_on", "progress",
)  # fmt: skip


@pytest.mark.parametrize("token", [token for token in TOKENS if live_tokens(token)])
def test_nothing_live_survives_a_quote(token: str) -> None:
    assert live_tokens(quote(token)) == []
    assert live_tokens(quote(f"Algebra {token} basics")) == []


@pytest.mark.parametrize("between", ["\u200b", "\u200d", "\u2060", "\ufeff", "\u202e", "\u2066", "\u00ad"])
def test_an_invisible_character_does_not_help_to_build_a_token(between: str) -> None:
    for token in TOKENS:
        assert live_tokens(quote(between.join(token))) == []
        assert quote(between.join(token)) == quote(token)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@**all**", "@\u200b∗∗all∗∗"),
        ("@_**Mary|8**", "@\u200b_∗∗Mary｜8∗∗"),
        ("#**general**", "\u200b#\u200b∗∗general∗∗"),
        ("[x](y)", "[x]\u200b(y)"),
        ("<time:", "<\u200btime:"),
        ("$$x$$", "$\u200b$x$\u200b$"),
        ("~~x~~", "~\u200b~x~\u200b~"),
        (":smile:", ":\u200bsmile:"),
        ("`c`", "ˋcˋ"),
        ("https://evil.com", "https:\u200b//evil.\u200bcom"),
    ],
)
def test_tokens_end_as_they_were_tried_on_the_server(text: str, shown: str) -> None:
    assert quote(text) == shown


def test_a_title_cannot_mention_anyone() -> None:
    for title in ("@**all**", "@_**Mary|8**", "@*mentors*"):
        assert not re.search(r"@_?\*", event_text(event(title=title)))
        assert not re.search(r"@_?\*", event_line(event(title=title)))


def test_a_title_cannot_leave_its_line_its_cell_or_its_block() -> None:
    shown = quote("Exam\n```\n| a | b |\u2028~~~")
    assert "\n" not in shown
    assert "|" not in shown
    assert "```" not in shown
    assert "~~~" not in shown


@pytest.mark.parametrize("text", ["> q", "# h", "- l", "+ l", "1. l", "1)", "---", "___", "/me", "/poll x"])
def test_a_text_at_a_lines_start_has_no_effect(text: str) -> None:
    assert quote(text).startswith("\u200b")
    assert quote(text)[1:] == text.replace("*", "∗")


@pytest.mark.parametrize(
    "text",
    [
        "Jane", "Гульнора", "O'Brien", "C++ & C#", "Python 3.12: Basics", "a_b_c", "john_doe", "jane.doe",
        "-5", "1.5 h", "x < y > z", "50 % of $5", "Live at 10:30:00", "[draft] (2)", "@all", "#1",
        "Q&A; ~5 min", "日本語", "é",
    ],
)  # fmt: skip
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert quote(text).lstrip("\u200b") == text


# A domain or an address as Zulip links it (get_web_link_regex in zulip/lib/markdown), with the list that it takes.
TLDS = [
    line
    for line in (files("hypothesis.vendor") / "tlds-alpha-by-domain.txt").read_text("ascii").splitlines()
    if not line.startswith("#")
]
LINKED = re.compile(
    r"""(?<![^\s'"(,:<])(?:(?:https?://[\w.:@-]+?|(?:[\w-]+\.)+(?:"""
    + "|".join(sorted(TLDS, key=len, reverse=True))
    + r"""))(?:/\S*)?|[\w.-]+@[\w.-]+\.\w+)(?=[!:;?),.'">]*(?:\Z|\s))""",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    "form", ["evil.{}", "evil.{}/login", "See (evil.co.{}/a(b)c).", "Exam,www-1.evil.{}!", "e.{}:8080/x", "eve@evil.{}"]
)
def test_c5_no_top_level_domain_makes_a_link(form: str) -> None:
    assert len(TLDS) > 1_000
    titles = [form.format(tld if at % 2 else tld.lower()) for at, tld in enumerate(TLDS)]
    assert [title for title in titles if LINKED.search(quote(title))] == []


@pytest.mark.parametrize(
    "title", ["evil.онлайн", "evil.中国/x", "evil.newdomain/login", "evil.xn--p1ai", "http://evil.rocks"]
)
def test_c5_nor_does_one_of_another_script_or_of_tomorrow(title: str) -> None:
    assert ".\u200b" in quote(title)


def test_a_product_is_still_read_as_one() -> None:
    assert quote("5 * 3") == "5 ∗ 3"


@pytest.mark.parametrize("text", [None, "", "  ", "\n\t", "\u200b\ufeff", "\ud800"])
def test_nothing_to_show_is_a_dash(text: str | None) -> None:
    assert quote(text) == "—"


def test_white_space_is_one_space() -> None:
    assert quote("  a \n\t b\u2028c\x00d\u00a0 ") == "a b c d"


def test_an_overlong_text_ends_in_an_ellipsis() -> None:
    assert quote("x" * 200) == "x" * 200
    assert quote("x" * 201) == "x" * 199 + "…"
    assert quote("Mathematics", 5) == "Math…"
    assert quote("A long title", 7) == "A long…"
    assert 198 <= len(quote(":a:" * 1000)) <= 200


@example("___---", 50)
@given(HOSTILE, st.integers(min_value=1, max_value=50))
def test_no_text_is_live_or_too_long_after_a_quote(text: str, limit: int) -> None:
    assert live_tokens(quote(text)) == []
    assert live_tokens(quote(text, limit)) == []
    assert len(quote(text)) <= 200
    assert len(quote(text, limit)) <= limit


@given(HOSTILE)
def test_a_quote_of_a_quote_is_the_quote(text: str) -> None:
    assert live_tokens(quote(quote(text))) == []
    if len(text) < 50:
        assert quote(quote(text)) == quote(text)


@given(st.text("abcxyzABCXYZ0123456789", min_size=1, max_size=200))
def test_letters_and_digits_pass_unchanged(text: str) -> None:
    assert quote(text) == text


@given(st.text())
def test_a_quote_can_always_be_sent(text: str) -> None:
    assert quote(text).encode()
    assert quote(text) == quote(text).strip()


@given(st.sampled_from(NOT_ALERTS), HOSTILE, HOSTILE, st.dictionaries(st.sampled_from(METADATA_KEYS), JSON))
def test_no_event_is_broken_by_what_the_lms_says(
    kind: EventType, student: str, title: str, metadata: dict[str, Any]
) -> None:
    hostile = event(kind, student=student, title=title, metadata=metadata)
    lines = event_text(hostile).split("\n")
    assert lines[:2] == [f"{EMOJI[kind]} **{TITLES[kind]}**", ""]
    assert (3 if kind.is_by_clock else 4) <= len(lines) <= 6
    for line in [*lines, event_line(hostile)]:
        own = line.replace(SHOWN_NOON, "").replace(" | **", " **")
        assert own.count("**") % 2 == 0
        assert live_tokens(own.replace("**", "")) == []


@pytest.mark.parametrize("rule", Rule)
@given(HOSTILE, HOSTILE)
def test_no_alert_is_broken_by_what_the_lms_says(rule: Rule, student: str, title: str) -> None:
    metadata = {"name": "KT4821", "rule": rule.value, "level": 2, "since": NOON.isoformat(), **NUMBERS}
    alert = event(EventType.STUDENT_ALERT, student=student, title=title, metadata=metadata)
    lines = event_text(alert).split("\n")
    assert lines[0] == f"🟠 **{HEADINGS[rule]}** · KT4821"
    assert len(lines) == 6
    for line in [lines[2], event_line(alert)]:
        own = line.replace(SHOWN_NOON, "")
        assert own.count("**") % 2 == 0
        assert live_tokens(own.replace("**", "")) == []


def test_what_a_streak_came_to_is_told_with_its_days() -> None:
    metadata = {"days": 7, "first_day": "2026-03-02", "last_day": "2026-03-08"}
    reached = event(EventType.STREAK_MILESTONE, student="john_doe", metadata=metadata)
    assert event_text(reached) == (
        "🔥 **Streak Milestone**\n"
        "\n"
        "**john_doe** has finished something on **7 days** in a row\n"
        "📅 From 2026-03-02 to 2026-03-08"
    )
    ended = event(EventType.STREAK_BROKEN, student="john_doe", metadata=metadata)
    assert event_line(ended) == f"💔 **john_doe** has ended a streak of **7 days** · {SHOWN_NOON}"


def test_a_passed_exam_is_told_as_in_the_contract() -> None:
    passed = event(
        student="john_doe",
        metadata={"score": 85, "percentage": 85.0, "result": "pass", "time_taken": "45 minutes", "speed": 3},
    )
    assert event_text(passed) == (
        "🎉 **Exam Passed!**\n"
        "\n"
        "**john_doe** has passed: **Mathematics Final Exam**\n"
        "📊 **Score:** 85 | **Percentage:** 85% | **Result:** pass | **Time Taken:** 45 minutes\n"
        "🎉 Congratulations to the student!"
    )
    assert event_line(passed) == f"🎉 **john_doe** passed **Mathematics Final Exam** · 85% · {SHOWN_NOON}"


def test_completed_content_is_told_as_in_the_contract() -> None:
    completed = event(
        EventType.CONTENT_COMPLETED,
        student="jane_smith",
        title="Python Programming Tutorial",
        metadata={
            "course_title": "Programming 101",
            "chapter_name": "Introduction to Python",
            "content_type": "video",
            "state": "completed",
        },
    )
    assert event_text(completed) == (
        "📚 **Content Completed**\n"
        "\n"
        "**jane_smith** has completed: **Python Programming Tutorial**\n"
        "📚 **Course:** Programming 101 | **Chapter:** Introduction to Python | **Type:** video\n"
        "📅 Completed at: <time:2024-01-15T14:30:00Z>"
    )


def test_a_certificate_is_told_with_its_course() -> None:
    issued = event(
        EventType.CERTIFICATION_ISSUED,
        student="jane_smith",
        title="Python Developer",
        metadata={"course_title": "Programming 101"},
    )._replace(student_name="Jane Smith")
    assert event_text(issued) == (
        "🏅 **Certification Issued**\n"
        "\n"
        "**Jane Smith** (jane_smith) has earned: **Python Developer**\n"
        "📚 **Course:** Programming 101\n"
        "🎉 Congratulations to the student!"
    )
    assert event_line(issued) == f"🏅 **Jane Smith** earned **Python Developer** · {SHOWN_NOON}"


@pytest.mark.parametrize("share", [50, 90])
def test_progress_is_told_with_how_much_was_watched_and_where(share: int) -> None:
    told = event(
        EventType.CONTENT_PROGRESS,
        title="Loops",
        metadata={"course_title": "Maths", "chapter_name": "One", "content_type": "video", "progress": share},
    )
    assert event_text(told) == (
        "▶️ **Content Progress**\n"
        "\n"
        f"**jane** has watched {share} % of: **Loops**\n"
        "📚 **Course:** Maths | **Chapter:** One | **Type:** video\n"
        f"📅 Reached at: {SHOWN_NOON}"
    )
    assert event_line(told) == f"▶️ **jane** watched {share} % of **Loops** · {SHOWN_NOON}"


@pytest.mark.parametrize("share", [None, "50", "@**all**", True, 49.9, [50], {}])
def test_progress_that_is_no_whole_number_is_not_shown(share: object) -> None:
    told = event(EventType.CONTENT_PROGRESS, title="Loops", metadata={"progress": share})
    assert "**jane** has made progress in: **Loops**\n" in event_text(told)
    assert event_line(told) == f"▶️ **jane** made progress in **Loops** · {SHOWN_NOON}"


@pytest.mark.parametrize(
    ("kind", "title", "verb", "closing"),
    [
        (EventType.EXAM_STARTED, "📝 **Exam Started**", "started", f"📅 Started at: {SHOWN_NOON}"),
        (EventType.EXAM_COMPLETED, "✅ **Exam Completed**", "completed", f"📅 Completed at: {SHOWN_NOON}"),
        (EventType.EXAM_FAILED, "❌ **Exam Failed**", "failed", f"📅 Completed at: {SHOWN_NOON}"),
        (EventType.EXAM_PASSED, "🎉 **Exam Passed!**", "passed", "🎉 Congratulations to the student!"),
        (EventType.CONTENT_STARTED, "📖 **Content Started**", "started", f"📅 Started at: {SHOWN_NOON}"),
        (
            EventType.CONTENT_COMPLETED,
            "📚 **Content Completed**",
            "completed",
            f"📅 Completed at: {SHOWN_NOON}",
        ),
        (EventType.CONTENT_WATCHED, "👀 **Content Watched**", "watched", f"📅 Watched at: {SHOWN_NOON}"),
        (
            EventType.CONTENT_PROGRESS,
            "▶️ **Content Progress**",
            "made progress in",
            f"📅 Reached at: {SHOWN_NOON}",
        ),
        (
            EventType.CERTIFICATION_ISSUED,
            "🏅 **Certification Issued**",
            "earned",
            "🎉 Congratulations to the student!",
        ),
    ],
)
def test_every_kind_has_its_words(kind: EventType, title: str, verb: str, closing: str) -> None:
    told = event(kind, student="ravi", title="Algebra")
    assert event_text(told) == f"{title}\n\n**ravi** has {verb}: **Algebra**\n{closing}"
    assert event_line(told) == f"{title.split()[0]} **ravi** {verb} **Algebra** · {SHOWN_NOON}"


def test_every_kind_has_a_title_and_an_emoji() -> None:
    assert set(EMOJI) == set(TITLES) == set(EventType)


URL = "https://lms.example.org/app/course-7/exam_17;v=1?lang=ru&of=%2B,@me#~top"


@pytest.mark.parametrize("kind", [kind for kind in EventType if not kind.is_by_clock])
def test_a_title_leads_to_where_the_lms_shows_it(kind: EventType) -> None:
    told = event(kind, title="Algebra")
    for text in (event_text, event_line):
        assert text(told._replace(url=URL)) == text(told).replace("**Algebra**", f"[**Algebra**]({URL})")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            " ",
            "lms.example.org/x",
            "/exams/17",
            "javascript:alert(1)",
            "ftp://lms.example.org",
            "data:text/html,x",
        ),
        *("https://", "https://lms.example.org/a b", "https://lms.example.org/a)", "https://lms.example.org/(a"),
        *(
            "https://lms.example.org/\n# x",
            "https://lms.example.org/x\n",
            "\nhttps://lms.example.org/x",
            "https://x/\t",
        ),
        *(
            "https://lms.example.org/*x*",
            "https://lms.example.org/`x`",
            "https://lms.example.org/$$x$$",
            "https://x/<a>",
        ),
        *('https://x/"a"', "https://x/'a'", "https://x/[a]", "https://x/\\", "https://x/\u200b", "https://x/\ud800"),
        "https://x/" + "a" * 600,
    ],
)
def test_an_address_that_could_break_a_message_is_no_link(url: str) -> None:
    assert event_text(event()._replace(url=url)) == event_text(event())
    assert event_line(event()._replace(url=url)) == event_line(event())


@given(HOSTILE, HOSTILE | st.text("az09/?=&#~:;@+,%._-"))
@example("Loops [part 1] (new)", "lessons/1")
def test_a_link_is_whole_whatever_is_in_title_and_address(title: str, path: str) -> None:
    told = event(title=title)._replace(url=f"https://lms.example.org/{path}")
    happened = event_text(told).split("\n")[2]
    if happened == event_text(told._replace(url=None)).split("\n")[2]:
        return
    linked = re.fullmatch(r"\*\*jane\*\* has passed: \[\*\*(?P<title>[^\[\]*]+)\*\*\]\((?P<url>\S+)\)", happened)
    assert linked is not None
    assert linked["url"] == told.url
    assert not re.search(r"[][()<>*`$|\\\"'!]", linked["url"])
    assert live_tokens(linked["title"]) == []


def test_a_started_exam_shows_its_course_and_a_repeated_attempt() -> None:
    first = event(EventType.EXAM_STARTED, metadata={"course_title": "Maths", "attempt_number": 1})
    second = event(EventType.EXAM_STARTED, metadata={"course_title": "Maths", "attempt_number": 2})
    assert "Attempt" not in event_text(first)
    assert "\n📚 **Course:** Maths\n🔁 **Attempt:** 2\n📅 Started at: " in event_text(second)


def test_answers_are_counted_where_neither_score_nor_percentage_is_known() -> None:
    answers = {"correct_answers": 3, "incorrect_answers": 7, "unanswered": 0, "result": "fail"}
    unmarked = event(EventType.EXAM_FAILED, metadata=answers)
    marked = event(EventType.EXAM_FAILED, metadata={**answers, "score": 0})
    assert "\n📊 **Correct:** 3 | **Incorrect:** 7 | **Unanswered:** 0 | **Result:** fail\n" in event_text(unmarked)
    assert "\n📊 **Score:** 0 | **Result:** fail\n" in event_text(marked)
    assert event_line(marked) == f"❌ **jane** failed **Mathematics Final Exam** · score 0 · {SHOWN_NOON}"


def test_who_and_what_is_missing_is_named_by_its_number() -> None:
    assert "**student #12** has passed: **exam #17**" in event_text(event(student=None, title=" "))
    assert "**content #17**" in event_text(event(EventType.CONTENT_WATCHED, title=None))
    assert "has earned: **certificate #17**\n" in event_text(event(EventType.CERTIFICATION_ISSUED, title=None))


def test_an_event_without_anything_is_still_told() -> None:
    bare = event(EventType.EXAM_STARTED, student="", student_id=None, title=None, activity_id=None)
    assert event_text(bare) == (
        f"📝 **Exam Started**\n\n**unknown student** has started: **an exam**\n📅 Started at: {SHOWN_NOON}"
    )
    assert "**some content**" in event_line(event(EventType.CONTENT_STARTED, title=None, activity_id=None))
    assert "**a certificate**" in event_line(event(EventType.CERTIFICATION_ISSUED, title=None, activity_id=None))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (85, "85"), (85.0, "85"), (66.666, "66.67"), (100, "100"), (0, "0"), (-0.001, "0"),
        (Decimal("7.50"), "7.5"), (True, "yes"), (None, "—"), ("", "—"), (float("nan"), "—"),
        (float("inf"), "—"), (1e300, "1e+300"), ("0:45:10", "0:45:10"), ("**x**", "∗∗x∗∗"),
        ([1, "a"], "[1, 'a']"),
    ],
)  # fmt: skip
def test_values_are_shown_plainly(value: object, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(85, "85%"), (85.0, "85%"), ("85", "85%"), ("85%", "85%"), ("none", "none"), (None, "—"), (0, "0%")],
)
def test_percentages_have_one_percent_sign(value: object, shown: str) -> None:
    assert percent(value) == shown


def test_a_moment_is_in_utc_without_microseconds() -> None:
    tashkent = timezone(timedelta(hours=5))
    assert moment(datetime(2024, 1, 15, 19, 30, 0, 123456, tzinfo=tashkent)) == SHOWN_NOON


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        moment(datetime(2024, 1, 15, 14, 30))  # noqa: DTZ001


@pytest.mark.parametrize("count", [1, 2, 3])
def test_up_to_three_events_stand_in_full(count: int) -> None:
    told = events(count)
    assert sorted(notification_text(told).split("\n\n---\n\n")) == sorted(event_text(each) for each in told)


def test_the_introduction_is_the_last_lines() -> None:
    for told in (events(1), events(12), events(10_000)):
        text = notification_text(told, introduction=INTRODUCTION + "\n")
        assert text.endswith("\n\n" + INTRODUCTION)
        assert len(text) < 10_000


def test_more_than_three_events_become_a_summary() -> None:
    told = events(4, EventType.EXAM_PASSED, EventType.EXAM_FAILED, EventType.CONTENT_STARTED, students=2)
    passed_0, failed_1, started_2, passed_3 = told
    assert notification_text(told) == (
        "📬 **4 events of 2 students**\n"
        "❌ Exam Failed 1 · 🎉 Exam Passed! 2 · 📖 Content Started 1\n"
        "\n"
        "**Needs attention**\n"
        f"* {event_line(failed_1)}\n"
        f"  * {event_line(passed_3, named=False)}\n"
        "\n"
        "```spoiler Details\n"
        f"* {event_line(passed_0)}\n"
        f"  * {event_line(started_2, named=False)}\n"
        "```"
    )


def test_an_event_found_late_is_told_in_a_summary() -> None:
    (late,) = events(1, EventType.EXAM_PASSED)
    assert notification_text([late], stale={late.event_id}) == (
        f"📬 **1 event of 1 student** · 1 found late\n🎉 Exam Passed! 1\n"
        f"\n```spoiler Details\n* {event_line(late)}\n```"
    )
    assert notification_text([late], stale=[late.event_id + 1]) == event_text(late)


def test_at_most_ten_failed_exams_need_attention() -> None:
    told = events(17, EventType.EXAM_FAILED)
    attention = notification_text(told).split("\n\n")[1].split("\n")
    assert attention[0] == "**Needs attention**"
    assert 6 <= len(attention[1:]) <= 10
    assert len(attention[1:]) + len(details(notification_text(told))) == 17


def test_a_summary_without_failed_exams_needs_no_attention() -> None:
    assert "Needs attention" not in notification_text(events(20, EventType.EXAM_PASSED))


def test_d13_a_summary_is_by_student_each_once_and_by_what_is_so_now() -> None:
    told = [
        event(EventType.CONTENT_STARTED, title="Video", event_id=1, student="jane", student_id=1),
        event(EventType.EXAM_FAILED, title="Algebra", event_id=2, student="jane", student_id=1),
        event(EventType.EXAM_PASSED, title="Algebra", event_id=3, student="jane", student_id=1),
        event(EventType.EXAM_FAILED, title="Biology", event_id=4, student="ravi", student_id=2),
        event(EventType.EXAM_STARTED, title="Chemistry", event_id=5, student="ravi", student_id=2),
    ]
    text = notification_text(told, settled={2})
    above, _, below = text.partition("```spoiler")
    assert (text.count("**ravi**"), text.count("**jane**")) == (1, 1)
    assert "**Needs attention**\n* ❌ **ravi** failed **Biology**" in above
    assert "❌ Exam Failed 1 · 🎉 Exam Passed! 1 · " in above
    assert "↩️ Passed Since 1" in above
    assert [line.split(" · ")[0] for line in below.split("\n")[1:4]] == [
        "* 🎉 **jane** passed **Algebra**",
        "  * 📖 started **Video**",
        "  * ❌ failed **Algebra**",
    ]
    assert text.count("Algebra") == 2
    assert " · passed since\n" in below


def test_a19_what_matters_most_comes_first_in_a_message_of_a_few() -> None:
    kinds = (EventType.CONTENT_STARTED, EventType.EXAM_PASSED, EventType.EXAM_FAILED)
    told = [event(kind, event_id=at) for at, kind in enumerate(kinds)]
    text = notification_text(told)
    assert text.index("Exam Failed") < text.index("Exam Passed!") < text.index("Content Started")
    again = notification_text(told, settled={2})
    assert again.index("Exam Passed!") < again.index("Content Started") < again.index("Exam Failed")


def test_students_are_counted_once() -> None:
    nameless = [event(student=None, student_id=None, event_id=at) for at in range(4)]
    assert notification_text(nameless).startswith("📬 **4 events of 1 student**")


def details(text: str) -> list[str]:
    """The lines under Details."""
    return text.partition("```spoiler Details\n")[2].partition("\n```")[0].split("\n")


def lines_of(told: Sequence[Event]) -> set[str]:
    """How events may stand in a summary: the first of a student, and those below it."""
    return {f"* {event_line(each)}" for each in told} | {f"  * {event_line(each, named=False)}" for each in told}


def left_out(lines: Sequence[str]) -> int:
    hint = re.fullmatch(r"… and ([\d,]+) more\. See them with `feed` or `history @student`\.", lines[-1])
    return int(hint[1].replace(",", "")) if hint else 0


def test_ten_thousand_events_make_one_message() -> None:
    told = events(10_000)
    text = notification_text(told)
    shown = details(text)
    assert len(text) < 10_000
    assert len(text) > 9_800
    above = text.partition("**Needs attention**\n")[2].partition("\n\n")[0].split("\n")
    assert left_out(shown) == 10_000 - (len(shown) - 1) - len(above)
    assert {*above, *shown[:-1]} <= lines_of(told)
    assert text.startswith("📬 **10,000 events of 5 students**\n❌ Exam Failed 909 · 💔 Streak Broken 909 · ")


def test_a_summary_that_just_fits_is_whole() -> None:
    told = events(30, EventType.EXAM_PASSED)
    whole = notification_text(told)
    assert left_out(details(whole)) == 0
    assert notification_text(told, limit=len(whole) + 1) == whole
    assert left_out(details(notification_text(told, limit=len(whole)))) > 0


def test_full_events_that_just_fit_stand_in_full() -> None:
    told = events(3)
    whole = notification_text(told, introduction=INTRODUCTION)
    assert notification_text(told, introduction=INTRODUCTION, limit=len(whole) + 1) == whole
    assert notification_text(told, introduction=INTRODUCTION, limit=len(whole)).startswith("📬")


@pytest.mark.parametrize("kinds", [(), (EventType.EXAM_FAILED,), (EventType.CONTENT_WATCHED,)])
def test_no_limit_cuts_an_entry_or_leaves_one_uncounted(kinds: tuple[EventType, ...]) -> None:
    told = events(40, *kinds)
    entries = lines_of(told)
    for limit in range(480, 1_600):
        text = notification_text(told, introduction=INTRODUCTION, limit=limit)
        shown = details(text)
        missing = left_out(shown)
        assert len(text) < limit
        assert text.endswith(INTRODUCTION)
        above = [line for line in text.partition("**Needs attention**\n")[2].partition("\n\n")[0].split("\n") if line]
        assert missing + len(shown) - 1 + len(above) == 40
        assert {*above, *shown[:-1]} <= entries


@given(
    st.lists(st.tuples(st.sampled_from(NOT_ALERTS), HOSTILE, HOSTILE), max_size=12),
    st.none() | st.text("Hello \n", max_size=300),
    st.integers(min_value=2, max_value=1_500),
    st.booleans(),
)
def test_a_message_always_fits_and_is_never_empty(
    rows: list[tuple[EventType, str, str]], introduction: str | None, limit: int, is_late: bool
) -> None:
    told = [event(kind, student=name, title=title, event_id=at) for at, (kind, name, title) in enumerate(rows)]
    late = {0} if is_late else ()
    text = notification_text(told, stale=late, introduction=introduction, limit=limit)
    assert text
    assert text == text.strip()
    assert len(text) < limit
    assert text.count("```") in (0, 2)
    assert text == notification_text(told, stale=late, introduction=introduction, limit=limit)


def test_hostile_names_and_titles_of_any_length_fit() -> None:
    told = [event(EventType.EXAM_FAILED, student=":a:" * 500, title="@**all** " * 500, event_id=at) for at in range(99)]
    text = notification_text(told, introduction=INTRODUCTION)
    assert len(text) < 10_000
    assert text.count("```") == 2
    assert left_out(details(text)) > 0
