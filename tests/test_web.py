"""`lms-bot serve` answers programs over real HTTP, in one form, with what was recorded and nothing else."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from lms_bot.core.web.tokens import Scope
from lms_bot.pipeline.actions import tokens as token_actions
from lms_bot.store.session import Store, open_store
from lms_bot.store.tables import events
from lms_bot.web.rate_limit import AT_ONCE, PER_SECOND, RateLimit
from tests import NOW
from tests.bot_process import BIN, JANE, PATIENCE, from_store, wait_for
from tests.databases import make_store, on_server, store_in_file
from tests.web_process import (
    GULNORA,
    MARY,
    READ_AT,
    WebProcess,
    free_port,
    items_of,
    make_token,
    people_the_store,
    record,
    serving,
)


@dataclass
class Scene:
    """A store with a few events, and a process that answers from it."""

    store: Store
    url: str
    web: WebProcess
    ids: list[int]
    folder: Path

    def ask(self, name: str, *scopes: Scope, mentor: int | None = None, **headers: str) -> httpx.Client:
        """A program with a new token."""
        return self.web.client(make_token(self.store, name, *scopes, mentor=mentor), **headers)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("web")
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = store_in_file(folder / "store.db")
        else:
            url = stack.enter_context(on_server(request.getfixturevalue("postgresql_server"), make_store))
        store = open_store(url)
        stack.callback(store.close)
        people_the_store(store)
        ids = record(store, JANE, 30) + record(store, GULNORA, 5, event_type="exam_failed")
        web = stack.enter_context(serving(url, folder, "web_url = https://bot.example.org"))
        yield Scene(store, url, web, ids, folder)


# Who may ask


def test_nobody_asks_without_a_token(scene: Scene) -> None:
    answer = scene.web.client().get("/api/v1/activity/")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.headers["Content-Type"] == "application/problem+json"
    for wrong in ("lmsb_aaaaaaaa_" + "a" * 43, "x", "lmsb_"):
        assert scene.web.client(wrong).get("/api/v1/activity/").status_code == 401


def test_a_token_needs_the_scope(scene: Scene) -> None:
    answer = scene.ask("signaller", Scope.SIGNALS).get("/api/v1/activity/")
    assert (answer.status_code, answer.json()["detail"]) == (403, "The token does not have the scope activity.")


def test_a_revoked_token_ends_at_once_and_so_do_its_streams(scene: Scene) -> None:
    client = scene.ask("short", Scope.ACTIVITY)
    assert client.get("/api/v1/activity/").status_code == 200
    with client.stream("GET", STREAM) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 2000"
        with scene.store.writing() as transaction:
            token_actions.revoke(transaction, "short", NOW)
        assert client.get("/api/v1/activity/").json()["detail"] == "The token is revoked."
        assert list(lines) == [""]


def test_not_yours_and_not_there_are_one_answer(scene: Scene) -> None:
    client = scene.ask("of-mary", Scope.ACTIVITY, mentor=MARY)
    answers = [client.get("/api/v1/activity/", params={"student": number}).json() for number in (GULNORA, 99_999)]
    answers += [client.get("/api/v1/nothing").json()]
    for answer in answers:
        del answer["as_of"]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["status"] == 404
    assert client.get("/api/v1/activity/", params={"student": JANE}).status_code == 200


def test_the_use_of_a_token_and_what_it_asked_are_written_down(scene: Scene) -> None:
    client = scene.ask("noted", Scope.ACTIVITY)
    client.get("/api/v1/activity/", params={"student": JANE, "course": "gulnora"})
    rows = "SELECT token, path, student_id FROM api_audit WHERE token = 'noted'"
    wait_for(lambda: from_store(scene.url, rows) == [("noted", "/api/v1/activity/", JANE)])
    used = "SELECT last_used_at FROM api_tokens WHERE name = 'noted'"
    (first,) = from_store(scene.url, used)
    assert first[0] is not None
    client.get("/api/v1/activity/")
    wait_for(lambda: len(from_store(scene.url, rows)) == 2)
    assert from_store(scene.url, used) == [first]


STUDIES = {
    Scope.PROFILE: f"/api/v1/lms/students/{JANE}/profile/",
    Scope.PERFORMANCE: f"/api/v1/lms/students/{JANE}/performance/",
    Scope.MENTORS: f"/api/v1/lms/mentors/{MARY}/students/",
}


@pytest.mark.parametrize("scope", STUDIES)
def test_studies_need_their_own_scope_are_written_down_and_not_sent_twice(scene: Scene, scope: Scope) -> None:
    path = STUDIES[scope]
    assert scene.ask(f"without-{scope}", *({*Scope} - {scope})).get(path).status_code == 403
    client = scene.ask(f"reads-{scope}", scope)
    answer = client.get(path)
    assert client.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    about = None if scope is Scope.MENTORS else JANE
    rows = f"SELECT path, student_id FROM api_audit WHERE token = 'reads-{scope}'"
    wait_for(lambda: from_store(scene.url, rows) == [(path, about)] * 2)


def test_exams_come_in_pages_that_new_ones_do_not_move(scene: Scene) -> None:
    client, path = scene.ask("exams", Scope.PERFORMANCE), STUDIES[Scope.PERFORMANCE]
    first = client.get(path, params={"limit": 10}).json()["exam_history"]
    new = record(scene.store, JANE, 1, timestamp=READ_AT + timedelta(days=1))
    second = client.get(path, params={"limit": 100, "after": first["next"]}).json()["exam_history"]
    assert (first["total"], second["total"], second["next"]) == (30, 31, None)
    shown = [exam["event_id"] for exam in first["items"] + second["items"]]
    assert shown == scene.ids[29::-1]
    with scene.store.writing() as transaction:
        transaction.execute(sa.delete(events).where(events.c.event_id.in_(new)))


# Events


def test_pages_have_everything_once_and_newest_first(scene: Scene) -> None:
    client, found, after = scene.ask("pages", Scope.ACTIVITY, Scope.NAMES), list[int](), ""
    while True:
        answer = client.get("/api/v1/activity/", params={"limit": 4, "after": after} if after else {"limit": 4}).json()
        assert answer["lms_read_at"] == "2026-11-02T08:00:00Z"
        times = [item["timestamp"] for item in answer["items"]]
        assert times == sorted(times, reverse=True)
        found += [item["event_id"] for item in answer["items"]]
        if len(found) == 8:
            new = record(scene.store, JANE, 1, timestamp=READ_AT + timedelta(days=1))
        after = answer["next"]
        if after is None:
            break
    assert found == [event_id for event_id in reversed(scene.ids) if event_id not in new]
    with scene.store.writing() as transaction:
        transaction.execute(sa.delete(events).where(events.c.event_id.in_(new)))


def test_events_are_chosen_by_type_student_course_and_time(scene: Scene) -> None:
    client = scene.ask("chooser", Scope.ACTIVITY)

    def count(**asked: object) -> int:
        answer = client.get("/api/v1/activity/", params={"limit": 100, **asked})  # type: ignore[dict-item]
        assert answer.status_code == 200, answer.text
        return len(answer.json()["items"])

    assert count() == 35
    assert count(type="exam_failed") == 5
    assert count(type="exam_failed,exam_passed") == 35
    assert count(student=JANE) == 30
    assert count(course="YTHO") == 35
    assert count(course="java") == 0
    assert count(since=(READ_AT + timedelta(minutes=31)).isoformat()) == 5


def test_names_are_pseudonyms_unless_the_token_may_see_them(scene: Scene) -> None:
    named = scene.ask("named", Scope.ACTIVITY, Scope.NAMES).get("/api/v1/activity/").json()["items"][0]
    assert (named["student_username"], named["mentor_username"], named["zulip_user_id"]) == ("gulnora", "omar", 77)
    one, other = scene.ask("one", Scope.ACTIVITY), scene.ask("other", Scope.ACTIVITY)
    texts = [client.get("/api/v1/activity/").text for client in (one, other)]
    assert not [name for name in ("gulnora", "omar", "77") for text in texts if f'"{name}"' in text]
    names = [[item["student_username"] for item in json.loads(text)["items"][:5]] for text in texts]
    assert len({*names[0]}) == len({*names[1]}) == 1
    assert names[0] != names[1]


@pytest.mark.parametrize(
    "asked",
    ["limit=0", "limit=101", "limit=x", "after=x", "type=exam", "student=0", "since=yesterday", "tpye=exam_passed"],
)
def test_a_value_that_cannot_be_used_is_named(scene: Scene, asked: str) -> None:
    answer = scene.ask(f"wrong-{asked.replace('=', '-')}", Scope.ACTIVITY).get(f"/api/v1/activity/?{asked}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == asked.split("=")[0]


def test_what_did_not_change_is_not_sent_again(scene: Scene) -> None:
    client = scene.ask("etag", Scope.ACTIVITY)
    first = client.get("/api/v1/activity/")
    again = client.get("/api/v1/activity/", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/api/v1/activity/?limit=1", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


def test_long_answers_are_compressed(scene: Scene) -> None:
    client = scene.ask("gzip", Scope.ACTIVITY)
    with client.stream("GET", "/api/v1/activity/?limit=100", headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
        assert answer.headers["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(raw))["items"]) == 35


# The hand-over


def test_events_are_handed_over_until_they_are_marked(scene: Scene) -> None:
    client = scene.ask("analyst", Scope.EVENTS)
    first = client.get("/api/v1/events/unprocessed?limit=10").json()
    ids = [item["event_id"] for item in first["items"]]
    assert ids == scene.ids[:10]
    second = client.get(f"/api/v1/events/unprocessed?limit=100&after={first['next']}").json()
    assert [item["event_id"] for item in second["items"]] == scene.ids[10:]
    assert second["next"] is None
    foreign = scene.ask("analyst-of-mary", Scope.EVENTS, mentor=MARY)
    assert foreign.post("/api/v1/events/processed", json={"event_ids": scene.ids[-5:]}).json()["marked"] == 0
    assert len(foreign.get("/api/v1/events/unprocessed").json()["items"]) == 30
    for marked in (10, 0):
        assert client.post("/api/v1/events/processed", json={"event_ids": ids}).json()["marked"] == marked
    left = client.get("/api/v1/events/unprocessed").json()["items"]
    assert [item["event_id"] for item in left] == scene.ids[10:]


# The stream


STREAM = "/api/v1/activity/stream"


def resumed_at(position: object) -> dict[str, str]:
    return {"Last-Event-ID": str(position)}


@pytest.fixture
def nothing_stays(scene: Scene) -> Iterator[None]:
    yield
    with scene.store.writing() as transaction:
        transaction.execute(sa.delete(events).where(events.c.event_id > scene.ids[-1]))


@pytest.mark.usefixtures("nothing_stays")
def test_a_stream_has_what_is_recorded_and_goes_on_where_it_was(scene: Scene) -> None:
    client = scene.ask("listener", Scope.ACTIVITY, mentor=MARY)
    with client.stream("GET", STREAM, headers=resumed_at(scene.ids[28])) as stream:
        items = items_of(stream)
        assert next(items)[1]["event_id"] == scene.ids[29]
        record(scene.store, GULNORA)
        (new,) = record(scene.store, JANE)
        position, item = next(items)
        assert (item["event_id"], item["student_id"]) == (new, JANE)
        (another,) = record(scene.store, JANE)
    with client.stream("GET", STREAM, headers=resumed_at(position)) as stream:
        assert next(items_of(stream))[1]["event_id"] == another


@pytest.mark.usefixtures("nothing_stays")
def test_what_was_recorded_before_and_committed_after_is_streamed_too(scene: Scene) -> None:
    first = scene.ids[-1] + 10
    client = scene.ask("late", Scope.ACTIVITY)
    with client.stream("GET", STREAM, headers=resumed_at(scene.ids[-1])) as stream:
        items = items_of(stream)
        record(scene.store, JANE, event_id=first + 3)
        position, item = next(items)
        assert item["event_id"] == first + 3
        record(scene.store, JANE, event_id=first)
        assert next(items)[1]["event_id"] == first
    record(scene.store, JANE, event_id=first + 1)
    record(scene.store, JANE, event_id=first + 4)
    with client.stream("GET", STREAM, headers=resumed_at(position)) as stream:
        items = items_of(stream)
        again = [next(items) for _ in range(3)]
        assert [item["event_id"] for _, item in again] == [first, first + 1, first + 4]
    with client.stream("GET", STREAM, headers=resumed_at(again[0][0])) as stream:
        assert next(items_of(stream))[1]["event_id"] == first + 1


def test_a_stream_is_resumed_at_positions_alone(scene: Scene) -> None:
    client = scene.ask("lost", Scope.ACTIVITY)
    for position in ("-1", "1/", "1/2-", "x", "1,2", "9" * 16, "1/" + ",".join("1" * 41)):
        assert client.get(STREAM, headers=resumed_at(position)).status_code == 422, position


def test_a_stream_of_a_foreign_student_is_not_there(scene: Scene) -> None:
    client = scene.ask("curious", Scope.ACTIVITY, mentor=MARY)
    assert client.get(f"/api/v1/activity/stream?student={GULNORA}").status_code == 404


# What is refused


def test_another_host_is_not_served(scene: Scene) -> None:
    client = scene.web.client()
    assert client.get("/healthz", headers={"Host": "evil.example.org"}).status_code == 421
    assert client.get("/healthz", headers={"Host": "bot.example.org"}).status_code == 200


def test_a_body_that_is_too_large_is_refused(scene: Scene) -> None:
    client = scene.ask("large", Scope.EVENTS)
    assert client.post("/api/v1/events/processed", content=b"1" * 70_000).status_code == 413

    def endless() -> Iterator[bytes]:
        for _ in range(20):
            yield b"1" * 10_000

    assert client.post("/api/v1/events/processed", content=endless()).status_code == 413


def test_a_token_that_asks_too_often_waits_and_no_other_does() -> None:
    now = 0.0
    limit = RateLimit(lambda: now)
    assert [limit.take(1) for _ in range(int(AT_ONCE))] == [0.0] * int(AT_ONCE)
    assert limit.take(1) == pytest.approx(1 / PER_SECOND)
    assert limit.take(2) == 0.0
    now = 1 / PER_SECOND
    assert [limit.take(1) > 0 for _ in range(2)] == [False, True]
    now = 1_000.0
    assert sum(limit.take(1) == 0 for _ in range(1_000)) == AT_ONCE


def test_no_other_site_may_ask_from_a_browser(scene: Scene) -> None:
    answer = scene.ask("browser", Scope.ACTIVITY).get("/api/v1/activity/", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_metrics_count_answers_and_refused_tokens(scene: Scene) -> None:
    scene.web.client("nonsense").get("/api/v1/activity/")
    text = scene.web.client().get("/metrics").text
    assert 'lms_bot_web_refused_tokens_total{reason="unknown"}' in text
    assert "lms_bot_web_open_streams 0.0" in text
    assert 'lms_bot_web_answer_seconds_count{method="GET",status="2xx"}' in text


def test_the_log_has_no_names_and_no_secrets(scene: Scene) -> None:
    token = make_token(scene.store, "logged", Scope.ACTIVITY, Scope.NAMES)
    scene.web.client(token).get("/api/v1/activity/", params={"course": "jane_smith"})
    scene.web.client(token).get("/api/v1/lms/students/jane_smith/profile/")
    assert "GET /api/v1/activity/ 200" in scene.web.output
    assert not [word for word in (token, token[14:], "jane_smith", "logged") if word in scene.web.output]


# Living and ending


def test_a_signal_ends_it_although_streams_are_open(store_url: str, tmp_path: Path) -> None:
    store = open_store(store_url)
    token = make_token(store, "listener", Scope.ACTIVITY)
    store.close()
    with serving(store_url, tmp_path) as web, ExitStack() as stack:
        client = web.client(token)
        streams = [stack.enter_context(client.stream("GET", STREAM)) for _ in range(20)]
        lines = [stream.iter_lines() for stream in streams]
        assert {next(one) for one in lines} == {"retry: 2000"}
        assert web.end(signal.SIGTERM) == 0
        assert [list(one) for one in lines] == [[""]] * 20


def test_nobody_who_asks_nothing_is_waited_for(tmp_path: Path) -> None:
    with serving(store_in_file(tmp_path / "store.db"), tmp_path) as web:
        host, port = web.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"GET /healthz HT")
            connection.settimeout(PATIENCE)
            assert connection.recv(1) == b""


def test_while_the_store_is_away_it_says_so_and_how_old_the_data_is(postgresql_server: str, tmp_path: Path) -> None:
    with on_server(postgresql_server, make_store) as url:
        store = open_store(url)
        people_the_store(store)
        token = make_token(store, "patient", Scope.ACTIVITY)
        store.close()
        with serving(url, tmp_path) as web:
            client = web.client(token)
            assert client.get("/api/v1/activity/").status_code == 200
            server = sa.create_engine(postgresql_server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
            name = sa.make_url(url).database
            with server.connect() as connection:
                connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
                end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
                connection.exec_driver_sql(end, (name,))
            for path in ("/api/v1/activity/", "/readyz"):
                answer = client.get(path)
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
                assert answer.json()["data_age"] > 0
                assert answer.json()["lms_read_at"] == "2026-11-02T08:00:00Z"
            assert client.get("/healthz").status_code == 200
            with server.connect() as connection:
                connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            assert client.get("/api/v1/activity/").status_code == 200


def test_a_port_that_is_taken_is_said_in_one_sentence(store_url: str, tmp_path: Path) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        config = tmp_path / "lms_bot.conf"
        config.write_text(f"[lms_bot]\nlms_database_url = sqlite:///x.db\nstore_database_url = {store_url}\n")
        command = [str(BIN / "lms-bot"), "serve", "--bot-config-file", str(config), "--listen", f"127.0.0.1:{port}"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1
    assert f"lms-bot: cannot listen on 127.0.0.1 port {port}: Address already in use" in done.stderr
