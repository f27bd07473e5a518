"""Declarations of LMSs, a module each."""

from __future__ import annotations

from lms_bot.lms.schemas.classic import SCHEMA

__all__ = ["LETTERS", "SCHEMA"]

LETTERS = {source.name: source.letter for source in SCHEMA.sources}
"""The letter before the numbers of a source's events."""
