"""A table whose rows state events, and the words in which its declaration says which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lms_bot.core.events import EventType
from lms_bot.lms.source.tracked import Field, Tracked

RESULTS: Mapping[str, EventType] = {
    **dict.fromkeys(("pass", "passed"), EventType.EXAM_PASSED),
    **dict.fromkeys(("fail", "failed"), EventType.EXAM_FAILED),
}


def states(**words: str) -> dict[str, EventType | None]:
    """Return what words for a state mean, from the words by the type of the event that they state; `none` is no event.

    Raises ValueError for what is no type of event.
    """
    means = {kind: None if kind == "none" else EventType(kind) for kind in words}
    return {word: means[kind] for kind, text in words.items() for word in text.split()}


@dataclass(frozen=True, slots=True)
class Title:
    """A text of the catalogue: the one that `catalogue` has for an id of the row."""

    catalogue: str
    id: Field


@dataclass(frozen=True, slots=True)
class Mirror:
    """Rows whose `column` is `value` may state the same fact as another source's row, the one with the id in `key`.

    Where `key` holds none, the catalogue `exams` has the exam that this row's activity is, and a row about that exam
    and the same student at the same time states it.
    """

    key: str
    column: str
    value: str
    exams: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source(Tracked):
    """A table whose rows state events, whose name is `source_table` in the store.

    * `letter` stands before its events' numbers.
    * `states` are the LMS's words for a state, in lower case, and the event that each states, or None; where that is
      exam_completed, `results` say by the word in `result` whether it is a better known one. Where it is
      content_progress, `progress` holds the percentage that the student has come to.
    * `turn` numbers the facts that one row states one after the other, from 0.
    * `is_final` is true of a row that comes to no other outcome by itself, though its event is no final one.
    * `started` and `ended` have those moments: the first of them that holds one counts. What began
      before the moment in `enrolled` came with the student, as a copy, and is history.
    * `facts`, `titles`, `times` and `durations` (in seconds) become metadata, by its key; `title` names the catalogue
      with the activity's own, which else has the name of the column of activities.
    * A number in one of the `bands` counts as the highest of these steps that it has come to.
    """

    letter: str
    student: Field
    username: Field | None = None
    activity: Field
    title: str | None = None
    state: Field = "state"
    states: Mapping[str, EventType | None]
    result: Field | None = None
    results: Mapping[str, EventType] = field(default_factory=lambda: RESULTS)
    progress: Field | None = None
    turn: Field | None = None
    is_final: Field | None = None
    started: tuple[Field, ...] = ()
    ended: tuple[Field, ...] = ()
    enrolled: Field | None = None
    facts: Mapping[str, Field] = field(default_factory=dict)
    titles: Mapping[str, Title] = field(default_factory=dict)
    times: Mapping[str, Field] = field(default_factory=dict)
    durations: Mapping[str, Field] = field(default_factory=dict)
    bands: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    mirrors: Mirror | None = None

    @property
    def names(self) -> str:
        """Return the name of the catalogue with the names of activities."""
        return self.title or str(self.activity)

    @property
    def catalogues(self) -> set[str]:
        """Return the names of the catalogues with the texts of its events."""
        of_mirror = {self.mirrors.exams} if self.mirrors else set()
        return {self.names, *(title.catalogue for title in self.titles.values()), *of_mirror}

    @property
    def fields(self) -> Sequence[Field | None]:
        single = (self.student, self.username, self.activity, self.state, self.result, self.progress, self.turn)
        several = (*self.facts.values(), *self.times.values(), *self.durations.values())
        texts = (title.id for title in self.titles.values())
        return (*single, self.is_final, self.enrolled, *self.started, *self.ended, *several, *texts)
