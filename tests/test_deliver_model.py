"""Whatever happens in whatever order, the set told becomes the set owed: each once, to the right mentor."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lms_bot.core.events import OBSERVED, Event, EventType
from lms_bot.core.people import Mentor, Student
from lms_bot.store.notifications import outbox
from lms_bot.store.session import open_store
from tests.databases import store_in_file
from tests.delivery_scenario import (
    GULNORA,
    JANE,
    MARY,
    MENTORS,
    OMAR,
    STUDENTS,
    DeliveryScenario,
    Killed,
    notifications,
    several,
    unsettled,
)
from tests.fake_zulip import FAULTS, FakeZulip

NO_LONGER = "no longer"
OTHER_CALLS = ("GET /api/v1/messages", "GET /api/v1/users", "GET /api/v1/users/me")
PUPIL = st.sampled_from([JANE, GULNORA])
FAULT = st.sampled_from(FAULTS)


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

    # What may happen

    @rule(student=PUPIL, count=st.integers(1, 5), kind=st.sampled_from(OBSERVED))
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

    # What must hold

    @invariant()
    def nobody_was_told_twice(self) -> None:
        texts = [message.content for message in self.zulip.sent_by_bot()]
        for _, event in self.owed:
            assert sum((event.activity_title or "") in text for text in texts) <= 1, event

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
        self.delivery.turn()
        self.look_who_was_told()

    def look_who_was_told(self) -> None:
        """Every message since the last look went to the mentor whom its students have now."""
        sent = self.zulip.sent_by_bot()
        for message in sent[self.seen :]:
            for student, event in self.owed:
                if (event.activity_title or "") in message.content:
                    mentor = self.mentor_of[student.student_id]
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
        self.delivery.read_accounts()
        # A day for what waits for an account, an hour and a quarter for what waits for Zulip.
        for seconds in [2] * 10 + [30] * 20 + [600] * 170:
            if not any(row.due_at for row in notifications(self.store)):
                break
            self.delivery.clock.forward(seconds)
            self.wait_for_turn()

    def everything_owed_was_told(self) -> None:
        rows = notifications(self.store)
        assert [row for row in rows if row.due_at is not None] == []
        content = {message.id: message for message in self.zulip.sent_by_bot()}
        parked: set[int] = set()
        for row in rows:
            if row.is_sent:
                message = content[row.zulip_message_id or 0]
                assert row.title in message.content
                assert message.to == (self.delivery.accounts[row.mentor_id],)
            elif NO_LONGER not in (row.error or ""):
                parked.add(row.event_id)
        assert bool(parked) <= bool(self.refusals)
        for _, event in self.owed:
            times = sum((event.activity_title or "") in message.content for message in content.values())
            assert times == (0 if event.event_id in parked else 1), event


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(
    max_examples=50,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # each step is a real send: to shrink a failure takes minutes
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
