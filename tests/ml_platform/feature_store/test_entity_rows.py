"""Entity rows come as a query or as a frame, and the frame reaches Postgres with its types and its times in UTC."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import psycopg
import pytest
from feast import RepoConfig
from feast.errors import EntityTimestampInferenceException

from ml_platform.feature_store import features
from ml_platform.feature_store.entity_rows import EntityRows, utc_cursor

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def config(servers: Any) -> RepoConfig:
    return features.store().config


def copied(rows: EntityRows, config: RepoConfig) -> list[tuple[Any, ...]]:
    """Copy a frame to its table and read it back."""
    with utc_cursor(config) as cursor:
        rows.copy(cursor)
        return cursor.execute(rows.query).fetchall()


@pytest.mark.servers
class TestAQuery:
    def test_its_columns_and_times_are_read(self, config: RepoConfig) -> None:
        times = "timestamptz '2026-03-02 12:00+00' + i * interval '1 hour'"
        query = f"SELECT i AS id, {times} AS at FROM generate_series(0, 2) i"
        rows = EntityRows.of_query(f"{query} -- a comment", config)
        assert (rows.columns, rows.time_column, rows.frame) == (("id", "at"), "at", None)
        assert (rows.first, rows.last) == (NOON, NOON + timedelta(hours=2))

    def test_no_rows_have_no_times(self, config: RepoConfig) -> None:
        rows = EntityRows.of_query("SELECT 1 AS id, now() AS event_timestamp WHERE false", config)
        assert (rows.time_column, rows.first, rows.last) == ("event_timestamp", None, None)

    @pytest.mark.parametrize("times", ["7 AS other", "now() AS one, now() AS two"])
    def test_without_one_time_column_it_is_refused(self, config: RepoConfig, times: str) -> None:
        with pytest.raises(EntityTimestampInferenceException):
            EntityRows.of_query(f"SELECT 1 AS id, {times}", config)

    def test_wrong_sql_is_refused_by_postgres(self, config: RepoConfig) -> None:
        with pytest.raises(psycopg.errors.UndefinedTable):
            EntityRows.of_query("SELECT * FROM no_such_table", config)

    def test_it_may_not_write(self, config: RepoConfig) -> None:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            EntityRows.of_query("SELECT lo_create(0) AS id, now() AS event_timestamp", config)


@pytest.mark.servers
class TestAFrame:
    def test_values_of_each_type_arrive_as_they_were(self, config: RepoConfig) -> None:
        cells: dict[str, list[Any]] = {
            "event_timestamp": [NOON, NOON], "text": ["a;\t\\N\n\"'", None], "whole": [2**62, -1], "none": [None, None],
            "number": [0.1, None], "yes": [True, False], "day": [date(2026, 1, 1), None], "bytes": [b"\x00\xff", b""],
            "exact": [Decimal("1.10"), None], "list": [[1, 2], []], "texts": [["a,b", None], ["{}"]],
            'a "name"': [1, 2],
        }  # fmt: skip
        rows = EntityRows.of_frame(pd.DataFrame(cells))
        assert rows.columns == tuple(cells)
        assert copied(rows, config) == list(zip(*cells.values(), strict=True))

    @pytest.mark.parametrize(
        "kind",
        [*(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
         "float16", "float32", "Int32", "string", "category"],
    )  # fmt: skip
    def test_columns_may_have_any_plain_dtype(self, config: RepoConfig, kind: str) -> None:
        frame = pd.DataFrame({"x": pd.Series([1, 2]).astype(kind), "event_timestamp": [NOON, NOON]})
        assert [int(row[0]) for row in copied(EntityRows.of_frame(frame), config)] == [1, 2]

    def test_the_largest_whole_number_is_not_rounded(self, config: RepoConfig) -> None:
        frame = pd.DataFrame({"x": np.array([2**64 - 1], "uint64"), "event_timestamp": [NOON]})
        assert copied(EntityRows.of_frame(frame), config)[0][0] == 2**64 - 1

    def test_its_index_is_no_column(self, config: RepoConfig) -> None:
        frame = pd.DataFrame({"id": [1, 2], "event_timestamp": [NOON, NOON]}, index=[7, 3])
        assert copied(EntityRows.of_frame(frame), config) == [(1, NOON), (2, NOON)]

    def test_many_rows_arrive_in_their_order(self, config: RepoConfig) -> None:
        frame = pd.DataFrame({"id": range(25_000), "event_timestamp": NOON})
        assert [row[0] for row in copied(EntityRows.of_frame(frame), config)] == list(range(25_000))

    def test_the_table_is_gone_after_the_transaction(self, config: RepoConfig) -> None:
        rows = EntityRows.of_frame(pd.DataFrame({"event_timestamp": [NOON]}))
        with utc_cursor(config) as cursor:
            rows.copy(cursor)
            cursor.connection.commit()
            with pytest.raises(psycopg.errors.UndefinedTable):
                cursor.execute(rows.query)


def times(*given: Any) -> list[datetime]:
    """Return the times of a frame as they are sent to Postgres."""
    frame = EntityRows.of_frame(pd.DataFrame({"event_timestamp": pd.Series(given, dtype=object)})).frame
    assert frame is not None
    sent: list[datetime] = frame.column("event_timestamp").to_pylist()
    return sent


def test_times_of_any_zone_or_none_become_utc() -> None:
    ahead = timezone(timedelta(hours=5))
    assert times(NOON, NOON.replace(tzinfo=None), NOON.astimezone(ahead), "2026-03-02 12:00", None) == [
        *[NOON] * 4,
        None,
    ]


def test_a_time_finer_than_postgres_is_never_moved_later() -> None:
    assert times(pd.Timestamp("2026-03-02 12:00:00.000000999", tz="UTC")) == [NOON]
    before = pd.Timestamp("1960-01-01 00:00:00.000000999", tz="UTC")
    assert times(before) == [datetime(1960, 1, 1, tzinfo=UTC)]


def test_the_first_and_last_time_of_a_frame() -> None:
    rows = EntityRows.of_frame(pd.DataFrame({"moment": [NOON, NOON - timedelta(days=1), pd.NaT]}))
    assert (rows.time_column, rows.first, rows.last) == ("moment", NOON - timedelta(days=1), NOON)
    empty = EntityRows.of_frame(pd.DataFrame({"moment": pd.to_datetime([])}))
    assert (empty.first, empty.last) == (None, None)


@pytest.mark.parametrize("columns", [{"id": [1]}, {"one": [NOON], "two": [NOON]}])
def test_without_one_time_column_a_frame_is_refused(columns: dict[str, Any]) -> None:
    with pytest.raises(EntityTimestampInferenceException):
        EntityRows.of_frame(pd.DataFrame(columns))


def test_values_that_postgres_has_no_type_for_are_refused() -> None:
    frame = pd.DataFrame({"event_timestamp": [NOON], "odd": [{"a": 1}]})
    with pytest.raises(ValueError, match="column 'odd' of the entity rows has values of the type struct<a: int64>"):
        EntityRows.of_frame(frame)
