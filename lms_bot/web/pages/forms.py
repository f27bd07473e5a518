"""Reads the forms that browsers send."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from lms_bot.web.problems import Problem

MOST_FIELDS = 40


async def _fields(request: Request) -> dict[str, str]:
    """Return the fields of a form by name, the last of those with one name. Raises Problem."""
    body = await request.body()
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise Problem(422, "This form cannot be read.") from error


Fields = Annotated[dict[str, str], Depends(_fields)]
