"""What people and programs ask about files and models: why an attempt failed, and the service's rights."""

from alembic import op

revision = "platform_0023"
down_revision = "platform_0022"
branch_labels = None
depends_on = None

PROBLEM = """
ALTER TABLE uploads.attempts ADD COLUMN problem text;
COMMENT ON COLUMN uploads.attempts.problem IS 'Why the attempt failed; NULL while it is in work, or was killed';
CREATE INDEX arrivals_of_a_data_set ON uploads.arrivals (dataset, arrival_id)"""

# the service may add rows to the log, and read none
VERSION_OF_RESULT = """
CREATE OR REPLACE FUNCTION predictions.version_of_result(of_result text) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT model_version FROM predictions.log WHERE result_key = of_result LIMIT 1
$$;
COMMENT ON FUNCTION predictions.version_of_result IS 'By which version the rows of a result were scored';
REVOKE ALL ON FUNCTION predictions.version_of_result FROM PUBLIC;
GRANT EXECUTE ON FUNCTION predictions.version_of_result TO serving, reader"""

READ = "uploads.arrivals, uploads.attempts, uploads.withdrawals, models.versions, models.decisions, models.movements"


def upgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    op.execute(PROBLEM)
    op.execute(VERSION_OF_RESULT)
    op.execute("RESET ROLE")
    op.execute("GRANT USAGE ON SCHEMA uploads TO serving")
    op.execute(f"GRANT SELECT ON {READ} TO serving")


def downgrade() -> None:
    op.execute(f"REVOKE SELECT ON {READ} FROM serving")  # noqa: S608 – names of our own
    op.execute("REVOKE USAGE ON SCHEMA uploads FROM serving")
    op.execute("DROP FUNCTION predictions.version_of_result")
    op.execute("DROP INDEX uploads.arrivals_of_a_data_set")
    op.execute("ALTER TABLE uploads.attempts DROP COLUMN problem")
