"""The admin channel is pinned by its id by whoever administers the organisation, and what is wrong with it is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from lms_bot.app import Parts
from lms_bot.chat import Bot, Chat
from lms_bot.config.settings import load
from lms_bot.handlers.dispatch import IN_PRIVATE, STRANGER
from lms_bot.worker.accounts import refresh_users
from lms_bot.worker.admin_channel import AdminChannelWatch
from lms_bot.worker.events import EventListener
from lms_bot.worker.questions import Questions
from lms_bot.worker.scheduler import Worker
from tests.bot_process import JANE, Place, wait_for
from tests.doctor_scenario import examine, well
from tests.shell import Shell, shell

__all__ = ["shell", "well"]


@dataclass
class Office:
    """A bot that takes its turns when the test says so, with whom nobody has confirmed an admin channel yet."""

    place: Place
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        zuliprc = self.place.zulip.write_zuliprc(self.place.folder / "office_zuliprc")
        environment = {"LMS_DATABASE_URL": self.place.lms_url, "LMS_STORE_DATABASE_URL": self.place.store_url}
        settings = replace(load(None, {**environment, **self.settings}), messages_per_minute=6000)
        self.parts = Parts.assemble(settings, str(zuliprc))
        self.worker = Worker(self.parts, catch_up=lambda: None)
        self.me = Bot(self.place.zulip.bot_id, "LMS Bot", 0)
        self.questions = Questions(self.parts, self.me, self.parts.chat, self.worker.admin_channel)
        self.listener_chat = Chat(zuliprc, self.parts.rate_limiter)
        self.worker.poll()
        self.read_users()
        self.questions.catch_up()

    def read_users(self) -> None:
        refresh_users(self.parts, age=timedelta())

    def ask(self, user_id: int, text: str, channel: str | None = "lms-admin") -> list[str]:
        """What is answered to a question, directly or in the channel."""
        before = len(self.place.zulip.sent_by_bot())
        mention = "@**LMS Bot** " if channel else ""
        self.place.zulip.say(user_id, mention + text, to_stream=channel)
        self.questions.catch_up()
        return [message.content for message in self.place.zulip.sent_by_bot()[before:]]

    def is_admin(self, user_id: int, channel: str = "lms-admin") -> bool:
        return any("🩺 **Status**" in text for text in self.ask(user_id, "status", channel))

    def look(self) -> None:
        """A minute passes, or an event has come: the worker looks again, and says what it found."""
        self.worker.admin_channel.expire()
        self.worker._guarded("watch_admin_channel", self.worker.admin_channel.look_if_due)
        self.worker._guarded("send_incidents", self.worker.send_incidents)

    def told(self, user_id: int) -> list[str]:
        return [message.content for message in self.place.zulip.direct_to(user_id)]

    def alerts(self) -> list[str]:
        return [message.content for message in self.place.zulip.sent_by_bot() if message.topic == "alerts"]

    def listen(self) -> EventListener:
        watch = AdminChannelWatch(self.parts.store, self.listener_chat, self.parts.settings)
        questions = Questions(self.parts, self.me, self.listener_chat, watch)
        channels, users = self.worker.admin_channel.expire, self.worker.note_users_changed
        listener = EventListener(self.listener_chat, questions, channels, users)
        listener.start()
        wait_for(lambda: self.place.zulip.queue_count)
        return listener


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture
def office(place_with_store: Place) -> Iterator[Office]:
    office = Office(place_with_store)
    yield office
    office.parts.close()


@pytest.fixture
def confirmed(office: Office) -> Office:
    """The same, once Ada has confirmed the channel, in which Eve is too."""
    zulip, people = office.place.zulip, office.place.people
    zulip.subscribe("lms-admin", people.eve)
    assert office.is_admin(people.ada)
    office.look()
    return office


# C1


def test_c1_a_name_alone_gives_nobody_rights(office: Office) -> None:
    zulip, people = office.place.zulip, office.place.people
    zulip.rename_stream("lms-admin", "staff")
    zulip.add_stream("LMS-Admin", subscribers=[people.eve, people.mary, zulip.bot_id])
    assert office.ask(people.eve, "user mary", "LMS-Admin") == [STRANGER, IN_PRIVATE]
    assert not office.is_admin(people.mary, "LMS-Admin")
    assert not office.is_admin(people.ada, "staff")
    office.look()
    assert office.alerts() == []


def test_c1_an_organisation_administrator_confirms_it_by_writing_there(office: Office) -> None:
    zulip, people = office.place.zulip, office.place.people
    zulip.subscribe("lms-admin", people.eve)
    assert not office.is_admin(people.eve)
    assert office.is_admin(people.ada)
    assert office.is_admin(people.eve)
    office.look()
    assert office.alerts()[0].startswith("📌 #lms-admin is the admin channel now")
    zulip.change_user(people.eve, is_guest=True)
    office.read_users()
    assert not office.is_admin(people.eve)


def test_c1_who_could_confirm_it_is_told_so_and_nobody_else(office: Office) -> None:
    people = office.place.people
    (hint,) = office.ask(people.ada, "hello", None)
    assert "No admin channel is confirmed yet" in hint
    assert "#lms-admin" in hint
    assert office.ask(people.eve, "hello", None) == [STRANGER]
    assert office.is_admin(people.ada)
    assert "confirmed yet" not in "".join(office.ask(people.ada, "hello", None))


def test_c1_after_a_rename_the_id_counts(confirmed: Office) -> None:
    zulip, people = confirmed.place.zulip, confirmed.place.people
    zulip.rename_stream("lms-admin", "staff")
    zulip.add_stream("lms-admin", subscribers=[people.mary, people.ada, zulip.bot_id])
    confirmed.look()
    assert confirmed.is_admin(people.eve, "staff")
    assert not confirmed.is_admin(people.mary)
    assert not confirmed.is_admin(people.ada), "not even hers: another one is confirmed"
    assert "called #staff now" in confirmed.alerts()[-1]


def test_c1_when_it_is_archived_only_an_organisation_administrator_confirms_another(confirmed: Office) -> None:
    zulip, people = confirmed.place.zulip, confirmed.place.people
    zulip.rename_stream("lms-admin", "archived")
    zulip.unsubscribe("archived", zulip.bot_id)
    zulip.add_stream("lms-admin", subscribers=[people.mary, people.ada, zulip.bot_id])
    confirmed.look()
    assert not confirmed.is_admin(people.mary)
    assert confirmed.is_admin(people.ada)
    assert confirmed.is_admin(people.mary)


def test_c1_the_setting_pins_it_and_nobody_else_does(place_with_store: Place) -> None:
    zulip, people = place_with_store.zulip, place_with_store.people
    staff = zulip.add_stream("staff", subscribers=[people.mary, zulip.bot_id])
    office = Office(place_with_store, {"LMS_ADMIN_STREAM_ID": str(staff)})
    assert office.is_admin(people.mary, "staff")
    assert not office.is_admin(people.ada, "lms-admin")
    office.parts.close()
    without = Office(place_with_store)
    assert not without.is_admin(people.mary, "staff"), "what a setting gave goes with the setting"
    without.parts.close()


def test_c1_the_doctor_says_by_what_it_is_pinned(well: Shell) -> None:
    stream = well.zulip.find_stream("lms-admin")
    assert stream is not None
    assert f"pinned by its number {stream.stream_id}, which user {well.people.ada}" in examine(well)["admin channel"][1]
    setting = f"admin_stream_id = {stream.stream_id}"
    assert "set as admin_stream_id" in examine(well, settings=setting)["admin channel"][1]
    level, told, advice = examine(well, settings="admin_stream = LMS-ADMIN")["admin channel"]
    assert (level, "not confirmed yet" in told) == ("warning", True)
    assert "organisation administrator" in advice


# D6, B15


def test_d6_a_channel_that_is_made_public_is_said_to_those_who_were_admins(
    confirmed: Office, caplog: pytest.LogCaptureFixture
) -> None:
    zulip, people = confirmed.place.zulip, confirmed.place.people
    zulip.make_public("lms-admin")
    confirmed.look()
    confirmed.look()
    for admin in (people.ada, people.eve):
        assert [text for text in confirmed.told(admin) if "is public" in text] == [
            "🔓 The admin channel #lms-admin is public, so I take nobody for an admin until it is private again."
        ]
    assert confirmed.told(people.mary) == []
    assert "it is public: nobody is an admin" in caplog.text
    private, note = confirmed.ask(people.ada, "status")
    assert (private, note) == (confirmed.told(people.ada)[0], IN_PRIVATE)
    assert confirmed.ask(people.ada, "status", None) == [private]
    zulip.make_private("lms-admin")
    confirmed.look()
    assert confirmed.alerts()[-1] == "🟢 I answer admins in #lms-admin again."
    assert confirmed.is_admin(people.eve)


def test_d6_a_bot_that_is_taken_out_of_the_channel_says_so(confirmed: Office) -> None:
    zulip, people = confirmed.place.zulip, confirmed.place.people
    zulip.unsubscribe("lms-admin", zulip.bot_id)
    confirmed.look()
    assert "I am not in the admin channel #lms-admin any more" in confirmed.told(people.ada)[-1]
    zulip.subscribe("lms-admin", zulip.bot_id)
    confirmed.look()
    assert "again" in confirmed.alerts()[-1]


def test_d6_an_event_has_the_channel_looked_at_at_once(confirmed: Office) -> None:
    zulip, people = confirmed.place.zulip, confirmed.place.people
    listener = confirmed.listen()
    wait_for(lambda: confirmed.worker.admin_channel._look_at == 0.0)
    confirmed.look()
    zulip.make_public("lms-admin")
    wait_for(lambda: confirmed.worker.admin_channel._look_at == 0.0)
    confirmed.worker._guarded("watch_admin_channel", confirmed.worker.admin_channel.look_if_due)
    confirmed.worker._guarded("send_incidents", confirmed.worker.send_incidents)
    assert "is public" in confirmed.told(people.ada)[-1]
    listener.stop()


def test_b15_an_admin_is_told_where_to_write(confirmed: Office) -> None:
    people = confirmed.place.people
    for admin in (people.ada, people.eve):
        for text in ("status", "map #1 @**Mary Jones**", "hello"):
            assert confirmed.ask(admin, text, None) == [
                "I answer admins in the channel #lms-admin: mention me there, with the command after it."
            ]
    assert "I do not know" in confirmed.ask(people.mary, "unmapped", None)[0]
    confirmed.place.zulip.subscribe("lms-admin", people.mary)
    confirmed.look()
    assert "I answer admins in" in confirmed.ask(people.mary, "unmapped", None)[0]
    assert "Total Events" in confirmed.ask(people.mary, "stats", None)[0]


# D8


def test_d8_an_answer_that_a_foreign_channel_refuses_is_dropped(confirmed: Office) -> None:
    zulip, people = confirmed.place.zulip, confirmed.place.people
    zulip.add_stream("private talk", subscribers=[people.mary])
    answers = confirmed.ask(people.mary, "stats", "private talk")
    assert len(answers) == 1
    assert "Total Events" in answers[0]
    confirmed.worker._guarded("deliver", confirmed.worker.deliver)
    confirmed.look()
    assert "No message is parked." in confirmed.ask(people.ada, "errors")
    assert not any("Zulip refuses" in text for text in confirmed.alerts())


# D12, B17, B10


def test_d12_a_question_that_is_edited_within_a_minute_is_asked_anew(office: Office) -> None:
    zulip, mary = office.place.zulip, office.place.people.mary
    listener = office.listen()
    office.ask(mary, "qwertz", None)
    asked = zulip.messages[-2].id
    assert "I do not know “qwertz”" in office.told(mary)[-1]
    zulip.change_text(asked, "stats", seconds=20)
    wait_for(lambda: "Total Events" in "".join(office.told(mary)))
    office.questions.catch_up()
    zulip.change_text(asked, "help", seconds=61)
    zulip.change_text(zulip.say(mary, "@**LMS Bot** x", to_stream="general"), "whoami @**LMS Bot**", seconds=5)
    wait_for(lambda: "Mary Jones" in "".join(office.told(mary)))
    assert [sum(words in text for text in office.told(mary)) for words in ("Total Events", "you can ask")] == [1, 0]
    listener.stop()


def test_d12_an_edit_that_no_event_brought_is_found(office: Office) -> None:
    zulip, mary = office.place.zulip, office.place.people.mary
    office.ask(mary, "qwertz", None)
    zulip.change_text(zulip.messages[-2].id, "stats", seconds=20)
    for _ in range(2):
        office.questions.catch_up()
    assert sum("Total Events" in text for text in office.told(mary)) == 1


def test_b17_a_bot_that_is_renamed_is_called_by_its_new_name(office: Office) -> None:
    zulip, mary = office.place.zulip, office.place.people.mary
    listener = office.listen()
    zulip.rename_bot("LMS Assistant")
    wait_for(lambda: office.worker._users_changed)
    office.read_users()
    zulip.say(mary, "@**LMS Assistant** whoami", to_stream="general")
    wait_for(lambda: "Mary Jones" in "".join(office.told(mary)))
    listener.stop()


def test_b10_users_that_change_are_read_at_once(office: Office) -> None:
    zulip, mary = office.place.zulip, office.place.people.mary
    listener = office.listen()
    wait_for(lambda: office.worker._users_changed)
    office.worker._users_changed = False
    zulip.change_user(mary, hidden_email=True)
    wait_for(lambda: office.worker._users_changed)
    listener.stop()


def test_c1_two_threads_that_take_the_first_message_both_know_it_then(office: Office) -> None:
    zulip, people = office.place.zulip, office.place.people
    other = AdminChannelWatch(office.parts.store, office.listener_chat, office.parts.settings)
    stream = zulip.find_stream("lms-admin")
    assert stream is not None
    message = zulip.say(people.ada, "@**LMS Bot** status", to_stream="lms-admin")
    (raw,) = [one for one in office.parts.chat.questions(message - 1) if one["id"] == message]
    incoming = office.questions.parse(raw)
    other._look()
    office.worker.admin_channel._look()
    assert office.worker.admin_channel.id_for(incoming) == stream.stream_id
    other._confirm(incoming)
    assert other.id_for(incoming) == stream.stream_id
    zulip.make_public("lms-admin")
    office.look()
    assert other.id_for(incoming) is None, "what one has seen, the other knows"


def test_d7_unmapped_and_pending_say_that_addresses_are_hidden_and_when_it_is_told(confirmed: Office) -> None:
    zulip, people = confirmed.place.zulip, confirmed.place.people
    zulip.change_user(people.mary, hidden_email=True)
    confirmed.read_users()
    confirmed.place.lms.pass_exam(1000, JANE)
    confirmed.worker._guarded("poll", confirmed.worker.poll)
    confirmed.worker._guarded("deliver", confirmed.worker.deliver)
    for command in ("unmapped", "pending"):
        (answer,) = confirmed.ask(people.ada, command)
        assert "some people's are hidden from the bot" in answer
    assert "told as soon as there is an account" in answer
    zulip.change_user(people.mary, hidden_email=False)
    confirmed.read_users()
    confirmed.worker._guarded("deliver", confirmed.worker.deliver)
    assert "Exam Passed!" in confirmed.told(people.mary)[-1]


def test_d12_a_mention_inside_a_sentence_is_answered_where_it_asks_something(confirmed: Office) -> None:
    zulip, people = confirmed.place.zulip, confirmed.place.people
    listener = confirmed.listen()
    zulip.say(people.ada, "please @**LMS Bot** status", to_stream="lms-admin")
    wait_for(lambda: sum("🩺 **Status**" in message.content for message in zulip.sent_by_bot()) == 2)
    zulip.say(people.mary, "I wonder whether @**LMS Bot** sleeps", to_stream="general")
    zulip.unsubscribe("lms-admin", people.eve)
    confirmed.look()
    zulip.say(people.eve, "stats, @**LMS Bot**", to_stream="general")
    confirmed.questions.catch_up()
    assert confirmed.told(people.mary) == confirmed.told(people.eve) == []
    listener.stop()
