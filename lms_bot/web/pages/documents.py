"""Makes HTML: the templates, what every page has, and the files that stand beside them."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from lms_bot.core.principal import Role
from lms_bot.web.pages import charts, markdown, origin, times, words

if TYPE_CHECKING:
    from lms_bot.web.pages.visitors import Visitor

router = APIRouter(include_in_schema=False)

FOR_PROGRAMS = ("/api/", "/healthz", "/readyz", "/metrics", "/mcp")
_NEVER_KEPT = {"Cache-Control": "no-store"}
_KEPT_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}
_TYPES = MappingProxyType({".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"})


def page(request: Request, template: str, visitor: Visitor | None = None, status: int = 200, **values: Any) -> Response:
    """Return a page made from a template; of a visitor it says who they are, and how old the data is."""
    shared = {
        "base": origin.base(request),
        "here": request.url.path,
        "visitor": visitor,
        "Role": Role,
        "now": visitor.now if visitor else datetime.now(UTC),
        "zone": visitor.zone if visitor else UTC,
    }
    text = _environment().get_template(template).render({**shared, **values})
    return HTMLResponse(text, status, _NEVER_KEPT)


def fragment(request: Request, macro: str, visitor: Visitor, *values: Any) -> str:
    """Return the HTML of one macro of parts.html, on one line."""
    shared = {"base": origin.base(request), "now": visitor.now, "zone": visitor.zone}
    module = _environment().get_template("parts.html").make_module(shared)
    return " ".join(str(getattr(module, macro)(*values)).split())


def see_other(request: Request, path: str) -> Response:
    """Return where to go on after a form was sent."""
    return RedirectResponse(origin.base(request) + path, 303, _NEVER_KEPT)


def wants_page(request: Request) -> bool:
    """Return whether somebody with a browser asks for something of the pages."""
    return "text/html" in request.headers.get("Accept", "") and not request.url.path.startswith(FOR_PROGRAMS)


def error_page(request: Request, status: int, detail: str, headers: Mapping[str, str]) -> Response:
    """Return the page that says what went wrong."""
    answer = page(request, "error.html", status=status, detail=detail)
    answer.headers.update(headers)
    return answer


@router.get("/static/{name}")
def static(name: str) -> Response:
    """Return a file that pages use; its address changes when it does."""
    found = _files().get(name)
    if found is None:
        return Response(status_code=404)
    return Response(found, headers=_KEPT_FOR_GOOD, media_type=_TYPES["." + name.rpartition(".")[2]])


def static_url(name: str) -> str:
    """Return the address of a file below the base of the pages."""
    return f"/static/{name}?{hashlib.sha256(_files()[name]).hexdigest()[:12]}"


@cache
def _files() -> dict[str, bytes]:
    folder = files(__package__) / "static"
    return {file.name: file.read_bytes() for file in folder.iterdir() if mimetypes.guess_type(file.name)[0]}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "inline": markdown.inline,
        "time": times.time,
        "ago": times.ago,
        "day": times.day,
        "number": words.number,
        "counted": words.counted,
        "percent": words.percent,
    }
    environment.globals |= {"static": static_url, "charts": charts, "words": words, "meaning_of": words.meaning_of}
    return environment
