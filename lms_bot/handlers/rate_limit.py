"""How much one sender is answered, so that nobody starves the others and two bots never talk for ever."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, auto

from lms_bot.chat import Incoming
from lms_bot.core.people import ZulipUser
from lms_bot.store.questions import askers
from lms_bot.store.session import Transaction

WINDOW = timedelta(minutes=1)
ALLOWED = 30  # questions of a person in a WINDOW
BOTS_WINDOW = timedelta(days=1)
SLOWER = f"Slower, please: I answer at most {ALLOWED} questions a minute. Ask again in a minute."


class Verdict(Enum):
    """What becomes of a question."""

    ANSWER = auto()
    SLOWER = auto()
    IGNORE = auto()


def verdict(transaction: Transaction, incoming: Incoming, asker: ZulipUser | None, now: datetime) -> Verdict:
    """Count a question, and say whether it is answered: by when it was asked, so that old ones found later are too."""
    if incoming.sender_id is None:
        return Verdict.ANSWER
    is_bot = asker is not None and asker.is_bot
    asked_at = incoming.sent_at or now
    number = askers.count_question(transaction, incoming.sender_id, asked_at, BOTS_WINDOW if is_bot else WINDOW)
    if number <= (1 if is_bot else ALLOWED):
        return Verdict.ANSWER
    return Verdict.SLOWER if number == ALLOWED + 1 and not is_bot else Verdict.IGNORE
