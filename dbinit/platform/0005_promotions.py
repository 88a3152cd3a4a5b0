"""Promotions to another environment, and there the reason `promotion` of a change of the alias."""

from alembic import op

revision = "platform_0005"
down_revision = "platform_0004"
branch_labels = None
depends_on = None

PROMOTIONS = """
CREATE TABLE models.promotions (
    promotion_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model           text NOT NULL,
    version         integer NOT NULL,
    run_id          text NOT NULL,
    model_sha256    text NOT NULL CHECK (model_sha256 ~ '^[0-9a-f]{64}$'),
    environment     text NOT NULL,
    target_version  integer NOT NULL,
    target_before   integer,
    promoted_at     timestamptz NOT NULL DEFAULT now(),
    promoted_by     text NOT NULL,
    approved_by     text,
    reason          text NOT NULL,
    request         text,
    is_done         boolean NOT NULL DEFAULT false,
    UNIQUE (model, environment, request)
);
COMMENT ON TABLE models.promotions IS
    'Every version that went live in another environment; is_done as soon as its MLflow shows it';
CREATE UNIQUE INDEX one_promotion_at_a_time ON models.promotions (model, environment) WHERE NOT is_done"""

WHY = """
ALTER TABLE models.movements DROP CONSTRAINT movements_why_check;
ALTER TABLE models.movements ADD CONSTRAINT movements_why_check CHECK (why IN ({}))"""


def upgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    op.execute(PROMOTIONS)
    op.execute(WHY.format("'gate', 'rollback', 'promotion', 'by hand'"))
    op.execute("RESET ROLE")


def downgrade() -> None:
    op.execute("DROP TABLE models.promotions")
    op.execute("UPDATE models.movements SET why = 'by hand' WHERE why = 'promotion'")
    op.execute(WHY.format("'gate', 'rollback', 'by hand'"))
