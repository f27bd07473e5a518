"""The Zulip server of the tests answers as the recorded one did, and fails in the ways it promises."""

from __future__ import annotations

import io
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import zulip as real

from tests.bot_process import PATIENCE, wait_for
from tests.fake_zulip import FAULTS, FakeZulip

RUNS_OUT = 0.1  # seconds: a limit that a call which hangs is to come to
FOLDER = Path(__file__).parent / "zulip_recordings"
RECORDINGS = {path.stem: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}
# What differs from one run to the next, or is chosen by whoever set the server up.
VOLATILE = {
    *("timestamp", "date_joined", "date_created", "queue_id", "uri", "avatar_url", "realm_uri", "rendered"),
    *("first_message_id", "description", "rendered_description", "retry-after", "recipient_id"),
    *("is_admin", "is_owner", "role", "client"),
}
# A text may stand in the place of nothing, as a picture's address does.
KINDS = {str: "text", type(None): "text", int: "number", float: "number", bool: "truth"}
# Some recordings hold only the beginning of a long text.
RECORDED_LENGTH = 200
Answer = dict[str, Any]
NewClient = Callable[[FakeZulip], real.Client]


@dataclass(frozen=True)
class World:
    zulip: FakeZulip
    client: real.Client
    mary: int
    omar: int
    eve: int

    def send(self, content: str = "hello", to: object = None) -> Answer:
        recipients = [self.mary] if to is None else to
        return self.client.send_message({"type": "private", "to": recipients, "content": content})

    def own_to_mary(self) -> list[str]:
        found = self.client.get_messages(
            {
                "anchor": "newest",
                "num_before": 100,
                "num_after": 0,
                "apply_markdown": False,
                "narrow": [
                    {"operator": "dm", "operand": [self.mary]},
                    {"operator": "sender", "operand": self.zulip.bot_id},
                ],
            }
        )
        return [message["content"] for message in found["messages"]]

    def ids(self, *narrow: object, **options: object) -> list[int]:
        request = {"anchor": "oldest", "num_before": 0, "num_after": 100, "narrow": narrow, **options}
        found = self.client.get_messages(request)
        assert found["result"] == "success", found
        return [message["id"] for message in found["messages"]]


@pytest.fixture
def new_client(tmp_path: Path) -> Iterator[NewClient]:
    clients: list[real.Client] = []

    def connect(zulip: FakeZulip) -> real.Client:
        zuliprc = zulip.write_zuliprc(tmp_path / "zuliprc")
        clients.append(real.Client(config_file=str(zuliprc), retry_on_errors=False, client="LmsBot"))
        return clients[-1]

    yield connect
    for client in clients:
        session_of(client).close()


@pytest.fixture
def world(new_client: NewClient) -> Iterator[World]:
    with FakeZulip() as zulip:
        mary = zulip.add_user("Mary", "mary@example.com")
        omar = zulip.add_user("Omar", "omar@example.com")
        eve = zulip.add_user("Eve", "eve@example.com")
        zulip.add_stream("lms-admin", subscribers=[zulip.bot_id, mary])
        yield World(zulip, new_client(zulip), mary, omar, eve)


def session_of(client: real.Client) -> requests.Session:
    client.ensure_session()
    assert client.session is not None
    return client.session


# The recordings


def populate(zulip: FakeZulip) -> None:
    """The server as it was when its answers were recorded."""
    zulip.add_user("Olga Owner", "owner@example.com", user_id=6)
    for user_id, name in ((7, "One"), (8, "Two"), (9, "Three")):
        zulip.add_user(f"Mentor {name}", f"mentor{user_id - 6}@example.com", user_id=user_id)
    zulip.add_user("Mentor Four (hidden email)", "mentor4@example.com", user_id=10, hidden_email=True)
    zulip.add_user("Otto Outsider", "outsider@example.com", user_id=11)
    zulip.add_user("Greta Gone", "gone@example.com", user_id=12, is_active=False)
    zulip.add_stream("general", private=False)
    zulip.add_stream("hidden", subscribers=[6])
    zulip.add_stream("lms-admin", subscribers=[6, zulip.bot_id])
    zulip.add_stream("students", private=False, subscribers=[6, zulip.bot_id])
    for stream in ("general", "lms-admin", "students"):
        zulip.say(6, "Welcome!", to_stream=stream)


