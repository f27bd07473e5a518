"""The script of the LMS's pages, in a real browser: what is played counts, what is jumped over does not."""

from __future__ import annotations

import base64
import io
import json
import re
import wave
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from lms_bot.store import tables
from lms_bot.store.session import Store, open_store
from tests.bot_process import wait_for
from tests.databases import store_in_file
from tests.test_lesson_posts import LESSON, SETTINGS, add_lessons, signed
from tests.web_process import JANE, WebProcess, people_the_store, serving

pytestmark = pytest.mark.services

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--autoplay-policy=no-user-gesture-required"]
LENGTH = 80  # seconds
FAST = 8  # times
TEST_PAGE = Path(__file__).parent.parent / "docs" / "tracking-test.html"


def video() -> bytes:
    """A silent video, as far as a `<video>` needs one."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(1)
        written.setframerate(8_000)
        written.writeframes(bytes([128]) * 8_000 * LENGTH)
    return file.getvalue()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WebProcess, Store]]:
    folder = tmp_path_factory.mktemp("tracker")
    url = store_in_file(folder / "store.db")
    with ExitStack() as stack:
        store = open_store(url)
        stack.callback(store.close)
        people_the_store(store)
        add_lessons(store)
        yield stack.enter_context(serving(url, folder, SETTINGS)), store


@dataclass
class Lesson:
    """A page of the LMS with a video, on which the script reports to the real process."""

    page: Page
    context: BrowserContext
    store: Store
    sent: list[Request]

    def bodies(self, path: str = "progress") -> list[dict[str, Any]]:
        return [json.loads(one.post_data or "{}") for one in self.sent if path in one.url]

    def play_to(self, seconds: float) -> None:
        """Play on from where the video is, and pause."""
        self.page.evaluate(
            """async ([to, rate]) => {
                video.playbackRate = rate;
                await video.play();
                await new Promise((there) => video.addEventListener("timeupdate", function watch() {
                    if (video.currentTime < to && !video.ended) return;
                    video.removeEventListener("timeupdate", watch);
                    there();
                }));
                video.pause();
            }""",
            [seconds, FAST],
        )

    def seek(self, seconds: float) -> None:
        self.page.evaluate(
            "(to) => new Promise((there) => { video.onseeked = () => there(); video.currentTime = to; })", seconds
        )

    def stretches(self) -> list[list[float]]:
        with self.store.reading() as transaction:
            return list(transaction.scalar(sa.select(tables.page_reports.c.stretches)) or [])

    def seconds(self) -> float:
        return sum(end - begin for begin, end in self.stretches())

    def wait_for_seconds(self, at_least: float) -> None:
        wait_for(lambda: self._look() >= at_least, story=lambda: f"{self.stretches()}\n{self.bodies()}")

    def _look(self) -> float:
        """Let the browser go on, and return the seconds."""
        if not self.page.is_closed():
            self.page.wait_for_load_state()
        return self.seconds()


@pytest.fixture
def lesson(browser: Browser, process: tuple[WebProcess, Store]) -> Iterator[Lesson]:
    """A page that was just opened, with Jane's token, before anything was reported."""
    web, store = process
    with store.writing() as transaction:
        for table in (tables.logs, tables.events, tables.page_reports, tables.streaks, tables.student_days):
            transaction.execute(sa.delete(table))
    context = browser.new_context()
    html = TEST_PAGE.read_text("utf-8")
    context.route(re.compile(r"/lesson\.html"), lambda route: route.fulfill(body=html, content_type="text/html"))
    context.route("**/fresh-token", lambda route: route.fulfill(body=f"{signed(JANE)}\n", content_type="text/plain"))
    page = context.new_page()
    sent: list[Request] = []
    context.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    found = Lesson(page, context, store, sent)
    open_lesson(found, web.url, signed(JANE))
    yield found
    context.close()


def open_lesson(lesson: Lesson, url: str, token: str, more: str = "") -> None:
    lesson.page.goto(f"{url}/lesson.html?script=/tracker.js&lesson={LESSON}{more}#{token}")
    lesson.page.wait_for_function("window.lmsBot")
    lesson.page.evaluate(
        """(text) => new Promise((there) => {
            const media = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            video.onloadeddata = () => there();
            video.src = URL.createObjectURL(new Blob([media], { type: "audio/wav" }));
        })""",
        base64.b64encode(video()).decode(),
    )


