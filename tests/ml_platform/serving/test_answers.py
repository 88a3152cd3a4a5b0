"""A request's rows are parsed and checked like rows of a file; an error names row, field, value and reason."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.files.json_rows import decode_json
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.serving import answers
from ml_platform.serving.answers import BadRequestError
from ml_platform.serving.settings import MOST_ROWS
from ml_platform.specs.spec import Dataset
from tests.ml_platform.keyless import without_key
from tests.ml_platform.serving.models import DAY, ROW, SHOP, WEEKS, expected, make_model, stored

NOW = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
SHOP_MODEL, WEEKS_MODEL = make_model(SHOP), make_model(WEEKS)


def typed(*rows: Any, dataset: Dataset = SHOP, kind: str = "rows") -> pa.RecordBatch:
    """Return the rows of a request's body as the service types them."""
    return answers.typed_rows(dataset, answers.parse_request(json.dumps({kind: rows}).encode()))


def errors(*rows: Any, **options: Any) -> list[tuple[int, str, str, str]]:
    """Return the row, field, value and reason of each bad value of a request."""
    with pytest.raises(BadRequestError) as error:
        typed(*rows, **options)
    return [(bad.line, bad.column, bad.value, bad.reason) for bad in error.value.bad]


def test_a_body_has_rows_or_entities_and_numbers_stay_texts() -> None:
    request = answers.parse_request(b'{"rows": [{"id": 12345678901234567890, "income": 0.10}]}')
    assert request[:2] == ("rows", decode_json('[{"id": 12345678901234567890, "income": 0.10}]'))
    assert {name: str(cell) for name, cell in request.rows[0].items()} == {
        "id": "12345678901234567890", "income": "0.10"
    }  # fmt: skip
    assert answers.parse_request(b'{"entities": [{"id": 1}]}').kind == "entities"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not valid JSON"),
        (b"[]", "not of the form"),
        (b'{"rows": {}}', "not of the form"),
        (b'{"rows": [], "more": 1}', "not of the form"),
        (b'{"rows": [], "entities": []}', "not of the form"),
        (b'{"entities": {"id": 1}}', "not of the form"),
        (b'{"entities": []}', "has 0 entities; allowed are 1 to 1,000"),
        (b'{"rows": []}', "has 0 rows; allowed are 1 to 1,000"),
        (b'{"rows": [{"id": 1, "id": 2}]}', "names a key twice: id"),
        (b'{"rows": [{"id": NaN}]}', "NaN is no number"),
        (b"\xff\xfe", "not valid UTF-8 at byte 1"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"rows": [' + b",".join([b"{}"] * (MOST_ROWS + 1)) + b"]}", "has 1,001 rows"),
    ],
)
def test_a_body_that_is_not_a_request_is_rejected(body: bytes, reason: str) -> None:
    with pytest.raises(BadRequestError) as error:
        answers.parse_request(body)
    assert reason in str(error.value)
    assert error.value.bad == ()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"entities": [{}]}', "the objects are empty"),
        (b'{"entities": [{"id": 1, "age": 3}]}', "an entity has only its key (id), not age"),
        (b'{"rows": [1]}', "not a JSON object"),
        (b'{"rows": [{}]}', "the objects are empty"),
        (b'{"rows": [{"id": 1}]}', "the rows lack age, income"),
        (b'{"rows": [{"age": ' + b"[" * 980 + b"]" * 980 + b"}]}", "nested too deeply"),
    ],
)
def test_rows_that_fit_no_model_are_rejected_as_a_whole(body: bytes, reason: str) -> None:
    with pytest.raises(BadRequestError) as error:
        answers.typed_rows(SHOP, answers.parse_request(body))
    assert reason in str(error.value)


def test_rows_are_typed_as_in_files_and_keep_their_order() -> None:
    as_texts = {name: "" if value is None else str(value) for name, value in ROW.items()}
    rows = typed(ROW | {"id": 8}, as_texts)
    assert rows.column("id").to_pylist() == [8, 7]
    assert rows.slice(1, 1).drop_columns(["line"]) == typed(ROW).drop_columns(["line"])


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ({"age": "old"}, "age", "not a whole number"),
        ({"age": 1.5}, "age", "not a whole number"),
        ({"age": [1]}, "age", "not a single value"),
        ({"id": None}, "id", "a value is required"),
        ({"income": "1,5,0"}, "income", "not an amount of money"),
        ({"member": 2}, "member", "not a yes or no"),
        ({"town": "a\x00b"}, "town", "NUL"),
        ({"town": "\ud800"}, "town", "half of a character"),
        ({"income": 10**400}, "income", "too large"),
        ({"age": 10**400}, "age", "outside the range"),
    ],
)
def test_a_bad_value_is_named_with_row_field_and_reason(row: Any, field: str, reason: str) -> None:
    ((number, column, _, text),) = errors(ROW, ROW | row)
    assert (number, column) == (2, field)
    assert reason in text


