"""How many rows of a frozen training set have their label from each upload."""

from alembic import op

revision = "platform_0017"
down_revision = "platform_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    op.execute("ALTER TABLE uploads.training_sets ADD COLUMN rows bigint")
    op.execute(
        "COMMENT ON COLUMN uploads.training_sets.rows IS"
        " 'Rows of the set whose label came with this upload; empty for other uploads, and in sets from before'"
    )
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("ALTER TABLE uploads.training_sets DROP COLUMN rows")
