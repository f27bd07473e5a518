"""Tokens are made once, shown once, kept as hashes, and end at once when they are revoked."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_bot.core.people import Mentor
from lms_bot.core.web.tokens import Scope, Token, is_secret_of, new_secret, prefix_of, pseudonym
from lms_bot.errors import UserError
from lms_bot.pipeline.actions import tokens as actions
from lms_bot.pipeline.actions.tokens import Wanted
from lms_bot.store.people.people import keep_people
from lms_bot.store.session import Store
from lms_bot.store.web import tokens
from tests import NOW
from tests.admin_session import AdminSession
from tests.bot_process import Place, from_store
from tests.shell import DONE, FAILED, WRONG_USE, Shell, problems, run, shell

__all__ = ["shell"]

FORM = re.compile(r"lmsb_[a-z2-7]{8}_[A-Za-z0-9_-]{43}")


def create(store: Store, *wanted: object) -> str:
    with store.writing() as transaction:
        return actions.create(transaction, Wanted(*wanted), NOW)  # type: ignore[arg-type]


def found(store: Store, text: str) -> Token | None:
    with store.reading() as transaction:
        token = tokens.with_prefix(transaction, prefix_of(text) or "")
    return token if is_secret_of(text, token) else None


# Kept and found


def test_a_token_is_found_by_its_text_and_kept_without_it(store: Store) -> None:
    text = create(store, "exporter", [Scope.ACTIVITY, Scope.NAMES])
    assert FORM.fullmatch(text)
    token = found(store, text)
    assert token is not None
    assert (token.name, token.mentor_id) == ("exporter", None)
    assert token.scopes == {Scope.ACTIVITY, Scope.NAMES}
    url = store.engine.url.render_as_string(hide_password=False)
    assert text.split("_", 2)[2] not in str(from_store(url, "SELECT * FROM api_tokens"))


def test_nothing_but_the_whole_text_is_the_token(store: Store) -> None:
    text = create(store, "exporter", [Scope.ACTIVITY])
    other = create(store, "importer", [Scope.ACTIVITY])
    mixed = "_".join([*text.split("_", 2)[:2], other.split("_", 2)[2]])
    for wrong in ("", "lmsb_", text[:-1], f"{text} ", text.upper(), mixed, text.replace("lmsb", "lmsc")):
        assert found(store, wrong) is None


def test_a_name_is_given_once(store: Store) -> None:
    create(store, "exporter", [Scope.ACTIVITY])
    with pytest.raises(UserError, match="another token exporter"):
        create(store, "exporter", [Scope.SYNC])


def test_a_token_ends_after_its_days_or_when_it_is_revoked(store: Store) -> None:
    text = create(store, "exporter", [Scope.ACTIVITY], None, 2)
    token = found(store, text)
    assert token is not None
    assert token.is_valid(NOW + timedelta(days=2, seconds=-1))
    assert not token.is_valid(NOW + timedelta(days=2))
    with store.writing() as transaction:
        actions.revoke(transaction, "exporter", NOW)
    revoked = found(store, text)
    assert revoked is not None
    assert not revoked.is_valid(NOW)
    with store.writing() as transaction, pytest.raises(UserError, match="no token of this name"):
        actions.revoke(transaction, "exporter", NOW)


def test_a_token_is_for_a_mentor_whom_the_store_knows(store: Store) -> None:
    with pytest.raises(UserError, match="no mentor #7"):
        create(store, "exporter", [Scope.ACTIVITY], 7)
    with store.writing() as transaction:
        keep_people(transaction, [], [Mentor(7, "mary", "mary@example.org")], [], NOW)
    create(store, "exporter", [Scope.ACTIVITY], 7)


@pytest.mark.parametrize("name", ["", "a b", "-x", "a" * 65, "Мария", "a\n"])
def test_a_bad_name_is_refused(store: Store, name: str) -> None:
    with pytest.raises(UserError, match="1 to 64 letters"):
        create(store, name, [Scope.ACTIVITY])


@given(st.text(max_size=80))
def test_no_text_that_was_not_made_here_has_a_token(text: str) -> None:
    secret = new_secret()
    token = Token(1, "x", secret.prefix, secret.secret_hash, frozenset(), None, NOW, None, None, None)
    assert not is_secret_of(text, token)
    assert not is_secret_of(secret.text, None)
    assert is_secret_of(secret.text, token)


def test_pseudonyms_are_stable_and_different_for_each_token_and_person() -> None:
    made = [new_secret() for _ in range(2)]
    one, two = (Token(1, "x", s.prefix, s.secret_hash, frozenset(), None, NOW, None, None, None) for s in made)
    assert pseudonym(one, "student", 1) == pseudonym(one, "student", 1)
    assert len({pseudonym(t, kind, n) for t in (one, two) for kind in ("student", "mentor") for n in (1, 2)}) == 8


# On the command line


def test_create_prints_the_token_alone_and_list_never_does(shell: Shell) -> None:
    done = shell.run("token", "create", "exporter", "--scope", "activity,names", "--days", "30")
    (text,) = done.stdout.splitlines()
    assert FORM.fullmatch(text)
    listed = shell.run("token", "list").stdout
    assert text not in listed
    assert re.search(r"exporter  lmsb_\w{8}_…  activity,names  everybody  expires .*  never used", listed)
    assert "is revoked" in shell.run("token", "revoke", "exporter").stdout
    assert "revoked 2" in shell.run("token", "list").stdout


def test_what_cannot_be_made_is_explained(shell: Shell) -> None:
    assert shell.run("token", "list").stdout == "There is no token.\n"
    for wrong in (("create", "x"), ("create", "x", "--scope", "activty"), ("create", "x", "--scope", ","), ()):
        assert "usage:" in shell.run("token", *wrong, code=WRONG_USE).stderr
    assert "did you mean activity?" in shell.run("token", "create", "x", "--scope", "activty", code=WRONG_USE).stderr
    shell.run("token", "create", "x", "--scope", "sync")
    for impossible in (["x", "--scope", "sync"], ["y", "--scope", "sync", "--mentor", "99"]):
        done = shell.run("token", "create", *impossible, code=FAILED)
        assert len(problems(done)) == 1
        assert not done.stdout
    assert problems(shell.run("token", "revoke", "z", code=FAILED))


def test_options_stand_before_or_after_the_action(shell: Shell) -> None:
    command = shell.command("token", "list")
    program, options, words = command[0], command[1:5], command[5:]
    assert run([program, *words, *options], shell.folder, DONE).stdout == "There is no token.\n"


# In the admin channel


def test_an_admin_makes_lists_and_revokes_tokens_and_sees_the_secret_in_private(place: Place) -> None:
    with AdminSession.at(place) as session:
        ada = place.people.ada
        private, public = session.answers("token create exporter activity, names days:30")
        assert private.recipient.user_ids == (ada,)
        (text,) = FORM.findall(private.content)
        assert text not in public.content
        with session.parts.store.reading() as transaction:
            token = tokens.with_prefix(transaction, prefix_of(text) or "")
        assert is_secret_of(text, token)
        assert token is not None
        assert token.scopes == {Scope.ACTIVITY, Scope.NAMES}
        listed = session.answers("token list")[0].content
        assert "**exporter**" in listed
        assert text not in listed
        assert "is revoked" in session.answers("token revoke exporter")[0].content
        assert "revoked <time:" in session.answers("token list")[0].content
        for wrong, said in (
            ("token create", "Say which token"),
            ("token create x", "Say what the token is for"),
            ("token create x activty", "Did you mean `activity`?"),
            ("token create x activity mentor:99", "no mentor #99"),
            ("token create exporter sync", "another token exporter"),
            ("token revoke exporter", "no token of this name"),
        ):
            assert said in session.answers(wrong)[0].content
        assert not from_store(place.store_url, f"SELECT 1 FROM audit WHERE command LIKE '%{text}%'")


def test_nobody_but_an_admin_makes_tokens(place: Place) -> None:
    with AdminSession.at(place) as session:
        for sender in (place.people.mary, place.people.ada, place.people.eve):
            direct = {"type": "private", "stream_id": None, "display_recipient": [{"id": sender}]}
            for message in session.answers("token create exporter activity", sender=sender, **direct):
                assert not FORM.search(message.content)
        assert from_store(place.store_url, "SELECT count(*) FROM api_tokens") == [(0,)]
