"""Which scored rows a person is asked about, and who answered."""

from alembic import op

revision = "platform_0018"
down_revision = "platform_0017"
branch_labels = None
depends_on = None

ASKED = """
CREATE TABLE labelling.asked (
    dataset        text NOT NULL,
    ask_id         text NOT NULL,
    entity_key     jsonb NOT NULL,
    event_time     timestamptz NOT NULL,
    scored_values  jsonb NOT NULL,
    model_version  integer NOT NULL,
    uncertainty    double precision NOT NULL,
    file_key       text NOT NULL,
    asked_by       text NOT NULL,
    asked_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (dataset, ask_id)
);
COMMENT ON TABLE labelling.asked IS 'One row per scored row whose label a person is asked for; none is asked for twice';
COMMENT ON COLUMN labelling.asked.event_time IS
    'Event time of the row; without one, when the file that was scored came into the bucket';
COMMENT ON COLUMN labelling.asked.scored_values IS 'Key and columns of the row as the model read them';
COMMENT ON COLUMN labelling.asked.file_key IS 'Of the file to be filled in, in the bucket label'"""

ANSWERS = """
CREATE TABLE labelling.answers (
    dataset        text NOT NULL,
    purpose        text NOT NULL DEFAULT 'train',
    upload_sha256  text NOT NULL,
    line           bigint NOT NULL,
    ask_id         text NOT NULL,
    labelled_by    text NOT NULL,
    PRIMARY KEY (dataset, upload_sha256, ask_id),
    FOREIGN KEY (dataset, purpose, upload_sha256) REFERENCES uploads.ledger (dataset, purpose, sha256)
        ON DELETE CASCADE,
    FOREIGN KEY (dataset, ask_id) REFERENCES labelling.asked ON DELETE CASCADE
);
CREATE INDEX ON labelling.answers (dataset, ask_id);
COMMENT ON TABLE labelling.answers IS
    'Who gave the label of which row; the label itself has the same upload and line in labels.<data set>'"""


def upgrade() -> None:
    op.execute("CREATE SCHEMA labelling AUTHORIZATION platform")
    op.execute("SET LOCAL ROLE platform")
    op.execute("GRANT USAGE ON SCHEMA labelling TO reader")
    op.execute("ALTER DEFAULT PRIVILEGES FOR ROLE platform IN SCHEMA labelling GRANT SELECT ON TABLES TO reader")
    for statements in (ASKED, ANSWERS):
        op.execute(statements)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("DROP SCHEMA labelling CASCADE")
    op.execute("ALTER DEFAULT PRIVILEGES FOR ROLE platform IN SCHEMA labelling REVOKE SELECT ON TABLES FROM reader")
