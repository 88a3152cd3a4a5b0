# ruff: noqa: TID253 – a program of its own, imported by nothing
"""Compare two ways to join labels with the features known at their time: the platform's store, and Feast's own.

Run by `make bench`, on servers that are up; both ways read the same tables, in one run, and must give the same rows.
Twice: many entities with a short history each, and few entities with a long one, such as the weather of an airport.
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
    """Return a data set of numbers with a history."""
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


def drawn(count: int, seconds: int, entities: int, columns: dict[str, pa.Array], seed: int) -> pa.Table:
    """Return rows about random entities, each at a second of its own and known when it was true."""
    random = np.random.default_rng(seed)
    at = pa.array(START + random.permutation(seconds)[:count] * 1_000_000, pa.timestamp("us", "UTC"))
    own = {"thing": random.integers(0, entities, count), "upload_sha256": ["bench"] * count, "line": range(count)}
    return pa.table({"event_timestamp": at, "created_timestamp": at} | own | columns)


def fill(dataset: Dataset, labels: int, rows: int, entities: int) -> None:
    """Fill the tables with so many labels and feature rows about so many entities, over the same time."""
    ensure_tables(dataset)
    random = np.random.default_rng(0)
    numbers = {name: pa.array(random.normal(size=rows)) for name in NUMBERS}
    given = drawn(rows, rows, entities, numbers, seed=1)
    wanted = drawn(labels, rows, entities, {"label": pa.array(random.integers(0, 2, labels))}, seed=2)
    with transaction() as cursor:
        for schema, table in (("features", given), ("labels", wanted)):
            cursor.adbc_ingest(dataset.name, table, mode="append", db_schema_name=schema)
    with transaction() as cursor:
        for schema in ("features", "labels"):
            cursor.execute(f"ANALYZE {schema}.{identifier(dataset.name)}")


def joined(kind: Any, dataset: Dataset) -> pd.DataFrame:
    """Join as a training does, by one of the two stores; return the numbers in an order of their own."""
    store = features.store()
    frame: pd.DataFrame = kind.get_historical_features(
        config=store.config, feature_views=[features.feature_view(dataset)],
        feature_refs=[f"{dataset.name}:{name}" for name in NUMBERS], entity_df=build_training_set.labels_query(dataset),
        registry=store.registry, project=store.project, filter_by_created_timestamp=True,
    ).to_df()  # fmt: skip
    return frame.sort_values([*dataset.keys, "event_timestamp"], ignore_index=True)[NUMBERS].astype("float64")


def timed(kind: Any, dataset: Dataset, repeats: int) -> tuple[float, pd.DataFrame]:
    """Return how long a join takes, at best, in seconds, and its answer."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        answer = joined(kind, dataset)
        best = min(best, time.perf_counter() - start)
    return best, answer


def compare(name: str, labels: int, rows: int, entities: int, repeats: int) -> None:
    """Measure both ways on one set of tables and print both times and their ratio."""
    dataset = history(name)
    fill(dataset, labels, rows, entities)
    (ours, one), (theirs, other) = (
        timed(kind, dataset, repeats) for kind in (LateralPostgresOfflineStore, PostgreSQLOfflineStore)
    )
    pd.testing.assert_frame_equal(one, other)
    seen = one.notna().all(axis=1).mean()
    sys.stdout.write(
        f"{labels:,} labels, {rows:,} feature rows of {len(NUMBERS)} numbers about {entities:,} entities;"
        f" {seen:.0%} of the labels have a row known then; equal answers, best of {repeats} each\n"
        f"{'the platform (LATERAL)':<30} {ours:8.2f} s\n{'Feast, as it comes':<30} {theirs:8.2f} s\n"
        f"Feast takes {theirs / ours:.1f} times as long\n"
    )
    sys.stdout.flush()


def main() -> None:
    """Compare twice: many entities with a short history, and few with a long one."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--labels", type=int, default=20_000)
    parser.add_argument("--versions", type=int, default=4, help="feature rows per label")
    given = parser.parse_args()
    warnings.filterwarnings("ignore", "pandas only supports SQLAlchemy")
    rows = given.labels * given.versions
    compare("bench_many", given.labels, rows, max(given.labels // 4, 1), repeats=3)
    compare("bench_few", given.labels // 10, rows // 4, 3, repeats=1)


if __name__ == "__main__":
    main()