def test_what_is_played_counts_and_what_is_jumped_over_does_not(lesson: Lesson) -> None:
    lesson.play_to(20)
    lesson.wait_for_seconds(19)
    lesson.seek(60)
    lesson.play_to(70)
    lesson.wait_for_seconds(28)
    first, second = lesson.stretches()
    assert first[0] < 1
    assert 20 <= first[1] < 30
    assert 59 < second[0] < 61
    assert 70 <= second[1] < 80
    lesson.seek(5)  # back, and over the same again
    lesson.play_to(12)
    lesson.seek(75)
    lesson.seek(1)
    assert lesson.stretches() == [first, second]
    assert {body["duration"] for body in lesson.bodies()} == {LENGTH}


def test_a_whole_video_is_watched_and_the_page_hears_of_it(lesson: Lesson) -> None:
    lesson.page.evaluate("video.addEventListener('lms_bot', (event) => { window.heard = event.detail; })")
    lesson.play_to(LENGTH)
    lesson.page.wait_for_function("window.heard && window.heard.completed")
    lesson.wait_for_seconds(0.95 * LENGTH)
    with lesson.store.reading() as transaction:
        kinds = sorted(transaction.scalars(sa.select(tables.events.c.event_type)))
    assert kinds == ["content_progress", "content_progress", "content_watched"]


def test_a_page_that_is_closed_or_left_while_it_plays_reports_before(lesson: Lesson) -> None:
    lesson.page.evaluate("video.playbackRate = 4, video.play()")
    lesson.page.wait_for_function("video.currentTime > 10")
    lesson.page.close(run_before_unload=True)
    lesson.wait_for_seconds(9)


def test_a_page_that_is_hidden_reports(lesson: Lesson) -> None:
    lesson.page.evaluate("video.playbackRate = 4, video.play()")
    lesson.page.wait_for_function("video.currentTime > 10")
    lesson.page.evaluate(
        """() => {
            Object.defineProperty(document, "hidden", { value: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    lesson.wait_for_seconds(9)


def test_a_page_that_is_opened_makes_the_student_present_once(lesson: Lesson) -> None:
    def days() -> list[Any]:
        lesson.page.wait_for_load_state()
        with lesson.store.reading() as transaction:
            return list(transaction.execute(sa.select(tables.student_days)))

    wait_for(lambda: len(days()) == 1)
    lesson.page.mouse.move(10, 10)
    lesson.page.clock.install()
    lesson.page.reload()
    lesson.page.wait_for_function("window.lmsBot")
    before = len(lesson.bodies("activity"))
    for minutes, more in ((4, 0), (2, 1), (6, 1)):  # used, then left alone
        if minutes < 6:
            lesson.page.mouse.move(20 + minutes, 20)
        lesson.page.clock.run_for(minutes * 60_000)
        assert len(lesson.bodies("activity")) == before + more
    assert len(days()) == 1


def test_a_token_that_has_expired_is_fetched_anew_and_the_report_is_not_lost(
    lesson: Lesson, process: tuple[WebProcess, Store]
) -> None:
    open_lesson(lesson, process[0].url, signed(JANE, exp=1), "&token-url=/fresh-token&again=1")
    lesson.play_to(20)
    lesson.wait_for_seconds(19)


def test_what_did_not_arrive_is_sent_with_the_next_report(lesson: Lesson) -> None:
    lesson.context.set_offline(True)
    lesson.play_to(10)
    lesson.page.wait_for_function("video.paused")
    lesson.context.set_offline(False)
    assert lesson.seconds() == 0
    lesson.play_to(20)
    lesson.wait_for_seconds(19)


def test_a_button_of_the_page_completes_the_lesson(lesson: Lesson) -> None:
    answer = lesson.page.evaluate("(lesson) => lmsBot.complete(lesson)", LESSON)
    assert (answer["success"], answer["lesson_id"]) == (True, LESSON)
