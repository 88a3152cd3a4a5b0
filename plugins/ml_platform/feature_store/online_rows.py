"""The newest row of each entity, in Feast's online store: written after each load, read by the entity's key."""

import logging
from collections.abc import Iterator
from functools import cache
from typing import Any

import pyarrow as pa
from feast import RepoConfig
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.repo_config import load_repo_config

from ml_platform.exceptions import ConfigurationError
from ml_platform.feature_store import features
from ml_platform.feature_store.online_store import WholeRowPostgresOnlineStore
from ml_platform.specs.column_types import ARROW_TYPES
from ml_platform.specs.spec import Dataset, Table
from ml_platform.storage.database import identifier, rows, transaction
from ml_platform.storage.tables import ensure_tables, key_list

log = logging.getLogger(__name__)

WRITTEN_AT_ONCE = 2_000  # entities
TIMESTAMPS = ("event_timestamp", "created_timestamp")
VALUE_FIELDS = {
    "integer": "int64_val", "number": "double_val", "money": "double_val", "category": "string_val",
    "text": "string_val", "boolean": "bool_val",
}  # fmt: skip
_STORE = WholeRowPostgresOnlineStore()


def materialize(table: Table) -> int:
    """Write the newest row of each entity that a new upload speaks of; run twice, same store.

    The newest is that of the latest event time, and of these the one that was known last. An upload counts as new
    until all its entities are written, so what an interrupted run left is written by the next.

    Returns:
        The number of entities written.

    Raises:
        ConfigurationError: the spec was changed in a way that the loaded rows cannot bear.
        ServiceError, psycopg.Error: Postgres is away; run it again.
    """
    if not table.stored_columns:
        return 0
    ensure_tables(table)
    features.apply(table)
    view, config, count = features.feature_view(table), repository(), 0
    with transaction() as cursor:
        # Of two at once the slower would write what the quicker had found outdated.
        rows(cursor, "SELECT pg_advisory_xact_lock(hashtext($1))::text", f"materialize:{table.name}")
        new = sorted(_loaded(cursor, table) - _STORE.materialized(config, view))
        for batch in _newest(cursor, table, new) if new else ():
            _STORE.online_write_batch(config, view, [_entry(table, row) for row in batch], None)
            count += len(batch)
        _STORE.mark_materialized(config, view, new)
    log.info("%s: the newest rows of %s entities, of %d new uploads, are online", table.name, f"{count:,}", len(new))
    return count


def _loaded(cursor: Any, table: Table) -> set[str]:
    statement = "SELECT sha256 FROM uploads.ledger WHERE dataset = $1 AND purpose = 'train' AND rows_loaded > 0"
    return {sha256 for (sha256,) in rows(cursor, statement, table.name)}


def _newest(cursor: Any, table: Table, uploads: list[str]) -> Iterator[list[dict[str, Any]]]:
    """Yield the newest rows of the entities that some uploads speak of, a few at a time."""
    name, keys = f"features.{identifier(table.name)}", key_list(table)
    columns = ", ".join(f"f.{identifier(c)}" for c in (*table.stored_columns, *TIMESTAMPS))
    same = " AND ".join(f"f.{identifier(key)} = touched.{identifier(key)}" for key in table.keys)
    cursor.execute(
        f"SELECT {key_list(table, 'touched.')}, newest.*"  # noqa: S608 – names are quoted
        f" FROM (SELECT DISTINCT {keys} FROM {name} WHERE upload_sha256 = ANY(string_to_array($1, ','))) touched"
        f" CROSS JOIN LATERAL (SELECT {columns} FROM {name} f WHERE {same}"
        " ORDER BY event_timestamp DESC, created_timestamp DESC LIMIT 1) newest",
        (",".join(uploads),),
    )
    for batch in cursor.fetch_record_batch():
        for start in range(0, batch.num_rows, WRITTEN_AT_ONCE):
            yield batch.slice(start, WRITTEN_AT_ONCE).to_pylist()


def _entry(table: Table, row: dict[str, Any]) -> tuple[EntityKey, dict[str, Value], Any, Any]:
    values = {name: _value(table, name, row[name]) for name in table.stored_columns}
    return entity_key(table, [row[key] for key in table.keys]), values, *(row[clock] for clock in TIMESTAMPS)


def _value(table: Table, column: str, cell: Any) -> Value:
    return Value() if cell is None else Value(**{VALUE_FIELDS[table.columns[column].type]: cell})


def entity_key(table: Table, cells: list[Any]) -> EntityKey:
    """Return an entity's key as Feast has it; unlike a text of all columns it can be no other entity's."""
    values = [_value(table, name, cell) for name, cell in zip(table.keys, cells, strict=True)]
    return EntityKey(join_keys=table.keys, entity_values=values)


@cache
def repository() -> RepoConfig:
    """Return the settings in `feast_repo/feature_store.yaml`; to read them opens no connection."""
    return load_repo_config(features.REPOSITORY, features.REPOSITORY / "feature_store.yaml")


def newest_rows(dataset: Dataset, keys: pa.RecordBatch) -> tuple[pa.RecordBatch, list[int]]:
    """Return what the store holds of entities, as a test file with their newest rows would say it.

    Args:
        dataset: the spec that a model was trained with.
        keys: the key columns, typed.

    Returns:
        Keys, event time and the columns that a model or a join needs, shape (n_known, n_columns), in the order of
        `keys`; and the indices of the entities that the store does not know.

    Raises:
        ConfigurationError: the store holds no column of the data set, or not all of them: only rows can be scored.
        psycopg.Error: Postgres is away.
    """
    stored = dataset.stored_columns
    if not stored:
        raise ConfigurationError(f"{dataset.name} has no columns of its own that could be stored by its key; send rows")
    asked = [entity_key(dataset, [row[key] for key in dataset.keys]) for row in keys.to_pylist()]
    found = _STORE.newest(repository(), dataset.name, asked)
    known = [i for i, one in enumerate(found) if one]
    rows = [one for one in found if one]
    columns = {key: keys.column(key).take(pa.array(known, pa.int64())) for key in dataset.keys}
    if dataset.event_time:
        columns[dataset.event_time] = pa.array([row.event_time for row in rows], pa.timestamp("us", tz="UTC"))
    if gone := [name for name in stored if any(name not in row.values for row in rows)]:
        # A missing value is held as such: that of a column that is not held may have been any.
        raise ConfigurationError(
            f"the online store does not hold {', '.join(gone)}, which the model was trained with: the YAML no longer "
            f"lists it, or `./ml-platform dataset materialize {dataset.name}` is due; send rows"
        )
    for name in stored:
        cells = [_cell(row.values[name]) for row in rows]
        columns[name] = pa.array(cells, ARROW_TYPES[dataset.columns[name].type])
    return pa.RecordBatch.from_pydict(columns), [i for i, one in enumerate(found) if not one]


def _cell(value: Value) -> Any:
    field = value.WhichOneof("val")
    return getattr(value, field) if field else None
