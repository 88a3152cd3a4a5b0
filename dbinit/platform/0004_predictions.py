"""The prediction log: every prediction over HTTP or in a result file, to compare with the truth later."""

from alembic import op

revision = "platform_0004"
down_revision = "platform_0003"
branch_labels = None
depends_on = None

LOG = """
CREATE TABLE predictions.log (
    model          text NOT NULL,
    model_version  integer NOT NULL,
    entity_key     jsonb NOT NULL,
    event_time     timestamptz NOT NULL,
    probability    double precision NOT NULL,
    prediction     text NOT NULL,
    requested_at   timestamptz NOT NULL,
    source         text NOT NULL CHECK (source IN ('http', 'batch')),
    result_key     text CHECK ((source = 'batch') = (result_key IS NOT NULL))
);
CREATE INDEX predictions_of_a_time ON predictions.log (model, requested_at);
CREATE INDEX predictions_of_a_result ON predictions.log (result_key) WHERE result_key IS NOT NULL;
COMMENT ON TABLE predictions.log IS 'One row per prediction: which version said what of whom, and when'"""


def upgrade() -> None:
    op.execute("CREATE SCHEMA predictions AUTHORIZATION platform")
    op.execute("GRANT USAGE ON SCHEMA predictions TO reader")
    op.execute("ALTER DEFAULT PRIVILEGES FOR ROLE platform IN SCHEMA predictions GRANT SELECT ON TABLES TO reader")
    op.execute("SET LOCAL ROLE platform")
    op.execute(LOG)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("DROP SCHEMA predictions CASCADE")
