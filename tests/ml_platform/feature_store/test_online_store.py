"""The online store holds one whole row for each entity, with times in UTC, and the list of uploads it has."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from feast import FeatureView, RepoConfig
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value

from ml_platform.feature_store import features, online_rows
from ml_platform.feature_store.online_store import StoredRow, WholeRowPostgresOnlineStore
from ml_platform.specs.spec import Dataset
from tests.ml_platform.ingestion.upload_cases import make_dataset, new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

STORE = WholeRowPostgresOnlineStore()
MOMENT = datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC)


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset(new_name())


@pytest.fixture
def config() -> RepoConfig:
    return online_rows.repo_config()


@pytest.fixture
def view(dataset: Dataset, config: RepoConfig) -> Iterator[FeatureView]:
    """A view whose table is in the store."""
    view = features.feature_view(dataset)
    STORE.update(config, [], [view], [], [], partial=True)
    yield view
    STORE.update(config, [view], [], [], [], partial=True)


def key_of(dataset: Dataset, number: int) -> EntityKey:
    return online_rows.entity_key(dataset, [number])


def entry(dataset: Dataset, number: int, event: datetime = MOMENT, **values: float) -> tuple[Any, ...]:
    cells = {name: Value(double_val=value) for name, value in values.items()}
    return key_of(dataset, number), cells, event, event


def rows_of(dataset: Dataset, config: RepoConfig, *numbers: int) -> list[Any]:
    keys = [key_of(dataset, number) for number in numbers]
    rows = STORE.newest_rows(config, dataset.name, keys)
    return [row and {name: value.double_val for name, value in row.values.items()} for row in rows]


def test_a_newer_row_replaces_all_values(dataset: Dataset, config: RepoConfig, view: FeatureView) -> None:
    STORE.online_write_batch(config, view, [entry(dataset, 1, RATIO=0.5, PRICE=7)], None)
    STORE.online_write_batch(config, view, [entry(dataset, 1, RATIO=0.25)], None)
    assert rows_of(dataset, config, 1) == [{"RATIO": 0.25}]


def test_rows_come_in_the_order_of_the_keys_and_none_is_made_up(
    dataset: Dataset, config: RepoConfig, view: FeatureView
) -> None:
    STORE.online_write_batch(config, view, [entry(dataset, i, RATIO=i) for i in (1, 2, 3)], None)
    assert rows_of(dataset, config, 3, 9, 1, 3) == [{"RATIO": 3}, None, {"RATIO": 1}, {"RATIO": 3}]
    assert rows_of(dataset, config) == []


def test_of_one_entity_in_a_batch_the_last_row_is_written(
    dataset: Dataset, config: RepoConfig, view: FeatureView
) -> None:
    STORE.online_write_batch(config, view, [entry(dataset, 1, RATIO=1), entry(dataset, 1, RATIO=2)], None)
    assert rows_of(dataset, config, 1) == [{"RATIO": 2}]


@pytest.mark.parametrize("event", [MOMENT, MOMENT.replace(tzinfo=None), MOMENT.astimezone(None)])
def test_a_time_without_a_zone_is_utc(dataset: Dataset, config: RepoConfig, view: FeatureView, event: datetime) -> None:
    STORE.online_write_batch(config, view, [entry(dataset, 1, event, RATIO=1)], None)
    (row,) = STORE.newest_rows(config, dataset.name, [key_of(dataset, 1)])
    assert row == StoredRow(MOMENT, {"RATIO": Value(double_val=1)})


def test_a_missing_value_is_held_as_missing(dataset: Dataset, config: RepoConfig, view: FeatureView) -> None:
    STORE.online_write_batch(config, view, [(key_of(dataset, 1), {"RATIO": Value()}, MOMENT, None)], None)
    (row,) = STORE.newest_rows(config, dataset.name, [key_of(dataset, 1)])
    assert row == StoredRow(MOMENT, {"RATIO": Value()})


def test_progress_counts_the_rows_that_were_given(dataset: Dataset, config: RepoConfig, view: FeatureView) -> None:
    written: list[int] = []
    STORE.online_write_batch(config, view, [entry(dataset, i, RATIO=i) for i in range(3)], written.append)
    assert written == [3]


def test_a_failed_write_leaves_the_older_row(dataset: Dataset, config: RepoConfig, view: FeatureView) -> None:
    STORE.online_write_batch(config, view, [entry(dataset, 1, RATIO=1)], None)
    bad = (key_of(dataset, 1), {"a\x00b": Value()}, MOMENT, None)  # no text in Postgres
    with pytest.raises(psycopg.Error):
        STORE.online_write_batch(config, view, [bad], None)
    assert rows_of(dataset, config, 1) == [{"RATIO": 1}]


def test_an_update_can_be_run_again_and_keeps_the_rows(dataset: Dataset, config: RepoConfig, view: FeatureView) -> None:
    STORE.online_write_batch(config, view, [entry(dataset, 1, RATIO=1)], None)
    STORE.update(config, [], [view], [], [], partial=True)
    assert rows_of(dataset, config, 1) == [{"RATIO": 1}]


def test_uploads_are_recorded_for_the_columns_of_a_view(
    dataset: Dataset, config: RepoConfig, view: FeatureView
) -> None:
    assert STORE.materialized_uploads(config, view) == set()
    STORE.mark_materialized(config, view, ["aa", "bb"])
    STORE.mark_materialized(config, view, ["bb"])
    STORE.mark_materialized(config, view, [])
    assert STORE.materialized_uploads(config, view) == {"aa", "bb"}
    columns = {name: column for name, column in dataset.columns.items() if name != "RATIO"}
    changed = features.feature_view(dataset.model_copy(update={"columns": columns}))
    assert STORE.materialized_uploads(config, changed) == set()
    reordered = dataset.model_copy(update={"columns": dict(reversed(dataset.columns.items()))})
    assert STORE.materialized_uploads(config, features.feature_view(reordered)) == {"aa", "bb"}


def test_a_connection_that_was_cut_is_replaced(
    dataset: Dataset, config: RepoConfig, view: FeatureView, servers: Any
) -> None:
    STORE.online_write_batch(config, view, [entry(dataset, 1, RATIO=1)], None)
    with psycopg.connect(servers.database_uri("postgres")) as connection:
        cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'feast'"
        (count,) = connection.execute(cut).fetchone() or (0,)
    assert count
    assert rows_of(dataset, config, 1) == [{"RATIO": 1}]


def test_a_row_has_its_event_time(dataset: Dataset, config: RepoConfig, view: FeatureView) -> None:
    later = MOMENT + timedelta(days=1)
    STORE.online_write_batch(
        config, view, [entry(dataset, 1, MOMENT, RATIO=1), entry(dataset, 2, later, RATIO=1)], None
    )
    stored = STORE.newest_rows(config, dataset.name, [key_of(dataset, 2), key_of(dataset, 1)])
    assert [row and row.event_time for row in stored] == [later, MOMENT]
