"""Entities that were erased, the files that were rewritten without them, and data sets that were removed."""

from alembic import op

revision = "platform_0010"
down_revision = "platform_0009"
branch_labels = None
depends_on = None

ERASURES = """
CREATE TABLE uploads.erasures (
    erasure_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset        text NOT NULL,
    entities       integer NOT NULL,
    rows_removed   bigint NOT NULL,
    files          integer NOT NULL,
    versions       integer[] NOT NULL,
    erased_by      text NOT NULL,
    reason         text NOT NULL,
    began_at       timestamptz NOT NULL DEFAULT now(),
    finished_at    timestamptz
);
COMMENT ON TABLE uploads.erasures IS
    'Entities that were erased: how many, who, why, but not which; without finished_at it was interrupted'"""

REWRITTEN = """
CREATE TABLE uploads.rewritten_files (
    dataset          text NOT NULL,
    purpose          text NOT NULL,
    sha256           text NOT NULL,
    original_sha256  text NOT NULL,
    is_current       boolean NOT NULL,
    PRIMARY KEY (dataset, purpose, sha256)
);
COMMENT ON TABLE uploads.rewritten_files IS
    'The bytes of files before (not current: they hold an erased entity, and are refused) and after an erasure'"""

REMOVALS = """
CREATE TABLE uploads.removals (
    removal_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name           text NOT NULL,
    spec           jsonb NOT NULL,
    moved_to       text NOT NULL,
    removed_by     text NOT NULL,
    reason         text NOT NULL,
    began_at       timestamptz NOT NULL DEFAULT now(),
    finished_at    timestamptz
);
COMMENT ON TABLE uploads.removals IS 'Data sets that were removed: who, when, why; their YAML and where it is now';
CREATE UNIQUE INDEX one_removal_at_a_time ON uploads.removals (name) WHERE finished_at IS NULL"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    for statement in (ERASURES, REWRITTEN, REMOVALS):
        op.execute(statement)
    op.execute("ALTER TABLE uploads.ledger ADD COLUMN rows_erased bigint NOT NULL DEFAULT 0")
    op.execute("COMMENT ON COLUMN uploads.ledger.rows_erased IS 'Of the loaded rows, those of erased entities'")
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("ALTER TABLE uploads.ledger DROP COLUMN rows_erased")
    op.execute("DROP TABLE uploads.removals, uploads.rewritten_files, uploads.erasures")
