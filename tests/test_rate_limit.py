"""Calls to Zulip keep within its limit, deliveries keep their pace, and answers need not wait for them."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from lms_bot.chat import RateLimiter, rate_limit
from lms_bot.chat.rate_limit import Purpose
from lms_bot.core.people import Mentor, Student
from lms_bot.store.session import open_store
from tests import fake_zulip
from tests.bot_process import PATIENCE, wait_for
from tests.delivery_scenario import DeliveryScenario, frozen, notifications, several
from tests.fake_zulip import FakeZulip

DELIVER, READ, REPLY = Purpose.DELIVER, Purpose.READ, Purpose.REPLY
ZULIPS_LIMIT, ZULIPS_WINDOW = 200, 60.0
TICK = 0.05


class Simulated:
    """A clock of seconds that a test moves; like a real one it never shows the same moment twice."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        self.now += 1e-7
        return self.now


class Traffic:
    """Calls through one RateLimiter in simulated time: whoever wants to call asks at every tick, without waiting."""

    def __init__(self, messages_per_minute: int = 150) -> None:
        self.clock = Simulated()
        self.rate_limiter = RateLimiter(messages_per_minute, self.clock)
        self.calls: list[tuple[float, Purpose]] = []

    def tick(self, wanted: Sequence[Purpose]) -> None:
        for purpose in wanted:
            if self.rate_limiter.acquire(purpose, 0.0):
                self.calls.append((self.clock.now, purpose))
        self.clock.now += TICK

    def run(self, seconds: float, *wanted: Purpose) -> None:
        for _ in range(round(seconds / TICK)):
            self.tick(wanted)

    def count(self, purpose: Purpose) -> int:
        return sum(one is purpose for _, one in self.calls)

    def most_in_a_window(self) -> int:
        times = [at for at, _ in self.calls]
        return max(sum(start <= at < start + ZULIPS_WINDOW for at in times[n:]) for n, start in enumerate(times))

    def seconds_until(self, purpose: Purpose, count: int, *others: Purpose) -> float:
        """How long it takes until so many calls have gone through, while the others ask all the time."""
        start, wanted = self.clock.now, self.count(purpose) + count
        while self.count(purpose) < wanted:
            self.tick((purpose, *others))
            assert self.clock.now < start + 10_000, "no call comes through any more"
        return self.clock.now - start


@pytest.mark.parametrize(
    "wanted", [(DELIVER,), (READ,), (REPLY,), (DELIVER, READ, REPLY), (REPLY, READ, DELIVER), (DELIVER,) * 5]
)
def test_there_are_never_more_than_200_calls_in_any_minute(wanted: tuple[Purpose, ...]) -> None:
    traffic = Traffic()
    traffic.run(200, *wanted)
    assert traffic.most_in_a_window() <= ZULIPS_LIMIT


def test_a_rest_is_not_made_up_for_beyond_the_limit() -> None:
    traffic = Traffic()
    for _ in range(3):
        traffic.run(20, DELIVER, READ, REPLY)
        traffic.run(45)
    assert traffic.most_in_a_window() <= ZULIPS_LIMIT


@pytest.mark.parametrize("messages_per_minute", [60, 150, 1000, 6000])
def test_500_deliveries_keep_the_configured_pace(messages_per_minute: int) -> None:
    traffic = Traffic(messages_per_minute)
    seconds = traffic.seconds_until(DELIVER, 500, *(DELIVER,) * 9)
    planned = 500 * 60 / messages_per_minute
    assert seconds <= planned / 0.95
    # What goes out without a pause at the start is little beside the rest.
    assert seconds >= planned * (1 - 20 / 500) - TICK


def test_deliveries_keep_their_pace_while_questions_are_answered() -> None:
    traffic = Traffic()
    for _ in range(20):
        traffic.run(9.95, DELIVER)
        traffic.tick((REPLY, REPLY, REPLY))
    assert traffic.count(DELIVER) >= 0.95 * 500
    assert traffic.count(REPLY) == 60
    assert traffic.most_in_a_window() <= ZULIPS_LIMIT


def test_deliveries_come_evenly() -> None:
    traffic = Traffic()
    traffic.run(180, DELIVER)
    in_each_quarter_minute = [
        sum(start <= at - 1000.0 < start + 15 for at, _ in traffic.calls) for start in range(15, 180, 15)
    ]
    assert max(in_each_quarter_minute) - min(in_each_quarter_minute) <= 2


@pytest.mark.parametrize("busy", [(DELIVER,), (DELIVER, READ)])
def test_replies_get_through_at_once_while_deliveries_wait(busy: tuple[Purpose, ...]) -> None:
    traffic = Traffic()
    traffic.run(120, *busy)
    for _ in range(12):
        assert traffic.seconds_until(REPLY, 1, *busy) <= 2.0
        traffic.run(10, *busy)
    assert traffic.most_in_a_window() <= ZULIPS_LIMIT