def in_place_of(recorded: dict[str, str], queue_id: str) -> dict[str, str]:
    """The parameters of a recorded call with what was shortened or is other on this server."""
    known = {
        "content": {"'x' * 10001": "x" * 10_001},
        "queue_id": {"0b619651-6216-4e2c-aefc-02ef4bdc0f8a": queue_id},
    }
    return {name: known.get(name, {}).get(value, value) for name, value in recorded.items()}


def replay(zulip: FakeZulip, client: real.Client, name: str, queue_id: str = "") -> requests.Response:
    request = RECORDINGS[name]["request"]
    where = "params" if request["method"] == "GET" else "data"
    more: dict[str, Any] = {where: in_place_of(request["parameters"], queue_id)}
    if name == "user_uploads":
        more["files"] = [("chart.png", ("chart.png", b"picture"))]
    if name == "unauthorized":
        more["auth"] = (zulip.bot_email, "wrong")
    return session_of(client).request(request["method"], zulip.url + request["path"], timeout=PATIENCE, **more)


def steady(value: object) -> object:
    """The value with the type alone of all that is volatile."""
    if isinstance(value, dict):
        return {
            key: KINDS.get(type(inner), "other") if key in VOLATILE else steady(inner) for key, inner in value.items()
        }
    if isinstance(value, list):
        return [steady(inner) for inner in value]
    return value[:RECORDED_LENGTH] if isinstance(value, str) else value


def assert_alike(response: requests.Response, name: str) -> None:
    recorded = RECORDINGS[name]["response"]
    assert response.status_code == recorded["status"], name
    assert steady(response.json()) == steady(recorded["body"]), name
    transport = {"server", "date", "content-length"}
    assert {key.lower() for key in response.headers} - transport == {key.lower() for key in recorded["headers"]}, name
    if "X-RateLimit-Limit" in response.headers:
        assert response.headers["X-RateLimit-Limit"] == "200", name


def test_every_recorded_call_is_answered_as_it_was_recorded(new_client: NewClient) -> None:
    with FakeZulip(first_message_id=18) as zulip:
        populate(zulip)
        client = new_client(zulip)
        missing = set(RECORDINGS) - {"rate_limited"}

        def check(*names: str) -> None:
            for name in names:
                assert_alike(replay(zulip, client, name, queue_id), name)
                missing.discard(name)

        queue_id = ""
        check(
            "server_settings",
            "unauthorized",
            "users_me",
            "users",
            "register_message",
            "register_message_reaction",
        )
        queue_id = client.register(["message", "reaction"])["queue_id"]
        zulip.say(7, "history @_**Mentor Two**")
        check("events_direct_message")
        zulip.say(6, "@**LMS Bot** status", to_stream="lms-admin")
        check("events_stream_mention")
        zulip.react(7, 21, "check")
        check("events_reaction", "events_bad_queue", "messages_send_direct", "messages_send_stream")
        check("messages_send_unknown_user", "messages_send_unknown_email", "messages_send_deactivated")
        client.send_message({"type": "private", "to": [10], "content": "25"})
        zulip.delete(25)
        check(
            "messages_send_empty",
            "messages_send_unknown_stream",
            "messages_send_zform",
            "messages_send_too_long",
        )
        check("messages_get_own_to_mentor", "messages_get_unread_direct", "messages_flags_read", "reaction_add")
        check("reaction_add_twice", "message_edit", "messages_render", "user_uploads", "streams", "stream_id")
        check("stream_members", "user_by_email", "user_by_email_unknown", "subscriptions_add")
        assert not missing


def test_the_call_over_the_rate_limit_is_refused_as_it_was_recorded(new_client: NewClient) -> None:
    with FakeZulip(rate_limit=200) as zulip:
        client = new_client(zulip)
        remaining = [replay(zulip, client, "users_me").headers["X-RateLimit-Remaining"] for _ in range(200)]
        response = replay(zulip, client, "rate_limited")
        assert_alike(response, "rate_limited")
        assert (remaining[0], remaining[-1]) == ("199", "0")
        assert response.headers["Retry-After"] == str(response.json()["retry-after"])
        assert 0 < response.json()["retry-after"] <= 60
        assert response.headers["X-RateLimit-Remaining"] == "0"
        assert zulip.limited == 1


