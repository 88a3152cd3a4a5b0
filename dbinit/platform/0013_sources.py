"""Sources: which ranges of each were planned and landed as files, and what the last look at it saw."""

from alembic import op

revision = "platform_0013"
down_revision = "platform_0012"
branch_labels = None
depends_on = None

RANGES = """
CREATE TABLE sources.ranges (
    range_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset       text NOT NULL,
    purpose       text NOT NULL,
    origin        text NOT NULL,
    partition     text NOT NULL,
    range_start   text NOT NULL,
    range_end     text NOT NULL,
    reading       integer NOT NULL,
    object_key    text NOT NULL,
    planned_at    timestamptz NOT NULL DEFAULT now(),
    planned_by    text NOT NULL,
    reason        text NOT NULL,
    landed_at     timestamptz,
    rows_landed   bigint,
    rows_skipped  bigint,
    bytes         bigint,
    notes         text[] NOT NULL DEFAULT '{}',
    UNIQUE (dataset, purpose, object_key),
    UNIQUE (dataset, purpose, origin, partition, range_start, range_end, reading)
);
COMMENT ON TABLE sources.ranges IS 'Ranges of a source: each is planned here before it is read, and lands as one file';
COMMENT ON COLUMN sources.ranges.range_start IS 'The position before the first row; empty: the beginning';
COMMENT ON COLUMN sources.ranges.reading IS 'From 1; higher: a person asked to read the range again'"""

STATUS = """
CREATE TABLE sources.status (
    dataset        text NOT NULL,
    purpose        text NOT NULL,
    origin         text NOT NULL,
    position       text NOT NULL DEFAULT '',
    newest         text NOT NULL DEFAULT '',
    lag            bigint,
    seen_at        timestamptz,
    problem        text,
    problem_since  timestamptz,
    PRIMARY KEY (dataset, purpose)
);
COMMENT ON TABLE sources.status IS 'What the last look at each source saw; lag: in rows, or files';
COMMENT ON COLUMN sources.status.problem IS 'Why the source cannot be read now'"""


def upgrade() -> None:
    op.execute("CREATE SCHEMA sources AUTHORIZATION platform")
    op.execute("SET LOCAL ROLE platform")
    op.execute("GRANT USAGE ON SCHEMA sources TO reader, serving")
    op.execute("ALTER DEFAULT PRIVILEGES FOR ROLE platform IN SCHEMA sources GRANT SELECT ON TABLES TO reader")
    op.execute(RANGES)
    op.execute(STATUS)
    op.execute("GRANT SELECT ON sources.ranges, sources.status TO serving")  # its metrics tell the lag
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("DROP SCHEMA sources CASCADE")
    op.execute("ALTER DEFAULT PRIVILEGES FOR ROLE platform IN SCHEMA sources REVOKE SELECT ON TABLES FROM reader")
