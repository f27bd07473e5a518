"""An LMS with the people and titles of the demo school, and nothing that its students did."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bot.fixtures import school


def fill_lms(url: str) -> None:
    """Make the LMS tables, with the rows of the school but for what its students did."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        raw = connection.connection.cursor()
        if engine.dialect.name == "sqlite":
            raw.executescript(school.schema("sqlite"))
        else:
            raw.execute(school.schema("postgresql"))
        mark = "?" if engine.dialect.name == "sqlite" else "%s"
        for table, rows in school.rows().items():
            if not rows:
                continue
            columns = ", ".join(f'"{name}"' for name in rows[0])
            marks = ", ".join([mark] * len(rows[0]))
            raw.executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({marks})', [tuple(r.values()) for r in rows])
            if engine.dialect.name == "postgresql":
                raw.execute(
                    "SELECT setval(s, (SELECT count(*) + 1000 FROM students), true) "
                    "FROM pg_get_serial_sequence(%s, 'id') AS s WHERE s IS NOT NULL",
                    [f'"{table}"'],
                )
