"""Whatever happens in whatever order, the set told becomes the set owed: each once, to the right mentor.

No poll succeeds meanwhile: what the clock brings comes while the LMS is away. For a deep search:
`.venv/bin/python -m pytest -n0 -p tests.test_changes_model --hypothesis-profile=deep tests/test_deliver_model.py`.
"""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from lms_bot.core.alerts import Key, Opening, Rule, Verdict
from lms_bot.core.events import Event, EventType
from lms_bot.core.people import Mentor, Student
from lms_bot.db.statements import StatementCounter
from lms_bot.lms import Lms
from lms_bot.pipeline.alert_notifications import enqueue_due_alerts
from lms_bot.pipeline.people import PeopleReader
from lms_bot.store import state, tables
from lms_bot.store.alerts import alerts
from lms_bot.store.notifications import outbox, queue
from lms_bot.store.session import open_store
from tests.databases import store_in_file
from tests.delivery_scenario import (
    GULNORA,
    JANE,
    MARY,
    MENTORS,
    OMAR,
    SETTINGS,
    STUDENTS,
    TOLD,
    DeliveryScenario,
    Killed,
    notifications,
    several,
    unsettled,
)
from tests.fake_zulip import FAULTS, FakeZulip
from tests.test_changes_model import chosen_settings

GIVEN_UP = (queue.NOT_THEIR_STUDENT, queue.NOT_NOW)
OTHER_CALLS = ("GET /api/v1/messages", "GET /api/v1/users", "GET /api/v1/users/me")
PUPIL = st.sampled_from([JANE, GULNORA])
FAULT = st.sampled_from(FAULTS)
AGAIN = ("Nobody has taken this yet", "You wanted to hear of this again")
FEW = 1_000  # statements: a turn that never ends makes as many in a second
LONGEST_GONE = timedelta(days=5)  # what waits for longer than a week is history
ALERTS = tables.student_alerts.c


