"""The tables that the pipelines write: the ledger of uploads, and the schemas for features and labels.

Ingest creates the tables `features.<data set>` and `labels.<data set>` from `datasets/*.yaml`.
"""

from alembic import op

revision = "platform_0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMAS = ("uploads", "features", "labels")

LEDGER = """
CREATE TABLE uploads.ledger (
    dataset        text NOT NULL,
    purpose        text NOT NULL CHECK (purpose IN ('train', 'test')),
    sha256         text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    object_key     text,
    etag           text,
    bytes          bigint,
    claimed_at     timestamptz NOT NULL DEFAULT now(),
    rows_read      bigint,
    rows_loaded    bigint,
    rows_rejected  bigint,
    report         jsonb,
    PRIMARY KEY (dataset, purpose, sha256)
);
COMMENT ON TABLE uploads.ledger IS 'A file is its bytes: a row here means that they were loaded, once'"""

ARRIVALS = """
CREATE TABLE uploads.arrivals (
    arrival_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset        text,
    purpose        text,
    bucket         text,
    object_key     text,
    etag           text,
    last_modified  timestamptz,
    sha256         text,
    outcome        text CHECK (outcome IN ('loaded', 'duplicate', 'rejected', 'scored')),
    archived_key   text,
    report         jsonb,
    arrived_at     timestamptz DEFAULT now(),
    UNIQUE (bucket, object_key, etag, last_modified)
);
COMMENT ON TABLE uploads.arrivals IS 'Every object that was ever dropped, and what became of it'"""

REJECTED_ROWS = """
CREATE TABLE uploads.rejected_rows (
    dataset        text,
    purpose        text,
    sha256         text,
    line           bigint,
    column_name    text,
    value          text,
    reason         text
);
CREATE INDEX rejected_rows_of_a_file ON uploads.rejected_rows (dataset, sha256);
COMMENT ON TABLE uploads.rejected_rows IS 'Every value that broke the contract: where, what, why'"""


def upgrade() -> None:
    for schema in SCHEMAS:
        op.execute(f"CREATE SCHEMA {schema} AUTHORIZATION platform")
        op.execute(f"GRANT USAGE ON SCHEMA {schema} TO reader")
        op.execute(f"ALTER DEFAULT PRIVILEGES FOR ROLE platform IN SCHEMA {schema} GRANT SELECT ON TABLES TO reader")
    op.execute("SET LOCAL ROLE platform")
    for table in (LEDGER, ARRIVALS, REJECTED_ROWS):
        op.execute(table)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("DROP SCHEMA uploads, features, labels CASCADE")
