# ruff: noqa: TID253 – a program of its own, imported by nothing
"""Compare two ways to join labels with the features known at their time: Feast as the training uses it, and by hand.

Run by `make bench`, on servers that are up; both ways read the same tables, in one run, and must give the same rows.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa

from ml_platform import features, freezing
from ml_platform.database import ensure_tables, identifier, transaction
from ml_platform.spec import Dataset

NUMBERS = [f"x{i}" for i in range(20)]
START = 1_767_225_600_000_000  # microseconds: the first of January 2026
HISTORY = Dataset.model_validate(
    {
        "name": "bench_history",
        "description": "Numbers with a history",
        "entity": {"name": "bench_thing", "key": "thing"},
        "label": {"column": "label", "positive": 1},
        "event_time": "at",
        "columns": {"thing": "integer", "label": "integer", "at": "timestamp"} | dict.fromkeys(NUMBERS, "number"),
        "search": {"candidates": {"logistic_regression": {}}},
    }
)


def drawn(count: int, seconds: int, entities: int, columns: dict[str, pa.Array], seed: int) -> pa.Table:
    """Return rows about random entities, each at a second of its own and known when it was true."""
    random = np.random.default_rng(seed)
    at = pa.array(START + random.permutation(seconds)[:count] * 1_000_000, pa.timestamp("us", "UTC"))
    own = {"thing": random.integers(0, entities, count), "upload_sha256": ["bench"] * count, "line": range(count)}
    return pa.table({"event_timestamp": at, "created_timestamp": at} | own | columns)


def fill(labels: int, versions: int) -> None:
    """Fill the tables: so many labels, and for each so many feature rows, over the same time."""
    ensure_tables(HISTORY)
    random, count, entities = np.random.default_rng(0), labels * versions, max(labels // 4, 1)
    numbers = {name: pa.array(random.normal(size=count)) for name in NUMBERS}
    given = drawn(count, count, entities, numbers, seed=1)
    wanted = drawn(labels, count, entities, {"label": pa.array(random.integers(0, 2, labels))}, seed=2)
    with transaction() as cursor:
        for schema, table in (("features", given), ("labels", wanted)):
            cursor.adbc_ingest(HISTORY.name, table, mode="append", db_schema_name=schema)
    with transaction() as cursor:
        for schema in ("features", "labels"):
            cursor.execute(f"ANALYZE {schema}.{identifier(HISTORY.name)}")


def by_hand() -> pd.DataFrame:
    """Join by one LATERAL subquery per label, and fetch the answer as Arrow."""
    key, table = identifier(HISTORY.entity.key), identifier(HISTORY.name)
    names = ", ".join(f"f.{identifier(name)}" for name in NUMBERS)
    with transaction() as cursor:
        cursor.execute(
            f"SELECT l.{key}, l.event_timestamp, {names} FROM ({freezing.labels_query(HISTORY)}) l LEFT JOIN LATERAL ("  # noqa: S608 – quoted
            f" SELECT * FROM features.{table} f WHERE f.{key} = l.{key}"
            " AND f.event_timestamp <= l.event_timestamp AND f.created_timestamp <= l.event_timestamp"
            " ORDER BY f.event_timestamp DESC, f.created_timestamp DESC LIMIT 1) f ON true"
        )
        frame: pd.DataFrame = cursor.fetch_arrow_table().to_pandas()
    return frame


def by_feast() -> pd.DataFrame:
    """Join as a training does."""
    return features.historical_features(HISTORY, freezing.labels_query(HISTORY))


def numbers_of(joined: pd.DataFrame) -> pd.DataFrame:
    """Return the joined numbers in an order of their own."""
    ordered = joined.sort_values([HISTORY.entity.key, "event_timestamp"], ignore_index=True)
    return ordered[NUMBERS].astype("float64")


def timed(work: Callable[[], pd.DataFrame]) -> tuple[float, pd.DataFrame]:
    """Return how long the work takes, at best of three, and its answer."""
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        answer = work()
        best = min(best, time.perf_counter() - start)
    return best, answer


def main() -> None:
    """Measure, compare, and print both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--labels", type=int, default=20_000)
    parser.add_argument("--versions", type=int, default=4, help="feature rows per label")
    given = parser.parse_args()
    warnings.filterwarnings("ignore", "pandas only supports SQLAlchemy")
    fill(given.labels, given.versions)
    features.apply(HISTORY)
    (feast, one), (hand, other) = timed(by_feast), timed(by_hand)
    pd.testing.assert_frame_equal(numbers_of(one), numbers_of(other))
    seen = numbers_of(one).notna().all(axis=1).mean()
    sys.stdout.write(
        f"{given.labels:,} labels, {given.labels * given.versions:,} feature rows of {len(NUMBERS)} numbers;"
        f" {seen:.0%} of the labels have a row known then; equal answers, best of 3 each\n"
        f"{'Feast, entities as SQL':<30} {feast:8.2f} s\n{'LATERAL join over ADBC':<30} {hand:8.2f} s\n"
        f"Feast takes {feast / hand:.1f} times as long\n"
    )


if __name__ == "__main__":
    main()