def test_a_field_that_only_another_row_has_is_missing() -> None:
    lacking = {name: cell for name, cell in ROW.items() if name not in ("age", "income")}
    found = errors(ROW, lacking, ROW | {"age": "x"})
    assert [(row, field) for row, field, _, _ in found] == [(2, "age"), (2, "income"), (3, "age")]
    assert "write null if the value is missing" in found[0][3]
    assert typed(ROW, lacking | {"age": None, "income": None}).num_rows == 2


@pytest.mark.parametrize(
    ("entity", "dataset", "field", "value", "reason"),
    [
        ({"id": "x"}, SHOP, "id", "x", "not a whole number"),
        ({"id": None}, SHOP, "id", "", "a value is required"),
        (7, SHOP, "", "7", "not a JSON object"),
        ({"id": 0}, SHOP, "id", "0", "no customer with this key is in the online store"),
        ({"town": "", "number": 3}, WEEKS, "town", "", "a value is required"),
        ({"town": "Ulm", "number": 0}, WEEKS, "town, number", "Ulm, 0", "no stand with this key is in the online"),
    ],
)
def test_a_bad_key_is_named_with_row_field_and_reason(
    monkeypatch: pytest.MonkeyPatch, entity: Any, dataset: Dataset, field: str, value: str, reason: str
) -> None:
    monkeypatch.setattr("ml_platform.feature_store.online_rows.newest_rows", stored)
    good = {"id": 7} if dataset is SHOP else {"town": "Ulm", "number": 3}
    ((number, column, cell, text),) = errors(good, entity, dataset=dataset, kind="entities")
    assert (number, column, cell) == (2, field, value)
    assert reason in text


def test_a_store_that_lacks_a_column_is_told_to_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacks(*_: Any) -> Any:
        raise ConfigurationError("the online store does not hold age; send rows")

    monkeypatch.setattr("ml_platform.feature_store.online_rows.newest_rows", lacks)
    with pytest.raises(BadRequestError, match="does not hold age; send rows"):
        typed({"id": 7}, kind="entities")


def test_two_classes_have_the_positive_ones_probability() -> None:
    scored = answers.score(SHOP_MODEL, typed(ROW, ROW | {"id": 8, "age": 20}), NOW)
    first, second = scored.by_row()
    probability = expected(SHOP_MODEL, age=40, income=1000, member=1, town="Ulm")
    prediction = str(int(probability >= SHOP_MODEL.task.threshold))
    assert first == {"key": {"id": 7}, "probability": probability, "prediction": prediction, "probabilities": None}
    assert (second["key"], second["probabilities"]) == ({"id": 8}, None)


def test_several_classes_have_a_probability_each() -> None:
    scored = answers.score(WEEKS_MODEL, typed(DAY, DAY | {"heat": 1, "town": "Kiel"}, dataset=WEEKS), NOW)
    for answer in scored.by_row():
        by_class = answer["probabilities"]
        assert list(answer["key"]) == ["town", "number"]
        assert list(by_class) == ["poor", "fair", "good"]
        assert answer["probability"] == max(by_class.values()) == by_class[answer["prediction"]]
        assert sum(by_class.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("model", "row", "probabilities"),
    [(SHOP_MODEL, ROW, [0.5, np.nan, np.inf]), (WEEKS_MODEL, DAY, [[0.2, 0.3, 0.5], [np.nan, 0, 1], [0, np.inf, 0]])],
)
def test_rows_without_a_finite_probability_are_bad(
    monkeypatch: pytest.MonkeyPatch, model: LoadedModel, row: Any, probabilities: Any
) -> None:
    predictions = np.array(probabilities), np.array([1, 1, 1])
    monkeypatch.setattr(LoadedModel, "predict", lambda *_: predictions)
    with pytest.raises(BadRequestError, match="2 of 3 rows are bad") as error:
        answers.score(model, typed(row, row, row, dataset=model.dataset), NOW)
    assert [bad.line for bad in error.value.bad] == [2, 3]


KEYLESS = without_key(SHOP)
KEYLESS_ROW = {name: cell for name, cell in ROW.items() if name != "id"}


def test_rows_without_a_key_are_named_by_their_number_and_known_by_the_hash_of_the_request() -> None:
    body = json.dumps({"rows": [KEYLESS_ROW, KEYLESS_ROW]}).encode()
    rows = answers.typed_rows(KEYLESS, answers.parse_request(body))
    first, second = (row_id.split(":") for row_id in rows.column("row_id").to_pylist())
    assert first[0] == second[0] == sha256(body).hexdigest()[:16]
    assert (first[1], second[1], first[2]) == ("1", "2", second[2])
    model = replace(make_model(SHOP), dataset=KEYLESS)
    scored = answers.score(model, rows, datetime.now(UTC))
    assert [answer["key"] for answer in scored.by_row()] == [{"row": 1}, {"row": 2}]


def test_without_a_key_entities_are_refused() -> None:
    with pytest.raises(BadRequestError, match="shop has no key by which entities could be looked up; send rows"):
        answers.typed_rows(KEYLESS, answers.parse_request(b'{"entities": [{"row": 1}]}'))
