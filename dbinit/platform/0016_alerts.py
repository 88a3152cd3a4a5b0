"""Alerts: the causes, the messages, and which alert was sent where."""

from alembic import op

revision = "platform_0016"
down_revision = "platform_0015"
branch_labels = None
depends_on = None

ALERTS = """
CREATE TABLE monitoring.alerts (
    alert_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event     text NOT NULL,
    dataset   text,
    cause     text NOT NULL,
    is_state  boolean NOT NULL,
    facts     jsonb NOT NULL DEFAULT '{}',
    began_at  timestamptz NOT NULL,
    ended_at  timestamptz
);
CREATE UNIQUE INDEX one_alert_of_a_cause ON monitoring.alerts (event, cause) WHERE ended_at IS NULL;
COMMENT ON TABLE monitoring.alerts IS 'Causes of alerts; a state ends, a happening (not is_state) does not'"""

MESSAGES = """
CREATE TABLE monitoring.alert_messages (
    message_id    uuid PRIMARY KEY,
    channel       text NOT NULL,
    made_at       timestamptz NOT NULL,
    attempts      integer NOT NULL DEFAULT 0,
    next_attempt  timestamptz NOT NULL,
    problem       text,
    sent_at       timestamptz
);
CREATE INDEX alert_messages_to_send ON monitoring.alert_messages (channel, made_at) WHERE sent_at IS NULL;
COMMENT ON TABLE monitoring.alert_messages IS 'A message is written here before it is sent, with its content';

CREATE TABLE monitoring.alert_deliveries (
    alert_id     bigint NOT NULL REFERENCES monitoring.alerts ON DELETE CASCADE,
    channel      text NOT NULL,
    part         text NOT NULL CHECK (part IN ('alert', 'all-clear')),
    recorded_at  timestamptz NOT NULL,
    message_id   uuid REFERENCES monitoring.alert_messages,
    PRIMARY KEY (alert_id, channel, part)
);
CREATE INDEX alert_deliveries_to_send ON monitoring.alert_deliveries (channel) WHERE message_id IS NULL;
CREATE INDEX alert_deliveries_of_a_message ON monitoring.alert_deliveries (message_id);
COMMENT ON TABLE monitoring.alert_deliveries IS 'Which channel gets an alert and its all-clear; with which message'"""

WATCH = """
CREATE TABLE monitoring.alert_watch (
    only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    since        timestamptz NOT NULL,
    last_look    timestamptz NOT NULL
);
COMMENT ON TABLE monitoring.alert_watch IS 'Since when alerts are watched for; what happened before is no alert'"""

REJECTED = "CREATE INDEX rejected_arrivals ON uploads.arrivals (arrived_at) WHERE outcome = 'rejected'"
READS = (
    "uploads.arrivals", "uploads.ledger", "models.decisions", "models.movements",
)  # fmt: skip
WRITES = ("alerts", "alert_messages", "alert_deliveries", "alert_watch")


def upgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    for statement in (ALERTS, MESSAGES, WATCH, REJECTED):
        op.execute(statement)
    op.execute("GRANT USAGE ON SCHEMA uploads, models, monitoring TO alerts")
    op.execute(f"GRANT SELECT ON {', '.join(READS)} TO alerts")
    # tables of findings that come later are read, too
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA monitoring TO alerts")
    op.execute("ALTER DEFAULT PRIVILEGES FOR ROLE platform IN SCHEMA monitoring GRANT SELECT ON TABLES TO alerts")
    op.execute(f"GRANT INSERT, UPDATE ON {', '.join(f'monitoring.{name}' for name in WRITES)} TO alerts")
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    op.execute("DROP INDEX uploads.rejected_arrivals")
    op.execute(f"DROP TABLE {', '.join(f'monitoring.{name}' for name in reversed(WRITES))}")
    op.execute("ALTER DEFAULT PRIVILEGES FOR ROLE platform IN SCHEMA monitoring REVOKE SELECT ON TABLES FROM alerts")
    op.execute(f"REVOKE SELECT ON {', '.join(READS)} FROM alerts")  # noqa: S608 – names of our own
    op.execute("REVOKE SELECT ON ALL TABLES IN SCHEMA monitoring FROM alerts")
    op.execute("REVOKE USAGE ON SCHEMA uploads, models, monitoring FROM alerts")
    op.execute("RESET ROLE")
