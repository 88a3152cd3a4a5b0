"""Each answer is logged once, also after an outage; rows that cannot be kept are counted."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ml_platform.exceptions import ServiceError
from ml_platform.scoring.scored_rows import ScoredRows
from ml_platform.serving import answers, prediction_writer
from ml_platform.serving.prediction_writer import PredictionWriter
from tests.ml_platform.serving.models import DAY, ROW, SHOP, WEEKS, Registry, ask, follow, make_model, service

MODEL = make_model(SHOP)
NOW = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)


def scored(*rows: Any, model: Any = MODEL) -> ScoredRows:
    body = json.dumps({"rows": rows}).encode()
    return answers.score(model, answers.typed_rows(model.dataset, answers.parse_request(body)), NOW)


class Postgres:
    def __init__(self) -> None:
        self.is_down, self.rows = False, []

    def write(self, batches: Any) -> None:
        if self.is_down:
            raise ServiceError("Postgres: refused")
        self.rows += [row for batch in batches for row in batch.to_pylist()]


def test_a_row_is_logged_with_its_prediction() -> None:
    postgres, answer = Postgres(), scored(ROW)
    writer = PredictionWriter(pytest.fail, postgres.write)
    writer.add(answer, NOW)
    assert writer.flush()
    assert postgres.rows == [
        {"model": "shop", "model_version": 1, "entity_key": '{"id": 7}', "event_time": NOW, "requested_at": NOW,
         "probability": float(answer.outputs[0]), "prediction": str(answer.predictions[0]), "low": None, "high": None,
         "stream_partition": None, "stream_offset": None}
    ]  # fmt: skip


def test_with_several_classes_the_predicted_ones_probability_at_the_rows_own_time() -> None:
    postgres, answer = Postgres(), scored(DAY, model=make_model(WEEKS))
    writer = PredictionWriter(pytest.fail, postgres.write)
    writer.add(answer, NOW)
    writer.flush()
    (row,) = postgres.rows
    assert row["event_time"] == datetime(2026, 2, 1, 6, tzinfo=UTC)
    assert (row["probability"], row["prediction"]) == (answer.outputs.max(), "good")
    assert json.loads(row["entity_key"]) == {"town": "Ulm", "number": 3}


def test_entries_that_wait_during_an_outage_are_written_once() -> None:
    postgres = Postgres()
    writer = PredictionWriter(pytest.fail, postgres.write)
    postgres.is_down = True
    writer.add(scored(ROW), NOW)
    assert not writer.flush()
    writer.add(scored(ROW | {"id": 8}), NOW)
    postgres.is_down = False
    assert writer.flush()
    assert writer.flush()
    assert [row["entity_key"] for row in postgres.rows] == ['{"id": 7}', '{"id": 8}']


def test_rows_that_cannot_be_kept_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction_writer, "MOST_ROWS", 3)
    lost: list[int] = []
    postgres = Postgres()
    postgres.is_down = True
    writer = PredictionWriter(lost.append, postgres.write)
    writer.add(scored(ROW, ROW), NOW)
    writer.add(scored(ROW, ROW), NOW)
    assert lost == [2]
    writer.start()
    writer.stop()
    assert lost == [2, 2]


def test_the_service_writes_what_it_answered_before_it_ends() -> None:
    logged: list[Any] = []
    with service(follow(Registry(MODEL)), logged) as client:
        assert ask(client, ROW, ROW)[0] == 200
        assert ask(client, ROW, {"id": "x"})[0] == 422
    assert sum(batch.num_rows for batch in logged) == 2
