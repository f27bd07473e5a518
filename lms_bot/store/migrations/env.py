"""Runs migrations in the transaction that lms_bot.store.schema opened."""

from __future__ import annotations

from alembic import context

from lms_bot.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=False)
context.run_migrations()
