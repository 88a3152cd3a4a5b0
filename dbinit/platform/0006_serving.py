"""The rights of the HTTP service: it reads features to join them, and adds rows to the prediction log."""

from alembic import op

revision = "platform_0006"
down_revision = "platform_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("GRANT USAGE ON SCHEMA features, predictions TO serving")
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA features TO serving")
    op.execute("ALTER DEFAULT PRIVILEGES FOR ROLE platform IN SCHEMA features GRANT SELECT ON TABLES TO serving")
    op.execute("GRANT INSERT ON predictions.log TO serving")


def downgrade() -> None:
    op.execute("REVOKE INSERT ON predictions.log FROM serving")
    op.execute("ALTER DEFAULT PRIVILEGES FOR ROLE platform IN SCHEMA features REVOKE SELECT ON TABLES FROM serving")
    op.execute("REVOKE SELECT ON ALL TABLES IN SCHEMA features FROM serving")
    op.execute("REVOKE USAGE ON SCHEMA features, predictions FROM serving")
