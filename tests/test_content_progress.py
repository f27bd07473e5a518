"""The classic LMS: videos watched and certificates given are told once each, where an installation has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lms_bot.errors import LmsUnavailable
from lms_bot.lms import WATCHED_AGE
from tests.databases import store_in_file
from tests.lms_rows import DAY, JANE, MARY, NOW, RAVI, LmsRows, PollingWatch, metadata

VIDEOS, CERTIFICATES = "user_videos", "certifications"
CREATE = {
    VIDEOS: "CREATE TABLE user_videos (id integer PRIMARY KEY, video_id integer, user_id integer,"
    " created timestamptz, watched_percentage integer)",
    CERTIFICATES: "CREATE TABLE certifications (id integer PRIMARY KEY, user_id integer, course_id integer,"
    " issued_at timestamptz)",
}
on_postgresql = pytest.mark.parametrize("lms_url", ["postgresql"], indirect=True)


@pytest.fixture
def bare_url(lms_url: str) -> str:
    """An LMS as of 1.0.0, without both tables."""
    for table in CREATE:
        LmsRows(lms_url).run(f"DROP TABLE {table}")
    return lms_url


@pytest.fixture
def watch(bare_url: str, tmp_path: Path) -> Iterator[PollingWatch]:
    """An LMS with both tables, in which nothing happened yet, and a store that has seen it."""
    for statement in CREATE.values():
        LmsRows(bare_url).run(statement)
    with watching(bare_url, tmp_path) as watch:
        watch.poll()
        yield watch


@contextmanager
def watching(url: str, folder: Path) -> Iterator[PollingWatch]:
    watch = PollingWatch(url, store_in_file(folder / "store.db"))
    yield watch
    watch.close()


def play(watch: PollingWatch, row_id: int, percent: object, **values: Any) -> None:
    """Begin a video, by default Jane and the first one, or go on with it."""
    rows = LmsRows(watch.rows.url)
    is_there = rows.value(f"SELECT count(*) FROM user_videos WHERE id = {row_id}")
    with rows.transaction() as transaction:
        if is_there:
            transaction.update(VIDEOS, row_id, {"watched_percentage": percent, **values})
        else:
            new = {"id": row_id, "user_id": JANE, "video_id": 701, "created": watch.now, "watched_percentage": percent}
            transaction.insert(VIDEOS, {**new, **values})
        transaction.commit()


def certify(watch: PollingWatch, row_id: int, issued_at: object) -> None:
    with watch.rows.transaction() as transaction:
        transaction.insert(CERTIFICATES, {"id": row_id, "user_id": JANE, "course_id": 1, "issued_at": issued_at})
        transaction.commit()


def issue(watch: PollingWatch, row_id: int, issued_at: object) -> None:
    with watch.rows.transaction() as transaction:
        transaction.update(CERTIFICATES, row_id, {"issued_at": issued_at})
        transaction.commit()


def steps(watch: PollingWatch, row_id: int = 1) -> list[tuple[int, int]]:
    """Student and step of each event of a video."""
    return [(event.student_id, metadata(event)["progress"]) for event in watch.events(row_id, VIDEOS)]


# Videos


def test_half_of_a_video_and_nearly_all_of_it_are_told_once_each(watch: PollingWatch) -> None:
    for percent in (0, 10, 49, 50, 51, 89, 90, 100):
        play(watch, 1, percent)
        watch.polls(2)
    assert steps(watch) == [(JANE, 50), (JANE, 90)]
    half, nearly_all = watch.events(1, VIDEOS)
    assert (half.event_type, half.episode, nearly_all.episode) == ("content_progress", 0, 1)
    assert (half.activity_title, metadata(half)["content_type"]) == ("Variables and Types", "video")
    assert (metadata(half)["course_title"], metadata(half)["chapter_name"]) == ("Python Foundations", "First Steps")
    assert [one.is_current for one in (half, nearly_all)] == [False, True]


def test_a_video_first_seen_near_its_end_is_told_that_once(watch: PollingWatch) -> None:
    play(watch, 1, 95)
    watch.polls(2)
    play(watch, 1, 50)
    watch.polls(2)
    assert steps(watch) == [(JANE, 90)]
    assert [one.is_current for one in watch.events(1, VIDEOS)] == [True]


def test_a_video_watched_back_and_forward_tells_nothing_anew(watch: PollingWatch) -> None:
    for percent in (60, 20, 60, 95, 60, 5, 95, None, 70):
        play(watch, 1, percent)
        watch.poll()
    assert steps(watch) == [(JANE, 50), (JANE, 90)]
    assert [one.is_current for one in watch.events(1, VIDEOS)] == [False, True]


def test_a_row_given_to_another_student_begins_anew(watch: PollingWatch) -> None:
    for student, percent in ((JANE, 95), (RAVI, 60), (RAVI, 92), (JANE, 55)):
        play(watch, 1, percent, user_id=student)
        watch.poll()
    assert steps(watch) == [(JANE, 90), (RAVI, 50), (RAVI, 90), (JANE, 50)]
    episodes = [one.episode for one in watch.events(1, VIDEOS)]
    assert episodes == sorted(set(episodes))
    assert [one.is_withdrawn for one in watch.events(1, VIDEOS)] == [True, True, True, False]


@pytest.mark.parametrize(("percent", "told"), [(None, []), (-20, []), (1000, [(JANE, 90)])])
def test_a_percentage_that_cannot_be_stops_nobody(watch: PollingWatch, percent: object, told: list[Any]) -> None:
    play(watch, 1, percent)
    play(watch, 2, 55, video_id=702)
    watch.polls(2)
    assert (steps(watch), steps(watch, 2)) == (told, [(JANE, 50)])


# Certificates


def test_a_certificate_is_told_once_it_is_issued(watch: PollingWatch) -> None:
    certify(watch, 1, None)
    watch.polls(2)
    assert watch.events(1, CERTIFICATES) == []
    issued_at = watch.now
    issue(watch, 1, issued_at)
    watch.polls(2)
    certificate = watch.event(1, CERTIFICATES)
    assert (certificate.event_type, certificate.timestamp) == ("certification_issued", issued_at)
    assert (certificate.activity_id, certificate.activity_title) == (1, "Python Foundations")
    assert watch.owed_for(1, CERTIFICATES) == [("certification_issued", MARY)]


def test_a_certificate_that_is_deleted_remains_a_fact(watch: PollingWatch) -> None:
    certify(watch, 1, watch.now)
    watch.poll()
    watch.rows.delete(CERTIFICATES, 1)
    watch.polls(2)
    assert watch.kinds(1, CERTIFICATES) == ["certification_issued"]
    certify(watch, 2, watch.now)
    watch.polls(2)
    assert watch.kinds(2, CERTIFICATES) == ["certification_issued"]


def test_a_certificate_that_is_taken_back_and_given_again_is_told_again(watch: PollingWatch) -> None:
    first = watch.now
    certify(watch, 1, first)
    watch.poll()
    for issued_at, current in ((None, 0), (first, 1), (None, 0), (watch.now, 1)):
        issue(watch, 1, issued_at)
        watch.polls(2)
        assert len(watch.current(1, CERTIFICATES)) == current
    assert [(one.timestamp, one.episode) for one in watch.events(1, CERTIFICATES)] == [(first, 0), (issued_at, 1)]


# Installations without these tables


def test_an_installation_without_both_is_read_without_them(bare_url: str, tmp_path: Path) -> None:
    with watching(bare_url, tmp_path) as watch:
        watch.poll()
        watch.rows.insert_attempt(1)
        watch.poll()
        assert watch.kinds(1) == ["exam_started"]
        assert [one.name for one in watch.lms.watched(watch.now)] == ["attempts", "content_attempts"]


def test_what_an_installation_gets_later_is_taken_in_with_its_history(bare_url: str, tmp_path: Path) -> None:
    with watching(bare_url, tmp_path) as watch:
        watch.poll()
        for statement in CREATE.values():
            watch.rows.run(statement)
        play(watch, 1, 95)
        certify(watch, 1, watch.now)
        watch.poll()
        watch.poll(watch.now + WATCHED_AGE)
        assert [(one.source_table, one.is_history) for one in watch.events()] == [(VIDEOS, True), (CERTIFICATES, True)]
        assert watch.owed() == []
        play(watch, 2, 55)
        certify(watch, 2, watch.now)
        watch.poll()
        assert [one.is_history for one in watch.events()] == [True, True, False, False]
        assert watch.owed_for(2, CERTIFICATES) == [("certification_issued", MARY)]


@on_postgresql
def test_a_login_without_the_right_to_read_them_does_without(bare_url: str, tmp_path: Path) -> None:
    with watching(bare_url, tmp_path) as watch:
        name = f"reader_{watch.rows.engine.url.database}"
        rights = (
            f"CREATE ROLE {name} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}",
            *CREATE.values(),
            f"GRANT SELECT (id, user_id, course_id) ON certifications TO {name}",
        )
        for statement in rights:
            watch.rows.run(statement)
        play(watch, 1, 95)
        certify(watch, 1, watch.now)
        watch.restart(LMS_DATABASE_URL=watch.rows.engine.url.set(username=name).render_as_string(hide_password=False))
        watch.poll()
        assert watch.events() == []
        watch.rows.run(f"GRANT SELECT ON user_videos, certifications TO {name}")
        watch.poll(watch.now + WATCHED_AGE)
        assert [(one.source_table, one.is_history) for one in watch.events()] == [(VIDEOS, True), (CERTIFICATES, True)]
        watch.rows.run(f"REASSIGN OWNED BY {name} TO CURRENT_USER; DROP OWNED BY {name}; DROP ROLE {name}")


def test_a_table_that_goes_away_costs_one_poll(watch: PollingWatch) -> None:
    play(watch, 1, 55)
    watch.poll()
    watch.rows.run("DROP TABLE user_videos")
    watch.rows.insert_attempt(1)
    with pytest.raises(LmsUnavailable, match="user_videos"):
        watch.poll()
    watch.poll()
    assert watch.kinds(1) == ["exam_started"]
    assert watch.kinds(1, VIDEOS) == ["content_progress"]


def test_what_happened_long_before_it_is_found_is_history(watch: PollingWatch) -> None:
    certify(watch, 1, NOW - 8 * DAY)
    certify(watch, 2, NOW - 6 * DAY)
    watch.poll()
    assert [one.is_history for one in watch.events()] == [True, False]


def test_what_becomes_known_about_a_row_that_was_found_before_is_news_however_long_ago(watch: PollingWatch) -> None:
    certify(watch, 1, None)
    watch.poll()
    issue(watch, 1, NOW - 8 * DAY)
    watch.poll()
    assert [one.is_history for one in watch.events(1, CERTIFICATES)] == [False]
    assert watch.owed_for(1, CERTIFICATES) == [("certification_issued", MARY)]


def test_a_video_that_falls_below_half_stays_watched(watch: PollingWatch) -> None:
    for percent in (60, 20):
        play(watch, 1, percent)
        watch.polls(2)
    assert [one.is_current for one in watch.events(1, VIDEOS)] == [True]
