"""What the role `metrics` reads: numbers of files without names, and times of predictions without values."""

from alembic import op

revision = "platform_0020"
down_revision = "platform_0019"
branch_labels = None
depends_on = None

# a report also has the name of the file and rejected values, which can be about people
FILES = """
CREATE VIEW monitoring.settled_files AS
SELECT dataset, purpose, outcome, arrived_at, last_modified AS uploaded_at,
       coalesce((report ->> 'rows_read')::bigint, 0) AS rows_read,
       coalesce((report ->> 'rows_loaded')::bigint, 0) AS rows_loaded,
       coalesce((report ->> 'rows_rejected')::bigint, 0) AS rows_rejected
FROM uploads.arrivals;
COMMENT ON VIEW monitoring.settled_files IS 'Files and their numbers of rows, without names and values'"""

TIME = "CREATE INDEX arrivals_of_a_time ON uploads.arrivals (arrived_at)"

READS = {
    "monitoring.settled_files": "",
    "monitoring.checks": "",
    "monitoring.alerts": "(event, is_state, ended_at)",
    "monitoring.alert_messages": "(channel, sent_at)",
    "uploads.attempts": "(bucket, next_attempt)",
    "uploads.ledger": "(dataset, purpose, claimed_at, rows_loaded, rows_erased)",
    "sources.status": "(dataset, purpose, lag, seen_at, problem_since)",
    "predictions.log": "(model, source, requested_at)",
    "models.decisions": "(model, version, run_id, decision, metric, challenger_score, decided_at)",
    "models.movements": "(movement_id, model, to_version, run_id, moved_at, why, is_done)",
    "models.versions": "(model, version, run_id, recorded_at)",
}
SCHEMAS = "monitoring, uploads, sources, predictions, models"


def upgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    op.execute(FILES)
    op.execute(TIME)
    op.execute(f"GRANT USAGE ON SCHEMA {SCHEMAS} TO metrics")
    for table, columns in READS.items():
        op.execute(f"GRANT SELECT {columns} ON {table} TO metrics")
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    for table, columns in READS.items():
        op.execute(f"REVOKE SELECT {columns} ON {table} FROM metrics")  # noqa: S608 – names of our own
    op.execute(f"REVOKE USAGE ON SCHEMA {SCHEMAS} FROM metrics")
    op.execute("DROP INDEX uploads.arrivals_of_a_time")
    op.execute("DROP VIEW monitoring.settled_files")
    op.execute("RESET ROLE")
