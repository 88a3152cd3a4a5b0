"""A trained and scored entity is erased from results, prediction log, training set and predictions on the hold-out."""

import io
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ml_platform.ingestion import uploads
from ml_platform.registry import registry
from ml_platform.removal import training_files
from ml_platform.removal.entities import Entities
from ml_platform.removal.forget_entity import erase, plan
from ml_platform.removal.remaining import remaining
from ml_platform.scoring import batch, prediction_log
from ml_platform.scoring.result_files import read_rows
from ml_platform.specs.spec import Dataset
from ml_platform.storage import mlflow_client, object_store
from ml_platform.storage.database import fetch, transaction
from ml_platform.training.tracking import PREDICTIONS
from ml_platform.training.training_set import frozen_prefix
from tests.ml_platform.ingestion.upload_cases import new_name
from tests.ml_platform.scoring.test_batch import card_of, file_of, put, train, written_as
from tests.ml_platform.training.trainings import make_dataset, make_frame, make_weeks, make_weeks_frame

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]

ONE = {"logistic_regression": {"C": [1.0]}}


def frozen(dataset: Dataset, frame: pd.DataFrame, sha256: str) -> str:
    """Put a training set where a frozen one is, and return its key."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    key = f"{frozen_prefix(dataset)}{sha256}.parquet"
    assert object_store.put_new(training_files.BUCKET, key, buffer.getvalue())
    return key


def predictions(run_id: str) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        return pd.read_parquet(mlflow_client.connect().download_artifacts(run_id, PREDICTIONS, folder))


def frozen_frames(dataset: Dataset) -> list[pd.DataFrame]:
    return [
        pd.read_parquet(io.BytesIO(object_store.get(version.bucket, version.key)))
        for version in object_store.list_objects(training_files.BUCKET, frozen_prefix(dataset))
    ]


@pytest.fixture(scope="module")
def shop(mlflow_server: Any) -> Dataset:
    """A data set with a champion; the training set is frozen."""
    dataset = make_dataset(new_name(), ONE)
    model = train(dataset)
    frozen(dataset, make_frame(300), model.training_set_sha256)
    return dataset


def test_a_trained_and_scored_entity_is_erased_and_the_versions_are_named(shop: Dataset) -> None:
    model = registry.load_champion(shop.name)
    held_out = predictions(model.run_id)
    key = int(held_out["key"].iloc[0])
    reports = [
        uploads.settle(
            batch.score(written_as(shop, form), put(shop, file_of({"id": key, "town": "Atlantis"}, {"id": 1000 + i})))
        )
        for i, form in enumerate(("csv", "parquet"))
    ]
    assert all("Atlantis" in str(card_of(report)["warnings"]) for report in reports)
    log_over_http(model, key, 5000)
    log_in_shadow(shop)
    planned = plan(shop, [str(key)])
    assert planned.table_rows == {"predictions.log": 3, "predictions.shadow": 2}
    assert {str(found.file) for found in planned.files.found} == {
        *(f"test/{report['archived_key']}" for report in reports),
        *(f"result/{report['result_key']}" for report in reports),
    }
    assert (len(planned.training.training_sets), planned.training.runs, planned.versions) == (1, (model.run_id,), (1,))
    assert "these versions were trained with them: 1;" in remaining(planned)[0]
    done = erase(planned, reason="they asked for it", by="ann")
    assert done.versions == (1,)
    assert plan(shop, [str(key)]).is_empty
    for i, report in enumerate(reports):
        key_of_result = str(report["result_key"])
        result = read_rows(io.BytesIO(object_store.get("result", key_of_result)), key_of_result)
        assert [str(row[0]) for row in result] == ["id", str(1000 + i)]
        card = card_of(report)
        assert (card["warnings"], card["rows_out"]) == ([], 2)
        assert b"Atlantis" not in object_store.get("test", report["report_key"])
    assert (
        fetch("SELECT report->'warnings' #>> '{}' FROM uploads.arrivals WHERE dataset = $1", shop.name) == [("[]",)] * 2
    )
    logged = "SELECT (entity_key->>'id')::int FROM predictions.{} WHERE model = $1 ORDER BY 1"
    assert fetch(logged.format("log"), shop.name) == [(1000,), (1001,), (5000,)]
    assert fetch(logged.format("shadow"), shop.name) == [(1000,), (1001,)]
    assert predictions(model.run_id).equals(held_out.iloc[1:].reset_index(drop=True))
    (frame,) = frozen_frames(shop)
    assert frame["age"].equals(make_frame(300).query("id != @key")["age"].reset_index(drop=True))
    assert registry.load_champion(shop.name).version == 1


def log_over_http(model: registry.LoadedModel, *keys: int) -> None:
    rows = pa.RecordBatch.from_pydict({"id": pa.array(keys)})
    now, scores = datetime.now(UTC), np.full(len(keys), 0.5)
    with transaction() as cursor:
        entries = prediction_log.entries(model, rows, scores, np.zeros(len(keys), np.int64), now)
        prediction_log.write(cursor, [entries], "http")


def log_in_shadow(dataset: Dataset) -> None:
    """Log for a challenger what the champion said about the rows of files."""
    columns = "model, entity_key, event_time, probability, prediction, requested_at, result_key"
    fetch(
        f"INSERT INTO predictions.shadow ({columns}, model_version) SELECT {columns}, 2 FROM predictions.log"
        " WHERE model = $1 AND result_key IS NOT NULL RETURNING 1",
        dataset.name,
    )


def test_an_entity_of_several_columns_is_found_in_training_sets_and_predictions() -> None:
    dataset = make_weeks(new_name(), ONE)
    frame = make_weeks_frame(60)
    frozen(dataset, frame, "a" * 64)
    town, number = frame["town"].iloc[0], int(frame["number"].iloc[0])
    entities = Entities(dataset, frozenset({(town, number)}), {})
    with predicted(dataset, pd.DataFrame({"key": [f"{town}\x1f{number}", f"{town}\x1f99"], "probability": 0.5})) as run:
        found = training_files.search(dataset, entities)
        assert (len(found.training_sets), found.runs, found.versions) == (1, (run,), ())
        training_files.erase_from_training_set(found.training_sets[0], entities)
        training_files.erase_from_run(run, entities)
        assert training_files.search(dataset, entities) == training_files.TrainingFiles()
        assert list(predictions(run)["key"]) == [f"{town}\x1f99"]
    (rest,) = frozen_frames(dataset)
    assert len(rest) == len(frame.query("town != @town or number != @number"))


@contextmanager
def predicted(dataset: Dataset, frame: pd.DataFrame) -> Any:
    """A run of a search that keeps these predictions on the hold-out."""
    client = mlflow_client.connect()
    run = client.create_run(mlflow_client.experiment_id(client, dataset.name), tags={"kind": "search"}).info.run_id
    with tempfile.TemporaryDirectory() as folder:
        frame.to_parquet(f"{folder}/{PREDICTIONS}")
        client.log_artifact(run, f"{folder}/{PREDICTIONS}")
    yield run


def test_a_training_set_of_nothing_else_is_removed() -> None:
    dataset = make_dataset(new_name(), ONE)
    frozen(dataset, make_frame(1), "b" * 64)
    entities = Entities(dataset, frozenset({(0,)}), {})
    (version,) = training_files.search(dataset, entities).training_sets
    training_files.erase_from_training_set(version, entities)
    assert frozen_frames(dataset) == []
