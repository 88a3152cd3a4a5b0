"""Alembic's entry: it gets an open connection and runs each migration in a transaction of its own."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table="dbinit_version", transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