# Sending and finding


def test_a_sent_message_can_be_found_again_by_narrow(world: World) -> None:
    world.send("first  \n")
    world.send("to another", [world.omar])
    world.zulip.say(world.mary, "thanks")
    world.send("second")
    assert world.own_to_mary() == ["first", "second"]
    assert [message.content for message in world.zulip.direct_to(world.mary)] == ["first", "second"]


def test_recipients_are_user_ids_or_visible_addresses(world: World) -> None:
    hidden = world.zulip.add_user("Jane", "jane@example.com", hidden_email=True)
    assert world.send(to=["mary@example.com"])["result"] == "success"
    assert world.send(to="mary@example.com")["result"] == "success"
    assert world.send(to=[world.mary, world.omar])["result"] == "success"
    assert world.send(to=[hidden])["result"] == "success"
    assert world.send(to=["jane@example.com"])["msg"] == "Invalid email 'jane@example.com'"
    assert [message.to for message in world.zulip.messages] == [
        (world.mary,),
        (world.mary,),
        (world.mary, world.omar),
        (hidden,),
    ]


def test_a_deactivated_person_cannot_be_written_to_until_reactivated(world: World) -> None:
    world.zulip.deactivate(world.mary)
    assert world.send()["msg"] == "'mary@example.com' is no longer using Zulip."
    world.zulip.reactivate(world.mary)
    assert world.send()["result"] == "success"


def test_a_long_message_is_cut_silently(world: World) -> None:
    world.send("x" * 10_000)
    world.send("x" * 10_001)
    whole, cut = (message.content for message in world.zulip.sent_by_bot())
    assert whole == "x" * 10_000
    assert len(cut) == 10_000
    assert cut.endswith("x\n[message truncated]")


def test_a_message_to_a_stream_needs_a_topic_and_a_membership(world: World) -> None:
    world.zulip.add_stream("secret", subscribers=[world.mary])

    def send(**more: object) -> Answer:
        return world.client.send_message({"type": "stream", "content": "down", **more})

    assert send(to="LMS-admin", topic="alerts")["result"] == "success"
    assert send(to=1, subject="alerts")["result"] == "success"
    assert send(to="lms-admin")["msg"] == "Missing topic"
    assert send(to="secret", topic="t")["code"] == "BAD_REQUEST"
    assert send(to=99, topic="t")["result"] == "error"
    assert [message.topic for message in world.zulip.messages] == ["alerts", "alerts"]


def test_narrows_choose_messages(world: World) -> None:
    direct = world.zulip.say(world.mary, "status")
    group = world.zulip.say(world.mary, "@**LMS Bot|13** status", group=[world.omar])
    public = world.zulip.say(world.mary, "@**LMS Bot** help", to_stream="lms-admin", topic="Questions")
    own = world.send()["id"]
    assert world.ids() == [direct, group, public, own]
    assert world.ids({"operator": "dm", "operand": [world.mary]}) == [direct, own]
    assert world.ids({"operator": "pm-with", "operand": "mary@example.com"}) == [direct, own]
    assert world.ids({"operator": "dm", "operand": [world.omar, world.mary]}) == [group]
    assert world.ids({"operator": "sender", "operand": "mary@example.com"}) == [direct, group, public]
    assert world.ids(["is", "dm"]) == world.ids(["is", "private"]) == [direct, group, own]
    assert world.ids(["is", "mentioned"]) == [group, public]
    assert world.ids(["stream", "lms-admin"], ["topic", "questions"]) == [public]
    assert world.ids({"operator": "stream", "operand": 1}) == [public]
    assert world.ids({"operator": "id", "operand": own}) == [own]
    assert world.ids({"operator": "is", "operand": "dm", "negated": True}) == world.ids(["-is", "dm"]) == [public]


