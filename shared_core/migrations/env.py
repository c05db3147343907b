"""Alembic's entry: it runs over the connection that migrations.migrate() hands it."""

from alembic import context

from shared_core import tables

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=tables.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
