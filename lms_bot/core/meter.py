"""What is worth counting about the work; this meter counts nothing, and `metrics` has one that does."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from lms_bot.core.events import Event


class PollOutcome(StrEnum):
    OK = "ok"
    LMS_UNAVAILABLE = "lms_unavailable"
    FAILED = "failed"


class SendOutcome(StrEnum):
    """What became of one try: a refusal may be for good or for the moment; the unknown is looked up."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    PUT_OFF = "put_off"
    UNKNOWN = "unknown"


class Meter:
    """Takes what happens, with nothing in it that names anybody."""

    def serve(self) -> None:
        """Let the figures be read from now on, if they are not yet."""

    def holds_lease(self, held: bool) -> None:
        """Whether this process works for the store."""

    def polled(self, outcome: PollOutcome) -> None:
        """A poll has ended."""

    def recorded(self, inserted: Iterable[tuple[int, Event]]) -> None:
        """These events were recorded, each with its event id."""

    def sent(self, purpose: str, outcome: SendOutcome) -> None:
        """One try to send a message, a `delivery` or a `reply`, has ended."""

    def told(self, message_id: int) -> None:
        """The notifications of a message were told just now."""

    def answered(self, seconds: float) -> None:
        """A question was answered, so long after it was taken up."""
