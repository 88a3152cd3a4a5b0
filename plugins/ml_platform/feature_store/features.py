"""The definitions of the feature store: Feast's entities, views and services, made from `datasets/*.yaml`.

`python -m ml_platform.feature_store.features` registers them with Feast.
"""

import logging
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pandas as pd
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, ValueType
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.types import Bool, Float64, Int64, String

from ml_platform import ROOT
from ml_platform.specs.catalog import catalog
from ml_platform.specs.spec import Dataset, FeatureTable, Table, joined_name
from ml_platform.storage.database import identifier

log = logging.getLogger(__name__)

REPOSITORY = ROOT / "feast_repo"

FEAST_TYPES = {
    "integer": Int64,
    "number": Float64,
    "money": Float64,
    "category": String,
    "text": String,
    "boolean": Bool,
}
WITHHELD = {"sensitive": "the model is judged by it, but does not see it"}


def entities(table: Table) -> list[Entity]:
    """Return the entities of a table: one per key column, because Feast allows one join key per entity."""
    is_composite = len(table.keys) > 1
    return [
        Entity(
            name=f"{table.entity.name}_{re.sub('[^A-Za-z0-9_]', '_', key)}" if is_composite else table.entity.name,
            join_keys=[key],
            value_type=ValueType.INT64 if column.type == "integer" else ValueType.STRING,
            description=f"The {table.entity.name} that a row of {table.name} is about",
        )
        for key, column in table.key_columns.items()
    ]


def feature_view(table: Table) -> FeatureView:
    """Return the view of the table's columns in Postgres, with its event time and known time."""
    return _view(table, (*table.stored_columns, *(name for name in table.withheld if name not in table.stored_columns)))


def online_view(table: Table) -> FeatureView:
    """Return the view of the columns in the online store: without withheld ones, which no answer needs."""
    return _view(table, table.stored_columns)


def _view(table: Table, columns: Iterable[str]) -> FeatureView:
    shown = table.key_columns | {name: table.columns[name] for name in columns}
    return FeatureView(
        name=table.name,
        description=table.description,
        entities=entities(table),
        ttl=table.time_to_live if isinstance(table, FeatureTable) else timedelta(0),
        online=table.has_key,
        schema=[
            Field(name=name, dtype=FEAST_TYPES[column.type], tags=WITHHELD if name in table.withheld else {})
            for name, column in shown.items()
        ],
        source=PostgreSQLSource(
            name=f"{table.name}_uploads",
            description=f"Rows loaded from the uploads of {table.name}",
            table=f"features.{identifier(table.name)}",
            timestamp_field="event_timestamp",
            created_timestamp_column="created_timestamp",
        ),
    )


def joined_views(dataset: Dataset) -> list[FeatureView]:
    """Return the views of the other tables that the data set takes features from, joined on its own columns."""
    return [
        feature_view(table).with_join_key_map({key: joined_name(table.name, key) for key in table.keys})
        for table in dataset.tables
    ]


def feature_service(dataset: Dataset) -> FeatureService:
    """Return the service that lists all columns of a training set: the model's features, and withheld columns."""
    columns = [*dataset.own_features, *dataset.withheld]
    own = [feature_view(dataset)[columns]] if columns else []
    return FeatureService(
        name=dataset.name,
        description=f"The features of the model {dataset.name}",
        features=[*own, *joined_views(dataset)],
    )


def definitions(*tables: Table) -> list[Any]:
    """Return the Feast objects of some tables, and of the tables they join, each object once."""
    objects: list[Any] = []
    for table in tables:
        joined = table.tables if isinstance(table, Dataset) else ()
        for source in (table, *joined):
            has_columns = bool(source.stored_columns or source.withheld)
            objects += [*entities(source), *([feature_view(source)] if has_columns else [])]
        if isinstance(table, Dataset):
            objects.append(feature_service(table))
    return list({(type(definition), definition.name): definition for definition in objects}.values())


def store() -> FeatureStore:
    """Open the feature store that `feast_repo/feature_store.yaml` describes."""
    return FeatureStore(repo_path=str(REPOSITORY))


def apply(*tables: Table) -> None:
    """Register tables, and the tables they join, with Feast; idempotent."""
    store().apply(definitions(*tables))
    log.info("registered with Feast: %s", ", ".join(table.name for table in tables))


def unregister(table: Table, others: Iterable[Table]) -> None:
    """Remove the definitions of a table from Feast, except entities that other tables have too; idempotent.

    Args:
        table: the spec.
        others: the specs that stay.
    """
    feast, kept = store(), {definition.name for other in others for definition in entities(other)}
    own: list[Any] = [service for service in feast.list_feature_services() if service.name == table.name]
    for view in feast.list_feature_views():
        if view.name == table.name:
            own += [view, view.batch_source]
    wanted = {entity.name for entity in entities(table)} - kept
    own += [entity for entity in feast.list_entities() if entity.name in wanted]
    feast.apply([], objects_to_delete=own, partial=False)
    log.info("removed from Feast: %s", table.name)


def historical_features(dataset: Dataset, labels_sql: str) -> pd.DataFrame:
    """Join to each label the features that were true and known at its time: the point-in-time join.

    Args:
        dataset: the spec whose features are joined; it must be registered.
        labels_sql: a query that yields the key columns, `event_timestamp`, `join_columns` and any others.

    Returns:
        Shape (n_labels, n_columns): one row per row of the query, with its columns and then the data set's features and
        withheld columns. A value is missing where none was known.
    """
    feast = store()
    service = feast.get_feature_service(dataset.name)
    joined: pd.DataFrame = feast.get_historical_features(
        features=service, entity_df=labels_sql, full_feature_names=True, filter_by_created_timestamp=True
    ).to_df()
    own = (*dataset.own_features, *dataset.withheld)
    return joined.rename(columns={joined_name(dataset.name, name): name for name in own})


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    declared = catalog()
    apply(*declared.tables, *declared.datasets)
