"""The definitions say to Feast what the YAML says; the rows they describe are those in Postgres."""

from datetime import timedelta
from pathlib import Path

import pytest
from feast import Entity, FeatureService, FeatureView, ValueType
from feast.types import Bool, Float64, Int64, String

from ml_platform.feature_store import features
from ml_platform.ingestion import uploads
from ml_platform.specs.spec import Dataset, FeatureTable
from tests.ml_platform.feature_store.joined_tables import TTL, declare, load, moment, timed
from tests.ml_platform.ingestion.upload_cases import csv_bytes, drop, make_dataset, new_name


@pytest.fixture
def joined(tmp_path: Path) -> Dataset:
    return declare(tmp_path)


def feature_names(service: FeatureService) -> set[tuple[str, str]]:
    return {(view.name, feature.name) for view in service.feature_view_projections for feature in view.features}


def test_a_single_key_is_an_entity_of_its_own_name() -> None:
    (entity,) = features.entities(make_dataset())
    assert (entity.name, entity.join_key, entity.value_type) == ("thing", "ID", ValueType.INT64)


def test_each_column_of_a_composite_key_is_an_entity() -> None:
    dataset = make_dataset(entity={"name": "thing", "key": ["a b", "ID"]}, columns={"a b": "text"})
    found = [(entity.name, entity.join_key, entity.value_type) for entity in features.entities(dataset)]
    assert found == [("thing_a_b", "a b", ValueType.STRING), ("thing_ID", "ID", ValueType.INT64)]


def test_a_view_has_keys_and_features_with_their_types_and_no_label() -> None:
    view = features.feature_view(make_dataset())
    assert {field.name: field.dtype for field in view.schema} == {
        "ID": Int64, "COUNT": Int64, "RATIO": Float64, "PRICE": Float64, "KIND": String, "FLAG": Bool,
    }  # fmt: skip
    assert view.online


def test_a_view_reads_its_table_with_both_timestamps() -> None:
    source = features.feature_view(make_dataset("sample")).batch_source
    assert source.get_table_query_string() == 'features."sample"'
    assert (source.timestamp_field, source.created_timestamp_column) == ("event_timestamp", "created_timestamp")


def test_only_a_table_has_a_time_to_live(joined: Dataset) -> None:
    assert features.feature_view(joined).ttl == timedelta(0)
    assert features.feature_view(joined.tables[0]).ttl == timedelta(days=TTL)


def test_a_joined_view_maps_its_keys_to_columns_of_the_data_set(joined: Dataset) -> None:
    (table,), (view,) = joined.tables, features.joined_views(joined)
    assert view.projection.join_key_map == {"A": f"{table.name}__A", "B": f"{table.name}__B"}
    assert set(view.projection.join_key_map.values()) == set(joined.join_columns)


def test_the_service_lists_own_and_joined_features(joined: Dataset) -> None:
    (table,) = joined.tables
    expected = {(joined.name, name) for name in "PQ"} | {(table.name, name) for name in ("TEMP", "SKY", "id")}
    assert feature_names(features.feature_service(joined)) == expected


def test_a_data_set_whose_features_are_all_joined_has_no_view_in_its_service(joined: Dataset) -> None:
    keys = joined.entity.model_copy(update={"key": ("ID", "P", "Q")})
    bare = joined.model_copy(update={"entity": keys})
    assert {view for view, _ in feature_names(features.feature_service(bare))} == {joined.tables[0].name}


def test_definitions_name_each_object_once(joined: Dataset) -> None:
    (table,) = joined.tables
    objects = features.definitions(table, joined, joined)
    names = [(type(found).__name__, found.name) for found in objects]
    assert len(names) == len(set(names))
    kinds = {Entity: 3, FeatureView: 2, FeatureService: 1}
    assert {kind: sum(isinstance(found, kind) for found in objects) for kind in kinds} == kinds


def test_a_data_set_brings_the_tables_it_joins(joined: Dataset) -> None:
    views = {found.name for found in features.definitions(joined) if isinstance(found, FeatureView)}
    assert views == {joined.name, joined.tables[0].name}


@pytest.mark.servers
@pytest.mark.usefixtures("servers")
class TestOnServers:
    def test_apply_can_be_run_again(self, joined: Dataset) -> None:
        (table,) = joined.tables
        for _ in range(2):
            features.apply(joined)
        store = features.store()
        service = store.get_feature_service(joined.name)
        assert feature_names(service) == feature_names(features.feature_service(joined))
        view = store.get_feature_view(table.name)
        assert (view.ttl, sorted(view.join_keys)) == (timedelta(days=TTL), ["A", "B"])
        assert isinstance(table, FeatureTable)

    def test_a_label_gets_the_features_of_its_time(self, joined: Dataset) -> None:
        (table,) = joined.tables
        load(table, timed([{"A": "a", "B": 1, "AT": at, "SEEN": at, "TEMP": at, "SKY": ""} for at in (0, 1, 2)]))
        load(joined, timed([{"ID": 1, "LABEL": "yes", "WHEN": 1.5, "P": "a", "Q": 1}]))
        features.apply(joined)
        columns = ", ".join(
            f"'a' AS \"{name}\"" if name.endswith("A") else f'1 AS "{name}"' for name in joined.join_columns
        )
        labels = f"SELECT 1::bigint AS \"ID\", '{moment(1.5)}'::timestamptz AS event_timestamp, 7 AS more, {columns}"
        (row,) = features.historical_features(joined, labels).to_dict("records")
        assert (row["more"], row["P"], row["Q"], row[f"{table.name}__TEMP"]) == (7, "a", 1, 1)

    def test_a_label_without_any_row_has_missing_features(self) -> None:
        dataset = make_dataset(new_name())
        uploads.ingest(dataset, drop(dataset, csv_bytes({"ID": "1"})))
        features.apply(dataset)
        labels = 'SELECT 2::bigint AS "ID", now() AS event_timestamp'
        (row,) = features.historical_features(dataset, labels).to_dict("records")
        assert row["ID"] == 2
        assert all(row[name] is None or row[name] != row[name] for name in dataset.own_features)
