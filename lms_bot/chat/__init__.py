"""The door to Zulip: incoming messages, sending, who is who, and the pace of all of it."""

from __future__ import annotations

from lms_bot.chat.client import Bot, Chat
from lms_bot.chat.incoming import Incoming
from lms_bot.chat.rate_limit import Pace

__all__ = ["Bot", "Chat", "Incoming", "Pace"]
