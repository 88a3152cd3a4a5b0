"""The first reasons of a prediction: the columns of the file, the row's own values, and effects that add up."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.special import logit

from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring.reasons import no_reasons, reasons_of, scale_facts
from tests.ml_platform.serving.models import SHOP, WEEKS, make_model
from tests.ml_platform.training.trainings import make_frame, make_weeks_frame

SCHEMA = pa.schema(
    [("id", pa.int64()), ("age", pa.int64()), ("income", pa.float64()), ("member", pa.bool_()),
     ("empty", pa.float64()), ("town", pa.string()), ("blank", pa.string())]
)  # fmt: skip
ROWS = pa.RecordBatch.from_pylist(
    [
        {"id": 1, "age": 70, "income": 2e4, "member": True, "town": "Ulm"},
        {"id": 2, "age": None, "income": 2.5, "member": False, "town": "=1+1"},
        {"id": 3, "age": 31, "income": None, "member": None, "town": None},
    ],
    schema=SCHEMA,
)


@pytest.fixture(scope="module")
def shop() -> LoadedModel:
    return make_model(SHOP)


def reasons(model: LoadedModel, rows: Any, count: int) -> Any:
    return reasons_of(model, rows, model.predict(rows)[1], count)


def test_the_largest_effects_come_first_with_the_rows_own_values(shop) -> None:
    first, second, third = reasons(shop, ROWS, 2).by_row()
    assert [reason["feature"] for reason in first["reasons"]] == ["age", "town"]
    assert [reason["value"] for reason in first["reasons"]] == [70, "Ulm"]
    assert first["reasons"][0]["effect"] > first["reasons"][1]["effect"] > 0
    assert {reason["feature"]: reason["value"] for reason in second["reasons"]}["town"] == "=1+1"
    assert {reason["feature"]: reason["value"] for reason in third["reasons"]} == {"age": 31, "town": None}


@pytest.mark.parametrize("count", [1, 3, 6, 20])
def test_base_reasons_and_rest_add_up(shop, count: int) -> None:
    probabilities, _ = shop.predict(ROWS)
    for probability, row in zip(probabilities, reasons(shop, ROWS, count).by_row(), strict=True):
        effects = [reason["effect"] for reason in row["reasons"]]
        assert len(effects) == min(count, 6)
        assert row["base"] + sum(effects) + row["rest"] == pytest.approx(logit(probability), abs=1e-9)
        assert count < 6 or row["rest"] == 0


def test_values_keep_their_type(shop) -> None:
    for row in reasons(shop, ROWS, 6).by_row():
        values = {reason["feature"]: reason["value"] for reason in row["reasons"]}
        assert all(
            values[name] is None or type(values[name]) is kind
            for name, kind in {"age": int, "income": float, "member": bool, "town": str}.items()
        )


def test_a_frame_gives_the_same_reasons(shop) -> None:
    frame = ROWS.to_pandas()
    assert frame["age"].dtype == np.float64
    assert list(reasons(shop, frame, 6).by_row()) == list(reasons(shop, ROWS, 6).by_row())
    without = list(reasons(shop, frame.drop(columns=["income"]), 6).by_row())
    assert {reason["feature"]: reason["value"] for reason in without[0]["reasons"]}["income"] is None


def test_a_row_has_the_same_reasons_in_any_batch(shop) -> None:
    rows = pa.RecordBatch.from_pandas(make_frame(40, seed=3).astype({"member": "boolean"}))
    whole = list(reasons(shop, rows, 2).by_row())
    assert [next(reasons(shop, rows.slice(at, 1), 2).by_row()) for at in range(40)] == whole


def test_a_result_has_texts_and_numbers(shop) -> None:
    columns = reasons(shop, ROWS, 2).columns()
    assert list(columns) == [
        "reason_base", "reason_1", "reason_1_value", "reason_1_effect", "reason_2", "reason_2_value", "reason_2_effect",
        "reason_rest",
    ]  # fmt: skip
    texts = set(columns["reason_1_value"].to_pylist()) | set(columns["reason_2_value"].to_pylist())
    assert texts >= {"70", "Ulm", "=1+1", "31", "missing"}
    empty = no_reasons(shop, 2).columns()
    assert {name: column.type for name, column in empty.items()} == {name: c.type for name, c in columns.items()}
    assert list(no_reasons(shop, 20).columns()) == list(reasons(shop, ROWS, 20).columns())


def test_names_are_those_of_the_files_and_joined_features_keep_theirs(shop) -> None:
    spec = SHOP.model_dump(exclude_defaults=True)
    age = {"type": "integer", "header": "Age (years)"}
    renamed = replace(shop, dataset=type(SHOP).model_validate(spec | {"columns": spec["columns"] | {"age": age}}))
    assert next(reasons(renamed, ROWS, 1).by_row())["reasons"][0]["feature"] == "Age (years)"
    joined = replace(shop, columns={**shop.columns, "rent__price": "double"})
    assert no_reasons(joined, 20).features[-1] == "rent__price"


def test_the_scale_is_said_for_people(shop) -> None:
    facts = scale_facts(shop)
    assert facts == {"scale": "log odds of the positive class (1)", "base": float(shop.explainer.base[0])}


def test_several_classes_have_a_base_each() -> None:
    model = make_model(WEEKS)
    facts = scale_facts(model)
    assert list(facts["base"]) == ["poor", "fair", "good"]
    assert facts["scale"].startswith("log of the probability of the predicted class, minus the mean")
    frame = make_weeks_frame(20, seed=4)
    probabilities, predictions = model.predict(frame)
    logs = np.log(probabilities)
    rows = reasons_of(model, frame, predictions, 1).by_row()
    for row, log, prediction in zip(rows, logs, predictions, strict=True):
        assert row["base"] == facts["base"][model.task.classes[prediction]]
        total = row["base"] + row["reasons"][0]["effect"] + row["rest"]
        assert total == pytest.approx(log[prediction] - log.mean(), abs=1e-9)


def test_missing_values_of_a_frame_are_recognised(shop) -> None:
    frame = pd.DataFrame({"age": [np.nan], "member": [pd.NA], "town": [None]})
    values = {reason["feature"]: reason["value"] for reason in next(reasons(shop, frame, 6).by_row())["reasons"]}
    assert set(values.values()) == {None}
