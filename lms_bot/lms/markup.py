"""Takes the markup out of names: HTML, and the two ways in which Moodle keeps a name in several languages."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from lms_bot.lms.values import text

_MLANG = re.compile(r"\{\s*mlang\s+([^{}\s][^{}]*)\}(.*?)\{\s*mlang\s*\}", re.IGNORECASE | re.DOTALL)
_OTHER = "other"  # the plugin's word for all languages that are not named
_COMMENT = re.compile(r"<!--.*?-->|<![^<>]*>", re.DOTALL)
_NO_TAG = re.compile(r"<(?![a-zA-Z/][^<>]*>)")
_OF_LANGUAGE = ("span", "lang")
_LONGEST = 2_000  # characters of a name with markup; Moodle's own may have 1,333


def without_markup(value: Any) -> str | None:
    """Return a name as plain text: the first of several languages, no tags, characters for entities, no double space.

    Source: Moodle's filter_multilang (neighbouring <span lang="…" class="multilang">, on old sites <lang lang="…">) and
    the plugin filter_multilang2.
    """
    name = text(value)
    if name is None:
        return None
    if "{" in name:
        name = _one_language(name[:_LONGEST])
    if "<" in name or "&" in name:
        parser = _Text()
        # What only looks like a tag is text: HTMLParser takes long over it, or raises AssertionError.
        parser.feed(_NO_TAG.sub("&lt;", _COMMENT.sub("", name[:_LONGEST])))
        parser.close()
        name = "".join(parser.parts)
    return " ".join(name.split()) or None


def _one_language(name: str) -> str:
    """Return what is said in the first language that is named, and all that is said in none."""
    languages = [language.strip().casefold() for language, _ in _MLANG.findall(name)]
    chosen = next((language for language in languages if language != _OTHER), _OTHER)

    def kept(block: re.Match[str]) -> str:
        return block[2] if block[1].strip().casefold() == chosen else ""

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
        if tag in _OF_LANGUAGE:
            given = dict(attrs)
            is_named = tag == "lang" or "multilang" in (given.get("class") or "").split()
            is_language = is_named and given.get("lang")
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
        if tag in _OF_LANGUAGE and self._spans:
            language = self._spans.pop()
            self._skipped -= language is not None and language != self._chosen
        elif tag in ("script", "style") and self._skipped:
            self._skipped -= 1

    def handle_data(self, data: str) -> None:
        """Keep text that is shown; what is said in no language stands between two choices of one."""
        if not self._skipped:
            self.parts.append(data)
        if data.strip() and not any(self._spans):
            self._chosen = None
