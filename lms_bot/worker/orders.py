"""Carries out what admins ordered: a poll, a sync or a delivery at once; reports in Zulip what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from lms_bot.core.process import Work
from lms_bot.core.sync import SyncResult
from lms_bot.errors import LmsBotError, LmsMisfit
from lms_bot.pipeline.deliverer import Delivered, Deliverer
from lms_bot.pipeline.poller import Polled
from lms_bot.render import counted, quote
from lms_bot.render.sync import sync_report
from lms_bot.store.notifications import outbox
from lms_bot.store.operations import orders, pauses
from lms_bot.store.operations.orders import NOBODY, Order
from lms_bot.store.operations.pauses import Pause
from lms_bot.store.session import Store

TURN = 3.0  # seconds of an ordered delivery, before other jobs have their turn


class AdminOrders:
    """Pauses and orders that admins gave: what is to rest, and what is to be done at once."""

    def __init__(self, store: Store, deliverer: Deliverer, sync: Callable[[datetime], SyncResult]) -> None:
        self._store = store
        self._sync_with_lms = sync
        self._deliverer = deliverer
        self._paused: dict[Work, Pause] = {}
        self._deliveries: list[Order] = []
        self._delivered: dict[int, Delivered] = {}

    def is_paused(self, work: Work) -> bool:
        """Return whether it was paused when pauses were last read."""
        return work in self._paused

    @property
    def is_delivering(self) -> bool:
        """Return whether a delivery that was ordered is not done yet."""
        return bool(self._deliveries)

    def read_pauses(self, now: datetime) -> None:
        """Read from the store what is paused. Raises StoreUnavailable."""
        with self._store.reading() as transaction:
            self._paused = pauses.current(transaction, now)

    def carry_out(
        self, poll: Callable[[], Polled], wake: Callable[[], None], now: datetime, *, lms_is_away: bool = False
    ) -> None:
        """Carry out what was ordered; a long delivery goes on in the next turn. Raises what the two functions raise.

        `poll` is for orders of people; `wake`, for those of programs, polls unless that is paused just now. A sync that
        only programs ordered waits while polling is paused or the LMS is away.
        """
        self.read_pauses(now)
        with self._store.reading() as transaction:
            waiting = orders.pending(transaction)
        self._deliveries = [order for order in waiting if order.work is Work.DELIVERY]
        polls = [order for order in waiting if order.work is Work.POLLING]
        asked = [order for order in polls if order.recipient != NOBODY]
        if asked:
            self._poll(polls, poll, now)
        syncs = [order for order in waiting if order.work is Work.SYNC]
        waits = lms_is_away or self.is_paused(Work.POLLING)
        if any(order.recipient != NOBODY or not waits for order in syncs):
            self._sync(syncs, now)
        if self._deliveries:
            self._deliver(self._deliveries[0], now)
        if polls and not asked:
            with self._store.writing() as transaction:
                orders.remove(transaction, polls)
            wake()

    def _poll(self, ordered: Sequence[Order], poll: Callable[[], Polled], now: datetime) -> None:
        try:
            polled = poll()
        except LmsBotError as error:
            self._report(ordered, f"❌ The poll failed: {quote(str(error))}", now)
            raise
        except Exception:
            self._report(ordered, "❌ The poll failed; the log says why.", now)
            raise
        self._report(ordered, _poll_report(polled), now)

    def _sync(self, ordered: Sequence[Order], now: datetime) -> None:
        try:
            result = self._sync_with_lms(now)
        except LmsBotError as error:
            is_read = isinstance(error, LmsMisfit)  # all but what does not fit
            done = [order for order in ordered if is_read or order.recipient != NOBODY]
            self._report(done, f"❌ The sync failed: {quote(str(error))}", now)
            raise
        except Exception:
            self._report(ordered, "❌ The sync failed; the log says why.", now)
            raise
        self._report(ordered, sync_report(result), now)

    def _deliver(self, order: Order, now: datetime) -> None:
        if order.order_id not in self._delivered:
            with self._store.writing() as transaction:
                outbox.make_due(transaction, now, outbox.SENDING, outbox.UNKNOWN, outbox.REFUSED)
        before = self._delivered.get(order.order_id, Delivered())
        total = before + self._deliverer.deliver_turn(TURN, order.types or None)
        self._delivered[order.order_id] = total
        if total.is_done or self._deliverer.is_pausing:
            del self._delivered[order.order_id]
            self._deliveries.remove(order)
            self._report([order], _delivery_report(total), now)

    def _report(self, ordered: Sequence[Order], text: str, now: datetime) -> None:
        """Delete the orders, and send the report once to each place where they were given."""
        with self._store.writing() as transaction:
            orders.remove(transaction, ordered)
            places = dict.fromkeys(order.recipient for order in ordered if order.recipient != NOBODY)
            frozen = [outbox.freeze(transaction, outbox.Draft(place, text), now) for place in places]
        for message in frozen:
            self._deliverer.send_message(message)


def _poll_report(polled: Polled) -> str:
    history = f" and {counted(polled.history_events, 'event')} of history" if polled.history_events else ""
    return f"✅ The poll found {counted(polled.new_events, 'new event')}{history}."


def _delivery_report(delivered: Delivered) -> str:
    told = f"{counted(delivered.sent, 'notification')} told, {delivered.postponed:,} put off"
    if delivered.is_done:
        return f"✅ Nothing is due any more: {told}."
    return f"⚠️ Zulip does not take messages just now: {told}. I try again by myself."
