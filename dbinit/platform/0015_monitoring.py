"""Monitoring: what is found about data sets whose models are live."""

from alembic import op

revision = "platform_0015"
down_revision = "platform_0014"
branch_labels = None
depends_on = None

CHECKS = """
CREATE TABLE monitoring.checks (
    check_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset        text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('drift', 'performance', 'estimated performance')),
    model_version  integer NOT NULL,
    window_start   timestamptz NOT NULL,
    window_end     timestamptz NOT NULL,
    reference      text NOT NULL,
    rows           bigint NOT NULL,
    verdict        text NOT NULL,
    figures        jsonb NOT NULL,
    report_key     text,
    checked_by     text NOT NULL,
    checked_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (dataset, kind, model_version, window_start, window_end, reference)
);
CREATE INDEX checks_of_a_dataset ON monitoring.checks (dataset, kind, window_end);
COMMENT ON TABLE monitoring.checks IS 'One row per check of a live model: which rows, beside what, and the verdict';
COMMENT ON COLUMN monitoring.checks.window_start IS 'Rows scored after this moment, and not after window_end';
COMMENT ON COLUMN monitoring.checks.report_key IS 'Of the page in the bucket reports'"""


def upgrade() -> None:
    op.execute("CREATE SCHEMA monitoring AUTHORIZATION platform")
    op.execute("SET LOCAL ROLE platform")
    op.execute("GRANT USAGE ON SCHEMA monitoring TO reader, serving")
    op.execute("ALTER DEFAULT PRIVILEGES FOR ROLE platform IN SCHEMA monitoring GRANT SELECT ON TABLES TO reader")
    op.execute(CHECKS)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("DROP SCHEMA monitoring CASCADE")
    op.execute("ALTER DEFAULT PRIVILEGES FOR ROLE platform IN SCHEMA monitoring REVOKE SELECT ON TABLES FROM reader")
