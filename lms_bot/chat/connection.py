"""Calls Zulip once for each call, notes how it answered, and follows no redirect."""

from __future__ import annotations

import configparser
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

import requests
import zulip
from urllib3.exceptions import NewConnectionError

from lms_bot.errors import ConfigError, OutcomeUnknown, Refused


class Connection(zulip.Client):
    """A client that never repeats a call; `ahead` is how far Zulip's clock is ahead of ours, as far as it says so."""

    status: int | None = None
    ahead: timedelta | None = None

    def ensure_session(self) -> None:
        """Make the session, which looks at every answer."""
        if not self.session:
            super().ensure_session()
            assert self.session is not None
            self.session.hooks["response"].append(self._look_at)

    def call(
        self, method: str, url: str, request: dict[str, Any], files: list[IO[bytes]] | None, timeout: float
    ) -> Any:
        """Return the answer to a call. Raises Refused, OutcomeUnknown, and ConfigError where Zulip is elsewhere."""
        self.status = None
        try:
            return self.call_endpoint(url, method, request=request, files=files, timeout=timeout)
        except Elsewhere as error:
            raise ConfigError(str(error)) from error
        except (requests.RequestException, zulip.ZulipError) as error:
            raise _transport_error(error) from error

    def _look_at(self, response: requests.Response, *_: Any, **__: Any) -> None:
        # zulip.Client gives only the body, and a JSON error says nothing of whether it came with 4xx or 5xx.
        self.status = response.status_code
        if response.is_redirect:
            raise Elsewhere(_moved(response.url, urljoin(response.url, response.headers["location"])))
        with suppress(KeyError, ValueError, TypeError):
            self.ahead = parsedate_to_datetime(response.headers["Date"]) - datetime.now(UTC)


class Elsewhere(requests.RequestException):
    """The site of the zuliprc leads to another one; following would make a GET of every POST, and send nothing."""


def connect(config_file: str | None) -> Connection:
    """Return a connection with the key of a zuliprc. Raises ConfigError, and Refused where Zulip is away."""
    try:
        return Connection(config_file=config_file, client="lms_bot", retry_on_errors=False)
    except Elsewhere as error:
        raise ConfigError(str(error)) from error
    except zulip.UnrecoverableNetworkError as error:
        raise Refused("Zulip cannot be reached", unreachable=True) from error
    except (requests.RequestException, AssertionError) as error:
        raise Refused("Zulip does not answer as Zulip does", unreachable=True) from error
    except configparser.InterpolationError as error:
        # Its message quotes the value, and the value may be the key.
        raise ConfigError("the zuliprc cannot be used: a value in it has a % sign") from error
    except (zulip.ZulipError, configparser.Error, OSError) as error:
        raise ConfigError(f"the zuliprc cannot be used: {_first_line(error)}") from error


def _moved(site: str, target: str) -> str:
    """Return what to do about a redirect. Without what follows the hosts, in which secrets may be."""
    before, after = urlsplit(site), urlsplit(target)
    old, new = f"{before.scheme}://{before.netloc}", f"{after.scheme}://{after.netloc}"
    if (before.scheme, after.scheme) == ("http", "https"):
        return f"{old} in the zuliprc only leads to {new}: use https there, site={new}"
    if old == new:
        return f"Zulip at {old} answers with a redirect: let the proxy before it hand on /api/ as it is"
    return f"{old} in the zuliprc only leads to {new}: write site={new} there"


def _transport_error(error: Exception) -> Refused | OutcomeUnknown:
    """Return Refused if no connection was made at all; otherwise nobody knows how far the call came."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, requests.ConnectTimeout | NewConnectionError) or isinstance(
            getattr(cause, "reason", None), NewConnectionError
        ):
            return Refused("Zulip cannot be reached", unreachable=True)
        cause = cause.__cause__ or cause.__context__
    return OutcomeUnknown(f"the connection to Zulip failed: {type(error).__name__}")


def _first_line(error: Exception) -> str:
    # The rest of a parser's message quotes the file, and the file holds the key.
    return (str(error).splitlines() or [type(error).__name__])[0]
