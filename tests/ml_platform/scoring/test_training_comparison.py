"""What of a scored file differs from the training is said with column, value and count."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring import training_comparison
from ml_platform.scoring.training_comparison import TrainingComparison, TrainingFacts, training_facts
from ml_platform.specs.column_types import ARROW_TYPES
from ml_platform.storage import object_store
from ml_platform.training.training_set import entity_ids, frozen_key
from tests.ml_platform.ingestion.upload_cases import new_name
from tests.ml_platform.keyless import without_key
from tests.ml_platform.serving.models import make_model
from tests.ml_platform.training.trainings import make_dataset, make_frame, make_weeks, make_weeks_frame

SHOP, WEEKS = make_dataset(), make_weeks()
FACTS = TrainingFacts(
    ids=pd.Index([1, 2, 3]),
    categories={"town": frozenset({"Ulm", "Kiel"})},
    ranges={"age": (20.0, 70.0), "income": (5.0, 5.0)},
    shares={"0": 0.7, "1": 0.3},
)


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return make_model(SHOP)


def typed(dataset: Any, rows: list[dict[str, Any]]) -> pa.RecordBatch:
    names = [name for name in dataset.columns if name not in dataset.label_columns]
    schema = pa.schema([(name, ARROW_TYPES[dataset.columns[name].type]) for name in names])
    return pa.RecordBatch.from_pylist([{name: row.get(name) for name in names} for row in rows], schema=schema)


def texts_of(
    model: LoadedModel, *batches: list[dict[str, Any]], facts: TrainingFacts | None = FACTS, positive: int = 0
) -> list[str]:
    """Return the warnings; of each batch the first rows are predicted positive."""
    comparison = TrainingComparison(model, facts)
    for rows in batches:
        comparison.add(typed(model.dataset, rows), np.array([int(i < positive) for i in range(len(rows))]))
    return comparison.texts()


def test_rows_like_those_of_the_training_give_no_warning(model: LoadedModel) -> None:
    usual = [{"id": 10 + i, "age": 20 + i, "income": 5.0, "town": ["Ulm", "Kiel", None][i % 3]} for i in range(40)]
    assert texts_of(model, usual, positive=10) == []


def test_unseen_categories_are_counted_over_all_batches(model: LoadedModel) -> None:
    first = [{"id": 9, "town": town} for town in ("Rome", "Oslo", "Rome", "Ulm")]
    assert texts_of(model, first, [{"id": 8, "town": "Rome"}]) == [
        "town has values that the model was not trained on: Rome (3 rows), Oslo (1 row)"
    ]
    (text,) = texts_of(model, [{"id": 9, "town": f"t{i}"} for i in range(25)], positive=5)
    assert text.endswith("t19 (1 row) and 5 more")


def test_only_numbers_far_outside_the_training_are_reported(model: LoadedModel) -> None:
    assert texts_of(model, [{"id": 9, "age": 120, "income": 9.9}, {"id": 8, "age": -30}]) == []
    assert texts_of(model, [{"id": 9, "age": 121}, {"id": 8, "income": -1.0}], [{"id": 7, "age": 999}]) == [
        "age is far outside the 20 to 70 of the training in 2 rows, for example 121",
        "income is far outside the 5 to 5 of the training in 1 row, for example -1",
    ]


def test_entities_that_the_model_was_trained_on_are_counted(model: LoadedModel) -> None:
    (text,) = texts_of(model, [{"id": 1}, {"id": 9}], [{"id": 3}])
    assert text == "2 of 3 rows have keys that the model was trained on; do not measure the model by them"


def test_with_an_event_time_the_same_entity_at_another_time_is_new() -> None:
    weeks = make_model(WEEKS)
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2)]
    entity = {"town": "Ulm", "number": 3}
    frame = pd.DataFrame([entity]).assign(day=[days[0]])
    ids = training_comparison._ids(WEEKS, frame, frame["day"])
    facts = TrainingFacts(ids, {}, {}, {"poor": 0.4, "fair": 0.3, "good": 0.3})
    assert texts_of(weeks, [entity | {"day": days[1]}], facts=facts) == []
    (text,) = texts_of(weeks, [entity | {"day": day} for day in days], facts=facts)
    assert text.startswith("1 of 2 rows have key and time of rows that the model was trained on")


@pytest.mark.parametrize(
    ("dataset", "said"),
    [(SHOP, "the features of rows"), (WEEKS, "features and time of rows")],
    ids=["without a time", "with one"],
)
def test_without_a_key_rows_with_the_same_features_are_counted(dataset: Any, said: str) -> None:
    keyless = without_key(dataset)
    model = replace(make_model(dataset), dataset=keyless)
    day, digests = datetime(2026, 1, 1, tzinfo=UTC), ["aa", "bb", "aa"]
    rows = pa.RecordBatch.from_pydict({
        "row_id": [f"f:{i}:{digest}" for i, digest in enumerate(digests)],
        "day": pa.array([day] * 3, pa.timestamp("us", tz="UTC")),
    })  # fmt: skip
    trained = pd.DataFrame({"row_id": ["other:9:aa"]})
    facts = TrainingFacts(training_comparison._ids(keyless, trained, pd.Series([day])), {}, {}, {})
    comparison = TrainingComparison(model, facts)
    comparison.add(rows, np.array([0, 1, 0]))
    (text,) = comparison.texts()
    assert text.startswith(f"2 of 3 rows have {said} that the model was trained on; do not measure the model by them")


def test_predictions_that_are_nearly_all_alike_are_a_surprise_only_if_the_training_was_not(model: LoadedModel) -> None:
    rows = [{"id": 10 + i} for i in range(200)]
    (text,) = texts_of(model, rows, positive=2)
    assert text == "nearly all predictions are alike: 0 in 198 of 200 rows; in the training it was 70%"
    assert texts_of(model, rows, positive=3) == []
    rare = TrainingFacts(FACTS.ids, {}, {}, {"0": 0.95, "1": 0.05})
    assert texts_of(model, rows, facts=rare) == []
    assert texts_of(model, rows[:19]) == []
    assert texts_of(model, rows, facts=None) == ["nearly all predictions are alike: 0 in 200 of 200 rows"]


@pytest.mark.servers
@pytest.mark.usefixtures("servers")
@pytest.mark.parametrize("kind", ["shop", "weeks"])
def test_the_facts_are_those_of_the_frozen_training_set_without_the_hold_out(kind: str) -> None:
    name = new_name()
    dataset, frame = (
        (make_dataset(name), make_frame(300)) if kind == "shop" else (make_weeks(name), make_weeks_frame(300))
    )
    model = make_model(dataset)
    sink = io.BytesIO()
    frame.to_parquet(sink, index=False)
    object_store.put_new("mlflow", frozen_key(dataset, model.training_set_sha256), sink.getvalue())
    facts = training_facts(model)
    assert facts is not None
    trained = frame[~model.holdout.mask(entity_ids(dataset, frame), frame["event_timestamp"])]
    assert len(facts.ids) == len(trained) < len(frame)
    assert sum(facts.shares.values()) == pytest.approx(1)
    number = "age" if kind == "shop" else "heat"
    assert facts.ranges[number] == (trained[number].min(), trained[number].max())
    if kind == "shop":
        assert facts.categories["town"] == frozenset(trained["town"].dropna())
        assert "empty" not in facts.ranges


@pytest.mark.servers
@pytest.mark.usefixtures("servers")
@pytest.mark.parametrize("content", [None, b"PAR1 but broken"])
def test_without_a_readable_training_set_nothing_is_compared(content: bytes | None) -> None:
    dataset = make_dataset(new_name())
    model = make_model(dataset)
    if content:
        object_store.put_new("mlflow", frozen_key(dataset, model.training_set_sha256), content)
    assert training_facts(model) is None
