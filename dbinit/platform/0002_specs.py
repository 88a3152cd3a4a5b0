"""The versions of `datasets/<name>.yaml` that data were loaded with: since when, and what changed."""

from alembic import op

revision = "platform_0002"
down_revision = "platform_0001"
branch_labels = None
depends_on = None

SPECS = """
CREATE TABLE uploads.specs (
    name           text NOT NULL,
    version        integer NOT NULL,
    sha256         text NOT NULL,
    spec           jsonb NOT NULL,
    changes        text NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version)
);
COMMENT ON TABLE uploads.specs IS 'Every version of a YAML under datasets/ that data were loaded by'"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    op.execute(SPECS)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("DROP TABLE uploads.specs")