@pytest.mark.parametrize(
    ("term", "code"),
    [
        ({"operator": "dm", "operand": [999]}, "BAD_NARROW"),
        ({"operator": "dm", "operand": ["mary@example.com"]}, "BAD_REQUEST"),
        ({"operator": "has", "operand": "link"}, "BAD_NARROW"),
        (["sender", 13], "REQUEST_VARIABLE_INVALID"),
    ],
)
def test_a_narrow_that_zulip_does_not_know_is_refused(world: World, term: object, code: str) -> None:
    found = world.client.get_messages({"anchor": "newest", "num_before": 1, "num_after": 0, "narrow": [term]})
    assert found["code"] == code


def test_pages_are_cut_around_the_anchor(world: World) -> None:
    ids = [world.send(str(i))["id"] for i in range(5)]

    def page(anchor: object, before: int, after: int, **more: object) -> tuple[list[int], list[str]]:
        request = {"anchor": anchor, "num_before": before, "num_after": after, **more}
        found = world.client.get_messages(request)
        found_what = [key for key in ("found_oldest", "found_anchor", "found_newest") if found[key]]
        return [message["id"] - ids[0] for message in found["messages"]], found_what

    assert page("newest", 2, 0) == ([3, 4], ["found_newest"])
    assert page("oldest", 0, 2) == ([0, 1], ["found_oldest"])
    assert page(ids[2], 1, 1) == ([1, 2, 3], ["found_anchor"])
    assert page(ids[2], 0, 9, include_anchor=False) == ([3, 4], ["found_newest"])
    assert page(ids[2], 0, 0) == ([2], ["found_anchor"])
    assert page("first_unread", 0, 1) == ([0, 1], ["found_anchor"])
    assert world.client.get_messages({"num_before": 1, "num_after": 1})["msg"] == "Missing 'anchor' argument."


def test_read_messages_are_not_found_as_unread(world: World) -> None:
    first = world.zulip.say(world.mary, "status")
    second = world.zulip.say(world.mary, "help")
    world.client.update_message_flags({"messages": [first], "op": "add", "flag": "read"})
    assert world.ids(["is", "dm"], ["is", "unread"]) == [second]
    assert world.zulip.is_read(first)
    refused = world.client.update_message_flags({"messages": [999], "op": "add", "flag": "read"})
    assert refused["msg"] == "Invalid message(s)"


def test_rendered_content_is_html(world: World) -> None:
    world.send("a < b")
    request = {"anchor": "newest", "num_before": 1, "num_after": 0}
    (message,) = world.client.get_messages(request)["messages"]
    assert (message["content"], message["content_type"]) == ("<p>a &lt; b</p>", "text/html")
    assert world.client.render_message({"content": "a < b"})["rendered"] == "<p>a &lt; b</p>"


def test_only_own_messages_are_edited_and_deleted_and_only_for_ten_minutes(world: World) -> None:
    own, kept = world.send()["id"], world.send("kept")["id"]
    theirs = world.zulip.say(world.mary, "status")
    edit = world.client.update_message
    assert edit({"message_id": own, "content": "edited"})["result"] == "success"
    assert edit({"message_id": theirs, "content": "edited"})["code"] == "BAD_REQUEST"
    assert edit({"message_id": 999, "content": "edited"})["msg"] == "Invalid message(s)"
    assert [message.content for message in world.zulip.sent_by_bot()] == ["edited", "kept"]
    assert world.client.delete_message(own)["result"] == "success"
    world.zulip.clock_offset = 700
    assert world.client.delete_message(kept)["result"] == "error"
    assert edit({"message_id": kept, "content": "late"})["result"] == "error"
    assert [message.content for message in world.zulip.sent_by_bot()] == ["kept"]


def test_reactions_come_and_go(world: World) -> None:
    message_id = world.zulip.say(world.mary, "status")
    reaction = {"message_id": message_id, "emoji_name": "eyes"}
    world.client.add_reaction(reaction)
    assert world.zulip.reactions_to(message_id) == [(world.zulip.bot_id, "eyes")]
    assert world.client.remove_reaction(reaction)["result"] == "success"
    assert world.client.remove_reaction(reaction)["code"] == "REACTION_DOES_NOT_EXIST"
    assert world.client.add_reaction({**reaction, "emoji_name": "no_such"})["code"] == "BAD_REQUEST"


