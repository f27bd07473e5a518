"""A message to the bot, typed; the only place that looks into Zulip's dict."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lms_bot.core.notifications import Recipient

# Names that are copied from our messages bring the zero width spaces along that made them harmless there.
INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A question as it was asked.

    `message_id` and `sender_id` are None where a test tool leaves them out. `text` is without the mention of the bot,
    wherever that stood. `is_addressed`: it is for the bot alone, or mentions it. `reply_to` is where an answer goes
    that everybody there may read, `sender` the direct way to the asker. `edited_at` is when its text was last changed.
    `is_aside`: among others, the bot is mentioned inside a sentence, which may only be about it.
    """

    message_id: int | None
    sender_id: int | None
    text: str
    sent_at: datetime | None
    is_direct: bool
    is_group: bool
    is_addressed: bool
    stream_id: int | None
    reply_to: Recipient
    edited_at: datetime | None = None
    is_aside: bool = False

    @property
    def sender(self) -> Recipient:
        """Return the direct way to the asker."""
        return Recipient(user_ids=() if self.sender_id is None else (self.sender_id,))

    @classmethod
    def parse(cls, message: Mapping[str, Any], bot_id: int | None, *bot_names: str) -> Incoming:
        """Read a message of `handle_message` or of `GET /messages`; what is missing or odd becomes None."""
        sender_id = _integer(message.get("sender_id"))
        stream_id = _integer(message.get("stream_id"))
        is_direct = message.get("type", "private") in ("private", "direct") and stream_id is None
        others = _others(message.get("display_recipient"), {bot_id, sender_id}) if is_direct else ()
        content = INVISIBLE.sub("", str(message.get("full_content") or message.get("content") or ""))
        text, is_first = _without_mention(content, bot_id, bot_names)
        is_mentioned = text != content.strip()
        mine = (sender_id,) if sender_id is not None else ()
        return cls(
            message_id=_integer(message.get("id")),
            sender_id=sender_id,
            text=text,
            sent_at=_moment(message.get("timestamp")),
            is_direct=is_direct,
            is_group=bool(others),
            is_addressed=(is_direct and not others) or is_mentioned,
            stream_id=stream_id,
            reply_to=Recipient(user_ids=(*mine, *others))
            if is_direct
            else Recipient(stream_id=stream_id, topic=str(message.get("subject") or message.get("topic") or "")),
            edited_at=_edited_at(message),
            is_aside=is_mentioned and not is_first and (not is_direct or bool(others)),
        )


def _without_mention(content: str, bot_id: int | None, bot_names: Collection[str]) -> tuple[str, bool]:
    """Return a text without the mention of the bot, which may stand anywhere, and whether it stood at the beginning."""
    names = [re.escape(name) for name in bot_names if name]
    names += [rf"[^*\n]*\|{bot_id}"] if bot_id is not None else []
    if not names:
        return content.strip(), False
    mention = rf"@_?\*\*(?:{'|'.join(names)})\*\*[:,]?"
    at_start = re.sub(rf"^\s*{mention}", "", content, count=1, flags=re.IGNORECASE)
    if at_start != content:
        return at_start.strip(), True
    parts = re.split(mention.replace("_?", ""), content, flags=re.IGNORECASE)
    return " ".join(part.strip() for part in parts).strip(), False


def _edited_at(message: Mapping[str, Any]) -> datetime | None:
    """Return when the text was last changed; Zulip notes in the same history that a message was moved."""
    history = message.get("edit_history")
    edits = history if isinstance(history, list) else []
    changed = [_moment(edit.get("timestamp")) for edit in edits if isinstance(edit, Mapping) and "prev_content" in edit]
    moments = [moment for moment in (_moment(message.get("edit_timestamp")), *changed) if moment is not None]
    return max(moments, default=None)


def _others(people: Any, known: set[int | None]) -> tuple[int, ...]:
    if not isinstance(people, list):
        return ()
    ids = (_integer(person.get("id")) for person in people if isinstance(person, Mapping))
    return tuple(sorted(user_id for user_id in ids if user_id is not None and user_id not in known))


def _integer(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return value if type(value) is int else None


def _moment(value: Any) -> datetime | None:
    seconds = _integer(value)
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and 0 < seconds < 10**11 else None
