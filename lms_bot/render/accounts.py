"""Mentors, students and their Zulip accounts as Zulip Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from lms_bot.core.people import Mentor, MentorAccount, Student, StudentAccount, ZulipUser
from lms_bot.render.fitting import counted
from lms_bot.render.quoting import NOTHING, quote, student_name
from lms_bot.store.operations.admin_channel import AdminChannel, Trouble

MOST_NAMED = 20
_TROUBLES = {
    Trouble.PUBLIC: "🔓 The admin channel #{name} is public, so I take nobody for an admin until it is private again.",
    Trouble.GONE: "🚪 I am not in the admin channel #{name} any more, or it is archived: nobody is an admin. "
    "Add me to it again, or let an organisation administrator write to me in a new private channel #{setting}.",
}


def unmapped_lines(found: Sequence[Mentor], most: int) -> list[str]:
    """Return a line for each of the mentors, at most so many, and why nobody can be written to."""
    lines = [
        f"* **{quote(mentor.name)}** (#{mentor.mentor_id}): {quote(mentor.unmapped_reason or 'not looked up yet')}"
        for mentor in found[:most]
    ]
    return lines + ([f"* … and {len(found) - most:,} more"] if len(found) > most else [])


def admin_channel_trouble(trouble: Trouble, name: str, setting: str) -> str:
    """Return what is wrong with the admin channel, and what to do about it."""
    return _TROUBLES[trouble].format(name=quote(name, 60), setting=quote(setting, 60))


def admin_channel_text(channel: AdminChannel | None, setting: str) -> str:
    """Return to somebody who may be an admin where admins are answered, or what keeps them from it."""
    if channel is None:
        return (
            f"📌 No admin channel is confirmed yet. Mention me, with `help` after it, in a private channel "
            f"#{quote(setting, 60)} that I am in: the first message of an organisation administrator there confirms it."
        )
    if channel.trouble is not Trouble.NONE:
        return admin_channel_trouble(channel.trouble, channel.name, channel.setting)
    return f"I answer admins in the channel #{quote(channel.name, 60)}: mention me there, with the command after it."


def mentor_text(found: MentorAccount) -> str:
    """Return who a mentor is: the Zulip account and the students."""
    mentor, students = found.mentor, found.students
    by_hand = ", mapped by hand" if found.is_mapped_by_hand and mentor.zulip_user_id is not None else ""
    lines = [
        *_identity(mentor),
        f"* **Zulip:** {_account(mentor, found.account)}{by_hand}",
        f"* **{counted(len(students), 'student')}:** {_listed([student_name(one, limit=60) for one in students])}",
    ]
    return "\n".join([f"🧑‍🏫 **Mentor {quote(mentor.name)}** (#{mentor.mentor_id})", "", *lines])


def student_text(found: StudentAccount) -> str:
    """Return who a student is: the Zulip account and the mentors."""
    student, mentors = found.student, found.mentors
    names = [f"{quote(one.name, 60)} (#{one.mentor_id})" for one in mentors]
    lines = [
        *_identity(student),
        f"* **Zulip:** {_account(student, found.account)}",
        f"* **Active in the LMS:** {'yes' if student.is_active else 'no'}",
        f"* **{counted(len(mentors), 'mentor')}:** {_listed(names)}",
    ]
    return "\n".join([f"🧑‍🎓 **Student {quote(student.name)}** (#{student.student_id})", "", *lines])


def people_lines(found: Sequence[Mentor | Student]) -> list[str]:
    """Return a line for each of the people, at most MOST_NAMED."""
    lines = [
        f"* mentor **{quote(one.name)}** (#{one.mentor_id})"
        if isinstance(one, Mentor)
        else f"* student **{quote(one.name)}** (#{one.student_id})"
        for one in found[:MOST_NAMED]
    ]
    return lines + ([f"* … and {len(found) - MOST_NAMED:,} more"] if len(found) > MOST_NAMED else [])


def account_words(account: ZulipUser) -> str:
    """Return the name and the id of a Zulip account."""
    return f"**{quote(account.full_name)}**, account {account.user_id}"


def _identity(person: Mentor | Student) -> list[str]:
    return [f"* **Username:** {quote(person.username)}", f"* **E-mail:** {quote(person.email)}"]


def _account(person: Mentor | Student, account: ZulipUser | None) -> str:
    if account is not None:
        return account_words(account)
    if person.zulip_user_id is not None:
        return f"account {person.zulip_user_id}"
    reason = person.unmapped_reason if isinstance(person, Mentor) else None
    return f"no account: {quote(reason)}" if reason else "no account"


def _listed(names: Sequence[str]) -> str:
    more = f" … and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return (", ".join(names[:MOST_NAMED]) or NOTHING) + more