def test_an_uploaded_file_is_kept_byte_for_byte(world: World) -> None:
    picture = io.BytesIO(bytes(range(256)) * 3 + b"\r\n")
    picture.name = "exam chart.png"
    uri = world.client.upload_file(picture)["uri"]
    assert uri.endswith("/exam-chart.png")
    assert world.zulip.uploads == [(uri, picture.getvalue())]


# People and streams


def test_users_are_shown_with_their_roles_and_hidden_addresses(world: World) -> None:
    jane = world.zulip.add_user("Jane", "jane@example.com", is_guest=True, hidden_email=True, timezone="Asia/Tashkent")
    user = world.client.get_user_by_id(jane)["user"]
    assert (user["role"], user["is_guest"], user["timezone"]) == (600, True, "Asia/Tashkent")
    assert (user["email"], user["delivery_email"]) == (f"user{jane}@zulip.example.com", None)
    assert world.client.get_user_by_id(999)["msg"] == "No such user"


def test_a_private_stream_is_seen_by_its_members_only(world: World) -> None:
    stream_id = world.zulip.add_stream("secret", subscribers=[world.mary])
    assert world.client.get_stream_id("secret")["code"] == "BAD_REQUEST"
    world.zulip.subscribe("secret", world.zulip.bot_id)
    assert world.client.get_stream_id("secret")["stream_id"] == stream_id
    assert world.client.get_subscribers(stream="secret")["subscribers"] == [world.zulip.bot_id, world.mary]
    world.zulip.unsubscribe("secret", world.zulip.bot_id)
    world.zulip.make_public("secret")
    streams = world.client.get_streams()["streams"]
    assert [(stream["name"], stream["invite_only"]) for stream in streams] == [
        ("lms-admin", True),
        ("secret", False),
    ]


def test_a_public_stream_can_be_joined_and_its_history_read(world: World) -> None:
    world.zulip.add_stream("students", private=False, subscribers=[world.mary])
    world.zulip.add_stream("secret", subscribers=[world.mary])
    early = world.zulip.say(world.mary, "hello", to_stream="students")
    joined = world.client.add_subscriptions([{"name": "students"}])
    assert joined["subscribed"] == {world.zulip.bot_email: ["students"]}
    assert world.client.add_subscriptions([{"name": "secret"}])["code"] == "BAD_REQUEST"
    assert world.ids() == []
    assert world.ids(["stream", "students"]) == [early]
    names = [stream["name"] for stream in world.client.get_subscriptions()["subscriptions"]]
    assert names == ["lms-admin", "students"]


# Events


def events_after(world: World, queue_id: str, last_event_id: int = -1, **options: object) -> list[Answer]:
    answer = world.client.get_events(queue_id=queue_id, last_event_id=last_event_id, **options)
    events: list[Answer] = answer["events"]
    return events


@contextmanager
def while_it_polls(world: World, action: Callable[..., object], *arguments: object) -> Iterator[None]:
    """Do something once the poll made in the block has come to the server."""
    polls = world.zulip.count_calls("GET", "/api/v1/events")

    def act() -> None:
        wait_for(lambda: world.zulip.count_calls("GET", "/api/v1/events") > polls)
        action(*arguments)

    acting = threading.Thread(target=act)
    acting.start()
    yield
    acting.join()


def test_a_long_poll_answers_as_soon_as_somebody_writes(world: World) -> None:
    queue_id = world.client.register(["message"])["queue_id"]
    world.zulip.heartbeat_seconds = 3600.0
    with while_it_polls(world, world.zulip.say, world.mary, "status"):
        (event,) = events_after(world, queue_id)
    assert event["message"]["content"] == "status"


def test_events_stay_until_they_are_acknowledged(world: World) -> None:
    queue_id = world.client.register(["message"])["queue_id"]
    world.zulip.say(world.mary, "first")
    world.zulip.say(world.mary, "second")
    assert [event["id"] for event in events_after(world, queue_id)] == [0, 1]
    assert [event["id"] for event in events_after(world, queue_id, 0)] == [1]
    assert events_after(world, queue_id, 1, dont_block=True) == []
    pruned = world.client.get_events(queue_id=queue_id, last_event_id=-1)
    assert pruned["code"] == "BAD_REQUEST"


