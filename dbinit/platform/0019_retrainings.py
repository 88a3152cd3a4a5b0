"""Retrainings: which bad verdict of a check started a training, or why it did not."""

from alembic import op

revision = "platform_0019"
down_revision = "platform_0018"
branch_labels = None
depends_on = None

RETRAININGS = """
CREATE TABLE monitoring.retrainings (
    retraining_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset        text NOT NULL,
    window_end     timestamptz NOT NULL,
    model_version  integer,
    cause          text NOT NULL,
    is_started     boolean NOT NULL,
    reason         text NOT NULL,
    decided_by     text NOT NULL,
    decided_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (dataset, window_end)
);
COMMENT ON TABLE monitoring.retrainings IS 'What followed from checks with a bad verdict: a retraining, or why none';
COMMENT ON COLUMN monitoring.retrainings.window_end IS 'Of the checks in this run of monitor_<dataset>';
COMMENT ON COLUMN monitoring.retrainings.cause IS 'The verdicts of the checks; or that no model is live'"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    op.execute(RETRAININGS)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("DROP TABLE monitoring.retrainings")
