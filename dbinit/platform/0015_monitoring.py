"""Monitoring: what is found about data sets whose models are live."""

from alembic import op

revision = "platform_0015"
down_revision = "platform_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA monitoring AUTHORIZATION platform")
    op.execute("SET LOCAL ROLE platform")
    op.execute("GRANT USAGE ON SCHEMA monitoring TO reader, serving")
    op.execute("ALTER DEFAULT PRIVILEGES FOR ROLE platform IN SCHEMA monitoring GRANT SELECT ON TABLES TO reader")
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("DROP SCHEMA monitoring CASCADE")
    op.execute("ALTER DEFAULT PRIVILEGES FOR ROLE platform IN SCHEMA monitoring REVOKE SELECT ON TABLES FROM reader")
