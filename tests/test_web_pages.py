"""Pages say what chat says, to whom chat says it; a button does what a command does."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest

import lms_bot
from lms_bot.core.events import EventType
from lms_bot.core.principal import Principal
from lms_bot.core.reports.school import parts_shown
from lms_bot.reports.academics import profiles
from lms_bot.reports.attention import attention
from lms_bot.store.people import accounts, people
from lms_bot.store.session import Store
from lms_bot.web.pages import words as meanings
from tests import NOW
from tests.delivery_scenario import happened, owe
from tests.questions import ACCOUNTS, ADA, GULNORA, JANE, JANET, LINKS, MARY, MENTORS, OMAR, RAVI, STUDENTS, School
from tests.visits import Browser, Pages, open_alert, words

DAY = timedelta(days=1)
FAILED, PASSED = EventType.EXAM_FAILED, EventType.EXAM_PASSED
WATCHED = EventType.CONTENT_WATCHED
HOSTILE = '<script>alert("x")</script> **b** [x](http://evil.example.com)'
JANES_ACCOUNT = 30
PAGES = Path(lms_bot.__file__).parent / "web" / "pages"


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def school(store: Store, now: datetime) -> School:
    """Ravi fails, Jane passes and watches, Janet did something long ago, Гульнора is Omar's."""
    opened = School.open(store)
    with store.writing() as transaction:
        jane = replace(ACCOUNTS[1], user_id=JANES_ACCOUNT, full_name="Jane Smith", email="jane@example.org")
        accounts.keep_zulip_users(transaction, (*ACCOUNTS, jane), NOW)
    owe(
        store,
        [
            happened(JANE, "Algebra", PASSED, at=now - 2 * DAY, percentage=70, course_title="Maths"),
            happened(JANE, "Geometry", PASSED, at=now - timedelta(hours=2), percentage=90, course_title="Maths"),
            happened(JANE, "Алгебра", WATCHED, at=now - 3 * DAY, course_title="Математика"),
            happened(RAVI, "Algebra", FAILED, at=now - timedelta(hours=1), percentage=30),
            happened(JANET, HOSTILE, PASSED, at=now - 30 * DAY, percentage=60),
            happened(GULNORA, "Physics", FAILED, at=now - DAY, percentage=10),
        ],
        found_at=now,
    )
    opened.now = now
    opened.count_days()
    return opened


@pytest.fixture
def pages(school: School) -> Pages:
    return Pages.of(school)


@pytest.fixture
def mary(pages: Pages) -> Browser:
    return pages.signed_in()


