"""Delivers: due notifications become messages; each is settled, or sent again when that is certainly right."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from lms_bot import render
from lms_bot.chat import Chat
from lms_bot.chat.rate_limit import Purpose
from lms_bot.config.settings import Settings
from lms_bot.core.events import MANY_EVENTS, EventType
from lms_bot.core.notifications import Message, Notification, Recipient
from lms_bot.errors import OutcomeUnknown, Refused, SendError
from lms_bot.lms.pages import with_pages
from lms_bot.pipeline import alert_notifications, replies
from lms_bot.pipeline.recheck import hand_over_former_students, keep_accounts, take_for_message, without_folded_starts
from lms_bot.store.events import attempts
from lms_bot.store.notifications import outbox, queue
from lms_bot.store.operations import incidents
from lms_bot.store.people import display_names, people
from lms_bot.store.session import Store, Transaction

log = logging.getLogger(__name__)

NOT_FOUND_COUNTS_AFTER = timedelta(seconds=60)
FIRST_RETRY = timedelta(seconds=2)
LONGEST_RETRY = timedelta(hours=1)
ACCOUNT_RETRY = timedelta(days=1)
LONGEST_PAUSE = timedelta(seconds=60)  # between two tries to reach Zulip at all
MENTORS_AT_A_TIME = 100
REPLY_PATIENCE = 1.0  # seconds that sending a reply again waits for its turn

PARKED = "parked"
A_MESSAGE_IS_PARKED = "📦 Zulip refuses a message for good, so I put it aside. `errors` shows why, `retry` tries again."


@dataclass(frozen=True, slots=True)
class Delivered:
    """Notifications sent and postponed in a turn of delivery; `is_done`: nothing is due any more."""

    sent: int = 0
    postponed: int = 0
    is_done: bool = False

    def __add__(self, other: Delivered) -> Delivered:
        return Delivered(self.sent + other.sent, self.postponed + other.postponed, other.is_done)


class Deliverer:
    """Delivers for one store through one Chat; it remembers only when to leave Zulip alone."""

    def __init__(
        self,
        store: Store,
        chat: Chat,
        settings: Settings,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._chat = chat
        self._settings = settings
        self._clock = clock
        self._pause_until = datetime.min.replace(tzinfo=UTC)
        self._failures = 0

    def deliver_turn(
        self, seconds: float = 3.0, only: Collection[EventType] | None = None, begins: bool = True
    ) -> Delivered:
        """Settle what is under way and, if it `begins` messages, send for about `seconds`, `only` these kinds.

        Raises StoreUnavailable.
        """
        end = time.monotonic() + seconds
        total = Delivered()
        if self.is_pausing:
            return total
        for message, state in self._unsettled():
            total += self._settle(message, state)
            if time.monotonic() >= end or self.is_pausing:
                return total
        if not begins:
            return total
        while mentors := self._due_mentors(only):
            if postponed := self._postpone_unmapped():
                total += Delivered(postponed=postponed)
                continue
            if not self._is_zulip_there():
                return total
            for mentor_id in mentors:
                if not self._chat.wait_for_turn(max(0.0, end - time.monotonic())):
                    return total
                total += self._deliver_to(mentor_id, only)
                if time.monotonic() >= end or self.is_pausing:
                    return total
        return replace(total, is_done=True)

    def send_message(self, message: Message) -> None:
        """Send a message that tells no notification; it is settled like any other."""
        self._send(message, 0)

    @property
    def is_pausing(self) -> bool:
        """Return whether Zulip is being left alone for a while."""
        return self._clock() < self._pause_until or self._chat.is_blocked

    def _unsettled(self) -> list[tuple[Message, str]]:
        with self._store.reading() as transaction:
            return outbox.unsettled(transaction, self._clock(), MENTORS_AT_A_TIME)

    def _due_mentors(self, only: Collection[EventType] | None) -> list[int]:
        with self._store.reading() as transaction:
            return queue.due_mentors(transaction, self._clock(), MENTORS_AT_A_TIME, only)

    def _postpone_unmapped(self) -> int:
        """Postpone what is due to mentors without an account; return how many notifications that are."""
        now = self._clock()
        with self._store.writing() as transaction:
            return queue.postpone_unmapped(transaction, now, now + ACCOUNT_RETRY)

    def _is_zulip_there(self) -> bool:
        """Ask Zulip who we are, unless it is known; the highest message id of then is below all that we send."""
        try:
            self._chat.bot()
        except SendError as error:
            self._pause()
            log.warning("Zulip does not say who we are: %s", error)
            return False
        return True

    def _deliver_to(self, mentor_id: int, only: Collection[EventType] | None) -> Delivered:
        """Freeze one mentor's due notifications into a message, and send it."""
        now = self._clock()
        with self._store.writing() as transaction:
            mentors = people.person(transaction, mentor_id)
            person = [mentor.mentor_id for mentor in mentors] or [mentor_id]
            due = [one for own_id in person for one in queue.due(transaction, own_id, now, only)]
            due = hand_over_former_students(transaction, person, due, now)
            if not mentors:
                queue.finish(transaction, [n.log_id for n in due], queue.NOT_THEIR_STUDENT, now)
            if not due or not mentors or (account := mentors[0].zulip_user_id) is None:
                return Delivered()
            last = outbox.last_sent_at(transaction, person[0])
            if not (due := take_for_message(transaction, person[0], due, last, self._settings, now)):
                return Delivered()
            if len(due) > MANY_EVENTS:
                number = f"{len(due):,} notifications"
                text = f"📚 {number} were waiting for mentor #{mentor_id}; they are told in one summary."
                incidents.notice(transaction, f"many for {mentor_id}", text, now)
            draft = outbox.Draft(
                Recipient(user_ids=(account,)),
                self._text(transaction, person, due, is_first=last is None),
                mentor_id=person[0],
                log_ids=[n.log_id for n in due],
                attempts=max(n.attempts for n in due),
                above=self._chat.bot().max_message_id,
            )
            message = outbox.freeze(transaction, draft, now)
        return self._send(message, len(due))

    def _text(
        self, transaction: Transaction, person: Sequence[int], due: Sequence[Notification], *, is_first: bool
    ) -> str:
        old = timedelta(hours=self._settings.stale_after_hours)
        stale = {n.event.event_id for n in due if n.found_at - n.event.timestamp > old}
        events = [n.event for n in without_folded_starts(due)]
        told = with_pages(display_names.named(transaction, events, person), self._settings)
        settled = attempts.settled_failures(transaction, told)
        is_first = is_first and all(outbox.last_sent_at(transaction, other_id) is None for other_id in person[1:])
        introduction = render.INTRODUCTION if is_first else None
        return render.notification_text(told, stale=stale, settled=settled, introduction=introduction)

    def _send(self, message: Message, notifications: int) -> Delivered:
        """Try once to send a message; no transaction is open meanwhile."""
        try:
            if (linked := replies.with_link(self._store, self._chat, message, self._clock)) is None:
                return Delivered()
            message = linked
            zulip_message_id = self._chat.send(message.recipient, message.content, purpose=Purpose.DELIVER)
        except Refused as error:
            return self._refused(message, error, notifications)
        except OutcomeUnknown as error:
            wait = _growing(message.attempts, LONGEST_RETRY) if message.attachment else FIRST_RETRY
            self._put_off(message, outbox.UNKNOWN, error, self._clock() + wait)
            return Delivered(postponed=notifications)
        return self._accepted(message, zulip_message_id, notifications)

    def _accepted(self, message: Message, zulip_message_id: int, notifications: int) -> Delivered:
        now = self._clock()
        # A machine that forgets this when it loses its power looks the message up, as after any unknown outcome.
        with self._store.writing(durable=False) as transaction:
            outbox.settle_sent(transaction, message, zulip_message_id, now)
            alert_notifications.note_told(transaction, message.message_id, self._settings, now)
        self._chat.meter.delivered(message.message_id)
        self._reached()
        log.info("message %d sent as %d: %d notifications", message.message_id, zulip_message_id, notifications)
        return Delivered(sent=notifications)

    def _refused(self, message: Message, error: Refused, notifications: int) -> Delivered:
        if error.permanent:
            return self._refused_for_good(message, error, notifications)
        if error.retry_after is not None:
            wait = timedelta(seconds=error.retry_after)
        else:
            # While nobody can be reached the pause rules; what waits must not sleep on when that is over.
            wait = _growing(message.attempts, LONGEST_PAUSE if error.unreachable else LONGEST_RETRY)
            self._pause()
        self._put_off(message, outbox.REFUSED, error, self._clock() + wait)
        return Delivered(postponed=notifications)

    def _refused_for_good(self, message: Message, error: Refused, notifications: int) -> Delivered:
        """Handle a 400: without an account the notifications wait for one, otherwise the message is parked."""
        try:
            if replies.drop_unwelcome(self._store, self._chat, message):
                return Delivered()
            users = self._chat.users()
        except SendError as failure:
            self._put_off(message, outbox.REFUSED, failure, self._clock() + _growing(message.attempts, LONGEST_RETRY))
            return Delivered(postponed=notifications)
        now = self._clock()
        active = {user.user_id for user in users if user.is_active}
        with self._store.writing() as transaction:
            keep_accounts(transaction, users, self._settings, now)
            if active.issuperset(message.recipient.user_ids) or message.mentor_id is None:
                outbox.settle_parked(transaction, message, str(error), now)
                incidents.begin(transaction, PARKED, A_MESSAGE_IS_PARKED, now)
                log.error("message %d is parked: %s", message.message_id, error)
                return Delivered()
            outbox.discard(transaction, message)
        return Delivered(postponed=notifications)

    def _put_off(self, message: Message, state: str, error: SendError, next_try_at: datetime) -> None:
        with self._store.writing() as transaction:
            outbox.postpone(transaction, message, state, str(error), next_try_at)
        log.warning("message %d is %s: %s", message.message_id, state, error)

    def _pause(self) -> None:
        """Leave Zulip alone for a while, longer each time: it does not work as a whole."""
        self._pause_until = self._clock() + _growing(self._failures, LONGEST_PAUSE)
        self._failures += 1

    def _reached(self) -> None:
        """Wake what waited only for Zulip, which works again."""
        if self._failures:
            self._failures = 0
            with self._store.writing() as transaction:
                outbox.make_due(transaction, self._clock(), outbox.REFUSED)

    def _settle(self, message: Message, state: str) -> Delivered:
        """Find out whether Zulip has a message, before anything is sent again."""
        if state == outbox.REFUSED or message.attachment:  # before its file is linked, nothing was sent
            return self._send_anew(message)
        try:
            found = self._chat.find(message.recipient, message.content, message.anchor_id)
        except SendError as error:
            return self._not_looked_up(message, error)
        self._reached()
        with self._store.reading() as transaction:
            ours = [found_id for found_id in found if found_id not in outbox.settled_ids(transaction, found)]
            notifications = outbox.count_notifications(transaction, message)
        if ours:
            return self._accepted(message, ours[0], notifications)
        since = self._clock() - message.tried_at
        counts_after = max(NOT_FOUND_COUNTS_AFTER, _growing(message.attempts, LONGEST_RETRY))
        if since >= counts_after:
            return self._send_anew(message)
        still = counts_after if since >= NOT_FOUND_COUNTS_AFTER else NOT_FOUND_COUNTS_AFTER
        return self._look_again(message, min(max(since, FIRST_RETRY), still - since))

    def _not_looked_up(self, message: Message, error: SendError) -> Delivered:
        """Ask again, later each time, whether Zulip has a message: it did not say."""
        log.warning("message %d cannot be looked up: %s", message.message_id, error)
        if not isinstance(error, Refused) or error.unreachable:
            self._pause()
        return self._look_again(message, min(max(self._clock() - message.tried_at, FIRST_RETRY), LONGEST_RETRY))

    def _look_again(self, message: Message, wait: timedelta) -> Delivered:
        with self._store.writing() as transaction:
            outbox.postpone_lookup(transaction, message, self._clock() + wait)
        return Delivered()

    def _send_anew(self, message: Message) -> Delivered:
        """Release what a message that Zulip certainly does not have was to tell; send a reply again if that may be."""
        if message.mentor_id is not None:
            with self._store.writing() as transaction:
                outbox.discard(transaction, message)
            return Delivered()
        if not self._chat.wait_for_turn(REPLY_PATIENCE):
            return self._look_again(message, FIRST_RETRY)
        again = replies.prepare_again(self._store, self._chat, message, self._clock)
        return Delivered() if again is None else self._send(again, 0)


def _growing(failures: int, longest: timedelta) -> timedelta:
    """Return 2 s, 4 s, 8 s, ... up to `longest`, each up to a quarter longer, so that not all come back together."""
    return min(FIRST_RETRY * 2.0 ** min(failures, 20), longest) * random.uniform(1.0, 1.25)  # noqa: S311 - no secret
