"""The log of predictions as people read it, on a real Postgres."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ml_platform.exceptions import ContractError
from ml_platform.records import calibration, predictions
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import fetch, transaction
from tests.ml_platform.ingestion.upload_cases import csv_bytes, ingest, make_dataset, new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Row = tuple[int, dict[str, Any], float | None, str, datetime, str]


def log(dataset: Dataset, *rows: Row, low: float | None = None, high: float | None = None) -> None:
    """Log predictions: version, key, probability, prediction, time, source."""
    with transaction() as cursor:
        cursor.executemany(
            "INSERT INTO predictions.log (model, model_version, entity_key, event_time, probability, prediction,"
            " requested_at, source, result_key, low, high) VALUES ($1, $2::int, $3::text::jsonb,"
            " $4::text::timestamptz, $5::float8, $6, $4::text::timestamptz, $7, $8, $9::float8, $10::float8)",
            [
                (dataset.name, version, json.dumps(key), moment.isoformat(), probability, said, source,
                 f"{dataset.name}/r.csv" if source == "batch" else None, low, high)
                for version, key, probability, said, moment, source in rows
            ],
        )  # fmt: skip


def test_predictions_are_counted_by_time_version_and_source() -> None:
    dataset = make_dataset(new_name())
    log(
        dataset,
        (1, {"ID": 1}, 0.1, "0", NOON, "batch"),
        (1, {"ID": 2}, 0.9, "1", NOON + timedelta(minutes=59), "batch"),
        (2, {"ID": 1}, 0.37, "0", NOON + timedelta(minutes=61), "http"),
        (1, {"ID": 9}, 0.9, "1", NOON - timedelta(days=2), "http"),
    )
    hours = predictions.volumes(dataset.name, NOON - timedelta(hours=1), "hour")
    assert [(one.at, one.version, one.source, one.rows) for one in hours] == [
        (NOON, 1, "batch", 2), (NOON + timedelta(hours=1), 2, "http", 1),
    ]  # fmt: skip
    days = predictions.volumes(dataset.name, NOON - timedelta(days=9), "day")
    assert [(one.at.day, one.rows) for one in days] == [(27, 1), (1, 2), (1, 1)]

    found = predictions.distribution(dataset, NOON - timedelta(hours=1))
    assert (found.rows, found.classes) == (3, {"0": 2, "1": 1})
    assert [round(one.low, 2) for one in found.bins if one.rows] == [0.1, 0.35, 0.9]
    assert predictions.distribution(dataset, NOON - timedelta(hours=1), version=2).classes == {"0": 1}
    assert predictions.distribution(dataset, NOON + timedelta(days=1)) == predictions.Distribution(0, {}, ())


def test_numbers_are_counted_between_the_least_and_the_greatest() -> None:
    houses = make_dataset(new_name(), label={"column": "RATIO", "kind": "number"})
    log(houses, *((1, {"ID": i}, None, str(float(i)), NOON, "http") for i in range(41)))
    found = predictions.distribution(houses, NOON)
    assert (found.rows, found.classes) == (41, {})
    assert (found.bins[0].low, found.bins[-1].high, sum(one.rows for one in found.bins)) == (0.0, 40.0, 41)


def test_an_entity_has_its_predictions_and_the_truth() -> None:
    dataset = make_dataset(new_name())
    log(dataset, (1, {"ID": 1}, 0.1, "0", NOON, "batch"), (1, {"ID": 10}, 0.1, "0", NOON, "batch"))
    key = predictions.entity_key(dataset, {"ID": " 1 "})
    assert [one.truth for one in predictions.of_entity(dataset, key)] == [None], "no table of labels yet"
    ingest(dataset, csv_bytes({"ID": "1", "LABEL": "1"}, {"ID": "2"}))
    now = datetime.now(UTC) + timedelta(seconds=1)
    log(dataset, (2, {"ID": 1}, 0.7, "1", now, "http"))
    new, old = predictions.of_entity(dataset, key)
    assert (new.version, new.source, new.prediction, new.probability, new.result_key) == (2, "http", "1", 0.7, None)
    assert new.truth is None, "the only label is about an earlier time"
    assert (old.version, old.truth, old.is_truth_late) == (1, "1", True)
    assert old.result_key == f"{dataset.name}/r.csv"
    with pytest.raises(ContractError, match="ID 'one'"):
        predictions.entity_key(dataset, {"ID": "one"})


def test_rows_without_a_key_are_found_by_their_id() -> None:
    dataset = make_dataset(new_name(), entity={"name": "row"}, label={"column": "LABEL", "positive": 1})
    hostile = "'; DROP TABLE x; --<script>"
    log(dataset, (1, {"row_id": hostile}, 0.1, "0", NOON, "http"))
    key = predictions.entity_key(dataset, {"row_id": hostile})
    assert [one.version for one in predictions.of_entity(dataset, key)] == [1]


def test_an_entity_is_found_by_an_index() -> None:
    indexes = fetch("SELECT indexdef FROM pg_indexes WHERE schemaname = 'predictions' AND tablename = 'log'")
    assert [one for (one,) in indexes if "USING hash (entity_key)" in one]


def test_probabilities_are_compared_with_what_came_true_later() -> None:
    dataset = make_dataset(new_name())
    assert calibration.calibration(dataset, 1, NOON).judged == 0
    moment = datetime.now(UTC) - timedelta(hours=1)
    ids = range(1, 61)
    chances = {i: (0.2 if i <= 40 else 0.9) for i in ids}
    log(dataset, *((1, {"ID": i}, chances[i], str(int(i > 40)), moment, "http") for i in ids))
    log(dataset, (1, {"ID": 999}, 0.5, "1", moment, "http"), (2, {"ID": 1}, 0.5, "1", moment, "http"))
    ingest(dataset, csv_bytes(*({"ID": str(i), "LABEL": str(int(i % 4 == 0 or i > 40))} for i in ids)))
    found = calibration.calibration(dataset, 1, moment - timedelta(hours=1))
    assert (found.considered, found.judged, found.coverage) == (61, 60, None)
    assert [(round(one.predicted, 3), one.actual, one.rows) for one in found.groups] == [
        (0.2, 0.25, 20), (0.2, 0.25, 20), (0.9, 1.0, 20),
    ]  # fmt: skip
    assert all(one.low <= one.actual <= one.high for one in found.groups)
    assert 0 < found.error < 0.1
    log(dataset, *((1, {"ID": i}, 0.5, "1", datetime.now(UTC) + timedelta(hours=1), "http") for i in ids))
    assert calibration.calibration(dataset, 1, datetime.now(UTC)).judged == 0, "their truth was known before"


def test_numbers_are_compared_with_the_true_ones() -> None:
    houses = make_dataset(new_name(), label={"column": "RATIO", "kind": "number"}, leaks=[])
    moment = datetime.now(UTC) - timedelta(hours=1)
    ids = range(1, 41)
    for i in ids:
        log(houses, (1, {"ID": i}, None, str(float(i)), moment, "http"), low=i - 1.5, high=i + 1.5)
    ingest(houses, csv_bytes(*({"ID": str(i), "RATIO": str(i + (5 if i % 10 == 0 else 1))} for i in ids)))
    found = calibration.calibration(houses, 1, moment - timedelta(minutes=1))
    assert (found.judged, found.coverage, found.error) == (40, 0.9, 1.4)
    assert found.groups[0].low < found.groups[0].actual < found.groups[0].high
