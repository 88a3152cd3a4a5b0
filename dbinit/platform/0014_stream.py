"""Predictions of streams in the log: where each row was in its topic, so that an attempt can replace an earlier one."""

from alembic import op

revision = "platform_0014"
down_revision = "platform_0013"
branch_labels = None
depends_on = None

LOG = """
ALTER TABLE predictions.log ADD COLUMN stream_partition text, ADD COLUMN stream_offset bigint,
    DROP CONSTRAINT log_source_check, ADD CONSTRAINT log_source_check CHECK (source IN ('http', 'batch', 'stream')),
    ADD CONSTRAINT log_stream_check CHECK ((source = 'stream') = (stream_offset IS NOT NULL));
CREATE INDEX predictions_of_a_stream ON predictions.log (model, stream_partition, stream_offset)
    WHERE stream_offset IS NOT NULL;
COMMENT ON COLUMN predictions.log.stream_partition IS 'Number of the partition, and the topic''s id'"""

# the service may add rows to the log, and remove none: only those of a stream, by this function
FORGET = """
CREATE FUNCTION predictions.forget_stream(of_model text, of_partition text, from_offset bigint) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    WITH removed AS (
        DELETE FROM predictions.log
        WHERE model = of_model AND stream_partition = of_partition AND stream_offset >= from_offset RETURNING 1
    ) SELECT count(*) FROM removed
$$;
COMMENT ON FUNCTION predictions.forget_stream IS 'Remove the entries of an attempt that did not commit';
REVOKE ALL ON FUNCTION predictions.forget_stream FROM PUBLIC;
GRANT EXECUTE ON FUNCTION predictions.forget_stream TO serving"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    op.execute(LOG)
    op.execute(FORGET)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("DROP FUNCTION predictions.forget_stream")
    op.execute("DELETE FROM predictions.log WHERE source = 'stream'")
    op.execute(
        "ALTER TABLE predictions.log DROP COLUMN stream_partition, DROP COLUMN stream_offset,"
        " DROP CONSTRAINT log_source_check, ADD CONSTRAINT log_source_check CHECK (source IN ('http', 'batch'))"
    )
