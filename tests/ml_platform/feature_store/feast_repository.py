"""A Feast repository with the data of Feast's own examples, for our offline store or Feast's; and a brute-force join.

Feast's suite for offline stores asks each store for the same features of drivers, customers, orders, locations and of
the whole world. Its data generators are part of Feast's package; what is expected is computed here row by row.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
from feast import (
    Entity,
    FeatureStore,
    FeatureView,
    Field,
    OnDemandFeatureView,
    PushSource,
    RepoConfig,
    RequestSource,
    ValueType,
)
from feast.driver_test_data import (
    create_customer_daily_profile_df,
    create_driver_hourly_stats_df,
    create_field_mapping_df,
    create_global_daily_stats_df,
    create_location_stats_df,
    create_orders_df,
)
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.infra.utils.postgres.connection_utils import df_to_postgres_table
from feast.on_demand_feature_view import PandasTransformation
from feast.types import Float32, Float64, Int32, Int64
from feast.utils import make_df_tzaware
from psycopg import conninfo, sql

from ml_platform.feature_store.offline_store import STORE
from ml_platform.settings import settings
from tests.ml_platform.ingestion.upload_cases import new_name

OURS, FEASTS = STORE, "postgres"
CREATED = "created"
EVENT = "event_timestamp"
END = datetime(2026, 3, 4, tzinfo=UTC)
START = END - timedelta(days=3)
CLOCK = {"timestamp_field": EVENT, "created_timestamp_column": CREATED}

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)
location = Entity(name="location", join_keys=["location_id"], value_type=ValueType.INT64)


@dataclass
class Repository:
    """An open Feast repository, and how to fill it."""

    feast: FeatureStore
    kind: str
    name: str
    tables: list[str] = field(default_factory=list)

    def table(self, frame: pd.DataFrame, name: str) -> str:
        """Write a frame to a new table and return its name."""
        table = f"{self.name}_{name}"
        self.tables.append(table)
        df_to_postgres_table(self.feast.config.offline_store, frame, table)
        return table

    def source(self, frame: pd.DataFrame, name: str, **clock: Any) -> PostgreSQLSource:
        """Write a frame to a new table and return it as a source, named like the table."""
        table = self.table(frame, name)
        return PostgreSQLSource(name=table, query=f"SELECT * FROM {table}", **(CLOCK | clock))

    def entity_rows(self, frame: pd.DataFrame, form: str) -> pd.DataFrame | str:
        """Return rows as they are (`frame`), or as a query (`query`) of a new table."""
        if form == "frame":
            return frame
        return f"SELECT * FROM {self.table(in_utc(frame), f'rows{len(self.tables)}')}"

    def join(self, rows: pd.DataFrame | str | None, features: Any, **options: Any) -> pd.DataFrame:
        """Return the historical features of rows."""
        frame: pd.DataFrame = self.feast.get_historical_features(entity_df=rows, features=features, **options).to_df()
        return frame


@contextmanager
def repository(kind: str, folder: Path, **settings_of_store: Any) -> Iterator[Repository]:
    """Open a repository of its own on the tests' Postgres, with one kind of offline store; remove its tables after."""
    at = conninfo.conninfo_to_dict(settings().platform_database_uri.get_secret_value())
    place = {
        "type": kind, "host": at["host"], "port": at["port"], "user": at["user"], "password": at["password"],
        "database": at["dbname"], "db_schema": "features", "sslmode": "prefer", **settings_of_store,
    }  # fmt: skip
    config = RepoConfig(
        project=new_name(), provider="local", registry=str(folder / "registry.db"), offline_store=place,
        online_store={"type": "sqlite", "path": str(folder / "online.db")}, entity_key_serialization_version=3,
    )  # fmt: skip
    opened = Repository(FeatureStore(config=config), kind, config.project)
    yield opened
    with psycopg.connect(settings().platform_database_uri.get_secret_value()) as connection:
        for table in opened.tables:
            connection.execute(sql.SQL("DROP TABLE features.{}").format(sql.Identifier(table)))


