"""Each message becomes one prediction or one rejection, with the same parser and the same bits as over HTTP."""

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring import prediction_log
from ml_platform.scoring.prediction_log import StreamPlace
from ml_platform.streaming.messages import Answers, Message, answer, first_places
from tests.ml_platform.keyless import without_key
from tests.ml_platform.serving.models import ROW, SHOP, WEEKS, Registry, ask, follow, make_model, service

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MODEL = make_model(SHOP)
EXTRA_REFUSED = SHOP.model_copy(update={"on_extra_column": "reject_file"})


def message(value: Any, offset: int = 0, partition: int = 0, key: bytes | None = None) -> Message:
    content = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
    return Message("shop.rows", partition, offset, key, content)


def answered(*values: Any, model: LoadedModel = MODEL, spec: Any = None, **options: Any) -> Answers:
    messages = [message(value, offset, key=str(offset).encode()) for offset, value in enumerate(values)]
    return answer(model, spec or model.dataset, messages, NOW, "topicid8", **options)


def contents(answers: list[Any]) -> list[dict[str, Any]]:
    return [json.loads(one.value) for one in answers]


def test_a_prediction_is_the_same_as_over_http_to_the_bit() -> None:
    rows = [ROW, ROW | {"id": 8, "age": 71, "town": None}]
    registry = Registry(MODEL)
    _, over_http = ask(service(follow(registry)), *rows)
    found = answered(*rows)
    for one, expected, offset in zip(contents(found.predictions), over_http["predictions"], (0, 1), strict=True):
        assert one.pop("source") == {"topic": "shop.rows", "partition": 0, "offset": offset}
        facts = {name: value for name, value in over_http.items() if name != "predictions"}
        assert one == facts | expected
    assert [one.key for one in found.predictions] == [b"0", b"1"]
    assert found.rejections == []


def test_what_is_no_row_is_rejected_alone_and_in_order() -> None:
    found = answered(b"not JSON", ROW, ROW | {"age": "old"}, None, [1], ROW | {"id": 9}, b'{"id": "\xff"}')
    assert [one["key"] for one in contents(found.predictions)] == [{"id": 7}, {"id": 9}]
    assert [one.key for one in found.rejections] == [b"0", b"2", b"3", b"4", b"6"]
    first, second, third, *_ = contents(found.rejections)
    assert first == {
        "errors": [{"field": "", "value": "not JSON", "reason": "not valid JSON: Expecting value at character 1"}],
        "row": "not JSON",
        "source": {"topic": "shop.rows", "partition": 0, "offset": 0},
    }
    (error,) = second["errors"]
    assert (error["field"], error["value"]) == ("age", "old")
    assert json.loads(second["row"]) == ROW | {"age": "old"}
    assert (third["row"], third["errors"][0]["reason"]) == (None, "the message has no value")


def test_a_field_that_a_row_lacks_is_a_missing_value_unless_it_is_needed() -> None:
    without_age = {name: value for name, value in ROW.items() if name != "age"}
    without_key = {name: value for name, value in ROW.items() if name != "id"}
    found = answered(without_age, without_key)
    ((prediction,), (rejection,)) = contents(found.predictions), contents(found.rejections)
    (alone,) = contents(answered(ROW | {"age": None}).predictions)
    assert prediction["probability"] == alone["probability"]
    assert rejection["errors"][0]["field"] == "id"


def test_one_row_that_breaks_the_contract_of_all_does_not_reject_the_others() -> None:
    found = answered(ROW, ROW | {"more": 1}, ROW | {"id": 8}, spec=EXTRA_REFUSED)
    assert [one["key"]["id"] for one in contents(found.predictions)] == [7, 8]
    (rejection,) = contents(found.rejections)
    assert "more" in rejection["errors"][0]["reason"]


def test_a_row_without_a_finite_prediction_is_rejected_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    real = LoadedModel.predict

    def predict(model: LoadedModel, rows: Any) -> Any:
        outputs, predictions = real(model, rows)
        return np.where(rows.column("id").to_numpy() == 7, np.nan, outputs), predictions

    monkeypatch.setattr(LoadedModel, "predict", predict)
    found = answered(ROW, ROW | {"id": 8}, b"broken", ROW | {"id": 9})
    assert [one["key"]["id"] for one in contents(found.predictions)] == [8, 9]
    reasons = [one["errors"][0]["reason"] for one in contents(found.rejections)]
    assert reasons[0] == "a value is so large that the model gives no finite prediction"
    assert len(reasons) == 2


def test_the_log_has_an_entry_for_each_prediction_with_its_place() -> None:
    found = answered(b"broken", ROW, ROW | {"id": 8})
    assert found.entries is not None
    assert found.entries.schema.equals(prediction_log.SCHEMA)
    entries = found.entries.to_pylist()
    assert [(one["stream_partition"], one["stream_offset"]) for one in entries] == [
        ("0-topicid8", 1),
        ("0-topicid8", 2),
    ]
    assert [json.loads(one["entity_key"]) for one in entries] == [{"id": 7}, {"id": 8}]
    probabilities = [one["probability"] for one in contents(found.predictions)]
    assert [one["probability"] for one in entries] == probabilities
    assert answered(b"broken").entries is None


def test_reasons_come_with_predictions_if_the_spec_wants_them() -> None:
    (one,) = contents(answered(ROW, n_reasons=2).predictions)
    assert len(one["reasons"]) == 2


def test_several_classes_have_their_probabilities() -> None:
    weeks = make_model(WEEKS)
    row = {"town": "Ulm", "number": 3, "day": "2026-02-01T06:00:00Z", "heat": 24.5, "rain": False}
    (one,) = contents(answered(row, model=weeks).predictions)
    assert set(one["probabilities"]) == set(weeks.task.classes)


def test_rows_without_a_key_have_their_number_and_ids_of_their_own() -> None:
    keyless = make_model(without_key(SHOP))
    rows = [{name: value for name, value in ROW.items() if name != "id"} for _ in range(2)]
    found = answered(*rows, model=keyless)
    assert found.entries is not None
    keys = [one["entity_key"] for one in found.entries.to_pylist()]
    assert len(set(keys)) == 2
    assert [one["source"]["offset"] for one in contents(found.predictions)] == [0, 1]


def test_the_first_offset_of_each_partition_is_found() -> None:
    messages = [message(ROW, 5, 1), message(ROW, 3, 0), message(ROW, 4, 0), message(ROW, 6, 1)]
    assert sorted(first_places(messages, "id")) == [StreamPlace("0-id", 3), StreamPlace("1-id", 5)]


@pytest.mark.parametrize("values", [[], [b"broken"]])
def test_without_a_good_row_nothing_is_predicted(values: list[bytes]) -> None:
    found = answered(*values)
    assert (found.predictions, found.entries, len(found.rejections)) == ([], None, len(values))
