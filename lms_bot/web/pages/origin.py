"""Where the pages are, and whether a form that was sent comes from one of them."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

from lms_bot.web.context import context_of


def base(request: Request) -> str:
    """Return the path below which the pages are; "" where they are at the root of their host."""
    web_url = context_of(request).settings.web_url
    return urlsplit(web_url).path.rstrip("/") if web_url else ""


def is_https(request: Request) -> bool:
    """Return whether people reach the pages over https."""
    return (context_of(request).settings.web_url or "").startswith("https://")


def is_own_form(request: Request) -> bool:
    """Return whether a form comes from one of our own pages, as browsers say."""
    web_url = context_of(request).settings.web_url
    known = {f"http://{request.headers.get('Host', '')}".lower()} if not is_https(request) else set()
    if web_url:
        known.add("{0.scheme}://{0.netloc}".format(urlsplit(web_url)).lower())
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    return request.headers.get("Origin", "").lower() in known and site == "same-origin"
