"""Declarations of LMSs, a module each."""

from __future__ import annotations

from lms_bot.lms.schemas.classic import SCHEMA

__all__ = ["SCHEMA"]
