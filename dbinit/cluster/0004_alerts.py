"""The role of the alerts: it reads what the pipelines record, and writes which alert was sent where."""

from alembic import op

revision = "cluster_0004"
down_revision = "cluster_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'alerts') THEN
                CREATE ROLE alerts LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
            END IF;
        END $$""")
    op.execute("ALTER ROLE alerts SET statement_timeout = '30s'")
    op.execute("GRANT CONNECT ON DATABASE airflow, platform TO alerts")  # Airflow's set-up grants it some columns there


def downgrade() -> None:
    op.execute("REVOKE ALL ON DATABASE airflow, platform FROM alerts")
    op.execute("DROP ROLE alerts")
