"""Feast's Postgres offline store, with a point-in-time join that uses an index.

Feast's own join pairs each entity row with all earlier feature rows before it picks the latest one. It also joins the
columns of a composite key without a separator, so ("1", "23") and ("12", "3") become the same entity. Here entity rows
in every form (a query, a frame, or only a range of time) are joined by the SQL of `lateral_join`.

This module, `entity_rows` and `lateral_join` import Feast and Feast's own dependencies, and nothing else.
"""

from datetime import timedelta
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
from feast import FeatureView, OnDemandFeatureView, RepoConfig
from feast.errors import FeastEntityDFMissingColumnsError, RequestDataNotFoundInEntityDfException
from feast.feature_view import DUMMY_ENTITY_ID, DUMMY_ENTITY_NAME
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres import (
    PostgreSQLOfflineStore,
    PostgreSQLOfflineStoreConfig,
    PostgreSQLRetrievalJob,
)
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.infra.offline_stores.offline_store import RetrievalJob, RetrievalMetadata
from feast.type_map import pg_type_code_to_arrow
from feast.utils import _parse_feature_ref, compute_non_entity_date_range
from psycopg import Cursor

from ml_platform.feature_store.entity_rows import READ_ONLY, EntityRows, utc_cursor
from ml_platform.feature_store.lateral_join import EVENT_TIME, Lookup, join_query, rows_between

STORE = "ml_platform.feature_store.offline_store.LateralPostgresOfflineStore"


class LateralPostgresOfflineStoreConfig(PostgreSQLOfflineStoreConfig):
    """The settings of Feast's own store; `type` names this one, and `entity_select_mode` has no effect."""

    type: Literal[STORE] = STORE  # type: ignore[valid-type]


class LateralPostgresOfflineStore(PostgreSQLOfflineStore):
    """Replaces `get_historical_features`, and reads times without a zone as UTC; the rest is Feast's own store."""

    @staticmethod
    def get_historical_features(
        config: RepoConfig,
        feature_views: list[FeatureView],
        feature_refs: list[str],
        entity_df: pd.DataFrame | str | None,
        registry: Any,
        project: str,
        full_feature_names: bool = False,
        filter_by_created_timestamp: bool = False,
        **kwargs: Any,
    ) -> RetrievalJob:
        """Join to each entity row the features that were true and known at its time.

        The arguments are those of Feast's interface `OfflineStore`.

        Raises:
            EntityTimestampInferenceException: the time column of the entity rows is not clear.
            FeastEntityDFMissingColumnsError: the entity rows lack a join key.
            RequestDataNotFoundInEntityDfException: the entity rows lack an input of an on-demand feature.
            TypeError: a view has no source in Postgres.
            ValueError: a view does not list its key columns; a feature has the name of a column of the entity rows; a
                column of a frame has a type that Postgres lacks; or, without entity rows, views have different keys.
        """
        lookups = [
            lookup_of(view, feature_refs, full_names=full_feature_names, by_known_time=filter_by_created_timestamp)
            for view in feature_views
        ]
        rows = entity_rows(entity_df, config, feature_views, lookups, kwargs)
        on_demand = OnDemandFeatureView.get_requested_odfvs(feature_refs, project, registry)
        check_columns(rows, lookups, on_demand)
        return LateralRetrievalJob(
            query=join_query(rows.query, rows.columns, rows.time_column, lookups),
            config=config,
            full_feature_names=full_feature_names,
            on_demand_feature_views=on_demand,
            metadata=RetrievalMetadata(
                features=feature_refs,
                keys=[column for column in rows.columns if column != rows.time_column],
                min_event_timestamp=rows.first,
                max_event_timestamp=rows.last,
            ),
            rows=rows,
        )

    @staticmethod
    def pull_latest_from_table_or_query(config: RepoConfig, *args: Any, **kwargs: Any) -> RetrievalJob:
        """Do as Feast's own store does, with times in UTC."""
        return in_utc(PostgreSQLOfflineStore.pull_latest_from_table_or_query(config, *args, **kwargs))

    @staticmethod
    def pull_all_from_table_or_query(config: RepoConfig, *args: Any, **kwargs: Any) -> RetrievalJob:
        """Do as Feast's own store does, with times in UTC."""
        return in_utc(PostgreSQLOfflineStore.pull_all_from_table_or_query(config, *args, **kwargs))


