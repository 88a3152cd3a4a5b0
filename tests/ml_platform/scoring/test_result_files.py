"""The file of a result: the same rows as CSV and as Parquet; no spreadsheet runs a text of the CSV."""

import csv
import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_platform.parsing.batches import read_batches
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring.result_files import (
    open_result,
    origin_of,
    read_rows,
    result_batch,
    result_schema,
)
from ml_platform.specs.parts import ResultFormat
from tests.ml_platform.serving.models import SHOP, WEEKS, make_model
from tests.ml_platform.training.trainings import make_dataset

FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "=cmd|' /C calc'!A0"]
PLAIN = ["a=1", "7", "-7", "+1.5", "'quoted'", "", "ä"]
FORMS: tuple[ResultFormat, ...] = ("csv", "parquet")


def text_keyed() -> LoadedModel:
    """A model whose entities have texts as keys."""
    columns = {name: column.model_dump(exclude_defaults=True) for name, column in SHOP.columns.items()}
    dataset = make_dataset("shop", {"logistic_regression": {}})
    changed = dataset.model_dump(exclude_defaults=True) | {"columns": columns | {"id": {"type": "text"}}}
    model = make_model(SHOP)
    return LoadedModel(**{**vars(model), "dataset": type(dataset).model_validate(changed)})


def rows_with(model: LoadedModel, keys: list[str]) -> pa.RecordBatch:
    """Return typed rows of a file with these keys."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    names = [name for name in model.dataset.columns if name not in model.dataset.label_columns]
    writer.writerow(names)
    writer.writerows([key if name == "id" else "" for name in names] for key in keys)
    (batch,) = read_batches(io.BytesIO(text.getvalue().encode()), model.dataset, "test", "a.csv")
    assert not batch.bad
    return batch.rows


def written(model: LoadedModel, rows: pa.RecordBatch, form: ResultFormat) -> tuple[bytes, int]:
    """Return a result of these rows, and how many cells were guarded."""
    n_rows, n_classes = rows.num_rows, len(model.task.classes)
    shape = (n_rows,) if n_classes == 2 else (n_rows, n_classes)
    probabilities = np.linspace(0.1, 0.9, int(np.prod(shape))).reshape(shape)
    sink = io.BytesIO()
    result = open_result(sink, form, result_schema(model))
    for part in (slice(0, 2), slice(2, n_rows)):
        some = rows.slice(part.start, max(part.stop - part.start, 0))
        result.write(result_batch(model, some, probabilities[part], np.arange(some.num_rows) % n_classes))
    result.close()
    assert not sink.closed
    return sink.getvalue(), result.cells_guarded


def read(data: bytes, form: ResultFormat) -> list[list[Any]]:
    return list(read_rows(io.BytesIO(data), f"a.{form}"))


def test_texts_that_a_spreadsheet_would_run_are_guarded_and_counted_in_csv() -> None:
    model = text_keyed()
    data, guarded = written(model, rows_with(model, [*FORMULAS, *PLAIN[:5], "ä"]), "csv")
    keys = [row[0] for row in read(data, "csv")[1:]]
    assert keys == [*(f"'{text}" for text in FORMULAS), *PLAIN[:5], "ä"]
    assert guarded == len(FORMULAS)
    assert all(key[0] not in "=@\t\r" for key in keys)


def test_parquet_has_the_keys_as_they_are() -> None:
    model = text_keyed()
    data, guarded = written(model, rows_with(model, FORMULAS), "parquet")
    assert [row[0] for row in read(data, "parquet")[1:]] == FORMULAS
    assert guarded == 0


@pytest.mark.parametrize("dataset", [SHOP, WEEKS], ids=["two classes", "several classes"])
def test_both_formats_have_the_same_rows(dataset: Any) -> None:
    model = make_model(dataset)
    names = [*(dataset.header(key) for key in dataset.keys), "probability", "prediction"]
    by_class = [] if dataset is SHOP else [f"probability_{name}" for name in model.task.classes]
    last = ["threshold"] if dataset is SHOP else []
    key_types = {name: result_schema(model).field(name).type for name in names[: len(dataset.keys)]}
    values = {name: ["1", "2", "3"] if pa.types.is_string(kind) else [1, 2, 3] for name, kind in key_types.items()}
    rows = pa.RecordBatch.from_pydict({key: values[dataset.header(key)] for key in dataset.keys})
    texts, tables = (read(written(model, rows, form)[0], form) for form in FORMS)
    assert texts[0] == tables[0] == [*names, *by_class, "model_version", *last]
    for text, row in zip(texts[1:], tables[1:], strict=True):
        assert text == [value if isinstance(value, str) else repr(value) for value in row]


@pytest.mark.parametrize("form", FORMS)
def test_a_result_tells_which_version_wrote_it(form: ResultFormat) -> None:
    model = make_model(SHOP, version=7)
    key = f"shop/a.{form}"
    rows = pa.RecordBatch.from_pydict({"id": [3, 1, 2]})
    assert origin_of(io.BytesIO(written(model, rows, form)[0]), key) == (7, 0)
    assert origin_of(io.BytesIO(written(model, rows.slice(0, 0), form)[0]), key) is None


def test_parquet_has_types() -> None:
    model = make_model(SHOP)
    rows = pa.RecordBatch.from_pydict({"id": [3, 1, 2]})
    table = pq.read_table(io.BytesIO(written(model, rows, "parquet")[0]))
    assert table.schema.names == result_schema(model).names
    assert table["id"].to_pylist() == [3, 1, 2]
    assert set(table["threshold"].to_pylist()) == {model.task.threshold}
