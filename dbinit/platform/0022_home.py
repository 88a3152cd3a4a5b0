"""What people do on the home page: who, what, why, and what came of it."""

from alembic import op

revision = "platform_0022"
down_revision = "platform_0021"
branch_labels = None
depends_on = None

ACTIONS = """
CREATE TABLE home.actions (
    action_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person     text NOT NULL,
    action     text NOT NULL,
    dataset    text,
    target     text NOT NULL,
    reason     text NOT NULL,
    began_at   timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    problem    text
);
CREATE INDEX actions_of_a_dataset ON home.actions (dataset, began_at);
CREATE INDEX actions_of_a_time ON home.actions (began_at);
COMMENT ON TABLE home.actions IS 'One row per action of a person on the home page, written before it is done';
COMMENT ON COLUMN home.actions.ended_at IS 'Without it the action was interrupted; the records of its step tell more';
COMMENT ON COLUMN home.actions.problem IS 'Why it was not done'"""


def upgrade() -> None:
    op.execute("CREATE SCHEMA home AUTHORIZATION platform")
    op.execute("SET LOCAL ROLE platform")
    op.execute("GRANT USAGE ON SCHEMA home TO reader")
    op.execute("ALTER DEFAULT PRIVILEGES FOR ROLE platform IN SCHEMA home GRANT SELECT ON TABLES TO reader")
    op.execute(ACTIONS)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("DROP SCHEMA home CASCADE")
    op.execute("ALTER DEFAULT PRIVILEGES FOR ROLE platform IN SCHEMA home REVOKE SELECT ON TABLES FROM reader")
