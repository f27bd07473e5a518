"""Names of alerts: one for the same alert to all mentors of a student, given at random and never again."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import count

from lms_bot.core.alerts import NAME_LETTERS, Key, Opening, StudentAlert
from lms_bot.store.bulk import insert_into
from lms_bot.store.session import Transaction
from lms_bot.store.tables import alert_names

SHORTEST = 2  # letters: one stands before the numbers of events, and stood in names that were counted
NUMBERS = range(1_000, 10_000)


def names_for(transaction: Transaction, found: Sequence[Opening], around: Iterable[StudentAlert]) -> list[str]:
    """Return the name of each alert that is new to a mentor, where there are those `around` about the same students.

    It is the name of the alert that another mentor of the student has open, or had for the same cause; or else a new
    one. An alert about an exam is about a mentor's own students, and so has a name of its own.
    """
    about: dict[Key, list[StudentAlert]] = defaultdict(list)
    for alert in around:
        about[_shared(alert.key)].append(alert)
    known: dict[Key, str | None] = {}
    keys = [_shared(one.key) for one in found]
    for key, one in zip(keys, found, strict=True):
        known[key] = known.get(key) or _known_name(one, about[key])
    new = _new_names(transaction, sum(name is None for name in known.values()))
    names = {key: name or next(new) for key, name in known.items()}
    return [names[key] for key in keys]


def _shared(key: Key) -> Key:
    """Return what of a key is the same for all mentors of a student."""
    return key._replace(mentor_id=0) if key.student_id else key


def _known_name(one: Opening, others: Sequence[StudentAlert]) -> str | None:
    same = [alert for alert in others if alert.is_open] or [
        alert for alert in others if alert.was(one.key._replace(mentor_id=alert.mentor_id), one.verdict)
    ]
    return same[-1].name if same else None


def _new_names(transaction: Transaction, how_many: int) -> Iterator[str]:
    """Yield names that no alert has or had; each time that some were given before, the next are a letter longer."""
    insert = insert_into(transaction, alert_names).on_conflict_do_nothing().returning(alert_names.c.name)
    for letters in count(SHORTEST):
        if how_many <= 0:
            return
        drawn = {_random_name(letters) for _ in range(how_many)}
        free = transaction.scalars(insert, [{"name": name} for name in drawn]).all()
        how_many -= len(free)
        yield from free


def _random_name(letters: int) -> str:
    # Drawn at once: each draw asks the system, and a first look at a school names thousands.
    rest, number = divmod(secrets.randbelow(len(NAME_LETTERS) ** letters * len(NUMBERS)), len(NUMBERS))
    drawn = ""
    for _ in range(letters):
        rest, place = divmod(rest, len(NAME_LETTERS))
        drawn += NAME_LETTERS[place]
    return f"{drawn}{NUMBERS[number]}"
