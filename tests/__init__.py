"""What the whole product is asked to do, on real databases and over real sockets."""

from datetime import UTC, datetime

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