def test_twenty_mentors_who_ask_at_once_are_answered_while_deliveries_wait() -> None:
    traffic = Traffic()
    traffic.run(120, DELIVER)
    assert traffic.seconds_until(REPLY, 20, *(REPLY,) * 19, DELIVER) <= 2.0


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_closed_pace_lets_nobody_through_until_then(purpose: Purpose) -> None:
    traffic = Traffic()
    traffic.run(5, purpose)
    before = len(traffic.calls)
    traffic.rate_limiter.block(57.0)
    closed_at = traffic.clock.now
    traffic.run(56.9, purpose)
    assert len(traffic.calls) == before
    assert not traffic.rate_limiter.acquire(purpose, 0.0)
    assert traffic.seconds_until(purpose, 1) + 56.9 <= 57.0 + 2 * TICK
    assert traffic.calls[-1][0] >= closed_at + 57.0


def test_a_short_closure_does_not_end_a_longer_one() -> None:
    traffic = Traffic()
    traffic.rate_limiter.block(30.0)
    traffic.rate_limiter.block(1.0)
    traffic.run(29.9, REPLY)
    assert traffic.calls == []


def test_who_has_no_patience_is_told_so_without_using_a_turn() -> None:
    traffic = Traffic(60)
    traffic.run(60, DELIVER)
    refused = [traffic.rate_limiter.acquire(DELIVER, 0.0) for _ in range(1000)]
    assert sum(refused) <= 1
    traffic.run(60, DELIVER)
    assert traffic.count(DELIVER) >= 115


def test_threads_together_get_no_more_than_one_could() -> None:
    clock = Simulated()
    shared = RateLimiter(150, clock)
    taken: list[bool] = []

    def call() -> None:
        taken.extend(
            shared.acquire(purpose, 0.0) for _, purpose in zip(range(600), itertools.cycle(Purpose), strict=False)
        )

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 150 <= sum(taken) <= ZULIPS_LIMIT


def test_threads_that_wait_all_get_their_turn_and_keep_the_pace() -> None:
    shared = RateLimiter(3000)  # one every 20 ms
    taken: list[float] = []

    def call() -> None:
        for _ in range(10):
            assert shared.acquire(DELIVER, PATIENCE)
            taken.append(time.monotonic())

    started = time.monotonic()
    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 80
    assert max(taken) - started >= (80 - 20) * 0.02


class Still(Simulated):
    """A clock that moves only when it is moved, and counts how often it was looked at."""

    looks = 0

    def __call__(self) -> float:
        self.looks += 1
        return self.now


def test_closing_stops_the_threads_that_wait_already() -> None:
    clock = Still()
    shared = RateLimiter(6000, clock)  # one every 10 ms, in which who waits looks at the clock again
    while shared.acquire(DELIVER, 0.0):
        pass
    passed: list[float] = []

    def call() -> None:
        if shared.acquire(DELIVER, 10.0):
            passed.append(clock.now)

    def is_looked_at(more: int = 9) -> None:
        looks = clock.looks + more
        wait_for(lambda: clock.looks > looks)

    waiting = threading.Thread(target=call)
    waiting.start()
    is_looked_at()
    shared.block(1.8)
    clock.now += 1.79
    is_looked_at()
    assert passed == []
    clock.now += 0.02
    waiting.join(PATIENCE)
    assert passed == [clock.now]


def test_5000_notifications_for_500_mentors_are_500_messages_and_no_rate_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zulip's minute lasts a second here, for both sides: the default pace against the default limit."""
    monkeypatch.setattr(fake_zulip, "WINDOW_SECONDS", 1.0)
    monkeypatch.setattr(rate_limit, "WINDOW", 1.0)
    mentors = [Mentor(n, f"mentor{n}", f"mentor{n}@school.example") for n in range(1, 501)]
    students = [Student(n, f"student{n}") for n in range(1001, 1501)]
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    with FakeZulip(rate_limit=200) as zulip:
        accounts = {m.mentor_id: zulip.add_user(m.username, m.email or "") for m in mentors}
        delivery = DeliveryScenario(store, zulip, zulip.write_zuliprc(tmp_path / "zuliprc"), accounts=accounts)
        delivery.restart(RateLimiter(150))
        links = {(mentor.mentor_id, mentor.mentor_id + 1000) for mentor in mentors}
        delivery.read_people(mentors=mentors, students=students, links=links)
        delivery.read_accounts()
        owed = {student.student_id: several(student, 10) for student in students}
        delivery.owe(*itertools.chain.from_iterable(owed.values()))
        while not delivery.turn().is_done:
            pass
        assert len(zulip.sent_by_bot()) == 500
        assert zulip.limited == 0
        for mentor in mentors:
            [text] = delivery.told(mentor)
            assert all((event.activity_title or "") in text for event in owed[mentor.mentor_id + 1000])
    rows = notifications(store)
    assert len(rows) == 5000
    assert all(row.is_sent and row.due_at is None for row in rows)
    assert len(frozen(store)) == 500
    store.close()
