# ruff: noqa: TID253 – a program of its own, which no module imports
"""Compare two point-in-time joins of labels and features: the platform's offline store, and Feast's own.

`make bench` runs it, with the servers up. Both joins read the same tables, in one run, and must return the same rows.
It compares twice: many entities with a short history, and few with a long one, such as the weather of an airport.
"""

import argparse
import sys
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres import PostgreSQLOfflineStore

from ml_platform.feature_store import features
from ml_platform.feature_store.offline_store import LateralPostgresOfflineStore
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import identifier, transaction
from ml_platform.storage.tables import ensure_tables
from ml_platform.training import build_training_set

NUMBERS = [f"x{i}" for i in range(20)]
START = 1_767_225_600_000_000  # microseconds: the first of January 2026


def history(name: str) -> Dataset:
    """Return the spec of a data set of numbers with an event time."""
    return Dataset.model_validate(
        {
            "name": name,
            "description": "Numbers with a history",
            "entity": {"name": f"{name}_thing", "key": "thing"},
            "label": {"column": "label", "positive": 1},
            "event_time": "at",
            "columns": {"thing": "integer", "label": "integer", "at": "timestamp"} | dict.fromkeys(NUMBERS, "number"),
        }
    )


def draw_rows(count: int, seconds: int, entities: int, columns: dict[str, pa.Array], seed: int) -> pa.Table:
    """Return rows of random entities, each at another second; they became known at their event time."""
    random = np.random.default_rng(seed)
    at = pa.array(START + random.permutation(seconds)[:count] * 1_000_000, pa.timestamp("us", "UTC"))
    own = {"thing": random.integers(0, entities, count), "upload_sha256": ["bench"] * count, "line": range(count)}
    return pa.table({"event_timestamp": at, "created_timestamp": at} | own | columns)


def fill(dataset: Dataset, labels: int, rows: int, entities: int) -> None:
    """Fill the tables with labels and feature rows of random entities, over the same period."""
    ensure_tables(dataset)
    random = np.random.default_rng(0)
    numbers = {name: pa.array(random.normal(size=rows)) for name in NUMBERS}
    feature_rows = draw_rows(rows, rows, entities, numbers, seed=1)
    label_rows = draw_rows(labels, rows, entities, {"label": pa.array(random.integers(0, 2, labels))}, seed=2)
    with transaction() as cursor:
        for schema, table in (("features", feature_rows), ("labels", label_rows)):
            cursor.adbc_ingest(dataset.name, table, mode="append", db_schema_name=schema)
    with transaction() as cursor:
        for schema in ("features", "labels"):
            cursor.execute(f"ANALYZE {schema}.{identifier(dataset.name)}")


def join(kind: Any, dataset: Dataset) -> pd.DataFrame:
    """Join as a training does, by one of the two stores; return the features, sorted by key and event time."""
    store = features.store()
    frame: pd.DataFrame = kind.get_historical_features(
        config=store.config, feature_views=[features.feature_view(dataset)],
        feature_refs=[f"{dataset.name}:{name}" for name in NUMBERS], entity_df=build_training_set.labels_query(dataset),
        registry=store.registry, project=store.project, filter_by_created_timestamp=True,
    ).to_df()  # fmt: skip
    return frame.sort_values([*dataset.keys, "event_timestamp"], ignore_index=True)[NUMBERS].astype("float64")


def fastest_join(kind: Any, dataset: Dataset, repeats: int) -> tuple[float, pd.DataFrame]:
    """Return the seconds of the fastest of `repeats` joins, and its result."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        result = join(kind, dataset)
        best = min(best, time.perf_counter() - start)
    return best, result


def compare(name: str, labels: int, rows: int, entities: int, repeats: int) -> None:
    """Measure both joins on the same tables; print both times and their ratio."""
    dataset = history(name)
    fill(dataset, labels, rows, entities)
    (ours, one), (theirs, other) = (
        fastest_join(kind, dataset, repeats) for kind in (LateralPostgresOfflineStore, PostgreSQLOfflineStore)
    )
    pd.testing.assert_frame_equal(one, other)
    matched = one.notna().all(axis=1).mean()
    sys.stdout.write(
        f"{labels:,} labels, {rows:,} feature rows of {len(NUMBERS)} numbers about {entities:,} entities;"
        f" {matched:.0%} of the labels have a row known at their time; equal results, best of {repeats}\n"
        f"{'the platform (LATERAL)':<30} {ours:8.2f} s\n{'Feast, its own store':<30} {theirs:8.2f} s\n"
        f"Feast takes {theirs / ours:.1f} times as long\n"
    )
    sys.stdout.flush()


def main() -> None:
    """Compare twice: many entities with a short history, and few with a long one."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--labels", type=int, default=20_000)
    parser.add_argument("--versions", type=int, default=4, help="feature rows per label")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", "pandas only supports SQLAlchemy")
    rows = options.labels * options.versions
    compare("bench_many", options.labels, rows, max(options.labels // 4, 1), repeats=3)
    compare("bench_few", options.labels // 10, rows // 4, 3, repeats=1)


if __name__ == "__main__":
    main()
