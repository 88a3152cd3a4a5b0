"""Feast: the one module that talks to the feature store.

`python -m ml_platform.features` registers what `datasets/*.yaml` declares.
"""

import logging
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, ValueType
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.types import Bool, Float64, Int64, String

from ml_platform.database import identifier
from ml_platform.datasets import datasets
from ml_platform.spec import Dataset

log = logging.getLogger(__name__)

REPOSITORY = Path(__file__).resolve().parents[2] / "feast_repo"

FEAST_TYPES = {"integer": Int64, "number": Float64, "money": Float64, "category": String, "boolean": Bool}


def entity(dataset: Dataset) -> Entity:
    """Return the entity that the data set's rows are about."""
    is_integer = dataset.columns[dataset.entity.key].type == "integer"
    return Entity(
        name=dataset.entity.name,
        join_keys=[dataset.entity.key],
        value_type=ValueType.INT64 if is_integer else ValueType.STRING,
        description=f"The {dataset.entity.name} that a row of {dataset.name} is about",
    )


def feature_view(dataset: Dataset) -> FeatureView:
    """Return the view of the data set's features in Postgres, with both of its clocks."""
    return FeatureView(
        name=dataset.name,
        description=dataset.description,
        entities=[entity(dataset)],
        ttl=timedelta(0),
        online=False,
        schema=[Field(name=name, dtype=FEAST_TYPES[column.type]) for name, column in dataset.features.items()],
        source=PostgreSQLSource(
            name=f"{dataset.name}_uploads",
            description=f"Rows loaded from the uploads of {dataset.name}",
            table=f"features.{identifier(dataset.name)}",
            timestamp_field="event_timestamp",
            created_timestamp_column="created_timestamp",
        ),
    )


def store() -> FeatureStore:
    """Open the feature store that `feast_repo/feature_store.yaml` describes."""
    return FeatureStore(repo_path=str(REPOSITORY))


def apply(*wanted: Dataset) -> None:
    """Register data sets with Feast; run twice, same registry."""
    store().apply([definition for dataset in wanted for definition in (entity(dataset), feature_view(dataset))])
    log.info("Feast knows %s", ", ".join(dataset.name for dataset in wanted))


def historical_features(dataset: Dataset, labels_sql: str) -> pd.DataFrame:
    """Join to every label the features that were true, and known, at its time.

    Args:
        dataset: whose features to join; it must be registered.
        labels_sql: a query that yields the entity key, `event_timestamp` and any further columns.

    Returns:
        One row per row of the query: its columns, then the data set's features; missing where none was known.
    """
    job: Any = store().get_historical_features(
        entity_df=labels_sql,
        features=[f"{dataset.name}:{name}" for name in dataset.features],
        filter_by_created_timestamp=True,
    )
    with warnings.catch_warnings():
        # Feast reads through psycopg, of which pandas says with every read that it does not test it.
        warnings.filterwarnings("ignore", "pandas only supports SQLAlchemy")
        joined: pd.DataFrame = job.to_df()
    return joined


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    apply(*datasets())
