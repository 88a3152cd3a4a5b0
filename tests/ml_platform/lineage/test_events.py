"""Events of OpenLineage about our steps: what they name, what they count, and that they have what its schema wants."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import pytest
from openlineage.client.serde import Serde

from ml_platform.ingestion.upload_report import UploadReport, new_report
from ml_platform.lineage import events
from ml_platform.lineage.events import RunTimes, Step
from ml_platform.settings import settings
from ml_platform.specs.catalog import dataset
from ml_platform.storage.object_store import ObjectVersion
from ml_platform.training.results import Challenger, SearchResult, Source, TrainingSetReference

AUTO, FLIGHTS = dataset("auto"), dataset("flights")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHA = "a" * 64
RUN = RunTimes("01a22a8f-2e46-720d-8f97-8e37b666cc98", NOW, NOW)
SOURCE = Source("train_auto.csv", "b" * 64, 300)
KEY = f"training_sets/auto/{SHA}.parquet"
REFERENCE = TrainingSetReference("auto", "s" * 64, KEY, SHA, 300, ["0", "1"], [200, 100], [SOURCE])
SEARCH = SearchResult("run1", "http://mlflow/run1", "id", ("logistic_regression", {}), 0.5, 0.1, "f1", 5, 1, 12, 0)
CHALLENGER = Challenger("run1", "http://mlflow/run1", "auto", 3, 0.4, {"f1": 0.5}, SEARCH)
CARD = {
    "model": "auto", "model_version": 3, "model_run_id": "run1", "model_page": "http://mlflow/3",
    "training_set_sha256": SHA, "result": "auto/test_auto.csv", "rows_out": 18,
}  # fmt: skip


@pytest.fixture(autouse=True)
def servers_elsewhere(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in {
        "S3_ENDPOINT_URL": "http://s3:9000", "S3_ACCESS_KEY": "k", "S3_SECRET_KEY": "s", "PLATFORM_DB_HOST": "db",
        "PLATFORM_DB_PORT": "5432", "PLATFORM_DB_PASSWORD": "p", "FEAST_REGISTRY_URI": "x",
        "MLFLOW_TRACKING_URI": "http://mlflow:5000",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield
    settings.cache_clear()


def report(outcome: Any, key: str = "train_auto.csv", **fields: Any) -> UploadReport:
    purpose: Any = key.partition("_")[0] if key.startswith(("train", "test")) else "train"
    version = ObjectVersion(purpose, key, '"e"', NOW, 1234)
    return new_report(AUTO, purpose, version, SHA, outcome, **fields)


def end_of(step: Step | None) -> dict[str, Any]:
    """Return the last event of a step, as it is sent."""
    assert step is not None
    return cast("dict[str, Any]", json.loads(Serde.to_json(events.run_events(step, RUN)[-1])))


def names(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["namespace"], one["name"]) for one in found]


def test_a_load_leads_from_the_file_to_its_tables() -> None:
    counts = {"rows_read": 20, "rows_loaded": 18, "rows_rejected": 1, "rows_present": 1}
    found = end_of(events.of_upload(AUTO, report("loaded", **counts)))
    (upload,) = found["inputs"]
    assert names([upload]) == [("s3://train", f"processed/train_auto.20260301T120000Z.{SHA[:8]}.csv")]
    assert upload["facets"]["version"]["datasetVersion"] == SHA
    assert upload["inputFacets"]["inputStatistics"]["rowCount"] == 20
    assert upload["inputFacets"]["inputStatistics"]["size"] == 1234
    assert names(found["outputs"]) == [
        ("postgres://db:5432", "platform.features.auto"),
        ("postgres://db:5432", "platform.labels.auto"),
    ]
    assert found["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 18
    assert "outputStatistics" not in found["outputs"][1].get("outputFacets", {})
    columns = {field["name"]: field["type"] for field in found["outputs"][0]["facets"]["schema"]["fields"]}
    assert columns["INDEX"] == "integer"
    assert not {"TARGET_FLAG", "TARGET_AMT"} & set(columns)
    assert found["run"]["facets"]["mlPlatform_step"]["counts"] == {
        "read": 20,
        "loaded": 18,
        "rejected": 1,
        "present": 1,
    }


def test_a_file_of_labels_leads_to_the_labels_alone() -> None:
    found = end_of(events.of_upload(AUTO, report("loaded", "labels/train_auto.csv", rows_loaded=5)))
    assert names(found["outputs"]) == [("postgres://db:5432", "platform.labels.auto")]
    assert found["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 5


def test_a_rejected_file_fails_its_run_and_shows_no_value_of_it() -> None:
    reasons = [{"line": 3, "column": "AGE", "value": "secret", "reason": "'secret' is no number"}]
    found = end_of(events.of_upload(AUTO, report("rejected", reasons=reasons, rows_read=2, rows_rejected=2)))
    assert (found["eventType"], found["outputs"]) == ("FAIL", [])
    assert "rejected/train_auto" in found["run"]["facets"]["errorMessage"]["message"]
    assert "secret" not in json.dumps(found)


def test_a_scoring_leads_from_file_and_model_to_result_and_log() -> None:
    scored = report("scored", "test_auto.csv", rows_read=20, rows_rejected=2, result_key=CARD["result"])
    found = end_of(events.of_upload(AUTO, scored, CARD))
    assert names(found["inputs"])[1] == ("http://mlflow:5000", "models/auto/3")
    assert names(found["outputs"]) == [
        ("s3://result", "auto/test_auto.csv"),
        ("postgres://db:5432", "platform.predictions.log"),
    ]
    assert {one["outputFacets"]["outputStatistics"]["rowCount"] for one in found["outputs"]} == {18}
    assert found["run"]["facets"]["mlPlatform_step"]["ids"]["mlflow_run"] == "run1"


@pytest.mark.parametrize("outcome", ["duplicate", "gone"])
def test_a_file_that_brought_nothing_has_no_event(outcome: str) -> None:
    assert events.of_upload(AUTO, report(outcome)) is None


def test_a_training_leads_from_the_tables_by_the_frozen_set_to_the_version() -> None:
    frozen, trained = (
        end_of(events.of_training_set(AUTO, REFERENCE)),
        end_of(events.of_training(AUTO, REFERENCE, CHALLENGER)),
    )
    assert names(frozen["inputs"]) == [
        ("postgres://db:5432", "platform.features.auto"),
        ("postgres://db:5432", "platform.labels.auto"),
    ]
    assert names(frozen["outputs"]) == names(trained["inputs"]) == [("s3://mlflow", REFERENCE.key)]
    assert frozen["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 300
    assert {"INDEX", "AGE", "TARGET_FLAG"} <= {
        field["name"] for field in frozen["outputs"][0]["facets"]["schema"]["fields"]
    }
    assert names(trained["outputs"]) == [("http://mlflow:5000", "models/auto/3")]
    assert trained["outputs"][0]["facets"]["version"]["datasetVersion"] == "3"


def test_joined_tables_are_read_too() -> None:
    found = end_of(events.of_training_set(FLIGHTS, replace(REFERENCE, dataset="flights")))
    assert ("postgres://db:5432", "platform.features.weather") in names(found["inputs"])


def test_a_run_has_a_start_and_an_end_with_the_same_id_and_what_the_schema_wants() -> None:
    step = events.of_training_set(AUTO, REFERENCE)
    both = [json.loads(Serde.to_json(event)) for event in events.run_events(step, RUN)]
    assert [event["eventType"] for event in both] == ["START", "COMPLETE"]
    for event in both:
        assert {"eventTime", "producer", "schemaURL", "run", "job"} <= set(event)
        assert UUID(event["run"]["runId"]) == UUID(RUN.run_id)
        assert datetime.fromisoformat(event["eventTime"]) == NOW
        assert event["schemaURL"].startswith("https://openlineage.io/spec/")
        for facet in facets_of(event):
            assert {"_producer", "_schemaURL"} <= set(facet)


def facets_of(event: dict[str, Any]) -> list[dict[str, Any]]:
    groups = [event["run"].get("facets", {}), event["job"].get("facets", {})]
    for one in (*event.get("inputs", []), *event.get("outputs", [])):
        groups += [one.get(kind, {}) for kind in ("facets", "inputFacets", "outputFacets")]
    return [facet for group in groups for facet in group.values()]
