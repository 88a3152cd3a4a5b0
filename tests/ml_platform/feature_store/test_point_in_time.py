"""Rows that are not in the database get the features of other tables that were true and known at their time."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from ml_platform.feature_store import point_in_time
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import fetch
from tests.ml_platform.feature_store.joined_tables import declare, load, moment, timed

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

NEVER = datetime(2200, 1, 1, tzinfo=UTC)


@pytest.fixture
def joined(tmp_path: Path) -> Dataset:
    return declare(tmp_path)


def reading(at: float, temp: float | str, place: str = "a", level: int = 1, sky: str = "") -> dict[str, Any]:
    return {"A": place, "B": level, "AT": at, "SEEN": at, "TEMP": temp, "SKY": sky}


def visit(at: float, place: str | None = "a", level: int | None = 1) -> dict[str, Any]:
    return {"ID": 1, "WHEN": moment(at), "P": place, "Q": level}


def joined_rows(dataset: Dataset, *visits: dict[str, Any], uploaded: datetime = NEVER) -> list[dict[str, Any]]:
    frame = point_in_time.joined_features(dataset, pa.RecordBatch.from_pylist(list(visits)), uploaded)
    rows = [{name: None if cell != cell else cell for name, cell in row.items()} for row in frame.to_dict("records")]
    prefix = f"{dataset.tables[0].name}__"
    return [{name.removeprefix(prefix): cell for name, cell in row.items()} for row in rows]


def test_each_row_keeps_its_place_and_a_missing_value_stays_missing(joined: Dataset) -> None:
    load(joined.tables[0], timed([reading(0, 10, sky="rain"), reading(1, "", sky="clear"), reading(0, 20, level=2)]))
    visits = [visit(1), visit(0, level=2), visit(0), visit(-1), visit(0, place=None), visit(0, place="z")]
    nothing = {"TEMP": None, "SKY": None, "id": None}
    assert joined_rows(joined, *visits) == [
        {"TEMP": None, "SKY": "clear", "id": 1}, {"TEMP": 20, "SKY": None, "id": 2},
        {"TEMP": 10, "SKY": "rain", "id": 0}, nothing, nothing, nothing,
    ]  # fmt: skip


def test_more_rows_than_one_digit_come_back_in_their_order(joined: Dataset) -> None:
    load(joined.tables[0], timed([reading(0, i, level=i) for i in range(120)]))
    rows = joined_rows(joined, *(visit(0, level=i) for i in reversed(range(120))))
    assert [row["TEMP"] for row in rows] == list(reversed(range(120)))


def test_without_an_event_time_rows_are_joined_as_of_the_upload(joined: Dataset) -> None:
    load(joined.tables[0], timed([reading(0, 10), reading(2, 12)]))
    timeless = joined.model_copy(update={"event_time": None})
    for uploaded, temp in ((moment(1), 10), (moment(2), 12), (moment(-1), None)):
        (row,) = joined_rows(timeless, visit(5), uploaded=uploaded)
        assert row["TEMP"] == temp


@pytest.mark.parametrize("place", ["a'b", 'a"; DROP TABLE x; --', "{a,b}", "\\", "NULL", "漢字", "%s $1"])
def test_hostile_keys_are_only_data(joined: Dataset, place: str) -> None:
    query = point_in_time.entity_query(joined, pa.RecordBatch.from_pylist([visit(0, place)]), NEVER)
    (row,) = fetch(query)
    assert row == (0, moment(0), place, 1)


def test_a_missing_key_is_null(joined: Dataset) -> None:
    rows = pa.RecordBatch.from_pylist([visit(0), visit(1, None, None)])
    assert fetch(point_in_time.entity_query(joined, rows, NEVER)) == [
        (0, moment(0), "a", 1), (1, moment(1), None, None)
    ]  # fmt: skip


def test_a_table_that_was_never_loaded_is_an_error(joined: Dataset) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        joined_rows(joined, visit(0))
