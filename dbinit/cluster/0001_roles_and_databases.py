"""One role and one database per service; no role can connect to another's database."""

from alembic import op

revision = "cluster_0001"
down_revision = None
branch_labels = None
depends_on = None

OWNERS = ("airflow", "mlflow", "feast")  # these services create their own tables


def upgrade() -> None:
    for role in (*OWNERS, "platform", "reader"):
        op.execute(f"""
            DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                    CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
                END IF;
            END $$""")
    op.execute("ALTER ROLE reader SET default_transaction_read_only = on")
    op.execute("ALTER ROLE reader SET statement_timeout = '60s'")
    for database in ("postgres", "template1"):
        op.execute(f"REVOKE CONNECT, TEMPORARY ON DATABASE {database} FROM PUBLIC")
    connection = op.get_bind()
    there = {name for (name,) in connection.exec_driver_sql("SELECT datname FROM pg_database")}
    with op.get_context().autocommit_block():
        for name in (*OWNERS, "platform"):
            if name not in there:
                op.execute(f"CREATE DATABASE {name} OWNER {name if name in OWNERS else 'postgres'}")
            op.execute(f"REVOKE CONNECT, TEMPORARY ON DATABASE {name} FROM PUBLIC")
    op.execute("GRANT CONNECT, TEMPORARY ON DATABASE platform TO platform")
    op.execute("GRANT CONNECT ON DATABASE platform TO reader")


def downgrade() -> None:
    raise NotImplementedError("databases hold data; drop them by hand if you mean it")
