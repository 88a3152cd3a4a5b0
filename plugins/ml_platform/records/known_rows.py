"""Rows that are loaded, as examples: those of an entity, or any."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from ml_platform.parsing.layout import columns_of
from ml_platform.specs.spec import ROW_ID, Dataset
from ml_platform.storage.database import identifier, literal, transaction
from ml_platform.storage.tables import existing_columns, sql_types

SAMPLE = 2_000
_NEWEST = "ORDER BY event_timestamp DESC, created_timestamp DESC LIMIT 1"


def sample(dataset: Dataset) -> pa.Table:
    """Return up to `SAMPLE` loaded rows, in no order: the columns of a test file, without what is not stored."""
    return _read(dataset, f"LIMIT {SAMPLE}")


def newest(dataset: Dataset, key: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the newest loaded row of an entity by column; None if there is none.

    Args:
        dataset: the spec in `datasets/*.yaml`.
        key: typed values by key column.
    """
    found = _read(dataset, f"WHERE {_same(dataset)} {_NEWEST}", json.dumps(dict(key))).to_pylist()
    return found[0] if found else None


def as_of(dataset: Dataset, key: Mapping[str, Any], event_time: datetime, known: datetime) -> pa.RecordBatch | None:
    """Return the newest row of an entity as of a moment, typed like a row of a test file; None if there is none.

    Args:
        dataset: the spec.
        key: typed values by key column.
        event_time: later rows do not count.
        known: nor do rows that were available later.
    """
    times = "event_timestamp <= $2::text::timestamptz AND created_timestamp <= $3::text::timestamptz"
    values = json.dumps(dict(key)), event_time.isoformat(), known.isoformat()
    found = _read(dataset, f"WHERE {_same(dataset)} AND {times} {_NEWEST}", *values)
    batches = found.combine_chunks().to_batches()
    return batches[0] if batches else None


def _same(dataset: Dataset) -> str:
    types = sql_types(dataset)
    return " AND ".join(
        f"{identifier(name)} = ($1::text::jsonb ->> {literal(name)})::{types[name]}" for name in dataset.keys
    )


def _read(dataset: Dataset, ending: str, *values: str) -> pa.Table:
    with transaction() as cursor:
        stored = existing_columns(cursor, "features", dataset.name)
        names = {name: identifier(name) for name in columns_of(dataset, "test") if name in stored}
        if dataset.event_time:
            names[dataset.event_time] = f"event_timestamp AS {identifier(dataset.event_time)}"
        if not stored:
            return pa.table({})
        if not dataset.has_key:
            names.pop(ROW_ID, None)
        statement = f"SELECT {', '.join(names.values())} FROM features.{identifier(dataset.name)} {ending}"  # noqa: S608
        cursor.execute(statement, values or None)
        return cursor.fetch_arrow_table()
