"""The role of the metrics: it reads numbers, and no value of a row."""

from alembic import op

revision = "cluster_0005"
down_revision = "cluster_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'metrics') THEN
                CREATE ROLE metrics LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
            END IF;
        END $$""")
    # a query that is slow must not add to the load of a server that is busy
    op.execute("ALTER ROLE metrics SET statement_timeout = '10s'")
    op.execute("ALTER ROLE metrics SET default_transaction_read_only = on")
    # what it may read there, Airflow's set-up and the migrations of `platform` say
    op.execute("GRANT CONNECT ON DATABASE airflow, platform TO metrics")


def downgrade() -> None:
    op.execute("REVOKE ALL ON DATABASE airflow, platform FROM metrics")
    op.execute("DROP ROLE metrics")
