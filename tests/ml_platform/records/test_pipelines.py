"""The pipelines of a data set, against answers as Airflow 3.3 gives them."""

import pytest

from ml_platform.exceptions import ServiceError
from ml_platform.records.pipelines import Pipeline, pipelines, switch_on
from ml_platform.specs.catalog import read_table
from stack.config import ROOT
from tests.ml_platform.records.airflow_answers import FakeAirflow

AUTO, WEATHER = (read_table(ROOT / "datasets" / f"{name}.yaml") for name in ("auto", "weather"))


def dags(**paused: bool) -> dict[str, list[dict[str, object]]]:
    return {"dags": [{"dag_id": name, "is_paused": state} for name, state in paused.items()]}


def test_a_pipeline_is_missing_off_or_on(airflow: FakeAirflow) -> None:
    airflow.answers["GET /dags"] = dags(ingest_auto=False, train_auto=True)
    assert pipelines(AUTO) == [
        Pipeline("ingest_auto", is_there=True, is_on=True),
        Pipeline("train_auto", is_there=True, is_on=False),
        Pipeline("test_auto", is_there=False, is_on=False),
    ]
    assert [pipeline.dag_id for pipeline in pipelines(WEATHER)] == ["ingest_weather"]


def test_those_that_are_off_are_switched_on(airflow: FakeAirflow) -> None:
    airflow.answers["GET /dags"] = dags(ingest_auto=False, train_auto=True, test_auto=True)
    switch_on(AUTO)
    changed = [request.url.path for request in airflow.requests if request.method == "PATCH"]
    assert changed == ["/api/v2/dags/train_auto", "/api/v2/dags/test_auto"]
    assert airflow.sent() == {"is_paused": False}


def test_none_is_switched_on_before_all_are_there(airflow: FakeAirflow) -> None:
    airflow.answers["GET /dags"] = dags(ingest_auto=True)
    with pytest.raises(ServiceError, match="does not have train_auto, test_auto"):
        switch_on(AUTO)
    assert all(request.method == "GET" for request in airflow.requests)
