"""Feast's Postgres offline store, with a point-in-time join that an index answers.

Feast's own join pairs every entity row with every earlier feature row before it picks the latest, and glues the columns
of a composite key without a separator, so that ("1", "23") and ("12", "3") are one entity to it. Here each entity row
looks its values up: `LEFT JOIN LATERAL (... ORDER BY event time DESC, known time DESC LIMIT 1)`.
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
    """Answers `get_historical_features` for entity rows that are a query; all else is Feast's own store."""

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
        """Join to every row of a query the features that were true, and known, at its `event_timestamp`.

        The arguments are those of Feast's interface `OfflineStore`; other forms of `entity_df` than a query are
        answered by Feast's own join.
        """
        if not isinstance(entity_df, str):
            return PostgreSQLOfflineStore.get_historical_features(
                config, feature_views, feature_refs, entity_df, registry, project,
                full_feature_names, filter_by_created_timestamp, **kwargs,
            )  # fmt: skip
        schema: Any = get_query_schema(config.offline_store, f"({entity_df}) AS entity_rows")
        moment = offline_utils.infer_event_timestamp_from_entity_df(schema)
        lookups = [
            Lookup.of(view, feature_refs, is_full=full_feature_names, is_known=filter_by_created_timestamp)
            for view in feature_views
        ]
        keys = {own for lookup in lookups for own in lookup.keys.values()}
        offline_utils.assert_expected_columns_in_entity_df(schema, keys, moment)
        query = join_query(entity_df, schema, moment, lookups)
        return PostgreSQLRetrievalJob(query=query, config=config, full_feature_names=full_feature_names)


def join_query(entity_query: str, columns: Iterable[str], moment: str, lookups: Iterable["Lookup"]) -> str:
    """Return the SQL of the join.

    Args:
        entity_query: yields the rows that features are joined to.
        columns: those of them that are wanted.
        moment: the column of them that says as of when.
        lookups: where features are looked up.

    Returns:
        A query of one row per row of `entity_query`: its columns, then the features of each lookup.
    """
    selected = [f"entity_rows.{identifier(column)}" for column in columns]
    joins = []
    for i, lookup in enumerate(lookups):
        selected += lookup.selected(f"view_{i}")
        joins.append(lookup.join(f"view_{i}", moment))
    return "\n".join([f"SELECT {', '.join(selected)}", f"FROM ({entity_query}) AS entity_rows", *joins])


@dataclass(frozen=True)
class Lookup:
    """How the features of one table are looked up.

    Attributes:
        source: SQL of its table.
        keys: per key column of the table, the column of the entity rows.
        features: per column of the table, its name in the answer.
        event: column of the event time.
        created: column of the known time; empty if there is none.
        ttl: time to live in seconds; 0 is forever.
        is_known: whether the known time counts as well.
    """

    source: str
    keys: dict[str, str]
    features: dict[str, str]
    event: str
    created: str
    ttl: int
    is_known: bool

    @classmethod
    def of_table(cls, table: FeatureTable) -> "Lookup":
        """Return how a table is looked up by the rows of a data set that joins it; equal to `of` its view."""
        return cls(
            source=f"features.{identifier(table.name)}",
            keys={key: joined_name(table.name, key) for key in table.keys},
            features={name: joined_name(table.name, name) for name in table.own_features},
            event="event_timestamp",
            created="created_timestamp",
            ttl=int(table.time_to_live.total_seconds()),
            is_known=True,
        )

    @classmethod
    def of(cls, view: Any, feature_refs: list[str], *, is_full: bool, is_known: bool) -> "Lookup":
        """Return how those features of a view that `feature_refs` names are looked up."""
        name, mapping = view.projection.name_to_use(), view.projection.join_key_map
        if not view.entity_columns:
            raise ValueError(f"the feature view {name} has no key columns; its schema must list them")
        wanted = [ref.partition(":")[2] for ref in feature_refs if ref.partition(":")[0] == name]
        return cls(
            source=view.batch_source.get_table_query_string(),
            keys={column.name: mapping.get(column.name, column.name) for column in view.entity_columns},
            features={feature: f"{name}__{feature}" if is_full else feature for feature in wanted},
            event=view.batch_source.timestamp_field,
            created=view.batch_source.created_timestamp_column,
            ttl=int(view.ttl.total_seconds()) if view.ttl else 0,
            is_known=is_known,
        )

    def selected(self, alias: str) -> list[str]:
        """Return the SQL of the features, by their names in the answer."""
        return [f"{alias}.{identifier(given)}" for given in self.features.values()]

    def join(self, alias: str, moment: str) -> str:
        """Return the SQL that looks the features of each entity row up as of its moment."""
        at, event = f"entity_rows.{identifier(moment)}", identifier(self.event)
        conditions = [f"source.{identifier(key)} = entity_rows.{identifier(own)}" for key, own in self.keys.items()]
        conditions.append(f"source.{event} <= {at}")
        order = [f"source.{event} DESC"]
        if self.ttl:
            conditions.append(f"source.{event} >= {at} - interval '{self.ttl} seconds'")
        if self.created:
            order.append(f"source.{identifier(self.created)} DESC")
            if self.is_known:
                conditions.append(f"source.{identifier(self.created)} <= {at}")
        values = ", ".join(f"source.{identifier(name)} AS {identifier(given)}" for name, given in self.features.items())
        return (
            f"LEFT JOIN LATERAL (SELECT {values} FROM {self.source} AS source"  # noqa: S608 – names are quoted
            f" WHERE {' AND '.join(conditions)} ORDER BY {', '.join(order)} LIMIT 1) AS {alias} ON TRUE"
        )
