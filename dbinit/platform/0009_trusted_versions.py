"""What is trusted about each model version: its tags as the training wrote them, and whether the platform made it live.

MLflow's tags are copies for people. Versions that were made before this table are recorded once, from MLflow's own
database on the same server, as they are at the upgrade.
"""

import json
import re
from collections import defaultdict

import sqlalchemy as sa
from alembic import op

revision = "platform_0009"
down_revision = "platform_0008"
branch_labels = None
depends_on = None

VERSIONS = """
CREATE TABLE models.versions (
    model         text NOT NULL,
    version       integer NOT NULL,
    run_id        text NOT NULL,
    model_sha256  text NOT NULL CHECK (model_sha256 ~ '^[0-9a-f]{64}$'),
    tags          jsonb NOT NULL,
    recorded_at   timestamptz NOT NULL DEFAULT now(),
    recorded_by   text NOT NULL,
    PRIMARY KEY (model, version, run_id)
);
COMMENT ON TABLE models.versions IS
    'The digest and the tags of each version, as the step that made it wrote them; compared at every load'"""

TRUSTED = """
CREATE VIEW models.trusted AS
SELECT recorded.model, recorded.version, recorded.run_id,
       recorded.tags || jsonb_build_object('model_sha256', recorded.model_sha256) AS tags, decided.decision,
       EXISTS (SELECT FROM models.movements AS moved WHERE moved.model = recorded.model
               AND moved.to_version = recorded.version AND moved.run_id = recorded.run_id) AS was_live,
       (SELECT max(movement_id) FROM models.movements AS moved WHERE moved.is_done AND moved.model = recorded.model
        AND moved.to_version = recorded.version AND moved.run_id = recorded.run_id) AS last_movement
FROM models.versions AS recorded LEFT JOIN models.decisions AS decided USING (model, version, run_id);
COMMENT ON VIEW models.trusted IS
    'What a load compares: tags and digest, the decision of the gate, and whether the platform ever made it live'"""

OLD_TAGS = """
SELECT one.name, one.version, one.run_id, tag.key, tag.value
FROM model_versions AS one JOIN model_version_tags AS tag USING (name, version)"""
TAGS = (
    *("model_sha256", "spec_sha256", "training_set_sha256", "threshold", "classes"),
    *("holdout_by", "holdout_share", "holdout_from", "holdout_f1", "holdout_metrics"),
)


def upgrade() -> None:
    op.execute("SET LOCAL ROLE platform")
    op.execute("ALTER TABLE models.movements ADD COLUMN run_id text")
    op.execute("COMMENT ON COLUMN models.movements.run_id IS 'The run that trained to_version'")
    op.execute(VERSIONS)
    op.execute(TRUSTED)
    op.execute("RESET ROLE")
    op.execute("GRANT USAGE ON SCHEMA models TO serving")
    op.execute("GRANT SELECT ON models.trusted TO serving")
    for (model, version, run_id), tags in _old_versions().items():
        _record(model, version, run_id, tags)


def _old_versions() -> dict[tuple[str, int, str], dict[str, str]]:
    """Return the tags of the versions in MLflow; none if it has made no tables yet."""
    engine = sa.create_engine(op.get_bind().engine.url.set(database="mlflow"), poolclass=sa.pool.NullPool)
    versions: dict[tuple[str, int, str], dict[str, str]] = defaultdict(dict)
    with engine.connect() as connection:
        if sa.inspect(connection).has_table("model_version_tags"):
            for name, version, run_id, key, value in connection.execute(sa.text(OLD_TAGS)):
                versions[name, version, run_id or ""][key] = value
    return versions


def _record(model: str, version: int, run_id: str, tags: dict[str, str]) -> None:
    key = {"model": model, "version": version, "run_id": run_id}
    trusted = {tag: tags[tag] for tag in TAGS if tag in tags}
    sha256 = trusted.pop("model_sha256", "")
    if re.fullmatch("[0-9a-f]{64}", sha256):  # any other text is no digest: that version is not trusted
        op.get_bind().execute(
            sa.text(
                "INSERT INTO models.versions (model, version, run_id, model_sha256, tags, recorded_by)"
                " VALUES (:model, :version, :run_id, :sha256, CAST(:tags AS jsonb), 'upgrade')"
            ),
            {**key, "sha256": sha256, "tags": json.dumps(trusted)},
        )
    # a model that was deleted counts its versions from 1 again: its training set tells which one a change was about
    op.get_bind().execute(
        sa.text(
            "UPDATE models.movements SET run_id = :run_id"
            " WHERE model = :model AND to_version = :version AND training_set_sha256 = :training_set_sha256"
        ),
        {**key, "training_set_sha256": tags.get("training_set_sha256")},
    )


def downgrade() -> None:
    op.execute("REVOKE USAGE ON SCHEMA models FROM serving")
    op.execute("DROP VIEW models.trusted")
    op.execute("DROP TABLE models.versions")
    op.execute("ALTER TABLE models.movements DROP COLUMN run_id")
