"""An upgrade of a platform that has models: what is live stays live."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from dbinit.__main__ import migrate
from ml_platform.storage import mlflow_client
from tests.dbinit.test_rights import run
from tests.ml_platform.ingestion.upload_cases import new_name

pytestmark = pytest.mark.servers

SHA256 = "c" * 64
TAGS = {"model_sha256": SHA256, "threshold": "0.25", "training_set_sha256": "d" * 64, "remark": "of a person"}


@pytest.fixture
def before(mlflow_server: Any) -> Iterator[sa.URL]:
    """A database as it was before versions were recorded."""
    name = new_name()
    address = mlflow_server.database_uri("postgres", "postgres")
    engine = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        url = sa.make_url(mlflow_server.database_uri("postgres", name, driver="postgresql+psycopg2"))
        migrate("platform", url, "platform_0008")
        yield url
        connection.exec_driver_sql(f"DROP DATABASE {name}")


def test_versions_of_before_are_recorded_as_they_are(before: sa.URL) -> None:
    api, name = mlflow_client.connect(), new_name()
    api.create_registered_model(name)
    artifacts = api.create_run(mlflow_client.experiment_id(api, name))
    for tags in (TAGS, {"remark": "no model of the platform"}, {**TAGS, "model_sha256": "no digest"}):
        api.create_model_version(name, artifacts.info.artifact_uri, artifacts.info.run_id, tags=tags)
    address = before.set(drivername="postgresql").render_as_string(hide_password=False)
    move = "INSERT INTO models.movements (model, to_version, moved_by, why, reason, is_done, training_set_sha256)"
    run(address, f"{move} VALUES ('{name}', 1, 'alice', 'gate', 'good', true, '{'d' * 64}')")
    run(address, f"{move} VALUES ('{name}', 2, 'alice', 'gate', 'of a deleted model', true, '{'e' * 64}')")
    migrate("platform", before)
    trusted = run(address, f"SELECT version, run_id, tags, was_live FROM models.trusted WHERE model = '{name}'")
    kept = {tag: text for tag, text in TAGS.items() if tag != "remark"}
    assert trusted == [(1, artifacts.info.run_id, kept, True)]
