"""The errors that somebody can act on, one class for each somebody."""

from __future__ import annotations


class LmsBotError(Exception):
    """The message is one sentence for the person who can act on it."""


class ConfigError(LmsBotError):
    """A setting is missing or wrong: the operator must change it."""


class UserError(LmsBotError):
    """A command cannot be carried out as it was typed: shown to the asker word for word."""


class NotFound(UserError):
    """There is nothing of that number, or it is somebody else's: whoever asks cannot tell which."""

    def __init__(self, message: str = "You have nothing of that number.") -> None:
        super().__init__(message)


class LmsUnavailable(LmsBotError):
    """The LMS cannot be read now: nothing moved forward, and the next poll repairs it."""


class LmsMisfit(LmsUnavailable):
    """A table of the LMS is not as it is declared, so that it cannot be read; others can."""


class StoreUnavailable(LmsBotError):
    """The event store cannot be opened or is newer than this program."""


class SendError(LmsBotError):
    """Zulip did not accept a call."""


class Refused(SendError):
    """Zulip certainly did nothing.

    `retry_after` is in seconds, where Zulip named it; `permanent` says that the same call will be refused again;
    `unreachable` says that no connection was made at all.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        unreachable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.unreachable = unreachable
        self.retry_after = retry_after


class OutcomeUnknown(SendError):
    """Zulip may or may not have done it: look before doing it again."""
