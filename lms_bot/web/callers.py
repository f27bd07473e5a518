"""Who asks: finds the token of a request, and what it may read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from lms_bot.core.principal import Principal
from lms_bot.core.web.tokens import Scope, Token, is_secret_of, prefix_of
from lms_bot.reports.web import tokens as of_tokens
from lms_bot.store.session import Transaction
from lms_bot.store.web import tokens
from lms_bot.web.context import Context, context_of
from lms_bot.web.problems import Problem, forbidden, too_many, unauthorized

BEARER = HTTPBearer(auto_error=False, scheme_name="token", description="A token of `lms-bot token create`.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]


@dataclass(frozen=True, slots=True)
class Caller:
    """A token that asks, and the principal that it is."""

    token: Token
    principal: Principal
    context: Context
    now: datetime

    @property
    def sees_names(self) -> bool:
        return Scope.NAMES in self.token.scopes


def caller_with(scope: Scope) -> Callable[..., Caller]:
    """Return what gives the caller of a request, who needs this scope."""

    def caller(request: Request, credentials: Credentials) -> Caller:
        return identify(request, credentials, scope)

    return caller


def identify(request: Request, credentials: HTTPAuthorizationCredentials | None, scope: Scope) -> Caller:
    """Return the caller of a request. Raises Problem, and StoreUnavailable."""
    context, now = context_of(request), datetime.now(UTC)
    if credentials is None:
        raise nobody(context)
    caller = recognize(context, credentials.credentials, now)
    if scope not in caller.token.scopes:
        raise _refused(context, "scope", forbidden(scope))
    take_turn(caller)
    context.diary.note(caller.token, path_of(request), _student_of(request), now)
    return caller


def nobody(context: Context) -> Problem:
    """Return the problem of a request without a token."""
    return _refused(context, "missing", unauthorized("Say who asks: Authorization: Bearer TOKEN."))


def recognize(context: Context, text: str, now: datetime) -> Caller:
    """Return who shows this token. Raises Problem for one that does not count, and StoreUnavailable."""
    with context.store.reading() as transaction:
        token = _valid_token(context, transaction, text, now)
        principal = _principal(transaction, token)
        context.look(transaction, now)
    return Caller(token, principal, context, now)


def take_turn(caller: Caller) -> None:
    """Count a request of a token. Raises Problem for one that asks too often."""
    if wait := caller.context.rate_limit.take(caller.token.token_id):
        raise _refused(caller.context, "rate", too_many("This token asks too often.", wait))


def path_of(request: Request) -> str:
    """Return the path of a request as it is written down: of what somebody put into it only numbers."""
    path = str(getattr(request.scope.get("route"), "path", "/..."))
    for name, value in request.path_params.items():
        if isinstance(value, int) or str(value).isdecimal():
            path = path.replace(f"{{{name}}}", str(value))
    return path


def _valid_token(context: Context, transaction: Transaction, text: str, now: datetime) -> Token:
    prefix = prefix_of(text)
    token = tokens.with_prefix(transaction, prefix) if prefix else None
    if not is_secret_of(text, token) or token is None:
        raise _refused(context, "unknown", unauthorized("There is no such token."))
    if not token.is_valid(now):
        reason = "revoked" if token.revoked_at else "expired"
        raise _refused(context, reason, unauthorized(f"The token is {reason}."))
    return token


def _principal(transaction: Transaction, token: Token) -> Principal:
    """Return the principal of a token. Raises Problem where its mentor is in the LMS no more."""
    if token.mentor_id is None:
        return Principal.service()
    mentor = of_tokens.mentor_of(transaction, token)
    if mentor is None:
        raise unauthorized("The mentor of this token is not in the LMS any more.")
    return Principal.service(mentor)


def _refused(context: Context, reason: str, problem: Problem) -> Problem:
    context.metrics.refused(reason)
    return problem


def _student_of(request: Request) -> int | None:
    """Return the student about whom is asked, where it is one."""
    asked: Any = request.path_params.get("student_id") or request.query_params.get("student") or ""
    return int(asked) if str(asked).isascii() and str(asked).isdigit() and len(str(asked)) < 19 else None