class Delivery(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="lms_bot_model_")
        self.zulip = FakeZulip()
        self.zulip.__enter__()
        self.zulip.retry_after = 0.02
        path = Path(self.folder.name)
        self.store = open_store(store_in_file(path / "store.db"))
        self.delivery = DeliveryScenario.open(self.store, self.zulip, path)
        self.owed: list[tuple[Student, Event]] = []
        self.mentor_of = {
            s.student_id: m for m in MENTORS for s in STUDENTS if (m.mentor_id, s.student_id) in self.delivery.links
        }
        self.seen = 0
        self.refusals = 0
        self.texts: dict[tuple[int, datetime], str] = {}
        lms = Lms.of(SETTINGS)  # nobody reads it
        self.people_reader = PeopleReader(self.store, lms, SETTINGS)
        self.gone: Mentor | None = None
        self.gone_since = self.delivery.clock()
        self.exams = 0
        with self.store.writing() as transaction:
            state.note(transaction, state.POLLED, True, self.delivery.clock())

    # What may happen

    @rule(student=PUPIL, count=st.integers(1, 5), kind=st.sampled_from(TOLD))
    def owe(self, student: Student, count: int, kind: EventType) -> None:
        made = several(student, count, kind, at=self.delivery.clock())
        self.owed += [(student, event) for event in self.delivery.owe(*made)]

    @rule()
    def turn(self) -> None:
        self.wait_for_turn()

    @rule(student=PUPIL, fault=FAULT)
    def owe_into_a_fault(self, student: Student, fault: str) -> None:
        self.refusals += fault == "refuse"
        self.zulip.fail(fault)
        self.owed += [(student, event) for event in self.delivery.owe(*several(student, 1, at=self.delivery.clock()))]
        self.wait_for_turn()

    @rule(faults=st.lists(FAULT, min_size=1, max_size=2))
    def turn_with_faults(self, faults: list[str]) -> None:
        for fault in faults:
            self.refusals += fault == "refuse"
            self.zulip.fail(fault)
        self.wait_for_turn()

    @rule(kind=FAULT, call=st.sampled_from(OTHER_CALLS))
    def fail_elsewhere(self, kind: str, call: str) -> None:
        self.zulip.fail(kind, on=call)

    @rule(moment=st.sampled_from(["before", "after", "looking"]))
    def kill(self, moment: str) -> None:
        self.delivery.chat.dies = moment
        try:
            self.delivery.turn()
        except Killed:
            self.delivery.restart()
        self.delivery.chat.dies = None
        self.look_who_was_told()

    @rule(seconds=st.sampled_from([2, 5, 30, 61, 4000, 90_000]))
    def time_goes_by(self, seconds: int) -> None:
        if seconds > 61:  # no outage lasts for ever
            self.zulip.start()
        if self.gone and self.delivery.clock() - self.gone_since > LONGEST_GONE:
            self.remove_or_return(self.gone)
        self.delivery.clock.forward(seconds)
        self.wait_for_turn()

    @precondition(lambda self: self.zulip.running)
    @rule()
    def zulip_goes_down(self) -> None:
        self.zulip.stop()

    @precondition(lambda self: not self.zulip.running)
    @rule()
    def zulip_comes_back(self) -> None:
        self.zulip.start()

    @rule(mentor=st.sampled_from(MENTORS))
    def deactivate_or_reactivate(self, mentor: Mentor) -> None:
        user = self.zulip.find_user(self.delivery.account(mentor))
        assert user is not None
        (self.zulip.deactivate if user.is_active else self.zulip.reactivate)(user.user_id)

    @rule(student=PUPIL)
    def move(self, student: Student) -> None:
        mentor = OMAR if self.mentor_of[student.student_id] == MARY else MARY
        self.mentor_of[student.student_id] = mentor
        self.delivery.move(student, mentor)
        self.turn_to_mentors()

    @rule(mentor=st.sampled_from(MENTORS))
    def remove_or_return(self, mentor: Mentor) -> None:
        """A mentor goes from the LMS, whose links stay there; at most one is away."""
        self.gone = None if self.gone else mentor
        self.gone_since = self.delivery.clock()
        self.delivery.read_people(mentors=[one for one in MENTORS if one != self.gone])
        self.turn_to_mentors()

    @rule(student=PUPIL, faults=st.lists(FAULT, max_size=1))
    def open_alert(self, student: Student, faults: list[str]) -> None:
        for fault in faults:
            self.refusals += fault == "refuse"
            self.zulip.fail(fault)
        mentor, now = self.mentor_of[student.student_id], self.delivery.clock()
        self.exams += 1
        verdict = Verdict(Rule.FAILED_TWICE, now, 2, self.exams, f"Alarm {self.exams:07d}", numbers={"count": 2})
        key = Key(mentor.mentor_id, student.student_id, Rule.FAILED_TWICE, self.exams)
        with self.store.writing() as transaction:
            alerts.open_new(transaction, [Opening(key, verdict, now)], now)
        self.wait_for_turn()

    @rule(hours=st.integers(1, 30))
    def snooze(self, hours: int) -> None:
        until = self.delivery.clock() + timedelta(hours=hours)
        open_ids = [row.alert_id for row in self.alerts() if row.told_at]
        with self.store.writing() as transaction:
            alerts.update(transaction, open_ids[-1:], snoozed_until=until, remind_at=until)

    # What must hold

    @invariant()
    def nobody_was_told_twice(self) -> None:
        texts = [message.content for message in self.zulip.sent_by_bot()]
        for _, event in self.owed:
            assert sum((event.activity_title or "") in text for text in texts) <= 1, event

    @invariant()
    def an_alert_is_told_when_zulip_has_it(self) -> None:
        sent = [message.content for message in self.zulip.sent_by_bot()]
        new = [text for text in sent if not any(words in text for words in AGAIN)]
        for alert in self.alerts(is_open=False):
            times = sum(alert.title in text for text in new)
            assert times <= 1, alert
            assert times or not alert.told_at, alert

    @invariant()
    def unsettled_messages_are_frozen_and_one_for_each_mentor(self) -> None:
        messages = unsettled(self.store)
        assert len({message.mentor_id for message in messages}) == len(messages)
        # One that was certainly refused may be made anew, and a database may give its id again.
        tries = {(m.message_id, m.tried_at): m.content for m in messages if m.state != outbox.REFUSED}
        for this_try, content in tries.items():
            assert self.texts.get(this_try, content) == content
        self.texts = tries

    def wait_for_turn(self) -> None:
        enqueue_due_alerts(self.store, SETTINGS, self.delivery.clock())
        statements = StatementCounter(self.store.engine)
        self.delivery.turn()
        assert statements.take() < FEW, "the turn did not come to its end"
        self.look_who_was_told()

    def alerts(self, *, is_open: bool = True) -> list[Any]:
        """The alerts, oldest first; those that are open unless said otherwise."""
        query = sa.select(tables.student_alerts).order_by(ALERTS.alert_id)
        with self.store.reading() as transaction:
            return list(transaction.execute(query.where(ALERTS.closed_at.is_(None)) if is_open else query))

    def turn_to_mentors(self) -> None:
        """What a poll does when it has read people."""
        with self.store.writing() as transaction:
            self.people_reader._turn_to_mentors(transaction, self.delivery.clock())

    def look_who_was_told(self) -> None:
        """Every message since the last look went to the mentor whom its students have now."""
        sent = self.zulip.sent_by_bot()
        for message in sent[self.seen :]:
            for student, event in self.owed:
                if (event.activity_title or "") in message.content:
                    mentor = self.mentor_of[student.student_id]
                    assert mentor != self.gone, message
                    assert message.to == (self.delivery.account(mentor),), (student, message)
        self.seen = len(sent)

    def teardown(self) -> None:
        try:
            self.come_to_rest()
            self.everything_owed_was_told()
        finally:
            self.store.close()
            self.zulip.__exit__()
            self.folder.cleanup()

    def come_to_rest(self) -> None:
        self.zulip.calm()
        self.zulip.start()
        for mentor in (MARY, OMAR):
            self.zulip.reactivate(self.delivery.account(mentor))
        if self.gone:
            self.remove_or_return(self.gone)
        self.delivery.read_accounts()
        # A day for what waits for an account, an hour and a quarter for what waits for Zulip; few alerts go in a day.
        for seconds in [2] * 10 + [30] * 20 + [600] * 170 + [21_600] * 80:
            if not any(row.due_at for row in notifications(self.store)):
                break
            self.delivery.clock.forward(seconds)
            self.wait_for_turn()

    def everything_owed_was_told(self) -> None:
        rows = notifications(self.store)
        assert [row for row in rows if row.due_at is not None] == []
        rows = [row for row in rows if not row.title.startswith("Alarm")]
        assert self.refusals or all(alert.told_at for alert in self.alerts())
        content = {message.id: message for message in self.zulip.sent_by_bot()}
        parked: set[int] = set()
        for row in rows:
            if row.is_sent:
                message = content[row.zulip_message_id or 0]
                assert row.title in message.content
                assert message.to == (self.delivery.accounts[row.mentor_id],)
            elif row.error not in GIVEN_UP:
                parked.add(row.event_id)
        assert bool(parked) <= bool(self.refusals)
        for _, event in self.owed:
            times = sum((event.activity_title or "") in message.content for message in content.values())
            assert times == (0 if event.event_id in parked else 1), event


HURRIED = settings(max_examples=35, stateful_step_count=20, derandomize=True, report_multiple_bugs=False)


def test_e2_whatever_happens_each_mentor_is_told_once_what_is_owed(request: pytest.FixtureRequest) -> None:
    profile = request.config.getoption("--hypothesis-profile", default=None)
    run_state_machine_as_test(Delivery, settings=chosen_settings(profile, HURRIED))
