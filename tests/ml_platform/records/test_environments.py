"""Environments that are connections of Airflow, and what was promoted to them."""

import httpx
import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.records.environments import environments, newest_promotions
from ml_platform.storage import database
from tests.ml_platform.records.airflow_answers import FakeAirflow


def test_an_environment_is_a_connection_with_a_prefix(airflow: FakeAirflow) -> None:
    ids = ["aws", "mlflow_production", "mlflow_staging", "mlflowish"]
    airflow.answers["GET /connections"] = {"connections": [{"connection_id": one} for one in ids]}
    assert environments() == ["production", "staging"]


def test_airflow_refuses_to_name_connections(airflow: FakeAirflow) -> None:
    airflow.answers["GET /connections"] = httpx.Response(403, json={"detail": "Forbidden"})
    with pytest.raises(ConfigurationError, match="Airflow refused this: Forbidden"):
        environments()


@pytest.mark.servers
def test_the_newest_promotion_to_each_environment_counts(servers) -> None:
    with database.transaction() as cursor:
        for version, environment, is_done in ((1, "production", True), (2, "production", True), (3, "staging", False)):
            database.rows(
                cursor,
                "INSERT INTO models.promotions (model, version, run_id, model_sha256, environment, target_version,"
                " target_before, promoted_by, reason, is_done) VALUES ('promoted_in_a_test', $1::int, 'run', $2, $3,"
                " $1::int + 10, NULL, 'ann', 'so', $4) RETURNING promotion_id",
                *(version, "a" * 64, environment, is_done),
            )
    found = newest_promotions("promoted_in_a_test")
    assert {name: (one.version, one.target_version, one.promoted_by) for name, one in found.items()} == {
        "production": (2, 12, "ann")
    }
