"""Feast's Postgres offline store, with a point-in-time join that uses an index.

Feast's own join pairs each entity row with all earlier feature rows before it picks the latest one. It also joins the
columns of a composite key without a separator, so ("1", "23") and ("12", "3") become the same entity. Here each entity
row looks up its values: `LEFT JOIN LATERAL (... ORDER BY event time DESC, known time DESC LIMIT 1)`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
from feast import FeatureView, RepoConfig
from feast.infra.offline_stores import offline_utils
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres import (
    PostgreSQLOfflineStore,
    PostgreSQLOfflineStoreConfig,
    PostgreSQLRetrievalJob,
)
from feast.infra.offline_stores.offline_store import RetrievalJob
from feast.infra.utils.postgres.connection_utils import get_query_schema

from ml_platform.specs.spec import FeatureTable, joined_name
from ml_platform.storage.database import identifier

STORE = "ml_platform.feature_store.offline_store.LateralPostgresOfflineStore"


class LateralPostgresOfflineStoreConfig(PostgreSQLOfflineStoreConfig):
    """The settings of Feast's own store; `type` names this one."""

    type: Literal[STORE] = STORE  # type: ignore[valid-type]


class LateralPostgresOfflineStore(PostgreSQLOfflineStore):
    """Replaces `get_historical_features` for entity rows given as a query; everything else is Feast's own store."""

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
        """Join to each row of a query the features that were true and known at its `event_timestamp`.

        The arguments are those of Feast's interface `OfflineStore`. Feast's own join answers if `entity_df` is not a
        query.
        """
        if not isinstance(entity_df, str):
            return PostgreSQLOfflineStore.get_historical_features(
                config, feature_views, feature_refs, entity_df, registry, project,
                full_feature_names, filter_by_created_timestamp, **kwargs,
            )  # fmt: skip
        schema: Any = get_query_schema(config.offline_store, f"({entity_df}) AS entity_rows")
        time_column = offline_utils.infer_event_timestamp_from_entity_df(schema)
        lookups = [
            Lookup.of_view(view, feature_refs, full_names=full_feature_names, by_known_time=filter_by_created_timestamp)
            for view in feature_views
        ]
        keys = {column for lookup in lookups for column in lookup.keys.values()}
        offline_utils.assert_expected_columns_in_entity_df(schema, keys, time_column)
        query = join_query(entity_df, schema, time_column, lookups)
        return PostgreSQLRetrievalJob(query=query, config=config, full_feature_names=full_feature_names)


def join_query(entity_query: str, columns: Iterable[str], time_column: str, lookups: Iterable["Lookup"]) -> str:
    """Return the SQL of the join.

    Args:
        entity_query: SQL of the rows that features are joined to.
        columns: those of the entity rows to return.
        time_column: the column of the entity rows with the time of the join.
        lookups: the tables to join, and how.

    Returns:
        SQL that yields one row per row of `entity_query`: its columns, then the features of each lookup.
    """
    selected = [f"entity_rows.{identifier(column)}" for column in columns]
    joins = []
    for i, lookup in enumerate(lookups):
        selected += lookup.select_list(f"view_{i}")
        joins.append(lookup.join(f"view_{i}", time_column))
    return "\n".join([f"SELECT {', '.join(selected)}", f"FROM ({entity_query}) AS entity_rows", *joins])


@dataclass(frozen=True)
class Lookup:
    """How the features of one table are looked up for an entity row.

    Attributes:
        source: SQL of its table.
        keys: maps each key column of the table to the column of the entity rows.
        features: maps each column of the table to its name in the result.
        event: column of the event time.
        created: column of the known time; "" if there is none.
        ttl: time to live in seconds; 0 means no limit.
        by_known_time: whether rows known after the time of the join are left out.
    """

    source: str
    keys: dict[str, str]
    features: dict[str, str]
    event: str
    created: str
    ttl: int
    by_known_time: bool

    @classmethod
    def of_table(cls, table: FeatureTable) -> "Lookup":
        """Return the lookup of a table that a data set joins; the same as `of_view` of the table's view."""
        return cls(
            source=f"features.{identifier(table.name)}",
            keys={key: joined_name(table.name, key) for key in table.keys},
            features={name: joined_name(table.name, name) for name in table.own_features},
            event="event_timestamp",
            created="created_timestamp",
            ttl=int(table.time_to_live.total_seconds()),
            by_known_time=True,
        )

    @classmethod
    def of_view(cls, view: Any, feature_refs: list[str], *, full_names: bool, by_known_time: bool) -> "Lookup":
        """Return the lookup of those features of a view that `feature_refs` names.

        Raises:
            ValueError: the view's schema lists no key columns.
        """
        name, mapping = view.projection.name_to_use(), view.projection.join_key_map
        if not view.entity_columns:
            raise ValueError(f"the feature view {name} has no key columns; its schema must list them")
        names = [ref.partition(":")[2] for ref in feature_refs if ref.partition(":")[0] == name]
        return cls(
            source=view.batch_source.get_table_query_string(),
            keys={column.name: mapping.get(column.name, column.name) for column in view.entity_columns},
            features={feature: f"{name}__{feature}" if full_names else feature for feature in names},
            event=view.batch_source.timestamp_field,
            created=view.batch_source.created_timestamp_column,
            ttl=int(view.ttl.total_seconds()) if view.ttl else 0,
            by_known_time=by_known_time,
        )

    def select_list(self, alias: str) -> list[str]:
        """Return the SQL of each feature, under its name in the result."""
        return [f"{alias}.{identifier(name)}" for name in self.features.values()]

    def join(self, alias: str, time_column: str) -> str:
        """Return the SQL that looks up the features of each entity row at the time in `time_column`."""
        at, event = f"entity_rows.{identifier(time_column)}", identifier(self.event)
        conditions = [
            f"source.{identifier(key)} = entity_rows.{identifier(column)}" for key, column in self.keys.items()
        ]
        conditions.append(f"source.{event} <= {at}")
        order = [f"source.{event} DESC"]
        if self.ttl:
            conditions.append(f"source.{event} >= {at} - interval '{self.ttl} seconds'")
        if self.created:
            order.append(f"source.{identifier(self.created)} DESC")
            if self.by_known_time:
                conditions.append(f"source.{identifier(self.created)} <= {at}")
        values = ", ".join(f"source.{identifier(name)} AS {identifier(out)}" for name, out in self.features.items())
        return (
            f"LEFT JOIN LATERAL (SELECT {values} FROM {self.source} AS source"  # noqa: S608 – names are quoted
            f" WHERE {' AND '.join(conditions)} ORDER BY {', '.join(order)} LIMIT 1) AS {alias} ON TRUE"
        )