def in_utc(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with its event times in UTC; those of Feast's orders are in several zones."""
    return frame.assign(event_timestamp=pd.to_datetime(frame[EVENT], utc=True))


def with_request_data(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with the input of the on-demand view."""
    return rows.assign(val_to_add=np.arange(len(rows)))


@dataclass
class Examples:
    """Feast's example data and views.

    Attributes:
        rows: the entity rows: orders, with times of different zones.
        frames: the feature rows of each view, by its name.
        views: the views, by name.
    """

    rows: pd.DataFrame
    frames: dict[str, pd.DataFrame]
    views: dict[str, FeatureView]

    @property
    def definitions(self) -> list[Any]:
        """What to apply."""
        return [driver, customer, location, *self.views.values()]


def draw_examples(repository: Repository) -> Examples:
    """Draw three days of Feast's example data, write them to Postgres, and return them with their views."""
    np.random.seed(0)
    drivers, customers, places = list(range(5001, 5006)), list(range(1001, 1005)), list(range(1, 7))
    orders = create_orders_df(customers, drivers, START, END, 20, places)
    frames = {
        "driver_stats": create_driver_hourly_stats_df(drivers, START, END).drop(
            columns=["driver_metadata", "driver_config", "driver_profile"]
        ),
        "customer_profile": create_customer_daily_profile_df(customers, START, END),
        "order": orders[["customer_id", "driver_id", "order_is_success", EVENT]],
        "location_stats": create_location_stats_df(places, START, END),
        "global_stats": create_global_daily_stats_df(START, END),
        "field_mapping": create_field_mapping_df(START, END),
    }
    frames = {name: make_df_tzaware(in_utc(frame)) for name, frame in frames.items()}
    sources = {
        name: repository.source(
            frame, name, created_timestamp_column="" if name == "order" else CREATED,
            field_mapping={"column_name": "feature_name"} if name == "field_mapping" else None,
        )
        for name, frame in frames.items()
    }  # fmt: skip
    return Examples(orders.drop(columns="order_is_success"), frames, _views(sources))


def _views(sources: dict[str, PostgreSQLSource]) -> dict[str, Any]:
    days = timedelta(days=2)

    def view(name: str, entities: list[Entity], ttl: timedelta, **schema: Any) -> FeatureView:
        fields = [Field(name=column, dtype=kind) for column, kind in schema.items()]
        return FeatureView(name=name, entities=entities, ttl=ttl, schema=fields, source=sources[name])

    stats = view(
        "driver_stats", [driver], timedelta(hours=2), conv_rate=Float32, avg_daily_trips=Int32, driver_id=Int64
    )
    pushed = PushSource(name=f"{sources['location_stats'].name}_push", batch_source=sources["location_stats"])
    request = RequestSource(name="input", schema=[Field(name="val_to_add", dtype=Int32)])
    views = [
        stats,
        view("customer_profile", [customer], days, current_balance=Float32, lifetime_trip_count=Int32),
        view("order", [customer, driver], days, order_is_success=Int32, driver_id=Int64),
        view("location_stats", [location], days, temperature=Int32, location_id=Int64),
        view("global_stats", [], days, num_rides=Int32, avg_ride_length=Float32),
        view("field_mapping", [], days, feature_name=Int32),
        FeatureView(
            name="pushed_stats", entities=[location], ttl=days, source=pushed,
            schema=[Field(name="temperature", dtype=Int32), Field(name="location_id", dtype=Int64)],
        ),
        OnDemandFeatureView(
            name="plus", sources=[stats[["conv_rate"]], request],
            schema=[Field(name="plus_100", dtype=Float64), Field(name="plus_val", dtype=Float64)],
            feature_transformation=PandasTransformation(udf=plus, udf_string="plus"), mode="pandas",
        ),
    ]  # fmt: skip
    return {one.name: one for one in views}


def plus(features: pd.DataFrame) -> pd.DataFrame:
    """Compute the on-demand features."""
    rate = features["conv_rate"]
    return pd.DataFrame({"plus_100": rate + 100, "plus_val": rate + features["val_to_add"]})


def known_at(
    rows: pd.DataFrame, features: pd.DataFrame, column: str, ttl: timedelta, keys: dict[str, str] | None = None
) -> list[Any]:
    """Return the feature of each row by brute force.

    Args:
        rows: the entity rows.
        features: the feature rows, with `event_timestamp` and perhaps `created`.
        column: the feature's column.
        ttl: time to live; zero means no limit.
        keys: maps each key of the feature rows to the column of the entity rows.
    """
    order = [EVENT, *({CREATED} & set(features))]

    def newest(row: Any) -> Any:
        at = pd.to_datetime(row[EVENT], utc=True)
        known = features[features[EVENT] <= at]
        if ttl:
            known = known[known[EVENT] >= at - ttl]
        for key, of_row in (keys or {}).items():
            known = known[known[key] == row[of_row]]
        return None if known.empty else known.sort_values(order)[column].iloc[-1]

    return [newest(row) for _, row in rows.iterrows()]
