"""An entity's predictions are found at once, and answers that a person gives one by one are kept until handed in."""

from alembic import op

revision = "platform_0024"
down_revision = "platform_0023"
branch_labels = None
depends_on = None

# equality of the key is all that is asked for; a B-tree on it is larger, and costs an insert three times as much
OF_AN_ENTITY = "CREATE INDEX predictions_of_an_entity ON predictions.log USING hash (entity_key)"

DRAFTS = """
CREATE TABLE labelling.drafts (
    dataset      text NOT NULL,
    ask_id       text NOT NULL,
    label        text NOT NULL,
    labelled_by  text NOT NULL,
    given_at     timestamptz NOT NULL DEFAULT now(),
    file_key     text,
    PRIMARY KEY (dataset, ask_id),
    FOREIGN KEY (dataset, ask_id) REFERENCES labelling.asked ON DELETE CASCADE
);
CREATE INDEX ON labelling.drafts (dataset, file_key) WHERE file_key IS NOT NULL;
COMMENT ON TABLE labelling.drafts IS 'Answers that people give on the home page, kept one by one';
COMMENT ON COLUMN labelling.drafts.label IS 'As it is written in files';
COMMENT ON COLUMN labelling.drafts.file_key IS 'Of the answer file in the bucket label; null: not handed in'"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    op.execute(OF_AN_ENTITY)
    op.execute(DRAFTS)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("DROP TABLE labelling.drafts")
    op.execute("DROP INDEX predictions.predictions_of_an_entity")
