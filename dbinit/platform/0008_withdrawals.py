"""Uploads that were taken back, and which uploads a frozen training set was made of."""

from alembic import op

revision = "platform_0008"
down_revision = "platform_0007"
branch_labels = None
depends_on = None

WITHDRAWALS = """
CREATE TABLE uploads.withdrawals (
    withdrawal_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset        text NOT NULL,
    sha256         text NOT NULL,
    object_key     text NOT NULL,
    claimed_at     timestamptz NOT NULL,
    rows_removed   bigint NOT NULL,
    entities       bigint NOT NULL,
    reopened       text[] NOT NULL,
    report         jsonb,
    withdrawn_at   timestamptz NOT NULL DEFAULT now(),
    withdrawn_by   text NOT NULL,
    reason         text NOT NULL,
    request        text,
    UNIQUE (dataset, request)
);
COMMENT ON TABLE uploads.withdrawals IS 'Uploads whose rows were taken back: who, when, why'"""

TRAINING_SETS = """
CREATE TABLE uploads.training_sets (
    dataset              text NOT NULL,
    training_set_sha256  text NOT NULL,
    upload_sha256        text NOT NULL,
    PRIMARY KEY (dataset, training_set_sha256, upload_sha256)
);
COMMENT ON TABLE uploads.training_sets IS 'The uploads whose labels are in a frozen training set'"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    op.execute(WITHDRAWALS)
    op.execute(TRAINING_SETS)
    op.execute("ALTER TABLE uploads.ledger ADD COLUMN is_reopened boolean NOT NULL DEFAULT false")
    op.execute(
        "COMMENT ON COLUMN uploads.ledger.is_reopened IS"
        " 'Rows of it came with an upload that was withdrawn: the same bytes may come again'"
    )
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("ALTER TABLE uploads.ledger DROP COLUMN is_reopened")
    op.execute("DROP TABLE uploads.training_sets, uploads.withdrawals")
