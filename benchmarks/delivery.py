"""5,000 notifications for 500 mentors that are due together, through the real client to a fake Zulip."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from lms_bot.chat import Chat, RateLimiter
from lms_bot.chat.rate_limit import Purpose
from lms_bot.config.settings import load
from lms_bot.core.events import EventType
from lms_bot.core.notifications import Recipient
from lms_bot.core.people import Mentor, Student
from lms_bot.pipeline.deliverer import Deliverer
from lms_bot.store.people import accounts, people
from lms_bot.store.session import open_store
from tests.delivery_scenario import happened, owe
from tests.fake_zulip import FakeZulip

MENTORS, EACH = 500, 10
NOW = datetime.now(UTC)


class TimedChat(Chat):
    """A real Chat that notes when its calls began and ended."""

    def __init__(self, config_file: Path, rate_limiter: RateLimiter) -> None:
        super().__init__(config_file, rate_limiter)
        self.calls: list[tuple[float, float]] = []

    def wait_for_turn(self, most_seconds: float) -> bool:
        with self._noted():
            return super().wait_for_turn(most_seconds)

    def send(self, recipient: Recipient, content: str, *, purpose: Purpose = Purpose.REPLY) -> int:
        with self._noted():
            return super().send(recipient, content, purpose=purpose)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.calls.append((began, time.perf_counter()))


def measure(messages_per_minute: int) -> None:
    """Print how near to the pace the messages went out, and what one of them cost beside the call."""
    settings = load(None, {"LMS_DATABASE_URL": "sqlite:///nothing_is_polled_here.db"})
    with FakeZulip(rate_limit=None) as zulip, tempfile.TemporaryDirectory(prefix="lms_bot_bench_") as folder:
        store = open_store(f"sqlite:///{folder}/store.db")
        students = [Student(1000 + number, f"student_{number}") for number in range(MENTORS)]
        mentors = [Mentor(number + 1, f"mentor_{number}", f"m{number}@school.example") for number in range(MENTORS)]
        for mentor in mentors:
            zulip.add_user(mentor.username, mentor.email or "")
        links = {(mentor.mentor_id, 999 + mentor.mentor_id) for mentor in mentors}
        chat = TimedChat(zulip.write_zuliprc(Path(folder) / "zuliprc"), RateLimiter(messages_per_minute))
        with store.writing() as transaction:
            people.keep_people(transaction, students, mentors, links, NOW)
        with store.writing() as transaction:
            accounts.keep_zulip_users(transaction, chat.users(), NOW)
        kinds = list(EventType)
        owe(store, [happened(s, f"Task {i}", kinds[i % 7], at=NOW) for s in students for i in range(EACH)], at=NOW)
        deliverer = Deliverer(store, chat, settings)
        began = time.perf_counter()
        sent = 0
        while not (turn := deliverer.deliver_turn(3.0)).is_done:
            sent += turn.sent
        sent += turn.sent
        took = time.perf_counter() - began
        store.close()
    assert sent == MENTORS * EACH, sent
    ours = [after[0] - before[1] for before, after in zip(chat.calls, chat.calls[1:], strict=False)]
    per_message = [a + b for a, b in zip(ours[::2], ours[1::2], strict=False)]
    print(
        f"{sent:,} notifications in {MENTORS} messages: {took:.1f} s, {MENTORS / took * 60:,.0f} a minute of "
        f"{messages_per_minute:,} ({MENTORS / took * 60 / messages_per_minute:.0%} of the pace); "
        f"rendering and store {statistics.median(per_message) * 1000:.1f} ms a message (median)"
    )


if __name__ == "__main__":
    measure(int(sys.argv[1]))
