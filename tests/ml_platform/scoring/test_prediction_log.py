"""Each prediction is an entry of the log: the model's version, the entity, its time, and what was predicted."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ml_platform.exceptions import ContractError
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring import prediction_log
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import fetch, transaction
from tests.ml_platform.ingestion.upload_cases import new_name
from tests.ml_platform.serving.models import SHOP, WEEKS, make_model

REQUESTED = datetime(2026, 2, 3, 4, 5, 6, 7, tzinfo=UTC)
SHOP_MODEL, WEEKS_MODEL = make_model(SHOP), make_model(WEEKS)


def shop_entries(*probabilities: float, model: LoadedModel = SHOP_MODEL, first_id: int = 1) -> pa.RecordBatch:
    """Return an entry for each probability; the customers have the numbers from `first_id` on."""
    ids = range(first_id, first_id + len(probabilities))
    rows = pa.RecordBatch.from_pydict({"id": pa.array(ids, pa.int64())})
    classes = np.array([int(probability >= 0.5) for probability in probabilities])
    return prediction_log.entries(model, rows, np.array(probabilities), classes, REQUESTED)


def test_an_entry_has_the_positive_classs_probability_and_the_time_of_the_request() -> None:
    assert shop_entries(0.25, 0.75).to_pylist() == [
        {"model": "shop", "model_version": 1, "entity_key": f'{{"id": {i}}}', "event_time": REQUESTED,
         "probability": probability, "prediction": prediction, "low": None, "high": None, "requested_at": REQUESTED,
         "stream_partition": None, "stream_offset": None}
        for i, probability, prediction in [(1, 0.25, "0"), (2, 0.75, "1")]
    ]  # fmt: skip


def test_with_several_classes_the_predicted_ones_probability_at_the_rows_own_time() -> None:
    days = [REQUESTED - timedelta(days=9), REQUESTED - timedelta(days=8)]
    rows = pa.RecordBatch.from_pydict({"town": ["Ulm", 'a"b'], "number": [3, 4], "day": days})
    probabilities = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    entries = prediction_log.entries(WEEKS_MODEL, rows, probabilities, np.array([2, 0]), REQUESTED).to_pylist()
    assert [(e["probability"], e["prediction"], e["event_time"]) for e in entries] == [
        (0.5, "good", days[0]), (0.6, "poor", days[1])
    ]  # fmt: skip
    assert [json.loads(e["entity_key"]) for e in entries] == [
        {"town": "Ulm", "number": 3}, {"town": 'a"b', "number": 4}
    ]  # fmt: skip


def test_no_rows_give_no_entries() -> None:
    assert shop_entries().num_rows == 0


def test_a_buffer_gives_back_all_entries_in_their_order() -> None:
    first, second = shop_entries(0.1, 0.2), shop_entries(0.3, first_id=3)
    with prediction_log.open_buffer() as buffer:
        buffer.add(first)
        buffer.add(second)
        assert pa.Table.from_batches(buffer.batches()) == pa.Table.from_batches([first, second])


def test_an_empty_buffer_gives_no_entries() -> None:
    with prediction_log.open_buffer() as buffer:
        assert list(buffer.batches()) == []


@pytest.mark.servers
@pytest.mark.usefixtures("servers")
class TestOnServers:
    @pytest.fixture
    def model(self) -> LoadedModel:
        dataset: Dataset = SHOP.model_copy(update={"name": new_name()})
        return make_model(dataset)

    @staticmethod
    def write(batches: list[pa.RecordBatch], source: prediction_log.Source, result_key: str | None = None) -> None:
        with transaction() as cursor:
            prediction_log.write(cursor, batches, source, result_key)

    @staticmethod
    def logged(model: LoadedModel) -> list[tuple[Any, ...]]:
        return fetch(
            "SELECT entity_key ->> 'id', probability, source, result_key FROM predictions.log"
            " WHERE model = $1 ORDER BY result_key, (entity_key ->> 'id')::int, probability",
            model.name,
        )

    def test_the_entries_of_a_result_replace_those_of_an_earlier_attempt(self, model: LoadedModel) -> None:
        key, other = f"{model.name}/a.csv", f"{model.name}/b.csv"
        self.write([shop_entries(0.1, 0.2, model=model)], "batch", key)
        self.write([shop_entries(0.5, model=model)], "batch", other)
        self.write([shop_entries(0.3, model=model), shop_entries(0.4, model=model, first_id=9)], "batch", key)
        assert self.logged(model) == [
            ("1", 0.3, "batch", key), ("9", 0.4, "batch", key), ("1", 0.5, "batch", other)
        ]  # fmt: skip

    def test_entries_of_requests_are_added(self, model: LoadedModel) -> None:
        for probability in (0.1, 0.2):
            self.write([shop_entries(probability, model=model)], "http")
        assert self.logged(model) == [("1", 0.1, "http", None), ("1", 0.2, "http", None)]

    def test_several_writes_fit_in_one_transaction(self, model: LoadedModel) -> None:
        with transaction() as cursor:
            for probability in (0.1, 0.2):
                prediction_log.write(cursor, [shop_entries(probability, model=model)], "http")
        assert len(self.logged(model)) == 2

    def test_numbers_and_times_are_exact(self, model: LoadedModel) -> None:
        self.write([shop_entries(0.1 + 0.2, model=model)], "http")
        statement = "SELECT probability, event_time, requested_at, model_version, prediction FROM predictions.log"
        (row,) = fetch(f"{statement} WHERE model = $1", model.name)
        assert row == (0.1 + 0.2, REQUESTED, REQUESTED, 1, "0")

    def test_a_failed_write_leaves_the_entries_of_before(self, model: LoadedModel) -> None:
        key = f"{model.name}/a.csv"
        self.write([shop_entries(0.1, model=model)], "batch", key)
        with suppress(ContractError), transaction() as cursor:
            prediction_log.write(cursor, [shop_entries(0.9, model=model)], "batch", key)
            raise ContractError("undone")
        assert self.logged(model) == [("1", 0.1, "batch", key)]
