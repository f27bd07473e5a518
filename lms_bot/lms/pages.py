"""Finds the pages on which the LMS shows what events are about, and whom."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from lms_bot.config.settings import Settings
from lms_bot.core.events import Event
from lms_bot.lms import schemas

_FIELD = re.compile(r"\{(\w+)\}")
_STUDENT = "student"


def with_pages(found: Iterable[Event], settings: Settings) -> list[Event]:
    """Return events with the addresses of their pages and their students', as far as the settings and schema say.

    Raises ConfigError where there is no such schema.
    """
    base = settings.lms_url
    if base is None:
        return list(found)
    urls = schemas.named(settings.lms_schema).urls
    return [
        event._replace(
            url=_address(base, urls.get(event.source_table), event),
            student_url=_address(base, urls.get(_STUDENT), event),
        )
        for event in found
    ]


def _address(base: str, template: str | None, event: Event) -> str | None:
    """Return the template with its fields filled in, below the LMS's own address; None where one has no value."""
    if template is None:
        return None
    known = {**event.metadata, **event._asdict()}
    values = {name: known.get(name) for name in _FIELD.findall(template)}
    if any(value is None or value == "" for value in values.values()):
        return None
    return f"{base}/{_FIELD.sub(lambda field: quote(str(values[field[1]]), safe=''), template)}"
