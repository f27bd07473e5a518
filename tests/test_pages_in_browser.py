"""The pages in a real Chromium over a real PostgreSQL: what people do there, with mouse, keyboard, phone, no script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from lms_bot.core.events import EventType
from lms_bot.store.session import open_store
from tests.browsers import PATIENCE, axe_source, chromium, violations
from tests.databases import make_store, on_server
from tests.delivery_scenario import happened, owe
from tests.questions import ADA, ADMIN_STREAM, JANE, JANET, MARY, RAVI, School
from tests.visits import Pages, open_alert
from tests.web_process import free_port, serving

pytestmark = pytest.mark.services

DAY = timedelta(days=1)
PLACES = ("/", "/feed", "/students/1001", "/settings", "/definitions")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    return axe_source(tmp_path_factory.mktemp("axe"))


@pytest.fixture(scope="module")
def pages(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """Mary's school behind a running `lms-bot serve`, with an alert about Janet."""
    port, now = free_port(), datetime.now(UTC)
    with on_server(postgresql_server, make_store) as url:
        store = open_store(url)
        school = School.open(store)
        school.now = now
        kinds = (EventType.EXAM_PASSED, EventType.EXAM_FAILED, EventType.CONTENT_WATCHED)
        found = [
            happened(one, f"Task {number}", kinds[number % 3], at=now - DAY / 3 * number, percentage=40 + number)
            for one in (JANE, RAVI)
            for number in range(12)
        ]
        owe(store, found, found_at=now)
        school.count_days()
        opened = Pages.of(school, f"http://127.0.0.1:{port}")
        opened.pin(ADA)
        with serving(url, tmp_path_factory.mktemp("web"), f"web_url = {opened.origin}", port):
            yield opened
        store.close()


@pytest.fixture
def visit(browser: Browser, pages: Pages) -> Iterator[Callable[..., Page]]:
    """Open a browser, of this width and so on, and sign in with a link from the bot."""
    contexts = []

    def opened(sender_id: int = MARY, where: int | None = None, **options: object) -> Page:
        context = browser.new_context(base_url=pages.origin, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(pages.link(sender_id, **({"stream_id": where} if where else {})))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{pages.origin}/**")
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE)


def test_a_link_lets_in_once(browser: Browser, pages: Pages) -> None:
    link = pages.link()
    for said in ("students need you", "This link is of no use"):
        context = browser.new_context(base_url=pages.origin)
        page = context.new_page()
        page.goto(link)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("main")).to_contain_text(said)
        context.close()


def test_the_feed_moves_when_a_row_is_committed(visit: Callable[..., Page], pages: Pages) -> None:
    every, failed = visit(), visit()
    every.goto("/feed")
    failed.goto("/feed?type=exam_failed")
    now = datetime.now(UTC)
    kinds = (EventType.EXAM_PASSED, EventType.EXAM_FAILED)
    owe(pages.school.store, [happened(JANE, f"Fresh {kind}", kind, at=now) for kind in kinds])
    for kind in kinds:
        expect(every.get_by_text(f"Fresh {kind}")).to_be_visible()
    expect(failed.get_by_text("Fresh exam_failed")).to_be_visible()
    expect(failed.get_by_text("Fresh exam_passed")).to_have_count(0)


def test_a_hidden_tab_asks_for_nothing_and_then_has_what_it_missed(visit: Callable[..., Page], pages: Pages) -> None:
    page = visit()
    page.goto("/feed")
    seen = "Object.defineProperty(document, 'hidden', {configurable: true, get: () => %s});"
    turn = seen + "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(turn % "true")
    owe(pages.school.store, [happened(JANE, "While hidden", at=datetime.now(UTC))])
    other = visit()
    other.goto("/feed")
    expect(other.get_by_text("While hidden")).to_be_visible()
    assert page.get_by_text("While hidden").count() == 0
    page.evaluate(turn % "false")
    expect(page.get_by_text("While hidden")).to_be_visible()


def test_filters_are_chosen_with_the_form(visit: Callable[..., Page]) -> None:
    page = visit()
    page.goto("/feed")
    page.get_by_label("Student").select_option("Ravi Patel")
    page.get_by_label("Type").select_option("Exam Failed")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**type=exam_failed**")
    listed = page.get_by_role("list", name="Events, newest first").get_by_role("listitem")
    assert listed.count() == 4
    assert all("Ravi Patel failed" in text for text in listed.all_inner_texts())


@pytest.mark.parametrize("java_script_enabled", [True, False])
def test_a_button_does_what_chat_then_says(visit: Callable[..., Page], pages: Pages, java_script_enabled: bool) -> None:
    name = f"BC{int(java_script_enabled)}"
    open_alert(pages.school, replace(JANET, student_id=(1002, 1003)[java_script_enabled]), name)
    page = visit(java_script_enabled=java_script_enabled)
    alert = page.locator(f"#{name}")
    alert.get_by_text("Done", exact=True).click()
    alert.get_by_label("What did you do?").fill("called them")
    alert.get_by_role("button", name="Close it").click()
    expect(page.get_by_role("status").first).to_contain_text("is done")
    assert "called them" in pages.school.ask(f"why {name}")


def test_without_script_every_page_is_there(visit: Callable[..., Page]) -> None:
    page = visit(java_script_enabled=False)
    for place in PLACES:
        answer = page.goto(place)
        assert answer is not None
        assert answer.ok
        expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_pages_fit_and_bar_nobody(visit: Callable[..., Page], pages: Pages, axe: str, width: int, scheme: str) -> None:
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    page, faults = visit(**options), list[str]()
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    for place in PLACES:
        page.goto(place)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
        assert violations(page, axe) == [], place
    admin = visit(ADA, ADMIN_STREAM, **options)
    admin.goto("/school")
    assert admin.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(admin, axe) == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 23, 26)"
    assert dark == (scheme == "dark")
    assert faults == []


def test_it_is_used_with_the_keyboard_alone(visit: Callable[..., Page]) -> None:
    page = visit()
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_text("To the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
