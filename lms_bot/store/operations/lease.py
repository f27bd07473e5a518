"""The lease on working for a store: one process holds it, and it dies with that process."""

from __future__ import annotations

import sqlalchemy as sa
from filelock import FileLock, Timeout

from lms_bot.store.session import Store

WORKER_LOCK = 0x6C6D735F776F726B  # "lms_work"


class Lease:
    """A session advisory lock on PostgreSQL, a locked file beside the store on SQLite."""

    def __init__(self, store: Store) -> None:
        self._engine = store.engine
        self._connection: sa.Connection | None = None
        self._file: FileLock | None = None
        if store.engine.dialect.name == "sqlite":
            self._file = FileLock(f"{store.engine.url.database}.lock", mode=0o600)

    def take(self) -> bool:
        """Take the lease, or make sure that it is still ours; False while another process has it."""
        return self._take_file(self._file) if self._file else self._take_session()

    def give_up(self) -> None:
        """Let another process take over."""
        if self._file:
            self._file.release()
        else:
            self._drop_session()

    def _take_file(self, file: FileLock) -> bool:
        try:
            if not file.is_locked:
                file.acquire(timeout=0)
        except Timeout:
            return False
        return True

    def _take_session(self) -> bool:
        try:
            if self._connection is not None:
                self._connection.exec_driver_sql("SELECT 1")
                return True
            return self._lock_session()
        except sa.exc.SQLAlchemyError:
            self._drop_session()
            return False

    def _lock_session(self) -> bool:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._connection = connection
        if connection.scalar(sa.text(f"SELECT pg_try_advisory_lock({WORKER_LOCK})")):
            return True
        self._drop_session()
        return False

    def _drop_session(self) -> None:
        # Closing alone would give the session, with its lock, back to the pool.
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
