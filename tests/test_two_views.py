"""Whatever happened in a school, a figure or judgement that is shown in two places is the same in both."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from statistics import fmean
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lms_bot.config.settings import load
from lms_bot.core.alerts import Rule
from lms_bot.core.events import EventType, percentage
from lms_bot.core.principal import Principal
from lms_bot.core.reports.feed import Filter, Page
from lms_bot.core.reports.students import Concern, FullCard, StudentSummary, trend
from lms_bot.reports import alerts, feed, statistics, streaks, student
from lms_bot.reports.attention import attention
from lms_bot.store.people import people
from lms_bot.store.session import Transaction
from tests.databases import lms_in_file, store_in_file
from tests.lms_rows import DAY, GULNORA, JANE, MARY, NOW, QUIZ, RAVI, TEST, Watch

UTC = ZoneInfo("UTC")
SETTINGS = load(None, {"LMS_DATABASE_URL": "sqlite:///nothing_is_polled_here.db", "LMS_TIMEZONE": "UTC"})
EVERYTHING = Page(10_000)
BEFORE = st.integers(1, 40 * 24).map(lambda hours: NOW - timedelta(hours=hours))
LATER = st.integers(0, 12 * 24).map(lambda hours: NOW + timedelta(hours=hours))
WHAT = st.sampled_from(["pass", "fail", "fail", "start", "verdictless"])
EXAM = st.tuples(
    st.sampled_from([JANE, JANE, JANE, JANE, RAVI, GULNORA]),
    st.sampled_from([QUIZ, TEST]),
    WHAT,
    st.sampled_from([None, *range(0, 101, 5)]),
    BEFORE | LATER,
)
EXAMS = st.lists(EXAM, max_size=10) | st.lists(EXAM, min_size=25, max_size=35)


def take(watch: Watch, attempt_id: int, exam: tuple[int, int, str, int | None, datetime]) -> None:
    """A student takes an exam, or begins it."""
    student_id, exam_id, what, percent, when = exam
    ended = {"state": "completed", "percentage": percent, "last_answer_updated_time": when}
    ended["result"] = what if what in ("pass", "fail") else None
    begun = when - timedelta(minutes=30)
    values = {"date": begun} if what == "start" else {"date": begun, **ended}
    watch.rows.insert_attempt(attempt_id, user_id=student_id, exam_id=exam_id, **values)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    exams=EXAMS,
    has_left=st.booleans(),
    days=st.integers(0, 12),
)
def test_e2_two_views_of_one_word_agree(
    exams: list[tuple[int, int, str, int | None, datetime]],
    has_left: bool,
    days: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("views")
    watch = Watch(lms_in_file(folder / "lms.db"), store_in_file(folder / "store.db"))
    watch.rows.run("UPDATE students SET created = NULL")
    now, taken = NOW, 0
    for moment in (NOW, NOW + timedelta(minutes=6), NOW + days * DAY):
        now = max(moment, now)
        if moment != NOW and has_left:
            watch.rows.run(f"UPDATE students SET is_active = 0 WHERE id = {RAVI}")
        for exam in sorted(exams, key=lambda one: one[-1])[taken:]:
            if exam[-1] <= now:
                taken += 1
                take(watch, taken, exam)
        watch.poll(now)
    with watch.store.reading() as transaction:
        mentor = people.mentor(transaction, MARY)
        assert mentor is not None
        compare(transaction, Principal.of([mentor], []), now)
    watch.close()


def compare(transaction: Transaction, principal: Principal, now: datetime) -> None:
    everybody = attention(transaction, principal, UTC, now)
    cards = {
        one.student.student_id: student.card(transaction, principal, one.student.student_id, SETTINGS, now)
        for one in everybody.summaries
    }
    lasting = {one.student.student_id: one for one in streaks.streaks(transaction, principal, UTC, now)}
    for summary in everybody.summaries:
        student_id = summary.student.student_id
        compare_student(transaction, principal, summary, cards[student_id])
        assert everybody.streaks[student_id] == cards[student_id].streaks.learning == lasting[student_id].learning
        assert cards[student_id].streaks == streaks.streak(transaction, principal, student_id, UTC, now)
    compare_alerts(transaction, principal, {one.student.student_id: one for one in everybody.summaries})
    compare_sums(transaction, principal, list(cards.values()), now)


def compare_student(transaction: Transaction, principal: Principal, summary: StudentSummary, full: FullCard) -> None:
    """The line in `students`, the card in `student`, the chart and the history of one student."""
    card, student_id = full.card, summary.student.student_id
    assert (summary.average, summary.open_exams) == (card.average, card.open_exams)
    assert (summary.last_active, summary.concerns) == (card.last_active, card.concerns)
    assert summary.last_result == (card.last_exams[0] if card.last_exams else None)
    drawn = student.scores(transaction, principal, student_id, None, EVERYTHING.most, SETTINGS)
    percents = [percent for event in drawn if (percent := percentage(event.metadata)) is not None]
    assert card.scored == len(percents)
    assert card.average == (pytest.approx(fmean(percents)) if percents else None)
    expected = trend(percents[::-1])
    assert card.trend == (None if expected is None else pytest.approx(expected))
    shown = feed.history(transaction, principal, student_id, Filter(), EVERYTHING, SETTINGS)
    assert summary.last_active == max((event.timestamp for event in shown), default=None)
    assert Counter(event.event_type for event in shown) >= Counter(card.counts)


def compare_alerts(transaction: Transaction, principal: Principal, summaries: dict[int, StudentSummary]) -> None:
    """`open` and `students`: who is listed for a rule in one is so in the other."""
    opened = {
        (one.student.student_id, one.alert.rule) for one in alerts.open_alerts(transaction, principal) if one.student
    }
    for student_id, summary in summaries.items():
        said = {Concern[rule.name] for of, rule in opened if of == student_id}
        assert said <= set(summary.concerns), summary
        for rule in (Rule.INACTIVE, Rule.FAILED_TWICE, Rule.SCORE_DROP):
            has_begun = summary.last_active is not None
            assert (Concern[rule.name] in summary.concerns and has_begun) <= (Concern[rule.name] in said), (
                rule,
                summary,
            )


def compare_sums(transaction: Transaction, principal: Principal, cards: list[FullCard], now: datetime) -> None:
    """`stats` of all, `stats` of each, the cards and the feed."""
    of_all = statistics.results(transaction, principal, None, None, now)
    each = [statistics.results(transaction, principal, one.card.student.student_id, None, now) for one in cards]
    for name in ("tried", "passed", "failed", "active", "students"):
        assert getattr(of_all, name) == sum(getattr(one, name) for one in each), name
    for one, result in zip(cards, each, strict=True):
        ended = sum(count for kind, count in one.card.counts.items() if kind.is_exam_end)
        assert (result.tried, result.passed, result.failed) == (
            ended,
            one.card.passed,
            one.card.counts.get(EventType.EXAM_FAILED, 0),
        )
        assert result.average == (None if one.card.average is None else pytest.approx(one.card.average))
    shown = feed.feed(transaction, principal, Filter(), EVERYTHING, SETTINGS)
    assert len(shown) == sum(
        len(feed.history(transaction, principal, one.card.student.student_id, Filter(), EVERYTHING, SETTINGS))
        for one in cards
    )
