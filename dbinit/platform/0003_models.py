"""Models that go live: the decisions of the gate, the changes of the alias `champion`, and their history."""

from alembic import op

revision = "platform_0003"
down_revision = "platform_0002"
branch_labels = None
depends_on = None

DECISIONS = """
CREATE TABLE models.decisions (
    decision_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model                text NOT NULL,
    version              integer NOT NULL,
    run_id               text NOT NULL,
    champion_before      integer,
    decision             text NOT NULL CHECK (decision IN ('promoted', 'kept', 'refused')),
    reason               text NOT NULL,
    rows                 bigint,
    challenger_f1        double precision,
    champion_f1          double precision,
    gain_low             double precision,
    gain_high            double precision,
    min_gain             double precision NOT NULL,
    confidence           double precision NOT NULL,
    training_set_sha256  text NOT NULL CHECK (training_set_sha256 ~ '^[0-9a-f]{64}$'),
    decided_at           timestamptz NOT NULL DEFAULT now(),
    decided_by           text NOT NULL,
    approval             text CHECK (approval IN ('approved', 'rejected', 'no answer')),
    answered_by          text,
    answered_at          timestamptz,
    UNIQUE (model, version, run_id)
);
COMMENT ON TABLE models.decisions IS 'What the gate decided about each version, and every figure behind it'"""

MOVEMENTS = """
CREATE TABLE models.movements (
    movement_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model                text NOT NULL,
    from_version         integer,
    to_version           integer,
    moved_at             timestamptz NOT NULL DEFAULT now(),
    moved_by             text NOT NULL,
    why                  text NOT NULL CHECK (why IN ('gate', 'rollback', 'by hand')),
    reason               text NOT NULL,
    request              text,
    decision_id          bigint REFERENCES models.decisions,
    training_set_sha256  text,
    is_done              boolean NOT NULL DEFAULT false,
    UNIQUE (model, request)
);
COMMENT ON TABLE models.movements IS 'Every move of the alias champion; is_done as soon as MLflow shows it';
CREATE UNIQUE INDEX one_movement_at_a_time ON models.movements (model) WHERE NOT is_done"""

HISTORY = """
CREATE VIEW models.history AS
SELECT moved.model, to_version AS version, moved_at AS valid_from,
       lead(moved_at) OVER (PARTITION BY moved.model ORDER BY movement_id) AS valid_to,
       from_version AS version_before, moved_by, answered_by AS approved_by, answered_at AS approved_at, why,
       moved.reason, decision_id, moved.training_set_sha256
FROM models.movements AS moved LEFT JOIN models.decisions AS decided USING (decision_id) WHERE is_done;
COMMENT ON VIEW models.history IS
    'What was live from when to when, who moved it, who approved it, why, and trained on which data'"""


def upgrade() -> None:
    op.execute("CREATE SCHEMA models AUTHORIZATION platform")
    op.execute("GRANT USAGE ON SCHEMA models TO reader")
    op.execute("ALTER DEFAULT PRIVILEGES FOR ROLE platform IN SCHEMA models GRANT SELECT ON TABLES TO reader")
    op.execute("SET LOCAL ROLE platform")
    for statement in (DECISIONS, MOVEMENTS, HISTORY):
        op.execute(statement)
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("DROP SCHEMA models CASCADE")
