"""A model reads files by its own spec, and gets the features of other tables where it needs them."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from ml_platform.scoring import model_rows
from ml_platform.specs.parts import Column
from ml_platform.specs.spec import Dataset
from tests.ml_platform.feature_store.joined_tables import declare, load, moment, timed
from tests.ml_platform.ingestion.upload_cases import make_dataset

NOW = datetime(2026, 2, 1, tzinfo=UTC)


def with_columns(dataset: Dataset, **columns: Column) -> Dataset:
    return dataset.model_copy(update={"columns": dataset.columns | columns})


def test_a_column_that_came_later_is_ignored() -> None:
    trained = make_dataset(ignore=["COMMENT"])
    current = with_columns(trained, NEW=Column(type="number", header="New one"), OTHER=Column(type="text"))
    spec = model_rows.reading_spec(trained, current)
    assert spec.ignore == ("COMMENT", "New one", "OTHER")
    assert spec.columns == trained.columns


def test_a_column_that_was_removed_or_changed_is_read_as_before() -> None:
    trained = make_dataset()
    columns = {name: column for name, column in trained.columns.items() if name != "RATIO"}
    current = trained.model_copy(update={"columns": columns | {"COUNT": Column(type="text")}, "max_bad_rows": 0.0})
    assert model_rows.reading_spec(trained, current) == trained


def test_a_column_with_a_new_name_and_the_same_header_is_not_ignored() -> None:
    trained = with_columns(make_dataset(), OLD=Column(type="number", header="Rate"))
    current = with_columns(make_dataset(), NEW=Column(type="number", header="Rate"))
    assert model_rows.reading_spec(trained, current).ignore == ()


def test_rows_that_need_no_other_table_are_the_same_object() -> None:
    rows = pa.RecordBatch.from_pydict({"ID": [1, 2], "RATIO": [0.5, None]})
    assert model_rows.model_rows(make_dataset(), rows, NOW) is rows
    frame = model_rows.model_frame(make_dataset(), rows, NOW)
    assert list(frame["ID"]) == [1, 2]
    assert list(frame["RATIO"].isna()) == [False, True]


@pytest.mark.servers
@pytest.mark.usefixtures("servers")
def test_features_of_other_tables_stand_beside_the_row(tmp_path: Path) -> None:
    dataset = declare(tmp_path)
    (table,) = dataset.tables
    load(table, timed([{"A": "a", "B": 1, "AT": at, "SEEN": at, "TEMP": at, "SKY": "rain"} for at in (0, 1)]))
    visits = [
        {"ID": i, "WHEN": moment(at), "P": place, "Q": 1}
        for i, (at, place) in enumerate([(1, "a"), (0, "b"), (0, "a")])
    ]
    rows = pa.RecordBatch.from_pylist(visits)
    frame = model_rows.model_rows(dataset, rows, NOW)
    assert list(frame["ID"]) == [0, 1, 2]
    assert set(dataset.features) <= set(frame.columns)
    temps = [None if temp != temp else temp for temp in frame[f"{table.name}__TEMP"]]
    assert temps == [1, None, 0]