def items(browser: Browser, address: str) -> list[str]:
    """The events of a feed, as a reader sees each."""
    found = re.findall(r'<li class="event.*?</li>', browser.get(address).text, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", item)).split()) for item in found]


# the overview


def test_the_overview_has_the_mentors_students_in_the_order_of_chat(mary: Browser, school: School) -> None:
    shown = mary.get("/")
    with school.store.reading() as transaction:
        principal = Principal.of(people.mentors_of_account(transaction, MARY), [])
        expected = attention(transaction, principal, school.settings.timezone, school.now)
    needing = [one.student for one in expected.summaries if expected.needs(one)]
    assert [one.name for one in needing][:2] == ["Ravi Patel", "Janet O'Brien"]
    ids = re.findall(r'<h3><a class="student" href="/students/(\d+)"', shown.text)
    assert [int(one) for one in ids] == [one.student_id for one in needing]
    assert f"{len(needing)} of 3 students need you" in words(shown)
    for part in (part for one in needing for part in expected.scores[one.student_id].parts):
        assert part.sentence in words(shown)
    assert "Гульнора" not in shown.text


def test_what_changed_since_yesterday_is_there(mary: Browser) -> None:
    changes = words(mary.get("/")).partition("Since yesterday")[2]
    assert "Ravi Patel failed Algebra 30%" in changes
    assert "Jane Smith passed Geometry" in changes
    assert "passed Algebra" not in changes


def test_an_alert_that_is_taken_on_the_page_is_taken_in_chat(mary: Browser, school: School) -> None:
    open_alert(school, JANET, "BC1234")
    assert "has finished nothing since" in words(mary.get("/"))
    answer = mary.post("/alerts/BC1234/ack")
    assert answer.status_code == 303
    assert "BC1234 is yours" in words(mary.get(answer.headers["Location"]))
    assert "taken by you" in school.ask("open")
    assert "I take it" not in mary.get("/").text


def test_an_alert_is_put_off_and_closed_as_by_commands(mary: Browser, school: School) -> None:
    open_alert(school, JANET, "BC1234")
    assert mary.post("/alerts/BC1234/snooze", {"days": "3"}).status_code == 303
    assert "snoozed until" in school.ask("open")
    assert mary.post("/alerts/BC1234/done", {"note": " "}).status_code == 422
    assert mary.post("/alerts/BC1234/snooze", {"days": "9999"}).status_code == 422
    assert mary.post("/alerts/BC1234/done", {"note": "called her"}).status_code == 303
    assert "called her" in school.ask("why BC1234")
    assert mary.post("/alerts/BC1234/ack").status_code == 409


def test_an_alert_of_somebody_else_is_none(pages: Pages, mary: Browser, school: School) -> None:
    open_alert(school, GULNORA, "KX9", mentor_id=2)
    said = {mary.post(f"/alerts/{name}/ack").text for name in ("KX9", "KX8")}
    assert len(said) == 1
    assert pages.signed_in(OMAR).post("/alerts/KX9/ack").status_code == 303


# the feed


@pytest.mark.parametrize(
    ("choices", "titles"),
    [
        ("", ["Algebra", "Geometry", "Algebra", "Алгебра", HOSTILE]),
        ("type=exam_failed", ["Algebra"]),
        ("student=1001", ["Geometry", "Algebra", "Алгебра"]),
        ("course=MATH", ["Geometry", "Algebra"]),
        ("course=матем", ["Алгебра"]),
        ("search=алгебра", ["Алгебра"]),
        ("search=GEOM", ["Geometry"]),
        ("search=ravi", ["Algebra"]),
        ("search=%25", []),
        ("type=nonsense&student=x&from=31.12.&to=9999-99-99", ["Algebra", "Geometry", "Algebra", "Алгебра", HOSTILE]),
    ],
)
def test_filters_leave_what_is_asked_for(mary: Browser, choices: str, titles: list[str]) -> None:
    found = items(mary, f"/feed?{choices}")
    assert len(found) == len(titles)
    assert all(title in item for title, item in zip(titles, found, strict=True))


def test_days_are_the_readers(mary: Browser, now: datetime) -> None:
    day = (now - 2 * DAY).date()
    assert ["Algebra" in item for item in items(mary, f"/feed?from={day}&to={day}")] == [True]


def test_each_event_has_an_icon_a_word_and_the_course(mary: Browser) -> None:
    assert items(mary, "/feed?student=1001")[1].startswith("Exam Passed Jane Smith passed Algebra 70% · Maths")
    assert '<svg class="icon"' in mary.get("/feed").text


def test_older_events_follow_page_by_page(mary: Browser, school: School, now: datetime) -> None:
    owe(
        school.store,
        [happened(JANE, f"Task {number:03}", at=now - DAY * 2 - DAY / 99 * number) for number in range(99)],
    )
    seen, address = [], "/feed?search=task"
    while address:
        shown = mary.get(address)
        seen += re.findall(r"Task \d+", shown.text)
        older = re.search(r'href="([^"]+)">Older', shown.text)
        address = unescape(older[1]) if older else ""
    assert seen == [f"Task {number:03}" for number in range(99)]


def test_a_student_of_somebody_else_is_none(mary: Browser) -> None:
    for address in ("/feed?student={}", "/students/{}"):
        said = {mary.get(address.format(number)).text for number in (GULNORA.student_id, 9_999)}
        assert len(said) == 1
        assert mary.get(address.format(GULNORA.student_id)).status_code == 404


def test_what_is_foreign_means_nothing(mary: Browser) -> None:
    for address in ("/feed", f"/students/{JANET.student_id}"):
        shown = mary.get(address).text
        assert "<script>alert" not in shown
        assert "&lt;script&gt;alert" in shown
        assert 'href="http://evil' not in shown


# students


def test_the_page_of_a_student_has_the_numbers_of_the_profile(pages: Pages, mary: Browser, school: School) -> None:
    with school.store.reading() as transaction:
        principal = Principal.of(people.mentors_of_account(transaction, MARY), [])
        figures = profiles.profile(
            transaction, principal, JANE.student_id, school.settings, school.now
        ).academic_metrics
    for shown in (mary.get("/students/1001"), pages.signed_in(JANES_ACCOUNT).get("/me")):
        said = words(shown)
        assert f"Average {figures.average_score.value:g}% over {figures.average_score.n} exams" in said
        assert f"Streak {figures.current_streak.value} day" in said
        assert 'aria-label="2 exams over time, in percent"' in shown.text


def test_a_student_sees_themselves_and_who_else_does(pages: Pages, school: School) -> None:
    open_alert(school, JANE, "BC1234")
    jane = pages.signed_in(JANES_ACCOUNT)
    said = words(jane.get("/me"))
    assert "mary can see all of this page" in said
    assert "BC1234" not in said
    for address in ("/students/1001", "/students/1003", "/feed", "/settings", "/school", "/me?student=1003"):
        assert jane.get(address).status_code == 404
    assert jane.post("/alerts/BC1234/ack").status_code == 404


def test_what_was_told_is_there(mary: Browser) -> None:
    assert "Exam Passed: Geometry" in words(mary.get("/students/1001")).partition("What you were told")[2]


# settings


def test_settings_are_those_of_chat(mary: Browser, school: School) -> None:
    assert mary.post("/settings", {"content": "digest", "failed": "off"}).status_code == 303
    said = school.ask("settings")
    assert "**In a digest at 8:00:** content" in said
    assert "**Not told:** failed exams" in said
    assert mary.post("/settings/pause", {"days": "3"}).status_code == 303
    assert "**Paused** until" in school.ask("settings")
    assert mary.post("/settings/pause", {"days": "0"}).status_code == 303
    assert "**Paused** until" not in school.ask("settings")
    for form in ({"content": "sometimes"}, {}, {"other": "now"}):
        assert mary.post("/settings", form).status_code == 422


def test_signing_out_everywhere_ends_every_session(pages: Pages, mary: Browser) -> None:
    other = pages.signed_in()
    assert mary.post("/leave?everywhere=1").status_code == 200
    assert other.get("/").status_code == 401


# the school


def test_admins_see_numbers_of_many_and_no_names(pages: Pages) -> None:
    shown = pages.admin().get("/school")
    assert shown.status_code == 200
    for name in (one.name for one in STUDENTS):
        assert name not in unescape(shown.text)
    assert "under 5" in words(shown)
    assert "2 courses with fewer than 5 students are not shown" in words(shown)


def test_groups_of_five_are_shown(pages: Pages, school: School, now: datetime) -> None:
    many = [replace(JANE, student_id=2_000 + n, username=f"s{n}", email=None, display_name=None) for n in range(5)]
    with school.store.writing() as transaction:
        people.keep_people(transaction, [*STUDENTS, *many], MENTORS, LINKS, now)
    opened = [happened(one, "Logic", PASSED, at=now - DAY, course_title="Logic") for one in many]
    started = [happened(one, "More", EventType.EXAM_STARTED, at=now - DAY, course_title="Logic") for one in many]
    owe(school.store, [*opened, *(one._replace(activity_id=502) for one in started)], found_at=now)
    school.count_days()
    said = words(pages.admin().get("/school"))
    assert "Logic 50% 5" in said
    assert "This month 8 in 30 days" in said


def test_of_parts_no_hidden_one_can_be_reckoned() -> None:
    assert parts_shown([20, 3, 9, 0]) == [20, None, None, 0]
    assert parts_shown([20, 3, 2, 9]) == [20, None, None, 9]
    assert parts_shown([20, 0]) == [20, 0]


def test_mentors_see_no_school_and_admins_no_students(pages: Pages, mary: Browser) -> None:
    assert mary.get("/school").status_code == 404
    admin = pages.admin()
    assert admin.get("/").headers["Location"] == "/school"
    assert {admin.get(address).status_code for address in ("/feed", "/students/1001", "/settings")} == {404}


# all pages


def test_every_number_leads_to_what_it_means(pages: Pages, mary: Browser, school: School) -> None:
    open_alert(school, JANET, "BC1234")
    known = set(re.findall(r'<dt id="([\w-]+)"', mary.get("/definitions").text))
    assert known == set(meanings.MEANINGS)
    shown = [mary.get(one) for one in ("/", "/feed", "/students/1001", "/settings")] + [pages.admin().get("/school")]
    named = {key for page in shown for key in re.findall(r'/definitions#([\w-]+)"', page.text)}
    assert named <= known
    assert len(named) > 12


def test_pages_are_small_and_have_nothing_that_the_policy_forbids(pages: Pages, mary: Browser) -> None:
    style, script = (PAGES / "static" / name for name in ("style.css", "live.js"))
    assert script.stat().st_size < 40_000
    for shown in (mary.get("/"), mary.get("/feed"), mary.get("/students/1001"), pages.admin().get("/school")):
        assert len(shown.content) + style.stat().st_size + script.stat().st_size < 200_000
        assert not re.search(r'\sstyle="|\son\w+="|<script(?! src="/static/)|<style|(?:href|src)="https?:', shown.text)
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', mary.get("/").text):
        assert mary.get(address).status_code == 200
    assert mary.get("/static/../words.py").status_code == 404


def test_below_a_path_links_lead_there(school: School) -> None:
    pages = Pages.of(school, "https://bot.example.org/mentors")
    browser = pages.browser()
    answer = browser.post(pages.link().removeprefix("/mentors"))
    assert answer.headers["Location"] == "/mentors/"
    assert 'href="/mentors/feed"' in browser.get("/").text


def test_a_visitor_who_is_mentor_and_admin_has_both(pages: Pages) -> None:
    pages.pin(ADA, MARY)
    both = pages.signed_in(MARY, stream_id=3)
    assert [both.get(address).status_code for address in ("/", "/feed", "/school")] == [200, 200, 200]
