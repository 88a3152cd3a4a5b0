"""The offline store makes look-ups from Feast's views, and checks its input; `test_feast_cases` has the joins."""

import ast
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import psycopg
import pytest
from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.errors import EntityTimestampInferenceException, FeastEntityDFMissingColumnsError
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.types import Float64, Int64

from ml_platform import ROOT
from ml_platform.feature_store import features
from ml_platform.feature_store.lateral_join import Lookup
from ml_platform.feature_store.offline_store import LateralPostgresOfflineStore, LateralRetrievalJob, lookup_of
from tests.ml_platform.ingestion.upload_cases import make_dataset, new_name

THING = Entity(name="thing", join_keys=["ID"], value_type=ValueType.INT64)
OFFERED = ("offline_store", "entity_rows", "lateral_join")
FEAST_AND_ITS_OWN = {"feast", "numpy", "pandas", "psycopg", "pyarrow"}


@pytest.mark.parametrize("name", OFFERED)
def test_the_store_depends_on_feast_alone(name: str) -> None:
    tree = ast.parse((ROOT / f"plugins/ml_platform/feature_store/{name}.py").read_text(encoding="utf-8"))
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    foreign = [
        module for module in modules if module.partition(".")[0] not in FEAST_AND_ITS_OWN | sys.stdlib_module_names
    ]
    assert {module.removeprefix("ml_platform.feature_store.") for module in foreign} <= set(OFFERED)


def make_view(**changes: Any) -> FeatureView:
    given = {"name": "one", "entities": [THING], "ttl": timedelta(hours=1), "source": make_source(),
             "schema": [Field(name="ID", dtype=Int64), Field(name="RATIO", dtype=Float64)]}  # fmt: skip
    return FeatureView(**given | changes)


def make_source(**changes: Any) -> PostgreSQLSource:
    given = {"name": "s", "table": "t", "timestamp_field": "at", "created_timestamp_column": "seen"}
    return PostgreSQLSource(**given | changes)


def test_a_view_is_looked_up_by_its_source_keys_and_time_to_live() -> None:
    found = lookup_of(make_view(), ["one:RATIO", "other:PRICE"], full_names=False, by_known_time=True)
    assert found == Lookup(
        source="t", keys={"ID": "ID"}, features={"RATIO": "RATIO"}, event="at", created="seen",
        ttl=timedelta(hours=1), by_known_time=True,
    )  # fmt: skip
    full = lookup_of(make_view(), ["one:RATIO"], full_names=True, by_known_time=True)
    assert full.features == {"RATIO": "one__RATIO"}


def test_names_are_mapped_to_the_columns_of_the_source() -> None:
    mapped = {"number": "ID", "share": "RATIO", "event": "at", "known": "seen"}
    view = make_view(source=make_source(field_mapping=mapped)).with_join_key_map({"ID": "thing_id"})
    found = lookup_of(view, ["one:RATIO"], full_names=False, by_known_time=True)
    assert (found.keys, found.features) == ({"number": "thing_id"}, {"share": "RATIO"})
    assert (found.event, found.created) == ("event", "known")


def test_a_view_may_have_another_name_and_a_version() -> None:
    view = make_view().with_name("two")
    assert lookup_of(view, ["two@latest:RATIO"], full_names=True, by_known_time=True).features == {
        "RATIO": "two__RATIO"
    }
    view.projection.version_tag = 3
    assert lookup_of(view, ["two@v3:RATIO", "two:x"], full_names=True, by_known_time=True).features == {
        "RATIO": "two@v3__RATIO"
    }


def test_a_view_about_no_entity_has_no_keys_and_one_without_time_to_live_no_limit() -> None:
    view = make_view(entities=[], schema=[Field(name="RATIO", dtype=Float64)], ttl=None)
    found = lookup_of(view, ["one:RATIO"], full_names=False, by_known_time=True)
    assert (found.keys, found.ttl) == ({}, timedelta(0))


def test_a_view_without_its_key_columns_is_refused() -> None:
    view = make_view(schema=[Field(name="RATIO", dtype=Float64)])
    with pytest.raises(ValueError, match="the feature view one lacks key columns; its schema must list one per entity"):
        lookup_of(view, ["one:RATIO"], full_names=True, by_known_time=True)


@pytest.mark.parametrize("source", [None, FileSource(path="x.parquet", timestamp_field="at")])
def test_a_view_without_a_table_in_postgres_is_refused(source: Any) -> None:
    with pytest.raises(TypeError, match="the feature view one has no PostgreSQLSource"):
        lookup_of(make_view(source=source), ["one:RATIO"], full_names=True, by_known_time=True)


@pytest.mark.servers
@pytest.mark.usefixtures("servers")
class TestEntityRows:
    NOW = pd.Timestamp("2026-01-01", tz="UTC")

    @pytest.fixture
    def arguments(self) -> dict[str, Any]:
        dataset = make_dataset(new_name())
        features.apply(dataset)
        store = features.store()
        return {
            "config": store.config, "feature_views": [store.get_feature_view(dataset.name)],
            "feature_refs": [f"{dataset.name}:RATIO"], "registry": store.registry, "project": store.project,
        }  # fmt: skip

    @pytest.mark.parametrize("rows", ['SELECT 1 AS "ID", 7 AS other', pd.DataFrame({"ID": [1], "other": [7]})])
    def test_without_a_time_column_they_are_refused(self, arguments: dict[str, Any], rows: Any) -> None:
        with pytest.raises(EntityTimestampInferenceException):
            LateralPostgresOfflineStore.get_historical_features(entity_df=rows, **arguments)

    @pytest.mark.parametrize("rows", ["SELECT now() AS event_timestamp", pd.DataFrame({"event_timestamp": [NOW]})])
    def test_without_a_join_key_they_are_refused(self, arguments: dict[str, Any], rows: Any) -> None:
        with pytest.raises(FeastEntityDFMissingColumnsError, match="'ID'"):
            LateralPostgresOfflineStore.get_historical_features(entity_df=rows, **arguments)

    def test_a_column_with_the_name_of_a_feature_is_refused(self, arguments: dict[str, Any]) -> None:
        rows = pd.DataFrame({"ID": [1], "RATIO": [0.5], "event_timestamp": [self.NOW]})
        with pytest.raises(ValueError, match="columns with the names of features: RATIO; rename them"):
            LateralPostgresOfflineStore.get_historical_features(entity_df=rows, **arguments)
        LateralPostgresOfflineStore.get_historical_features(entity_df=rows, full_feature_names=True, **arguments)

    def test_the_job_tells_what_it_joins(self, arguments: dict[str, Any]) -> None:
        query = "SELECT 1 AS \"ID\", 'x' AS note, timestamptz '2026-01-01+00' AS event_timestamp"
        told = LateralPostgresOfflineStore.get_historical_features(entity_df=query, **arguments).metadata
        assert told is not None
        assert (told.features, told.keys) == (arguments["feature_refs"], ["ID", "note"])
        assert told.min_event_timestamp == told.max_event_timestamp == datetime(2026, 1, 1, tzinfo=UTC)

    def test_the_join_may_not_write(self, arguments: dict[str, Any]) -> None:
        job = LateralRetrievalJob(query="SELECT lo_create(0)", config=arguments["config"], full_feature_names=False)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            job.to_df()
