"""Files that wait for their next attempt, and which loaded files a run has announced to the training."""

from alembic import op

revision = "platform_0007"
down_revision = "platform_0006"
branch_labels = None
depends_on = None

ATTEMPTS = """
CREATE TABLE uploads.attempts (
    bucket         text NOT NULL,
    object_key     text NOT NULL,
    etag           text NOT NULL,
    last_modified  timestamptz NOT NULL,
    spec_sha256    text NOT NULL,
    attempts       integer NOT NULL,
    next_attempt   timestamptz,
    PRIMARY KEY (bucket, object_key)
);
COMMENT ON TABLE uploads.attempts IS 'Files in work or to be tried again; without next_attempt: with another spec'"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    op.execute(ATTEMPTS)
    op.execute("ALTER TABLE uploads.ledger ADD COLUMN announced_in text")
    op.execute("COMMENT ON COLUMN uploads.ledger.announced_in IS 'The DAG run that told the training of these rows'")
    op.execute("UPDATE uploads.ledger SET announced_in = 'before this column'")
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("ALTER TABLE uploads.ledger DROP COLUMN announced_in")
    op.execute("DROP TABLE uploads.attempts")
