"""The door to Zulip: incoming messages, sending, accounts, and the rate limit of all calls."""

from __future__ import annotations

from lms_bot.chat.client import Bot, Chat
from lms_bot.chat.incoming import Incoming
from lms_bot.chat.rate_limit import RateLimiter

__all__ = ["Bot", "Chat", "Incoming", "RateLimiter"]
