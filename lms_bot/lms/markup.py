"""Takes the markup out of names: HTML, and the two ways in which Moodle keeps a name in several languages."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from lms_bot.lms.values import text

_MLANG = re.compile(r"\{\s*mlang\s+([^}]*?)\s*\}(.*?)\{\s*mlang\s*\}", re.IGNORECASE | re.DOTALL)
_OTHER = "other"  # the plugin's word for all languages that are not named


def without_markup(value: Any) -> str | None:
    """Return a name as plain text: the first of several languages, no tags, characters for entities, no double space.

    Source: Moodle's filter_multilang (neighbouring <span lang="…" class="multilang">) and the plugin filter_multilang2.
    """
    name = text(value)
    if name is None:
        return None
    if "{" in name:
        name = _one_language(name)
    if "<" in name or "&" in name:
        parser = _Text()
        parser.feed(name)
        parser.close()
        name = "".join(parser.parts)
    return " ".join(name.split()) or None


def _one_language(name: str) -> str:
    """Return what is said in the first language that is named, and all that is said in none."""
    blocks = _MLANG.findall(name)
    if not blocks:
        return name
    chosen = blocks[0][0].casefold()
    has_named = any(language.casefold() != _OTHER for language, _ in blocks)
    if chosen == _OTHER and has_named:
        chosen = next(language.casefold() for language, _ in blocks if language.casefold() != _OTHER)

    def kept(block: re.Match[str]) -> str:
        return block[2] if block[1].casefold() == chosen else ""

    return _MLANG.sub(kept, name)


class _Text(HTMLParser):
    """Collects the text of HTML, of neighbouring spans for languages only the first one's."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._spans: list[str | None] = []  # the open ones, with the language of those that are for one
        self._chosen: str | None = None
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a language; break what a tag breaks."""
        if tag == "span":
            given = dict(attrs)
            is_language = "multilang" in (given.get("class") or "").split() and given.get("lang")
            language = (given.get("lang") or "").casefold() if is_language else None
            self._spans.append(language)
            if language is not None:
                self._chosen = self._chosen or language
                self._skipped += language != self._chosen
        elif tag in ("br", "p", "div", "li"):
            self.parts.append(" ")
        elif tag in ("script", "style"):
            self._skipped += 1

    def handle_endtag(self, tag: str) -> None:
        """End what was begun."""
        if tag == "span" and self._spans:
            language = self._spans.pop()
            self._skipped -= language is not None and language != self._chosen
        elif tag in ("script", "style") and self._skipped:
            self._skipped -= 1

    def handle_data(self, data: str) -> None:
        """Keep text that is shown."""
        if not self._skipped:
            self.parts.append(data)
