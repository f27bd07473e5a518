"""An answer with a file reaches the asker once, whatever fails and whenever the process ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lms_bot.chat import Chat
from lms_bot.core.notifications import Message, Recipient
from lms_bot.pipeline import replies
from lms_bot.store.notifications import outbox
from tests.bot_process import PATIENCE
from tests.delivery_scenario import JANE, MARY, DeliveryScenario, Killed, MortalChat, frozen, happened, unsettled

UPLOAD = "POST /api/v1/user_uploads"
TEXT = "📈 **jane**: 85%"
PICTURE = ("jane.png", bytes(range(256)) * 40)


def freeze(delivery: DeliveryScenario, attachment: tuple[str, bytes] | None = PICTURE) -> Message:
    """An answer to Mary that is committed to, but not on its way yet."""
    with delivery.store.writing() as transaction:
        to_mary = Recipient(user_ids=(delivery.account(MARY),))
        return outbox.freeze(transaction, outbox.Draft(to_mary, TEXT, attachment=attachment), delivery.clock())


def send(delivery: DeliveryScenario, message: Message) -> None:
    replies.send(delivery.store, delivery.chat, message, delivery.clock)


def assert_told_once(delivery: DeliveryScenario, *, uploads: int = 1) -> None:
    (told,) = delivery.told(MARY)
    assert len(delivery.zulip.uploads) == uploads
    assert told in [f"[jane.png]({uri})\n\n{TEXT}" for uri, _ in delivery.zulip.uploads]
    assert {content for _, content in delivery.zulip.uploads} == {PICTURE[1]}
    (message,) = frozen(delivery.store)
    assert (message.state, message.next_try_at, message.content) == (outbox.SENT, None, told)
    with delivery.store.reading() as transaction:
        assert transaction.exec_driver_sql("SELECT attachment, attachment_name FROM messages").all() == [(None, None)]


def test_d4_a_picture_is_uploaded_and_its_link_is_the_first_line(any_delivery: DeliveryScenario) -> None:
    send(any_delivery, freeze(any_delivery))
    assert_told_once(any_delivery)


def test_the_link_of_any_other_file_is_the_last_line(delivery: DeliveryScenario) -> None:
    send(delivery, freeze(delivery, ("events.csv", b"x")))
    ((uri, _),) = delivery.zulip.uploads
    assert delivery.told(MARY) == [f"{TEXT}\n\n[events.csv]({uri})"]


def test_an_answer_without_a_file_uploads_nothing(delivery: DeliveryScenario) -> None:
    send(delivery, freeze(delivery, attachment=None))
    assert delivery.told(MARY) == [TEXT]
    assert delivery.zulip.count_calls("POST", "/api/v1/user_uploads") == 0


def test_no_transaction_is_open_while_a_file_is_uploaded(any_delivery: DeliveryScenario) -> None:
    open_at_call: list[int] = []

    class Watching(MortalChat):
        def upload(self, name: str, content: bytes) -> str:
            open_at_call.append(any_delivery.store.engine.pool.checkedout())  # type: ignore[attr-defined]
            return super().upload(name, content)

        def send(self, *arguments: object, **named: object) -> int:
            open_at_call.append(any_delivery.store.engine.pool.checkedout())  # type: ignore[attr-defined]
            return super().send(*arguments, **named)  # type: ignore[arg-type]

    message = freeze(any_delivery)
    any_delivery.chat = Watching(any_delivery.zulip, any_delivery.zuliprc, any_delivery.chat._rate_limiter)
    send(any_delivery, message)
    assert open_at_call == [0, 0]
    assert_told_once(any_delivery)


def test_a_name_cannot_break_the_link(delivery: DeliveryScenario) -> None:
    send(delivery, freeze(delivery, ("](http://evil.example.com) @**all**.png", b"x")))
    (told,) = delivery.told(MARY)
    assert "](http" not in told
    assert "@**all" not in told
    assert told.count("](") == 1


# What fails


@pytest.mark.parametrize("kind", ["429", "500_before", "500_after", "close_after", "garbage_after", "hang_after"])
def test_an_upload_that_fails_is_made_again_and_the_answer_comes_once(delivery: DeliveryScenario, kind: str) -> None:
    delivery.zulip.fail(kind, on=UPLOAD)
    delivery.zulip.retry_after = 0.1
    send(delivery, freeze(delivery))
    assert delivery.told(MARY) == []
    delivery.wait(10)
    assert_told_once(delivery, uploads=2 if kind.endswith("after") else 1)


@pytest.mark.parametrize("kind", ["500_before", "500_after", "close_before", "close_after", "hang_after", "garbage"])
def test_an_answer_with_a_link_whose_outcome_is_unknown_is_looked_up(any_delivery: DeliveryScenario, kind: str) -> None:
    any_delivery.zulip.fail(kind)
    send(any_delivery, freeze(any_delivery))
    any_delivery.wait(70, step=2)
    assert_told_once(any_delivery)


def test_zulip_being_down_delays_the_answer_and_the_file(delivery: DeliveryScenario) -> None:
    delivery.zulip.stop()
    send(delivery, freeze(delivery))
    delivery.wait(300, step=10)
    delivery.zulip.start()
    delivery.wait(90, step=5)
    assert_told_once(delivery)


def test_a_file_that_zulip_never_takes_is_left_out_and_said_so(delivery: DeliveryScenario) -> None:
    delivery.zulip.fail("refuse", on=UPLOAD, times=9)
    send(delivery, freeze(delivery))
    (told,) = delivery.told(MARY)
    assert told.startswith(TEXT)
    assert "Zulip did not take it" in told
    assert not unsettled(delivery.store)


def test_uploads_that_fail_for_ever_cost_the_file_and_not_the_answer(delivery: DeliveryScenario) -> None:
    delivery.zulip.fail("500_before", on=UPLOAD, times=1000)
    send(delivery, freeze(delivery))
    delivery.owe(happened(JANE, "Chemistry"))
    delivery.wait(3)
    assert any("Chemistry" in text for text in delivery.told(MARY)), "a broken upload holds up nothing else"
    delivery.wait(200, step=5)
    assert sum(text.startswith(TEXT) for text in delivery.told(MARY)) == 1
    assert delivery.zulip.count_calls("POST", "/api/v1/user_uploads") == replies.UPLOAD_TRIES


# A process that ends


class UploadingChat(MortalChat):
    """A process that can also be killed around an upload."""

    def upload(self, name: str, content: bytes) -> str:
        self._perhaps_die("before upload")
        uri = super().upload(name, content)
        self._perhaps_die("after upload")
        return uri


@pytest.mark.parametrize("moment", ["frozen", "before upload", "after upload", "before", "after"])
def test_a_kill_at_any_moment_loses_nothing_and_repeats_nothing(any_delivery: DeliveryScenario, moment: str) -> None:
    message = freeze(any_delivery)
    if moment != "frozen":
        any_delivery.chat = UploadingChat(any_delivery.zulip, any_delivery.zuliprc, any_delivery.chat._rate_limiter)
        any_delivery.chat.dies = moment
        with pytest.raises(Killed):
            send(any_delivery, message)
    any_delivery.restart()
    any_delivery.wait(180, step=5)
    assert_told_once(any_delivery, uploads=2 if moment == "after upload" else 1)


@pytest.mark.parametrize("kill_first", [False, True])
def test_of_two_who_upload_for_one_answer_one_sends(any_delivery: DeliveryScenario, kill_first: bool) -> None:
    """The worker takes over while the first process is still uploading."""
    message = freeze(any_delivery)
    other = Chat(any_delivery.zuliprc, any_delivery.chat._rate_limiter, PATIENCE)

    class Slow(MortalChat):
        def upload(self, name: str, content: bytes) -> str:
            if kill_first:
                any_delivery.clock.forward(61)
                any_delivery.turn()
            uri = super().upload(name, content)
            if not kill_first:
                any_delivery.clock.forward(61)
                any_delivery.turn()
            return uri

    any_delivery.deliverer._chat = other
    any_delivery.chat = Slow(any_delivery.zulip, any_delivery.zuliprc, any_delivery.chat._rate_limiter)
    send(any_delivery, message)
    any_delivery.wait(90, step=5)
    assert_told_once(any_delivery, uploads=2)


def test_the_worker_leaves_a_file_alone_that_was_linked_while_it_waited_for_its_turn(
    any_delivery: DeliveryScenario,
) -> None:
    message = freeze(any_delivery)

    class Overtaken(MortalChat):
        def wait_for_turn(self, most_seconds: float) -> bool:
            with any_delivery.store.writing() as transaction:
                outbox.link_attachment(transaction, message, "[a](b)", any_delivery.clock())
            return super().wait_for_turn(most_seconds)

    any_delivery.deliverer._chat = Overtaken(any_delivery.zulip, any_delivery.zuliprc, any_delivery.chat._rate_limiter)
    any_delivery.clock.forward(61)
    any_delivery.turn()
    assert any_delivery.told(MARY) == [], "who linked it sends it"
    any_delivery.restart()
    any_delivery.wait(130, step=5)
    assert any_delivery.told(MARY) == [f"{TEXT}\n\n[a](b)"], "or, if that one is gone, the worker a minute later"


def test_who_comes_too_late_to_link_a_file_does_not_send(any_delivery: DeliveryScenario) -> None:
    message = freeze(any_delivery)
    with any_delivery.store.writing() as transaction:
        assert outbox.attachment(transaction, message) == PICTURE[1]
        linked = outbox.link_attachment(transaction, message, "[a](b)", any_delivery.clock() + timedelta(seconds=1))
        assert linked is not None
        assert linked.attachment is None
        assert outbox.link_attachment(transaction, message, "[c](d)", any_delivery.clock()) is None
        assert outbox.attachment(transaction, message) is None
    send(any_delivery, message)
    assert any_delivery.told(MARY) == []