def test_an_idle_poll_ends_with_a_heartbeat(world: World) -> None:
    world.zulip.heartbeat_seconds = 0.05
    queue_id = world.client.register(["message"])["queue_id"]
    assert events_after(world, queue_id) == [{"type": "heartbeat", "id": 0}]


def test_the_bot_sees_its_own_messages_and_no_stream_that_it_is_not_in(world: World) -> None:
    world.zulip.add_stream("students", private=False, subscribers=[world.mary])
    queue_id = world.client.register(["message"])["queue_id"]
    world.zulip.say(world.mary, "not for the bot", to_stream="students")
    own = world.send()["id"]
    (event,) = events_after(world, queue_id)
    assert (event["message"]["id"], event["message"]["sender_id"]) == (own, world.zulip.bot_id)
    assert event["flags"] == []


def test_a_silent_mention_is_no_mention(world: World) -> None:
    queue_id = world.client.register(["message"])["queue_id"]
    for text in ("@**LMS Bot** hi", "@**LMS Bot|13** hi", "@_**LMS Bot|13** hi", "LMS Bot"):
        world.zulip.say(world.mary, text, to_stream="lms-admin")
    flags = [event["flags"] for event in events_after(world, queue_id)]
    assert flags == [["mentioned"], ["mentioned"], [], []]


def test_a_lost_queue_must_be_registered_again(world: World) -> None:
    queue_id = world.client.register(["message"])["queue_id"]
    with while_it_polls(world, world.zulip.lose_queues):
        lost = world.client.get_events(queue_id=queue_id, last_event_id=-1)
    assert lost["code"] == "BAD_EVENT_QUEUE_ID"
    queue_id = world.client.register(["message"])["queue_id"]
    assert world.client.deregister(queue_id)["result"] == "success"
    assert world.client.deregister(queue_id)["code"] == "BAD_EVENT_QUEUE_ID"


# Failing


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_stores_the_message_only_when_it_comes_after(world: World, kind: str) -> None:
    world.zulip.hang_seconds = 0.05
    world.zulip.retry_after = 2.5
    world.zulip.fail(kind)
    seen = outcome(world)
    assert seen == OUTCOMES.get(kind, OUTCOMES.get(kind.removesuffix("_after").removesuffix("_before")))
    assert len(world.own_to_mary()) == (1 if kind.endswith("_after") else 0)
    assert world.send()["result"] == "success"


OUTCOMES: dict[str, object] = {
    "refuse": ("error", "BAD_REQUEST", None),
    "unauthorized": ("error", "UNAUTHORIZED", None),
    "429": ("error", "RATE_LIMIT_HIT", 2.5),
    "500": ("http-error", 500),
    "json_500": ("error", None, None),
    "502": ("http-error", 502),
    "close": "ConnectionError",
    "hang_before": "ConnectionError",
    "hang_after": ("success", None, None),
    "garbage": ("http-error", 200),
}


def outcome(world: World) -> object:
    try:
        answer = world.send()
    except requests.exceptions.ConnectionError as error:
        return type(error).__name__
    if answer["result"] == "http-error":
        return answer["result"], answer["status_code"]
    return answer["result"], answer.get("code"), answer.get("retry-after")


def test_a_hanging_call_times_out_and_ends_with_the_server(world: World) -> None:
    world.zulip.fail("hang_after")
    message = {"type": "private", "to": [world.mary], "content": "hello"}
    with pytest.raises(requests.exceptions.Timeout):
        world.client.call_endpoint("messages", request=message, timeout=RUNS_OUT)
    wait_for(lambda: world.zulip.hung)
    assert len(world.zulip.direct_to(world.mary)) == 1
    assert answering()
    world.zulip.stop()
    assert not answering()


def answering() -> list[str]:
    """List the threads in which servers answer."""
    return [thread.name for thread in threading.enumerate() if "process_request_thread" in thread.name]


def test_faults_meet_only_the_calls_they_are_meant_for(world: World) -> None:
    world.zulip.fail("refuse", times=2, when=lambda params: params["to"] == [world.omar])
    world.zulip.fail("500_before", on="PATCH /api/v1/messages/*")
    results = [world.send(to=[user])["result"] for user in (world.mary, world.omar, world.omar, world.omar)]
    assert results == ["success", "error", "error", "success"]
    message_id = world.zulip.messages[0].id
    edited = world.client.update_message({"message_id": message_id, "content": "new"})
    assert edited["result"] == "http-error"
    with pytest.raises(ValueError, match="nonsense"):
        world.zulip.fail("nonsense")


