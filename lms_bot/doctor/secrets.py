"""Secrets, in every spelling that an error may show."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, quote_plus, unquote

_PASSWORDS = re.compile(r"(?i)://[^:/?@]*:([^@]*)@|[?&][^=&]*pass[^=&]*=([^&]*)")


def secrets_in(*urls: str) -> list[str]:
    """Return the passwords in these database URLs: decoded, encoded and escaped, the longest first."""
    found: set[str] = set()
    for url in urls:
        for written in ("".join(groups) for groups in _PASSWORDS.findall(url)):
            plain = unquote(written)
            escaped = plain.replace("\\", "\\\\").replace("'", "\\'")
            found |= {written, plain, quote(plain, safe=""), quote_plus(plain), repr(plain)[1:-1], escaped}
    return sorted(found - {""}, key=len, reverse=True)


def redact(secrets: Sequence[str], text: str) -> str:
    """Return the text with *** for each secret."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return text