class LateralRetrievalJob(PostgreSQLRetrievalJob):
    """Runs its query in a session in UTC, after a frame of entity rows is copied to a temporary table there."""

    def __init__(self, *, rows: EntityRows | None = None, **kwargs: Any) -> None:
        """Take the arguments of Feast's job, and the entity rows that the query joins."""
        super().__init__(**kwargs)
        self._rows = rows

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:
        with utc_cursor(self.config) as cursor:
            if self._rows:
                self._rows.copy(cursor)
            cursor.execute(READ_ONLY)  # the temporary table is written, and nothing else may be
            cursor.execute(self.to_sql())
            return _to_arrow(cursor)


def in_utc(job: Any) -> LateralRetrievalJob:
    """Return a job with the same query, which reads times without a zone as UTC."""
    return LateralRetrievalJob(query=job.to_sql(), config=job.config, full_feature_names=job.full_feature_names)


def entity_rows(
    given: pd.DataFrame | str | None,
    config: RepoConfig,
    feature_views: list[FeatureView],
    lookups: list[Lookup],
    dates: dict[str, Any],
) -> EntityRows:
    """Return the rows to join: those given, or each key and event time from `start_date` to `end_date` of `dates`."""
    if isinstance(given, str):
        return EntityRows.of_query(given, config)
    if given is not None:
        return EntityRows.of_frame(given)
    start, end = compute_non_entity_date_range(feature_views, dates.get("start_date"), dates.get("end_date"))
    keys = sorted({column for lookup in lookups for column in lookup.keys.values()})
    return EntityRows(rows_between(lookups, start, end), (*keys, EVENT_TIME), EVENT_TIME, start, end)


def lookup_of(view: Any, feature_refs: list[str], *, full_names: bool, by_known_time: bool) -> Lookup:
    """Return the lookup of those features of a view that `feature_refs` names.

    The view's names of keys, times and features are those after the `field_mapping` of its source.

    Raises:
        TypeError: the view has no source in Postgres.
        ValueError: its schema lists fewer key columns than it has entities.
    """
    name, source = view.projection.name_to_use(), view.batch_source
    if not isinstance(source, PostgreSQLSource):
        raise TypeError(f"the feature view {name} has no PostgreSQLSource, so there is no table to join")
    keys = [column.name for column in view.entity_columns if column.name != DUMMY_ENTITY_ID]
    if len(keys) < len([entity for entity in view.entities if entity != DUMMY_ENTITY_NAME]):
        raise ValueError(f"the feature view {name} lacks key columns; its schema must list one per entity")
    columns = {mapped: column for column, mapped in source.field_mapping.items()}
    features = [feature for ref in feature_refs for view_name, feature in [_view_and_feature(ref)] if view_name == name]
    return Lookup(
        source=source.get_table_query_string(),
        keys={columns.get(key, key): view.projection.join_key_map.get(key, key) for key in keys},
        features={columns.get(one, one): f"{name}__{one}" if full_names else one for one in features},
        event=columns.get(source.timestamp_field, source.timestamp_field),
        created=columns.get(source.created_timestamp_column, source.created_timestamp_column),
        ttl=view.ttl or timedelta(0),
        by_known_time=by_known_time,
    )


def check_columns(rows: EntityRows, lookups: list[Lookup], on_demand: list[OnDemandFeatureView]) -> None:
    """Check that the entity rows have all columns that are needed, and none with the name of a feature.

    Raises:
        FeastEntityDFMissingColumnsError: a join key is missing.
        RequestDataNotFoundInEntityDfException: an input of an on-demand feature is missing.
        ValueError: a feature has the name of a column.
    """
    columns = set(rows.columns)
    keys = {column for lookup in lookups for column in lookup.keys.values()}
    if missing := keys - columns:
        raise FeastEntityDFMissingColumnsError(keys, missing)  # type: ignore[no-untyped-call]
    for view in on_demand:
        for name in view.get_request_data_schema().keys() - columns:
            raise RequestDataNotFoundInEntityDfException(name, view.name)  # type: ignore[no-untyped-call]
    if twice := sorted(columns & {name for lookup in lookups for name in lookup.features.values()}):
        raise ValueError(
            f"the entity rows have columns with the names of features: {', '.join(twice)};"
            " rename them, or use full_feature_names"
        )


def _view_and_feature(reference: str) -> tuple[str, str]:
    view, version, feature = _parse_feature_ref(reference)
    return view if version is None else f"{view}@v{version}", feature


def _to_arrow(cursor: "Cursor[Any]") -> pa.Table:
    """Return all rows of a query, with Feast's types for those of Postgres."""
    description = cursor.description or []
    schema = pa.schema([(column.name, pg_type_code_to_arrow(column.type_code)) for column in description])
    cells = list(zip(*cursor.fetchall(), strict=True)) or [()] * len(description)
    return pa.Table.from_arrays([pa.array(values) for values in cells], schema=schema)
