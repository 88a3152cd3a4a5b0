"""Why a logged prediction is what it is, on real servers: its row is found again, or there are no reasons."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ml_platform.ingestion import uploads
from ml_platform.lineage.records import scored_upload
from ml_platform.monitoring import window
from ml_platform.records import known_rows, predictions
from ml_platform.records.prediction_reasons import Explanation, NotExplained, explain
from ml_platform.records.predictions import Prediction
from ml_platform.registry import registry
from ml_platform.scoring import batch, prediction_log
from ml_platform.storage import object_store
from ml_platform.storage.database import transaction
from tests.ml_platform.ingestion.upload_cases import drop, new_name
from tests.ml_platform.promotion.champions import train_live
from tests.ml_platform.training.trainings import ONE, make_dataset, make_frame, make_training_set

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]


def test_the_row_of_a_file_is_explained_and_other_rows_only_if_they_are_the_same() -> None:
    dataset = make_dataset(new_name(), ONE)
    train_live(dataset, make_training_set(dataset))
    model = registry.load(registry.get_version(dataset.name, 1))
    frame = make_frame(40, seed=3)
    member = frame["member"].map({1.0: "yes", 0.0: "no"})
    rows = frame.assign(member=member, age=frame["age"].round().astype("Int64")).drop(columns="event_timestamp")
    batch.answer(dataset, drop(dataset, rows.drop(columns="buys").to_csv(index=False).encode(), "", "test"))

    def why(row: int, logged: Prediction | None = None) -> Explanation | NotExplained:
        found = logged or predictions.of_entity(dataset, {"id": row})[0]
        return explain(dataset, model, {"id": row}, found, 2)

    of_file, (logged,) = why(7), predictions.of_entity(dataset, {"id": 7})
    assert isinstance(of_file, Explanation)
    assert (len(of_file.reasons), of_file.scale) == (2, "log odds of the positive class (1)")
    assert {one.feature for one in of_file.reasons} <= set(dataset.features)

    http = Prediction(1, "http", logged.requested_at, logged.event_time, "1", 0.5, None, None, None)
    assert isinstance(unknown := why(7, http), NotExplained)
    assert "no loaded row is like it" in unknown.reason
    uploads.ingest(dataset, drop(dataset, rows.to_csv(index=False).encode()))
    later = _score_loaded_row(dataset, model, 7)
    assert why(7, later) == of_file, "the newest loaded row of then is the one that was scored"
    assert isinstance(other := why(7, replace(later, probability=0.123)), NotExplained)
    assert "another prediction" in other.reason

    recorded = scored_upload(str(logged.result_key))
    assert recorded is not None
    while version := window.stored(recorded[0]):
        object_store.remove(version)
    assert why(7, logged) == NotExplained("The scored file was removed, and its row with it.")


def _score_loaded_row(dataset: Any, model: Any, key: int) -> Prediction:
    """Log a prediction about a loaded row, as the HTTP service does, and return it."""
    now = datetime.now(UTC)
    row = known_rows.as_of(dataset, {"id": key}, now, now)
    assert row is not None
    entries = prediction_log.entries(model, row, *model.predict(row), now)
    with transaction() as cursor:
        prediction_log.write(cursor, [entries], "http")
    return next(one for one in predictions.of_entity(dataset, {"id": key}) if one.source == "http")
