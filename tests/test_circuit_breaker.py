"""An LMS that fails is left alone for a while and then tried once; admins see how that stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_bot.core.operations.circuit_breaker import Circuit, CircuitBreaker
from lms_bot.core.process import Work
from lms_bot.doctor import store as doctor
from lms_bot.store.operations import heartbeat, inspection
from lms_bot.worker.scheduler import LONGEST_LMS_PAUSE
from tests.admin_session import AdminSession
from tests.bot_process import JANE, Place

CLOSED = CircuitBreaker(first_pause=10, longest_pause=60)


def failing(times: int, now: float = 0.0) -> CircuitBreaker:
    breaker = CLOSED
    for _ in range(times):
        breaker = breaker.begun().failed(now)
    return breaker


# The rule


def test_a_closed_circuit_admits_every_try() -> None:
    assert CLOSED.circuit(5) is Circuit.CLOSED
    assert CLOSED.admits(5)
    assert CLOSED.begun().admits(5)


def test_a_failure_opens_it_and_nothing_is_tried_until_the_pause_is_over() -> None:
    breaker = failing(1, now=100)
    assert breaker.circuit(109.9) is Circuit.OPEN
    assert not breaker.admits(109.9)
    assert breaker.circuit(110) is Circuit.HALF_OPEN


def test_half_open_it_admits_exactly_one_try() -> None:
    breaker = failing(1)
    assert breaker.admits(10)
    assert not breaker.begun().admits(10)
    assert breaker.begun().ended().admits(10)


def test_a_try_that_succeeds_closes_it_and_one_that_fails_opens_it_for_longer() -> None:
    assert failing(3).begun().succeeded() == CLOSED
    again = failing(1).begun().failed(10)
    assert (again.circuit(29.9), again.circuit(30)) == (Circuit.OPEN, Circuit.HALF_OPEN)


def test_each_pause_is_twice_the_one_before_up_to_the_longest() -> None:
    assert [failing(times).open_until for times in range(1, 6)] == [10, 20, 40, 60, 60]
    assert failing(100_000 // 1_000).open_until == 60


@given(st.lists(st.tuples(st.sampled_from(["fail", "succeed", "end"]), st.floats(0, 100)), max_size=30))
def test_however_tries_end_it_is_open_only_after_failures_and_never_for_longer(ends: list[tuple[str, float]]) -> None:
    breaker, now, failures = CLOSED, 0.0, 0
    for end, later in ends:
        now += later
        assert breaker.admits(now) == (breaker.circuit(now) is not Circuit.OPEN)
        if not breaker.admits(now):
            continue
        tried = breaker.begun()
        failures = {"fail": failures + 1, "succeed": 0, "end": failures}[end]
        breaker = tried.failed(now) if end == "fail" else tried.succeeded() if end == "succeed" else tried.ended()
        assert breaker.failures == failures
        assert breaker.is_closed == (failures == 0)
        assert breaker.open_until <= now + breaker.longest_pause


# The worker


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def session(place_with_store: Place) -> Iterator[AdminSession]:
    with AdminSession.at(place_with_store) as session:
        yield session


def break_lms(session: AdminSession) -> None:
    session.place.lms.run("ALTER TABLE attempts RENAME TO elsewhere")


def repair_lms(session: AdminSession) -> None:
    session.place.lms.run("ALTER TABLE elsewhere RENAME TO attempts")


def let_the_pause_end(session: AdminSession) -> None:
    breaker = session.worker._circuit_breaker
    assert breaker.open_until > 0
    session.worker._circuit_breaker = replace(breaker, open_until=0.0)
    session.worker.note_heartbeat()


def noted(session: AdminSession) -> tuple[Circuit, int]:
    """What the store says, and the doctor reads."""
    found = inspection.circuit(session.place.store_url)
    with session.parts.store.reading() as transaction:
        worker = heartbeat.last_worker(transaction)
    assert worker is not None
    assert worker.circuit == found
    return found.circuit, found.failures


def line(session: AdminSession) -> str:
    (found,) = (one for one in session.ask("status").splitlines() if "LMS circuit" in one)
    return found.removeprefix("* **LMS circuit:** ")


def diagnosis(session: AdminSession) -> tuple[str, str]:
    state = inspection.inspect(session.place.store_url)
    (found,) = doctor.circuit(session.settings, state)
    return found.level, found.message


def test_while_the_lms_answers_the_circuit_is_closed(session: AdminSession) -> None:
    session.work()
    assert noted(session) == (Circuit.CLOSED, 0)
    assert line(session) == "closed, the LMS is read"
    assert diagnosis(session) == ("ok", "closed: the worker reads the LMS")


def test_a_poll_that_fails_opens_it_for_everybody_to_see(session: AdminSession) -> None:
    break_lms(session)
    session.work()
    assert noted(session) == (Circuit.OPEN, 1)
    assert line(session).startswith("open after 1 failed poll: the LMS is left alone until <time:")
    assert diagnosis(session) == ("warning", "open after 1 failed polls in a row")


def test_while_it_is_open_neither_polls_nor_jobs_read_the_lms(session: AdminSession) -> None:
    break_lms(session)
    session.work()
    repair_lms(session)
    session.place.lms.pass_exam(1000, JANE)
    session.work()
    assert noted(session) == (Circuit.OPEN, 1)
    assert session.worker._unread == set()
    let_the_pause_end(session)
    assert noted(session) == (Circuit.HALF_OPEN, 1)
    assert line(session) == "half-open after 1 failed poll: the next poll says whether it is back"
    session.run_clock_jobs("presence", "enrolment")
    assert noted(session) == (Circuit.HALF_OPEN, 1)
    session.work()
    assert noted(session) == (Circuit.CLOSED, 0)


def test_one_poll_is_tried_after_the_pause_and_the_next_pause_is_no_longer_than_the_longest(
    session: AdminSession,
) -> None:
    break_lms(session)
    for failures in range(1, 4):
        session.work()
        session.work()
        assert noted(session) == (Circuit.OPEN, failures)
        left = session.worker._circuit_state().open_until
        assert left is not None
        breaker = session.worker._circuit_breaker
        assert breaker.failed(0.0).open_until <= LONGEST_LMS_PAUSE
        let_the_pause_end(session)


def test_a_poll_that_is_ordered_is_a_try_of_its_own(session: AdminSession) -> None:
    break_lms(session)
    session.work()
    repair_lms(session)
    session.ask("poll")
    session.run(session.worker.carry_out_orders)
    assert noted(session) == (Circuit.CLOSED, 0)


def test_a_paused_poll_is_no_try(session: AdminSession) -> None:
    break_lms(session)
    session.work()
    session.ask("pause polling")
    session.run(session.worker.carry_out_orders)
    assert session.worker._orders.is_paused(Work.POLLING)
    let_the_pause_end(session)
    session.work()
    assert noted(session) == (Circuit.HALF_OPEN, 1)
