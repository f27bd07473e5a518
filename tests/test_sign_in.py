"""Who has a link from the bot gets in, once; and sees what they may see at that moment, no longer and no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bot.core.principal import Principal
from lms_bot.core.web.positions import Position
from lms_bot.core.web.tokens import hash_of
from lms_bot.pipeline.actions import sessions
from lms_bot.reports.web import activity
from lms_bot.reports.web.readers import key_of, readable
from lms_bot.reports.web.sessions import own_sessions as sessions_of
from lms_bot.store.people import accounts
from lms_bot.store.retention import cleanup, forget_student
from lms_bot.store.session import Store
from lms_bot.store.tables import sign_in_links, web_sessions
from tests import NOW
from tests.questions import ACCOUNTS, ADA, ADMIN_STREAM, EVE, JANE, MARY, OMAR, OTHER_STREAM, School
from tests.visits import Browser, Pages, words

JANES_ACCOUNT = 30


@pytest.fixture
def school(store: Store) -> School:
    opened = School.open(store)
    with store.writing() as transaction:
        jane = replace(ACCOUNTS[1], user_id=JANES_ACCOUNT, full_name="Jane Smith", email="jane@example.org")
        accounts.keep_zulip_users(transaction, (*ACCOUNTS, jane), NOW)
    return opened


@pytest.fixture
def pages(school: School) -> Pages:
    return Pages.of(school)


def count(store: Store, table: sa.Table) -> int:
    with store.reading() as transaction:
        return transaction.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def is_in(browser: Browser) -> bool:
    status = browser.get("/", follow=True).status_code
    assert status in (200, 401)
    return status == 200


def test_a_link_lets_a_mentor_in_once_and_looking_at_it_spends_nothing(pages: Pages) -> None:
    link, browser = pages.link(), pages.browser()
    for _ in range(3):
        shown = browser.get(link)
        assert (shown.status_code, "Sign in" in words(shown), shown.headers.get("Set-Cookie")) == (200, True, None)
    assert browser.post(link).headers["Location"] == "/"
    assert "Mary" in words(browser.get("/"))
    second = pages.browser()
    assert second.post(link).status_code == 404
    assert not is_in(second)


def test_spent_old_and_made_up_links_read_the_same(pages: Pages, school: School) -> None:
    spent = pages.link()
    pages.browser().post(spent)
    with school.store.writing() as transaction:
        long_ago = datetime.now(UTC) - timedelta(minutes=11)
        old = sessions.give_link(transaction, MARY, long_ago, as_admin=False)
    said = {pages.browser().post(link).text for link in (spent, f"/enter/{old}", f"/enter/{'a' * 43}", "/enter/x")}
    assert len(said) == 1
    looked_at = {pages.browser().get(link).text for link in (spent, pages.link(), "/enter/x")}
    assert len(looked_at) == 1


def test_secrets_are_kept_as_hashes_and_have_256_bits(pages: Pages, school: School) -> None:
    browser = pages.browser()
    link = pages.link()
    browser.post(link)
    secret, session = link.rpartition("/")[2], browser.cookies["session"]
    assert {len(secret), len(session)} == {43}
    assert secret != session
    with school.store.reading() as transaction:
        (row,) = transaction.execute(sa.select(sign_in_links)).all()
        (kept,) = transaction.execute(sa.select(web_sessions)).all()
    assert (row.secret_hash, kept.secret_hash) == (hash_of(secret), hash_of(session))
    assert row.expires_at - pages.school.now == timedelta(minutes=10)
    assert kept.expires_at - kept.created_at == timedelta(hours=12)


def test_the_cookie_is_for_the_server_alone(school: School) -> None:
    loopback, public = Pages.of(school), Pages.of(school, "https://bot.example.org")
    set_by = loopback.browser().post(loopback.link()).headers["Set-Cookie"]
    assert set_by.startswith("session=")
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"} <= set(set_by.split("; "))
    set_by = public.browser().post(public.link()).headers["Set-Cookie"]
    assert set_by.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= set(set_by.split("; "))


def test_a_session_that_the_browser_had_before_is_never_taken_over(pages: Pages, school: School) -> None:
    browser = pages.browser()
    browser.cookies.set("session", "f" * 43, domain="127.0.0.1")
    first = browser.post(pages.link()).cookies["session"]
    assert first != "f" * 43
    browser.post(pages.link())
    assert count(school.store, web_sessions) == 1
    other = pages.browser()
    other.cookies.set("session", first, domain="127.0.0.1")
    assert not is_in(other)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_forms_of_other_sites_change_nothing(pages: Pages, headers: dict[str, Any]) -> None:
    link = pages.link()
    assert pages.browser().post(link, **headers).status_code == 403
    browser = pages.signed_in()
    assert browser.post("/leave", **headers).status_code == 403
    assert is_in(browser)
    assert pages.browser().post(link).status_code == 303


def test_rights_are_those_of_the_moment(pages: Pages, school: School) -> None:
    browser = pages.signed_in()
    assert "Jane Smith" in words(browser.get("/"))
    school.link({(2, JANE.student_id)})
    assert "Jane Smith" not in words(browser.get("/"))
    with school.store.writing() as transaction:
        gone = [replace(one, is_active=one.user_id != MARY) for one in ACCOUNTS]
        accounts.keep_zulip_users(transaction, gone, NOW)
    assert not is_in(browser)


def test_an_admin_is_one_while_they_are_in_the_private_channel(pages: Pages) -> None:
    browser = pages.admin()
    assert is_in(browser)
    pages.pin(MARY)
    assert not is_in(browser)


def test_a_link_that_a_mentor_asks_for_gives_no_rights_of_an_admin(pages: Pages) -> None:
    pages.pin(MARY)
    assert pages.signed_in(MARY).get("/school").status_code == 404
    assert pages.signed_in(MARY, stream_id=ADMIN_STREAM).get("/school").status_code == 200


def test_a_student_gets_in_and_a_stranger_gets_no_link(pages: Pages, school: School) -> None:
    assert "Jane Smith" in words(pages.signed_in(JANES_ACCOUNT).get("/", follow=True))
    assert "/enter/" not in school.ask("dashboard", EVE)


def test_the_link_goes_to_the_asker_alone(pages: Pages, school: School) -> None:
    pages.link()
    where = {}
    for stream_id, asker in ((ADMIN_STREAM, ADA), (OTHER_STREAM, MARY)):
        for message in school.answer(school.question("dashboard", asker, stream_id=stream_id)):
            where[stream_id, "/enter/" in message.content] = message.recipient.user_ids
    assert where == {
        (ADMIN_STREAM, True): (ADA,),
        (ADMIN_STREAM, False): (),
        (OTHER_STREAM, True): (MARY,),
        (OTHER_STREAM, False): (),
    }


def test_without_web_url_there_is_a_clear_sentence(school: School) -> None:
    assert school.ask("dashboard") == "There are no pages here: your LMS administrators have not set `web_url`."


def test_sessions_are_listed_and_ended(pages: Pages, school: School) -> None:
    assert "nowhere" in school.ask("dashboard list")
    here, there, waiting = pages.signed_in(), pages.signed_in(), pages.link()
    others = pages.signed_in(OMAR)
    assert "**2 sessions**" in school.ask("dashboard list")
    assert "2 sessions ended" in school.ask("dashboard end")
    assert [is_in(one) for one in (here, there, others)] == [False, False, True]
    assert pages.browser().post(waiting).status_code == 404
    assert others.post("/leave").status_code == 200
    assert not is_in(others)


def test_what_is_over_is_removed_and_a_forgotten_student_is_out(pages: Pages, school: School) -> None:
    student, mentor = pages.signed_in(JANES_ACCOUNT), pages.signed_in()
    with school.store.writing() as transaction:
        forget_student.stop_recording(transaction, JANE, NOW)
    assert [is_in(student), is_in(mentor)] == [False, True]
    assert count(school.store, web_sessions) == 1
    cleanup.remove_outdated(school.store, datetime.now(UTC) + timedelta(hours=13))
    assert (count(school.store, web_sessions), count(school.store, sign_in_links)) == (0, 0)


def test_what_is_sent_as_it_happens_ends_with_the_session_and_with_the_rights(pages: Pages, school: School) -> None:
    browsers = [pages.signed_in(), pages.signed_in(OMAR)]
    (event,) = school.happens(JANE, 1)
    with school.store.reading() as transaction:
        _, found = activity.recorded(transaction, Position(event.event_id - 1), most=1)
        of_mary, of_omar = (sessions_of(transaction, whose, datetime.now(UTC))[0] for whose in (MARY, OMAR))

    def read() -> dict[int, int]:
        who = {key_of(one): (one, Principal()) for one in (of_mary, of_omar)}
        with school.store.reading() as transaction:
            seen = readable(transaction, who, found, datetime.now(UTC))
        return {number: len(events) for (_, number), events in seen.items()}

    assert read() == {of_mary.session_id: 1, of_omar.session_id: 0}
    browsers[1].post("/leave")
    assert read() == {of_mary.session_id: 1}
    school.link({(2, JANE.student_id)})
    assert read() == {of_mary.session_id: 0}


def test_every_answer_says_what_browsers_may_do_with_it(pages: Pages) -> None:
    for answer in (pages.browser().get("/"), pages.signed_in().get("/"), pages.browser().get("/static/style.css")):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
    public = Pages.of(pages.school, "https://bot.example.org")
    assert "max-age" in public.browser().get("/").headers["Strict-Transport-Security"]


def test_a_program_that_asks_without_a_session_gets_json(pages: Pages) -> None:
    answer = pages.browser().get("/", Accept="application/json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
