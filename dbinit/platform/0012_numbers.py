"""Labels that are numbers: a decision names its metric, and a prediction can have an interval."""

from alembic import op

revision = "platform_0012"
down_revision = "platform_0011"
branch_labels = None
depends_on = None

LOG = """
ALTER TABLE predictions.log ALTER COLUMN probability DROP NOT NULL, ADD COLUMN low double precision,
    ADD COLUMN high double precision;
COMMENT ON COLUMN predictions.log.prediction IS 'The class, or the number';
COMMENT ON COLUMN predictions.log.low IS 'Low end of the interval around a number'"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    for role in ("challenger", "champion"):
        op.execute(f"ALTER TABLE models.decisions RENAME COLUMN {role}_f1 TO {role}_score")
    op.execute("ALTER TABLE models.decisions ADD COLUMN metric text NOT NULL DEFAULT 'f1'")
    op.execute("COMMENT ON COLUMN models.decisions.metric IS 'That both models are compared by'")
    op.execute(LOG)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("DELETE FROM predictions.log WHERE probability IS NULL")
    op.execute("ALTER TABLE predictions.log DROP COLUMN low, DROP COLUMN high, ALTER COLUMN probability SET NOT NULL")
    op.execute("ALTER TABLE models.decisions DROP COLUMN metric")
    for role in ("challenger", "champion"):
        op.execute(f"ALTER TABLE models.decisions RENAME COLUMN {role}_score TO {role}_f1")
