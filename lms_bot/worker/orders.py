"""Does at once what admins asked the worker to do, and says in Zulip what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from lms_bot.errors import LmsBotError
from lms_bot.pipeline.deliverer import Delivered, Deliverer
from lms_bot.pipeline.poller import Polled
from lms_bot.render import counted, quote
from lms_bot.store.notifications import outbox
from lms_bot.store.operations import orders
from lms_bot.store.operations.orders import Order
from lms_bot.store.operations.pauses import Pause, Work
from lms_bot.store.operations.pauses import current as paused_now
from lms_bot.store.session import Store

TURN = 3.0  # seconds of an ordered delivery between two looks at the clock


class Steering:
    """What admins want of the worker just now: what is paused, and what is to be done at once."""

    def __init__(self, store: Store, deliverer: Deliverer) -> None:
        self._store = store
        self._deliverer = deliverer
        self._paused: dict[Work, Pause] = {}
        self._deliveries: list[Order] = []
        self._delivered: dict[int, Delivered] = {}

    def is_paused(self, work: Work) -> bool:
        """Whether it was paused when that was last looked at."""
        return work in self._paused

    @property
    def is_delivering(self) -> bool:
        """A delivery that was asked for is not done yet."""
        return bool(self._deliveries)

    def look(self, now: datetime) -> None:
        """Look what is paused. Raises StoreUnavailable."""
        with self._store.reading() as transaction:
            self._paused = paused_now(transaction, now)

    def turn(self, poll: Callable[[], Polled], now: datetime) -> None:
        """Look what is asked for and do it; a long delivery goes on in the next turn. Raises what `poll` raises."""
        self.look(now)
        with self._store.reading() as transaction:
            waiting = orders.waiting(transaction)
        self._deliveries = [order for order in waiting if order.work is Work.DELIVERY]
        if polls := [order for order in waiting if order.work is Work.POLLING]:
            self._poll(polls, poll, now)
        if self._deliveries:
            self._deliver(self._deliveries[0], now)

    def _poll(self, asked: Sequence[Order], poll: Callable[[], Polled], now: datetime) -> None:
        try:
            polled = poll()
        except LmsBotError as error:
            self._report(asked, f"❌ The poll failed: {quote(str(error))}", now)
            raise
        except Exception:
            self._report(asked, "❌ The poll failed; the log says why.", now)
            raise
        self._report(asked, _found(polled), now)

    def _deliver(self, order: Order, now: datetime) -> None:
        if order.order_id not in self._delivered:
            with self._store.writing() as transaction:
                outbox.wake(transaction, now, outbox.SENDING, outbox.UNKNOWN, outbox.REFUSED)
        total = self._delivered.get(order.order_id, Delivered()) + self._deliverer.turn(TURN, order.types or None)
        self._delivered[order.order_id] = total
        if total.is_done or self._deliverer.is_pausing:
            del self._delivered[order.order_id]
            self._deliveries.remove(order)
            self._report([order], _told(total), now)

    def _report(self, asked: Sequence[Order], text: str, now: datetime) -> None:
        """Forget what was asked for, and say once in each place what came of it."""
        with self._store.writing() as transaction:
            orders.done(transaction, asked)
            places = dict.fromkeys(order.recipient for order in asked)
            frozen = [outbox.freeze(transaction, place, text, now) for place in places]
        for message in frozen:
            self._deliverer.say(message)


def _found(polled: Polled) -> str:
    history = f" and {counted(polled.history_events, 'event')} of history" if polled.history_events else ""
    return f"✅ The poll found {counted(polled.new_events, 'new event')}{history}."


def _told(delivered: Delivered) -> str:
    told = f"{counted(delivered.sent, 'notification')} told, {delivered.postponed:,} put off"
    if delivered.is_done:
        return f"✅ Nothing is due any more: {told}."
    return f"⚠️ Zulip does not take messages just now: {told}. I try again by myself."
