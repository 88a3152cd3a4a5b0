"""The role of the HTTP service: it reads features and the registry, and writes to the prediction log."""

from alembic import op

revision = "cluster_0002"
down_revision = "cluster_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'serving') THEN
                CREATE ROLE serving LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
            END IF;
        END $$""")
    op.execute("ALTER ROLE serving SET statement_timeout = '30s'")
    op.execute("GRANT CONNECT ON DATABASE feast TO serving")  # the owner of the feature store grants its rights there
    op.execute("GRANT CONNECT, TEMPORARY ON DATABASE platform TO serving")


def downgrade() -> None:
    op.execute("REVOKE ALL ON DATABASE feast, platform FROM serving")
    op.execute("DROP ROLE serving")