def test_chaos_is_the_same_for_the_same_seed_and_ends_when_calm(world: World) -> None:
    def storm() -> list[object]:
        world.zulip.chaos(7, 0.5, ["refuse", "500_before"])
        return [outcome(world) for _ in range(20)]

    first = storm()
    assert first == storm()
    assert len(Counter(map(str, first))) == 3
    world.zulip.calm()
    assert {outcome(world) for _ in range(10)} == {("success", None, None)}


def test_events_have_a_rate_window_of_their_own(new_client: NewClient) -> None:
    with FakeZulip(rate_limit=2) as zulip:
        client = new_client(zulip)
        queue_id = client.register(["message"])["queue_id"]
        assert client.get_profile()["result"] == "success"
        assert [client.get_profile()["code"] for _ in range(3)] == ["RATE_LIMIT_HIT"] * 3
        for _ in range(2):
            assert client.get_events(queue_id=queue_id, last_event_id=-1, dont_block=True)["result"] == "success"
        assert zulip.limited == 3


def test_a_stopped_server_refuses_and_knows_everything_when_it_is_back(world: World) -> None:
    world.send("before")
    queue_id = world.client.register(["message"])["queue_id"]
    world.zulip.stop()
    with pytest.raises(requests.exceptions.ConnectionError):
        world.send("lost")
    world.zulip.say(world.mary, "are you there?")
    world.zulip.start()
    assert world.own_to_mary() == ["before"]
    assert [event["message"]["content"] for event in events_after(world, queue_id)] == ["are you there?"]


def test_a_poll_under_way_is_cut_when_the_server_stops(world: World) -> None:
    queue_id = world.client.register(["message"])["queue_id"]
    with while_it_polls(world, world.zulip.stop), pytest.raises(requests.exceptions.ConnectionError):
        events_after(world, queue_id)


# Watching


def test_calls_are_counted_and_unknown_ones_noted(world: World) -> None:
    world.send()
    world.client.get_realm_presence()
    assert world.zulip.count_calls("POST", "/api/v1/messages") == 1
    assert world.zulip.unknown_calls == [("GET", "/api/v1/realm/presence")]
    moments = [moment for moment, _, _ in world.zulip.calls]
    assert moments == sorted(moments)
    assert len(moments) == 3


def test_waiting_gives_what_was_waited_for_or_says_what_happened(world: World) -> None:
    threading.Timer(0.05, world.zulip.say, (world.mary, "status")).start()
    assert wait_for(lambda: world.zulip.messages)[0].content == "status"
    with pytest.raises(AssertionError, match=r"not within 0\.05 s\nlast calls"):
        wait_for(lambda: False, 0.05, world.zulip.story)


def test_a_deactivated_bot_or_a_wrong_key_gets_no_answer(world: World) -> None:
    world.zulip.deactivate(world.zulip.bot_id)
    assert world.client.get_profile()["code"] == "USER_DEACTIVATED"
    world.zulip.api_key = "changed"
    assert world.client.get_profile()["code"] == "UNAUTHORIZED"


def test_every_timestamp_follows_the_clock_of_the_server(world: World) -> None:
    world.zulip.clock_offset = 86_400
    world.send()
    response = replay(world.zulip, world.client, "users_me")
    assert world.zulip.messages[0].timestamp - time.time() > 86_000
    assert int(response.headers["X-RateLimit-Reset"]) - time.time() > 86_000


def test_nobody_says_what_the_real_server_would_not_take(world: World) -> None:
    world.zulip.deactivate(world.omar)
    with pytest.raises(ValueError, match="deactivated"):
        world.zulip.say(world.omar, "hello")
    with pytest.raises(ValueError, match="not in lms-admin"):
        world.zulip.say(world.eve, "hello", to_stream="lms-admin")


def test_many_threads_get_ids_that_grow_by_one(world: World) -> None:
    def write() -> None:
        for _ in range(25):
            world.zulip.say(world.mary, "hello")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [message.id for message in world.zulip.messages] == list(range(20, 120))
