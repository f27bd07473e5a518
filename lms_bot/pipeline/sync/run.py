"""Reads people and what they study from the LMS at once, and says what came of it."""

from __future__ import annotations

import time
from collections import defaultdict
from datetime import datetime

from lms_bot.config.settings import Settings
from lms_bot.core.sync import Changes, Conflict, Synced, SyncResult
from lms_bot.lms import Lms
from lms_bot.pipeline.people import PeopleReader
from lms_bot.pipeline.sync import academics
from lms_bot.pipeline.sync.details import Show
from lms_bot.store.academics import conflicts, drift
from lms_bot.store.session import Store


class Sync:
    """Brings one store in sync with one LMS when somebody asks for it."""

    def __init__(self, store: Store, lms: Lms, settings: Settings) -> None:
        self._store = store
        self._lms = lms
        self._people = PeopleReader(store, lms, settings)

    def run(self, now: datetime, show: Show | None = None) -> SyncResult:
        """Read people and small tables whole, and what is new of details; `show` is called while that takes long.

        Students, mentors and links are read together, in the seconds that each of them says. Where so many people are
        gone that it is not believed yet, nothing of them changes. What was deleted from details is left to the
        comparison, which the worker begins after this. Raises LmsUnavailable or StoreUnavailable.
        """
        began = time.monotonic()
        kept = self._people.refresh(now, at_once=True)
        people_read = time.monotonic()
        of_studies = academics.read_all(self._store, self._lms, now, show)
        ended = time.monotonic()
        with self._store.writing() as transaction:
            drift.make_due(transaction, now)
            standing = conflicts.standing(transaction)
        found: dict[str, list[Conflict]] = defaultdict(list)
        for conflict in standing:
            found[conflicts.KINDS.get(conflict.source_table, "academics")].append(conflict)
        seconds = people_read - began
        students, mentors, links = (kept.students, kept.mentors, kept.links) if kept else (Changes(),) * 3
        return SyncResult(
            Synced(students, tuple(found["students"]), seconds),
            Synced(mentors, tuple(found["mentors"]), seconds),
            Synced(links, tuple(found["links"]), seconds),
            Synced(of_studies, tuple(found["academics"]), ended - people_read),
        )
