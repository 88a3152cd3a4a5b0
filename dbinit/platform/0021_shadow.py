"""Challengers in shadow: which was tried beside which champion, and what it said about the rows."""

from alembic import op

revision = "platform_0021"
down_revision = "platform_0020"
branch_labels = None
depends_on = None

SHADOWS = """
CREATE TABLE models.shadows (
    shadow_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model      text NOT NULL,
    version    integer NOT NULL,
    run_id     text NOT NULL,
    champion   integer NOT NULL,
    began_at   timestamptz NOT NULL DEFAULT now(),
    problem    text,
    ended_at   timestamptz,
    reason     text,
    UNIQUE (model, version, run_id)
);
CREATE UNIQUE INDEX one_shadow_at_a_time ON models.shadows (model) WHERE ended_at IS NULL;
COMMENT ON TABLE models.shadows IS 'Winners of the gate that score beside the champion before they go live';
COMMENT ON COLUMN models.shadows.problem IS 'Why it was dropped: it could not score'"""

SHADOW_LOG = """
CREATE TABLE predictions.shadow (
    model          text NOT NULL,
    model_version  integer NOT NULL,
    entity_key     jsonb NOT NULL,
    event_time     timestamptz NOT NULL,
    probability    double precision,
    prediction     text NOT NULL,
    low            double precision,
    high           double precision,
    requested_at   timestamptz NOT NULL,
    result_key     text NOT NULL
);
CREATE INDEX shadow_of_a_result ON predictions.shadow (model, model_version, result_key);
CREATE INDEX shadow_of_a_time ON predictions.shadow (model, requested_at);
COMMENT ON TABLE predictions.shadow IS 'As predictions.log, of challengers in shadow: no result has these predictions';
COMMENT ON COLUMN predictions.shadow.result_key IS 'Of the result file with the predictions of the champion'"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    op.execute(SHADOWS)
    op.execute(SHADOW_LOG)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("DROP TABLE predictions.shadow, models.shadows")
