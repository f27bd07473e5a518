"""Checks whether Zulip knows the bot, and the bot everybody it must write to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from lms_bot.chat import Chat
from lms_bot.config.settings import Settings
from lms_bot.core.people import Mentor, ZulipUser, hides_email
from lms_bot.core.reports.findings import Finding, failed, ok, warning
from lms_bot.doctor.lms import clock
from lms_bot.errors import ConfigError, SendError, StoreUnavailable
from lms_bot.store.operations import inspection
from lms_bot.store.people.accounts import with_accounts

OLDEST = 177  # the feature level of Zulip 7.0, the first that knows the search operator dm
MOST_NAMED = 20  # of many mentors, so many are named


def _is_not_needed() -> Iterator[Finding]:
    yield ok("zulip", "not needed while notify_mentors = false")


NOT_NEEDED = (("zulip", _is_not_needed),)


class Accounts:
    """The accounts of Zulip, once they were read."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self.users: Sequence[ZulipUser] | None = None

    def read(self) -> Iterator[Finding]:
        """Read the accounts."""
        self.users = self._chat.users()
        yield from people(self.users)


def checks(chat: Chat, accounts: Accounts, settings: Settings) -> Sequence[tuple[str, Callable[[], Iterator[Finding]]]]:
    """Return the checks of Zulip, in order."""
    return (
        ("zulip", lambda: reach(chat)),
        ("zulip version", lambda: iter([version(*_version(chat))])),
        ("zulip users", accounts.read),
        ("admin channel", lambda: admin_channel(chat, settings)),
        ("zulip clock", lambda: clock("zulip clock", "Zulip", chat.server().ahead)),
    )


def reach(chat: Chat) -> Iterator[Finding]:
    """Check whether Zulip accepts our key."""
    try:
        me = chat.bot()
    except ConfigError as error:
        advice = "correct the zuliprc, or download the bot's again and name it with --config-file"
        yield failed("zulip", str(error), advice)
    except SendError as error:
        yield failed("zulip", str(error), "check site, email and key in the zuliprc, and the network")
    else:
        yield ok("zulip", f"knows us as user {me.user_id}")


def version(named: str, feature_level: int) -> Finding:
    """Check whether Zulip is new enough."""
    if feature_level < OLDEST:
        return failed("zulip version", f"Zulip {named} is too old", "Zulip 7.0 or newer is needed")
    return ok("zulip version", f"Zulip {named}, feature level {feature_level}")


def people(users: Sequence[ZulipUser]) -> Iterator[Finding]:
    """Check whether we see who there is, with the e-mail addresses by which mentors are found."""
    humans = [user for user in users if user.is_active and not user.is_bot]
    if not humans:
        yield failed("zulip users", "we see nobody", "a bot of the type Generic bot sees the users")
        return
    yield ok("zulip users", f"we see {len(humans)} people")
    hidden = sum(hides_email(user.user_id, user.email) for user in humans)
    if hidden:
        message = f"the e-mail addresses of {hidden} of {len(humans)} people are hidden from us"
        advice = (
            "each of them lets members see it in Personal settings > Account & privacy > Who can access your email "
            "address; what new people begin with is in Organization settings > Default user settings"
        )
        yield warning("zulip addresses", message, advice)
    else:
        yield ok("zulip addresses", "we see every e-mail address")


def admin_channel(chat: Chat, settings: Settings) -> Iterator[Finding]:
    """Check whether admins have their channel: pinned by its id, there, private, and with the bot in it."""
    stream_id, by = _pinned(settings)
    stream = chat.stream(settings.admin_stream if stream_id is None else stream_id)
    name = settings.admin_stream if stream is None else stream.name
    if stream is None:
        message = f"#{name} is not there, or private without us"
        yield warning("admin channel", message, "make it private and subscribe the bot; nobody is an admin until then")
    elif not stream.is_private:
        message = f"#{name} is public, so that nobody is an admin"
        yield warning("admin channel", message, "make it private: its members see everything about every student")
    elif not chat.is_subscribed(stream.stream_id):
        yield warning("admin channel", f"we are not in #{name}", "subscribe the bot: it is not asked there otherwise")
    elif stream_id is None:
        advice = f"let an organisation administrator mention the bot there, or set admin_stream_id = {stream.stream_id}"
        yield warning("admin channel", f"#{name} is not confirmed yet, so that nobody is an admin", advice)
    else:
        yield ok("admin channel", f"#{name} is private, we are in it, and it is pinned by its number {stream_id}, {by}")


def _pinned(settings: Settings) -> tuple[int | None, str]:
    """Return the id of the admin channel, if there is one, and by what it is pinned."""
    if settings.admin_stream_id is not None:
        return settings.admin_stream_id, "which is set as admin_stream_id"
    try:
        pinned = inspection.pinned_admin_channel(settings.store_database_url)
    except StoreUnavailable:
        return None, ""  # there is none yet, or what is wrong with it is found elsewhere
    if pinned is None or pinned.pinned_by is None or pinned.setting != settings.admin_stream:
        return None, ""
    return pinned.stream_id, f"which user {pinned.pinned_by} has confirmed by writing there"


def mapping(
    mentors: Sequence[Mentor] | None, users: Sequence[ZulipUser] | None, by_hand: Mapping[int, int]
) -> Iterator[Finding]:
    """Check which mentors can be written to; nothing while either side is unknown."""
    if mentors is None or users is None:
        return
    nobodies = [mentor for mentor in with_accounts(mentors, users, by_hand) if mentor.zulip_user_id is None]
    message = f"{len(mentors) - len(nobodies)} of {len(mentors)} mentors have an account in Zulip"
    if not nobodies:
        yield ok("mentors", message)
        return
    named = [
        f"#{mentor.mentor_id} {_plain(mentor.username)} ({mentor.unmapped_reason})" for mentor in nobodies[:MOST_NAMED]
    ]
    more = f" and {len(nobodies) - MOST_NAMED} more" if len(nobodies) > MOST_NAMED else ""
    advice = (
        "give each the same e-mail address in the LMS and in Zulip, let the bot see it, or `map` them by hand; what "
        "they are owed waits until then"
    )
    yield warning("mentors", f"{message}; without one: {', '.join(named)}{more}", advice)


def _version(chat: Chat) -> tuple[str, int]:
    server = chat.server()
    return server.version, server.feature_level


def _plain(name: str) -> str:
    """Return a name from the LMS in one line of a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:60]
