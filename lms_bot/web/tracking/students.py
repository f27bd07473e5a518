"""Finds the student whose page asks: the LMS has signed a token for them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import jwt
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from lms_bot.core.principal import Principal
from lms_bot.errors import NotFound
from lms_bot.pipeline.actions.lessons import Reporting
from lms_bot.reports import access
from lms_bot.store.session import Transaction
from lms_bot.web.context import Context, context_of
from lms_bot.web.problems import Problem, too_many, unauthorized
from lms_bot.web.shapes import MOST_ID

AUDIENCE = "lms_bot"
LONGEST = timedelta(days=1)
LEEWAY = timedelta(minutes=1)  # by which the LMS's clock may be another
LONGEST_TOKEN = 4_096  # characters
_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="student",
    bearerFormat="JWT",
    description="A token that the LMS signs with `signal_secret`: HS256; `sub` is a student's id, `aud` lms_bot, and "
    "`exp` at most a day ahead.",
)
_NOT_SIGNED = "The token is not signed by the LMS."
_UNKNOWN = "The LMS has no such student now."
_WRONG: tuple[tuple[type[Exception], str, str], ...] = (
    (jwt.ExpiredSignatureError, "expired", "The token is expired."),
    (jwt.InvalidSignatureError, "unknown", _NOT_SIGNED),
    (jwt.InvalidAlgorithmError, "unknown", "The token must be signed with HS256."),
    (jwt.InvalidAudienceError, "unknown", "The token is for somebody else: its aud must be lms_bot."),
    (jwt.MissingRequiredClaimError, "unknown", "The token lacks sub, exp or aud."),
    (jwt.ImmatureSignatureError, "unknown", "The token does not count yet."),
)


@dataclass(frozen=True, slots=True)
class StudentCaller:
    """A student whose page asks."""

    student_id: int
    principal: Principal
    context: Context
    now: datetime

    def reporting(self, transaction: Transaction) -> Reporting:
        """Return what the page reports with, in a transaction that writes."""
        return Reporting(transaction, self.student_id, self.context.settings, self.now)


def identify(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
) -> StudentCaller:
    """Return the student whose page asks. Raises Problem, and StoreUnavailable."""
    context, now = context_of(request), datetime.now(UTC)
    if credentials is None:
        raise _refused(context, "missing", "Say who asks: Authorization: Bearer TOKEN, signed by the LMS.")
    student_id = _student_of(context, credentials.credentials, now)
    with context.store.reading() as transaction:
        try:
            student = access.student(transaction, Principal.service(), student_id)
        except NotFound:
            raise _refused(context, "unknown", _UNKNOWN) from None
        context.look(transaction, now)
    if not student.is_active:
        raise _refused(context, "unknown", _UNKNOWN)
    if wait := context.students_rate_limit.take(student_id):
        context.metrics.refused("rate")
        raise too_many("This student's pages ask too often.", wait)
    return StudentCaller(student_id, Principal.of([], [student]), context, now)


Student = Annotated[StudentCaller, Depends(identify)]


def _student_of(context: Context, token: str, now: datetime) -> int:
    """Return the id of the student for whom the LMS has signed a token. Raises Problem."""
    secret = context.settings.signal_secret
    if secret is None:
        raise _refused(context, "unknown", "Nobody can sign tokens: the setting signal_secret is not set.")
    try:
        claims = _claims(token, base64.b64decode(secret.removeprefix("whsec_")))
    except jwt.PyJWTError as error:
        wrong = ((reason, detail) for kind, reason, detail in _WRONG if isinstance(error, kind))
        raise _refused(context, *next(wrong, ("unknown", "The token is none that the LMS makes."))) from None
    if int(claims["exp"]) - now.timestamp() > (LONGEST + LEEWAY).total_seconds():
        raise _refused(context, "unknown", "The token counts for too long: its exp must be at most a day ahead.")
    subject = claims["sub"]
    text = str(subject) if type(subject) in (int, str) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST_ID)) and 1 <= int(text) <= MOST_ID):
        raise _refused(context, "unknown", "The token names no student: its sub must be an id of the LMS.")
    return int(text)


def _claims(token: str, key: bytes) -> dict[str, Any]:
    """Return what a token says. Raises jwt.PyJWTError."""
    if len(token) > LONGEST_TOKEN:
        raise jwt.DecodeError
    try:
        return jwt.decode(
            token,
            key,
            algorithms=["HS256"],
            audience=AUDIENCE,
            leeway=LEEWAY,
            options={"require": ["exp", "sub", "aud"], "verify_sub": False, "verify_jti": False},
        )
    except (ValueError, TypeError, OverflowError) as error:  # of claims that are no JSON, or not of their kind
        raise jwt.DecodeError from error


def _refused(context: Context, reason: str, detail: str) -> Problem:
    context.metrics.refused(reason)
    return unauthorized(detail)
