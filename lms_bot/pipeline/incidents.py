"""Finds incidents, which admins must know of: when they begin and when they are over."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from lms_bot.config.settings import Settings
from lms_bot.core.operations.lms_silence import LEARNED_FROM, is_unusual_silence
from lms_bot.core.process import Process, Work
from lms_bot.pipeline.freshness import LMS, SILENCE
from lms_bot.render import counted, moment, quote
from lms_bot.render.accounts import admin_channel_trouble
from lms_bot.store import state
from lms_bot.store.operations import figures, incidents, pauses
from lms_bot.store.operations.admin_channel import AdminChannel, Trouble
from lms_bot.store.operations.inspection import file_of
from lms_bot.store.people import accounts, directory
from lms_bot.store.session import Store, Transaction

FAILED_POLLS = 3  # in a row begin an incident
LATE = timedelta(minutes=15)  # notifications tried in vain for so long are an incident
MEBIBYTE = 2**20
LITTLE, ENOUGH = 1024 * MEBIBYTE, 1280 * MEBIBYTE  # bytes free: too few below the one, enough again above the other
MOST_NAMED = 20

DELIVERY, DISK, UNMAPPED = "delivery", "disk", "unmapped"
ADMIN_CHANNEL = "admin channel"
MISFIT = "misfit"
FOUND = "found"  # the fact: when events were last found, and how many on each day
FAILURES = "failed_polls"  # the fact: how many polls have failed in a row


def note_failed_poll(store: Store, reason: str, now: datetime) -> None:
    """Count a poll that failed; the third in a row, whoever polled, begins an incident. Raises StoreUnavailable."""
    with store.writing() as transaction:
        failures = (state.value(transaction, FAILURES) or 0) + 1
        state.note(transaction, FAILURES, failures, now)
        if failures >= FAILED_POLLS:
            text = (
                f"🔴 The LMS cannot be read: {quote(reason)}. What happens meanwhile is told afterwards, and "
                "nothing is said of students who are absent."
            )
            incidents.begin(transaction, LMS, text, now)


def note_poll(transaction: Transaction, new_events: int, settings: Settings, now: datetime) -> None:
    """Note that a poll succeeded: the LMS can be read, and is silent or is not."""
    noted = state.some(transaction, [FOUND, FAILURES])
    going_on = incidents.going_on(transaction, [LMS, SILENCE])
    last, days = _found(noted[FOUND][0] if FOUND in noted else None)
    if LMS in going_on or FAILURES in noted:
        state.forget(transaction, FAILURES)
        incidents.end(transaction, LMS, "🟢 The LMS can be read again.")
    if new_events or last is None:
        _note_found(transaction, days, new_events, settings, now)
        if SILENCE in going_on:
            incidents.end(transaction, SILENCE, "🟢 There are new events in the LMS again.")
    elif SILENCE not in going_on and is_unusual_silence(last, now, days, settings.timezone):
        incidents.begin(transaction, SILENCE, _silence_text(last), now)


def note_misfits(store: Store, reasons: Mapping[str, str | None], now: datetime) -> None:
    """Note which tables of the LMS cannot be read as they are declared, and why; None for those that can be."""
    with store.reading() as transaction:
        going_on = incidents.going_on(transaction, [f"{MISFIT} {name}" for name in reasons])
    changed = {name: reason for name, reason in reasons.items() if (f"{MISFIT} {name}" in going_on) != bool(reason)}
    if not changed:
        return
    with store.writing() as transaction:
        for name, reason in changed.items():
            if reason is None:
                incidents.end(transaction, f"{MISFIT} {name}", f"🟢 {quote(name)} of the LMS can be read again.")
            else:
                text = (
                    f"🔴 {quote(name)} of the LMS cannot be read as it is declared: {quote(reason)}. What is known "
                    "from there stays as it was, and all else goes on."
                )
                incidents.begin(transaction, f"{MISFIT} {name}", text, now)


def note_admin_channel(
    transaction: Transaction, before: AdminChannel | None, channel: AdminChannel | None, now: datetime
) -> None:
    """Note what has changed with the admin channel: which one it is, what it is called, and what is wrong with it."""
    if channel is None:
        return
    name = quote(channel.name, 60)
    if before is None or before.stream_id != channel.stream_id:
        text = f"📌 #{name} is the admin channel now: I answer its members, but no guests, as admins."
        incidents.notice(transaction, f"{ADMIN_CHANNEL} {channel.stream_id}", text, now)
    elif before.name != channel.name:
        text = f"✏️ The admin channel is called #{name} now. It still is the admin channel: I know it by its number."
        incidents.notice(transaction, f"{ADMIN_CHANNEL} renamed", text, now)
    if channel.trouble is not Trouble.NONE:
        text = admin_channel_trouble(channel.trouble, channel.name, channel.setting)
        incidents.begin(transaction, f"{ADMIN_CHANNEL} {channel.trouble}", text, now)
    elif before is not None and before.trouble is not Trouble.NONE:
        for trouble in incidents.going_on(transaction, [f"{ADMIN_CHANNEL} {trouble}" for trouble in Trouble]):
            incidents.end(transaction, trouble, f"🟢 I answer admins in #{name} again.")


def note_takeover(store: Store, before: Process, process: Process, now: datetime) -> None:
    """Note that a process that stood by goes on where another one worked."""
    text = f"🔁 {quote(str(process))} works now, in the place of {quote(str(before))}."
    with store.writing() as transaction:
        incidents.notice(transaction, "takeover", text, now)


def find_incidents(store: Store, settings: Settings, now: datetime) -> None:
    """Find incidents in what waits, in who has no account, and in free disk space. Raises StoreUnavailable."""
    free = _free(settings)
    with store.writing() as transaction:
        _judge_delivery(transaction, settings, now)
        _judge_accounts(transaction, now)
        if free is not None:
            judge_disk(transaction, free, now)


def judge_disk(transaction: Transaction, free: int, now: datetime) -> None:
    """Begin or end the incident of a full disk, by the bytes that are free where the store is."""
    is_on = DISK in incidents.going_on(transaction, [DISK])
    if free < LITTLE and not is_on:
        text = f"💾 The disk of the event store is nearly full: {free // MEBIBYTE:,} MiB are free."
        incidents.begin(transaction, DISK, text, now)
    elif free > ENOUGH and is_on:
        incidents.end(transaction, DISK, "🟢 The disk of the event store has room again.")


def _judge_delivery(transaction: Transaction, settings: Settings, now: datetime) -> None:
    is_on = DELIVERY in incidents.going_on(transaction, [DELIVERY])
    failing = figures.failing(transaction, now, LATE)
    is_meant = settings.notify_mentors and Work.DELIVERY not in pauses.current(transaction, now)
    if failing and is_meant and not is_on:
        told = f"{counted(failing, 'notification')} could not be told for {LATE // timedelta(minutes=1)} minutes"
        incidents.begin(transaction, DELIVERY, f"🔴 Delivery fails: {told}. `pending` says why.", now)
    elif is_on and not failing:
        incidents.end(transaction, DELIVERY, "🟢 Delivery works again.")


def _judge_accounts(transaction: Transaction, now: datetime) -> None:
    """Note which mentors with students have newly no account, all at once, and when the last of them has one."""
    if state.noted_at(transaction, accounts.ZULIP_USERS_READ) is None:
        return
    unmapped = directory.unmapped_with_students(transaction)
    known = state.value(transaction, UNMAPPED) or []
    if unmapped == known:
        return
    state.note(transaction, UNMAPPED, unmapped, now)
    if new := [mentor_id for mentor_id in unmapped if mentor_id not in set(known)]:
        named = ", ".join(f"#{mentor_id}" for mentor_id in new[:MOST_NAMED])
        more = f" and {len(new) - MOST_NAMED:,} more" if len(new) > MOST_NAMED else ""
        text = (
            f"👤 {counted(len(new), 'mentor')} with students cannot be written to: {named}{more}. `unmapped` says why."
        )
        incidents.notice(transaction, f"{UNMAPPED} {new[0]}", text, now)
    elif not unmapped:
        incidents.notice(transaction, UNMAPPED, "🟢 Every mentor with students can be written to again.", now)


def _free(settings: Settings) -> int | None:
    """Return the bytes free where a SQLite store is; None for a server, whose disk cannot be seen from here."""
    file = file_of(settings.store_database_url)
    return shutil.disk_usage(file.parent).free if file is not None and file.parent.is_dir() else None


def _silence_text(last: datetime) -> str:
    return (
        f"🤫 The LMS can be read, but has had nothing new since {moment(last)}, which is unusual in working hours. "
        "Holidays? If not, look whether it still records what students do. Nothing is said of who is absent meanwhile."
    )


def _found(noted: Mapping[str, object] | None) -> tuple[datetime | None, dict[date, int]]:
    if not noted:
        return None, {}
    days = noted["days"]
    assert isinstance(days, dict)
    return datetime.fromisoformat(str(noted["last"])), {date.fromisoformat(day): n for day, n in days.items()}


def _note_found(
    transaction: Transaction, days: Mapping[date, int], new_events: int, settings: Settings, now: datetime
) -> None:
    today = now.astimezone(settings.timezone).date()
    counts = {**days, today: days.get(today, 0) + new_events}
    kept = {day.isoformat(): n for day, n in counts.items() if (today - day).days <= LEARNED_FROM}
    state.note(transaction, FOUND, {"last": now.isoformat(), "days": kept}, now)
