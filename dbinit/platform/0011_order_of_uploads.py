"""When a file was uploaded, how often it was loaded, and from which table an upload of a training set is."""

from alembic import op

revision = "platform_0011"
down_revision = "platform_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    op.execute("ALTER TABLE uploads.ledger ADD COLUMN uploaded_at timestamptz, ADD COLUMN loads integer DEFAULT 1")
    op.execute("UPDATE uploads.ledger SET uploaded_at = claimed_at")
    op.execute(
        "COMMENT ON COLUMN uploads.ledger.uploaded_at IS 'The event time of rows that have none; unique per data set';"
        "COMMENT ON COLUMN uploads.ledger.loads IS 'How often it was loaded: again after it was reopened'"
    )
    op.execute("ALTER TABLE uploads.training_sets ADD COLUMN upload_of text")
    op.execute("UPDATE uploads.training_sets SET upload_of = dataset")
    op.execute(
        "ALTER TABLE uploads.training_sets ALTER COLUMN upload_of SET NOT NULL, DROP CONSTRAINT training_sets_pkey,"
        " ADD PRIMARY KEY (dataset, training_set_sha256, upload_of, upload_sha256)"
    )
    op.execute(
        "COMMENT ON TABLE uploads.training_sets IS"
        " 'The uploads that a frozen training set was made of, also those of the tables that it joins (upload_of)'"
    )
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("DELETE FROM uploads.training_sets WHERE upload_of <> dataset")
    op.execute(
        "ALTER TABLE uploads.training_sets DROP CONSTRAINT training_sets_pkey, DROP COLUMN upload_of,"
        " ADD PRIMARY KEY (dataset, training_set_sha256, upload_sha256)"
    )
    op.execute("ALTER TABLE uploads.ledger DROP COLUMN loads, DROP COLUMN uploaded_at")
