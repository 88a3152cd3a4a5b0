"""Loaded rows as examples, on a real Postgres."""

from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.records import known_rows
from tests.ml_platform.ingestion.upload_cases import csv_bytes, ingest, make_dataset, new_name, timed_dataset

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


def test_rows_have_the_columns_of_a_test_file() -> None:
    dataset = make_dataset(new_name())
    assert known_rows.sample(dataset).num_rows == 0, "there is no table yet"
    assert known_rows.newest(dataset, {"ID": 1}) is None
    ingest(dataset, csv_bytes({"ID": "1", "NOTE": "<b>'\";--"}, {"ID": "2", "KIND": ""}))
    assert known_rows.sample(dataset).num_rows == 2
    assert known_rows.newest(dataset, {"ID": 1}) == {
        "ID": 1, "COUNT": 3, "RATIO": 0.5, "PRICE": 67349.0, "KIND": "Blue Collar", "FLAG": True, "NOTE": "<b>'\";--",
    }  # fmt: skip
    assert known_rows.newest(dataset, {"ID": 3}) is None


def test_the_newest_row_is_as_of_a_moment() -> None:
    dataset = timed_dataset(new_name())
    ingest(dataset, csv_bytes({"AT": "2026-01-01"}, {"AT": "2026-02-01", "COUNT": "5"}))
    newest = known_rows.newest(dataset, {"ID": 1})
    assert newest is not None
    assert (newest["COUNT"], newest["AT"]) == (5, datetime(2026, 2, 1, tzinfo=UTC))
    now = datetime.now(UTC) + timedelta(days=1)
    earlier = known_rows.as_of(dataset, {"ID": 1}, datetime(2026, 1, 15, tzinfo=UTC), now)
    assert earlier is not None
    assert earlier.column("COUNT").to_pylist() == [3]
    assert known_rows.as_of(dataset, {"ID": 1}, datetime(2025, 1, 1, tzinfo=UTC), now) is None


def test_rows_without_a_key_are_examples_too() -> None:
    dataset = make_dataset(new_name(), entity={"name": "row"})
    ingest(dataset, csv_bytes({}))
    assert known_rows.sample(dataset).num_rows == 1
