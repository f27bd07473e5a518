"""An answer with a file reaches the asker once, whatever fails and whenever the process ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lms_bot.chat import Chat
from lms_bot.core.notifications import Message, Recipient
from lms_bot.pipeline import replies
from lms_bot.store.notifications import outbox
from tests.office import JANE, MARY, Killed, MortalChat, Office, frozen, happened, unsettled

UPLOAD = "POST /api/v1/user_uploads"
TEXT = "📈 **jane**: 85%"
PICTURE = ("jane.png", bytes(range(256)) * 40)


def freeze(office: Office, attachment: tuple[str, bytes] | None = PICTURE) -> Message:
    """An answer to Mary that is committed to, but not on its way yet."""
    with office.store.writing() as transaction:
        to_mary = Recipient(user_ids=(office.account(MARY),))
        return outbox.freeze(transaction, to_mary, TEXT, office.clock(), attachment=attachment)


def send(office: Office, message: Message) -> None:
    replies.send(office.store, office.chat, message, office.clock)


def assert_told_once(office: Office, *, uploads: int = 1) -> None:
    (told,) = office.told(MARY)
    assert len(office.zulip.uploads) == uploads
    assert told in [f"{TEXT}\n\n[jane.png]({uri})" for uri, _ in office.zulip.uploads]
    assert {content for _, content in office.zulip.uploads} == {PICTURE[1]}
    (message,) = frozen(office.store)
    assert (message.state, message.next_try_at, message.content) == (outbox.SENT, None, told)
    with office.store.reading() as transaction:
        assert transaction.exec_driver_sql("SELECT attachment, attachment_name FROM messages").all() == [(None, None)]


def test_a_file_is_uploaded_and_its_link_is_the_last_line(any_office: Office) -> None:
    send(any_office, freeze(any_office))
    assert_told_once(any_office)


def test_an_answer_without_a_file_uploads_nothing(office: Office) -> None:
    send(office, freeze(office, attachment=None))
    assert office.told(MARY) == [TEXT]
    assert office.zulip.count_calls("POST", "/api/v1/user_uploads") == 0


def test_no_transaction_is_open_while_a_file_is_uploaded(any_office: Office) -> None:
    open_at_call: list[int] = []

    class Watching(MortalChat):
        def upload(self, name: str, content: bytes) -> str:
            open_at_call.append(any_office.store.engine.pool.checkedout())  # type: ignore[attr-defined]
            return super().upload(name, content)

        def send(self, *arguments: object, **named: object) -> int:
            open_at_call.append(any_office.store.engine.pool.checkedout())  # type: ignore[attr-defined]
            return super().send(*arguments, **named)  # type: ignore[arg-type]

    message = freeze(any_office)
    any_office.chat = Watching(any_office.zuliprc, any_office.chat._pace)
    send(any_office, message)
    assert open_at_call == [0, 0]
    assert_told_once(any_office)


def test_a_name_cannot_break_the_link(office: Office) -> None:
    send(office, freeze(office, ("](http://evil.example.com) @**all**.png", b"x")))
    (told,) = office.told(MARY)
    assert "](http" not in told
    assert "@**all" not in told
    assert told.count("](") == 1


# What fails


@pytest.mark.parametrize("kind", ["429", "500_before", "500_after", "close_after", "garbage_after", "hang_after"])
def test_an_upload_that_fails_is_made_again_and_the_answer_comes_once(office: Office, kind: str) -> None:
    office.zulip.fail(kind, on=UPLOAD)
    office.zulip.retry_after = 0.1
    send(office, freeze(office))
    assert office.told(MARY) == []
    office.wait(10)
    assert_told_once(office, uploads=2 if kind.endswith("after") else 1)


@pytest.mark.parametrize("kind", ["500_before", "500_after", "close_before", "close_after", "hang_after", "garbage"])
def test_an_answer_with_a_link_whose_outcome_is_unknown_is_looked_up(any_office: Office, kind: str) -> None:
    any_office.zulip.fail(kind)
    send(any_office, freeze(any_office))
    any_office.wait(70, step=2)
    assert_told_once(any_office)


def test_zulip_being_down_delays_the_answer_and_the_file(office: Office) -> None:
    office.zulip.stop()
    send(office, freeze(office))
    office.wait(300, step=10)
    office.zulip.start()
    office.wait(90, step=5)
    assert_told_once(office)


def test_a_file_that_zulip_never_takes_is_left_out_and_said_so(office: Office) -> None:
    office.zulip.fail("refuse", on=UPLOAD, times=9)
    send(office, freeze(office))
    (told,) = office.told(MARY)
    assert told.startswith(TEXT)
    assert "Zulip did not take it" in told
    assert not unsettled(office.store)


def test_uploads_that_fail_for_ever_cost_the_file_and_not_the_answer(office: Office) -> None:
    office.zulip.fail("500_before", on=UPLOAD, times=1000)
    send(office, freeze(office))
    office.owe(happened(JANE, "Chemistry"))
    office.wait(3)
    assert any("Chemistry" in text for text in office.told(MARY)), "a broken upload holds up nothing else"
    office.wait(200, step=5)
    assert sum(text.startswith(TEXT) for text in office.told(MARY)) == 1
    assert office.zulip.count_calls("POST", "/api/v1/user_uploads") == replies.UPLOAD_TRIES


# A process that ends


class UploadingChat(MortalChat):
    """A process that can also be killed around an upload."""

    def upload(self, name: str, content: bytes) -> str:
        self._perhaps_die("before upload")
        uri = super().upload(name, content)
        self._perhaps_die("after upload")
        return uri


@pytest.mark.parametrize("moment", ["frozen", "before upload", "after upload", "before", "after"])
def test_a_kill_at_any_moment_loses_nothing_and_repeats_nothing(any_office: Office, moment: str) -> None:
    message = freeze(any_office)
    if moment != "frozen":
        any_office.chat = UploadingChat(any_office.zuliprc, any_office.chat._pace)
        any_office.chat.dies = moment
        with pytest.raises(Killed):
            send(any_office, message)
    any_office.restart()
    any_office.wait(180, step=5)
    assert_told_once(any_office, uploads=2 if moment == "after upload" else 1)


@pytest.mark.parametrize("kill_first", [False, True])
def test_of_two_who_upload_for_one_answer_one_sends(any_office: Office, kill_first: bool) -> None:
    """The worker takes over while the first process is still uploading."""
    message = freeze(any_office)
    other = Chat(any_office.zuliprc, any_office.chat._pace)

    class Slow(MortalChat):
        def upload(self, name: str, content: bytes) -> str:
            if kill_first:
                any_office.clock.forward(61)
                any_office.turn()
            uri = super().upload(name, content)
            if not kill_first:
                any_office.clock.forward(61)
                any_office.turn()
            return uri

    any_office.deliverer._chat = other
    any_office.chat = Slow(any_office.zuliprc, any_office.chat._pace)
    send(any_office, message)
    any_office.wait(90, step=5)
    assert_told_once(any_office, uploads=2)


def test_the_worker_leaves_a_file_alone_that_was_linked_while_it_waited_for_its_turn(any_office: Office) -> None:
    message = freeze(any_office)

    class Overtaken(MortalChat):
        def take_turn(self, patience: float) -> bool:
            with any_office.store.writing() as transaction:
                outbox.link(transaction, message, "[a](b)", any_office.clock())
            return super().take_turn(patience)

    any_office.deliverer._chat = Overtaken(any_office.zuliprc, any_office.chat._pace)
    any_office.clock.forward(61)
    any_office.turn()
    assert any_office.told(MARY) == [], "who linked it sends it"
    any_office.restart()
    any_office.wait(130, step=5)
    assert any_office.told(MARY) == [f"{TEXT}\n\n[a](b)"], "or, if that one is gone, the worker a minute later"


def test_who_comes_too_late_to_link_a_file_does_not_send(any_office: Office) -> None:
    message = freeze(any_office)
    with any_office.store.writing() as transaction:
        assert outbox.content(transaction, message) == PICTURE[1]
        linked = outbox.link(transaction, message, "[a](b)", any_office.clock() + timedelta(seconds=1))
        assert linked is not None
        assert linked.attachment is None
        assert outbox.link(transaction, message, "[c](d)", any_office.clock()) is None
        assert outbox.content(transaction, message) is None
    send(any_office, message)
    assert any_office.told(MARY) == []
