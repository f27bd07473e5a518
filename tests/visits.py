"""People who visit the pages: the real application over a School, and the links that the bot gives them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import sqlalchemy as sa
from fastapi import FastAPI

from lms_bot.config.settings import Settings
from lms_bot.core.people import Student
from lms_bot.store.operations import admin_channel
from lms_bot.store.operations.admin_channel import AdminChannel
from lms_bot.store.tables import student_alerts
from lms_bot.web.application import application
from lms_bot.web.context import Context
from tests.questions import ADA, ADMIN_STREAM, MARY, School

WEB_URL = "http://127.0.0.1:8484"
LINK = re.compile(r"\]\((http\S+/enter/\S+)\)")


@dataclass
class Browser:
    """One browser with its cookies."""

    app: FastAPI
    origin: str
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    def get(self, path: str, *, follow: bool = False, **headers: str) -> httpx.Response:
        return self._ask("GET", path, headers, follow)

    def post(self, path: str, form: Mapping[str, str] | None = None, **headers: Any) -> httpx.Response:
        return self._ask("POST", path, {"Origin": self.origin, **headers}, False, form)

    def _ask(
        self, method: str, path: str, headers: dict[str, str], follow: bool, form: Mapping[str, str] | None = None
    ) -> httpx.Response:
        async def ask() -> httpx.Response:
            named = {"Accept": "text/html,*/*;q=0.8"} | {
                name.replace("_", "-"): value for name, value in headers.items()
            }
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url=self.origin, cookies=self.cookies, headers=named, follow_redirects=follow
            ) as client:
                answer = await client.request(method, path, data=form)
                self.cookies = client.cookies
                return answer

        return asyncio.run(ask())


@dataclass
class Pages:
    """The pages of a school, asked by browsers; each `browser` has cookies of its own."""

    school: School
    settings: Settings

    @classmethod
    def of(cls, school: School, web_url: str = WEB_URL) -> Pages:
        return cls(school, replace(school.settings, web_url=web_url))

    def browser(self) -> Browser:
        return Browser(application(Context(self.school.store, self.settings)), self.origin)

    @property
    def origin(self) -> str:
        return "{0.scheme}://{0.netloc}".format(urlsplit(self.settings.web_url or WEB_URL))

    def link(self, sender_id: int = MARY, **where: Any) -> str:
        """The link that the bot sends now, as a path."""
        self.school.now, self.school.settings = datetime.now(UTC), self.settings
        messages = self.school.answer(self.school.question("dashboard", sender_id, **where))
        found = LINK.search(messages[0].content)
        assert found is not None
        return found[1].removeprefix(self.origin)

    def signed_in(self, sender_id: int = MARY, **where: Any) -> Browser:
        client = self.browser()
        assert client.post(self.link(sender_id, **where)).status_code == 303
        return client

    def admin(self) -> Browser:
        self.pin(ADA)
        return self.signed_in(ADA, stream_id=ADMIN_STREAM)

    def pin(self, *members: int) -> None:
        """From now on these are in the admin channel."""
        with self.school.store.writing() as transaction:
            channel = AdminChannel(ADMIN_STREAM, "lms-admin", "lms-admin", members=members)
            admin_channel.keep(transaction, channel, datetime.now(UTC))


def open_alert(school: School, student: Student, name: str, mentor_id: int = 1) -> None:
    """An alert that the student has finished nothing for long, told to a mentor."""
    since = datetime.now(UTC) - timedelta(days=6)
    values = {
        "rule": "inactive",
        "mentor_id": mentor_id,
        "name": name,
        "student_id": student.student_id,
        "subject_id": 0,
        "level": 1,
        "numbers": {"last": since.isoformat()},
        "since": since,
        "opened_at": datetime.now(UTC),
        "told_at": datetime.now(UTC),
    }
    with school.store.writing() as transaction:
        transaction.execute(sa.insert(student_alerts).values(values))


def words(answer: httpx.Response) -> str:
    """The text of a page, in one line, without its markup."""
    text = re.sub(r"<(script|style|title)\b.*?</\1>", " ", answer.text, flags=re.DOTALL)
    shown = re.sub(r"<[^>]+>", " ", text)
    for entity, sign in (("&#39;", "'"), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&#34;", '"')):
        shown = shown.replace(entity, sign)
    return " ".join(shown.split())
