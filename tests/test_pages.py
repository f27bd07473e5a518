"""Messages and lists link what they tell of to its page in the LMS, where settings and schema say where that is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lms_bot.config.settings import Settings, load
from lms_bot.core.events import Event, EventType
from lms_bot.core.principal import Principal
from lms_bot.core.reports.feed import Filter, Page
from lms_bot.errors import ConfigError
from lms_bot.lms.pages import with_pages
from lms_bot.lms.schemas import classic
from lms_bot.lms.source import Schema
from lms_bot.render.alerts import alert_text
from lms_bot.render.events import event_line, event_text
from lms_bot.render.feed import feed_text
from lms_bot.render.students import card_text
from lms_bot.reports import feed, notifications, student
from tests import NOW
from tests.delivery_scenario import JANE, MARY, SETTINGS, DeliveryScenario, happened

PREFIX = ""
LMS = "https://lms.example.org/school"
EXAM = f"[**Algebra**]({LMS}/exams/501?row=7)"


def declare(prefix: str) -> Schema:
    """The classic LMS, with pages; settings name this module for it."""
    urls = {"student": "people/{student_id}", "attempts": "exams/{activity_id}?row={source_id}"}
    return replace(classic.declare(prefix), urls=urls)


def settings(schema: str = f"module:{__name__}", url: str = LMS) -> Settings:
    given = {"LMS_DATABASE_URL": "sqlite:///nothing_is_polled_here.db", "LMS_QUIET_MINUTES": "0"}
    return load(None, {**given, "LMS_SCHEMA": schema, "LMS_URL": url})


def algebra(**metadata: Any) -> Event:
    return happened(JANE, "Algebra", source_id=7, **metadata)


def in_moodle(source_table: str, **metadata: Any) -> str | None:
    (event,) = with_pages([algebra()._replace(source_table=source_table, metadata=metadata)], settings("moodle"))
    return event.url


@pytest.fixture
def linked(delivery: DeliveryScenario) -> DeliveryScenario:
    delivery.settings = settings()
    delivery.restart()
    delivery.owe(algebra(percentage=80))
    return delivery


def test_each_page_of_moodle_is_found_below_the_address_of_the_site() -> None:
    assert in_moodle("quiz_attempts") == f"{LMS}/mod/quiz/review.php?attempt=7"
    assert in_moodle("course_modules_viewed", content_type="page") == f"{LMS}/mod/page/view.php?id=501"
    assert in_moodle("course_completions") == f"{LMS}/course/view.php?id=501"
    assert in_moodle("assign_submission", module_id=31) == f"{LMS}/mod/assign/view.php?id=31&action=grader&userid=11"


@pytest.mark.parametrize("missing", [{}, {"content_type": None}, {"content_type": ""}])
def test_an_address_with_a_value_missing_is_none(missing: dict[str, Any]) -> None:
    assert in_moodle("course_modules_viewed", **missing) is None


def test_a_source_without_a_page_has_no_address() -> None:
    assert in_moodle("badge_issued") is None


def test_a_value_cannot_change_the_way_to_a_page() -> None:
    assert in_moodle("course_modules_viewed", content_type="../a?b=c&d#e f{id}") == (
        f"{LMS}/mod/..%2Fa%3Fb%3Dc%26d%23e%20f%7Bid%7D/view.php?id=501"
    )


def test_no_metadata_passes_for_a_field_of_the_event() -> None:
    assert in_moodle("quiz_attempts", source_id=8) == f"{LMS}/mod/quiz/review.php?attempt=7"


def test_without_an_address_of_the_lms_there_is_no_link() -> None:
    assert with_pages([algebra()], settings(url="none")) == [algebra()._replace(source_id=7)]


def test_a_declaration_that_is_not_there_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(ConfigError):
        with_pages([algebra()], settings("module:tests.no_such_school"))


def test_a_message_links_exam_and_student(linked: DeliveryScenario) -> None:
    linked.turn()
    (text,) = linked.told(MARY)
    assert f"\n[**jane**]({LMS}/people/11) has passed: {EXAM}\n" in text


def test_a_message_has_no_link_without_an_address(delivery: DeliveryScenario) -> None:
    delivery.owe(algebra(percentage=80))
    delivery.turn()
    assert "\n**jane** has passed: **Algebra**\n" in delivery.told(MARY)[0]
    assert delivery.settings is SETTINGS


def test_lists_link_the_exam_alone(linked: DeliveryScenario) -> None:
    mary, chosen = Principal.of([MARY], []), linked.settings
    with linked.store.reading() as transaction:
        page = Page(9)
        shown = [
            *feed.feed(transaction, mary, Filter(), page, chosen),
            *feed.history(transaction, mary, JANE.student_id, Filter(), page, chosen),
            *(one.event for one in notifications.pending(transaction, mary, 9, chosen, NOW)[1]),
            *(one.event for one in notifications.traces(transaction, mary, (None, 1), chosen, NOW)),
        ]
        full = student.card(transaction, mary, JANE.student_id, chosen, NOW)
        scores = student.scores(transaction, mary, JANE.student_id, None, 9, chosen)
    assert {event_line(event).split(" · ")[0] for event in shown} == {f"🎉 **jane** passed {EXAM}"}
    assert EXAM in feed_text(shown[:1], 9, "Feed", 1_000).text
    assert [event.url for event in scores] == [f"{LMS}/exams/501?row=7"]
    assert EXAM in card_text(full.card, NOW, 1_000, streaks=full.streaks)


def test_an_alert_links_the_student_and_one_about_nobody_alone_links_nobody() -> None:
    since = NOW.isoformat()
    numbers = {"rule": "stuck", "level": 1, "name": "KT7", "since": since, "started": since}
    alert = algebra(**numbers)._replace(event_type=EventType.STUDENT_ALERT, source_table="student_alerts")
    (told,) = with_pages([alert], settings())
    assert f"[**jane**]({LMS}/people/11) opened **Algebra** at" in alert_text(told)
    (about_nobody,) = with_pages([alert._replace(student_id=None)], settings())
    assert about_nobody.student_url is None


def test_the_username_after_a_linked_name_is_no_part_of_the_link() -> None:
    (told,) = with_pages([algebra()._replace(student_name="Jane Smith")], settings())
    assert event_text(told).split("\n")[2].startswith(f"[**Jane Smith**]({LMS}/people/11) (jane) has passed: ")
