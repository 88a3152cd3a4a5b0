"""Whether a DAG is on is asked of Airflow, and it can be switched on."""

import httpx
import pytest

from ml_platform.exceptions import ServiceError
from ml_platform.records import switches
from tests.ml_platform.records.airflow_answers import FakeAirflow


def test_a_dag_is_off_and_is_switched_on(airflow: FakeAirflow) -> None:
    airflow.answers["GET /dags/ingest_auto"] = {"is_paused": True}
    assert switches.is_off("ingest_auto")
    switches.switch_on("ingest_auto")
    assert (airflow.requests[-1].method, airflow.requests[-1].url.path) == ("PATCH", "/api/v2/dags/ingest_auto")
    assert airflow.sent() == {"is_paused": False}
    airflow.answers["GET /dags/ingest_auto"] = {"is_paused": False}
    assert not switches.is_off("ingest_auto")


def test_an_airflow_that_is_away_is_named(airflow: FakeAirflow) -> None:
    airflow.answers["GET /dags/ingest_auto"] = httpx.ConnectError("refused")
    with pytest.raises(ServiceError, match="Airflow is not reachable"):
        switches.is_off("ingest_auto")
