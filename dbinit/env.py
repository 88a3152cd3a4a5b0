"""The entry point of Alembic: it runs each migration in its own transaction on an open connection."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table="dbinit_version", transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
