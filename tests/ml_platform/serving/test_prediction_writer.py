"""What was answered is logged: soon, once, and after an outage too; what cannot be kept is counted."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ml_platform.exceptions import ServiceError
from ml_platform.serving import answers, prediction_writer
from ml_platform.serving.prediction_writer import PredictionWriter
from tests.ml_platform.serving.models import DAY, ROW, SHOP, WEEKS, Registry, ask, follow, make_model, service

MODEL = make_model(SHOP)
NOW = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)


def scored(*rows: Any, model: Any = MODEL) -> answers.Scored:
    body = json.dumps({"rows": rows}).encode()
    return answers.scored(model, answers.typed_rows(model.dataset, answers.asked(body)), NOW)


class Postgres:
    def __init__(self) -> None:
        self.away, self.rows = False, []

    def write(self, batches: Any) -> None:
        if self.away:
            raise ServiceError("Postgres: refused")
        self.rows += [row for batch in batches for row in batch.to_pylist()]


def test_a_row_is_logged_with_all_that_was_said() -> None:
    postgres, found = Postgres(), scored(ROW)
    writer = PredictionWriter(pytest.fail, postgres.write)
    writer.add(found, NOW)
    assert writer.flush()
    assert postgres.rows == [
        {"model": "shop", "model_version": 1, "entity_key": '{"id": 7}', "event_time": NOW, "requested_at": NOW,
         "probability": float(found.probabilities[0]), "prediction": str(found.predictions[0])}
    ]  # fmt: skip


def test_of_several_classes_the_predicted_ones_probability_at_the_rows_own_time() -> None:
    postgres, found = Postgres(), scored(DAY, model=make_model(WEEKS))
    writer = PredictionWriter(pytest.fail, postgres.write)
    writer.add(found, NOW)
    writer.flush()
    (row,) = postgres.rows
    assert row["event_time"] == datetime(2026, 2, 1, 6, tzinfo=UTC)
    assert (row["probability"], row["prediction"]) == (found.probabilities.max(), "good")
    assert json.loads(row["entity_key"]) == {"town": "Ulm", "number": 3}


def test_what_waits_out_an_outage_is_written_once() -> None:
    postgres, writer = Postgres(), None
    writer = PredictionWriter(pytest.fail, postgres.write)
    postgres.away = True
    writer.add(scored(ROW), NOW)
    assert not writer.flush()
    writer.add(scored(ROW | {"id": 8}), NOW)
    postgres.away = False
    assert writer.flush()
    assert writer.flush()
    assert [row["entity_key"] for row in postgres.rows] == ['{"id": 7}', '{"id": 8}']


def test_what_cannot_be_kept_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction_writer, "MOST_ROWS", 3)
    lost: list[int] = []
    postgres = Postgres()
    postgres.away = True
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
