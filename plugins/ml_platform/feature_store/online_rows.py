"""The newest row of each entity in Feast's online store: written after each load, read by the entity's key."""

import logging
from collections.abc import Iterable, Iterator, Sequence
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
from ml_platform.storage.locks import lock
from ml_platform.storage.tables import ensure_tables, key_list

log = logging.getLogger(__name__)

WRITE_BATCH = 2_000  # entities per write
TIMESTAMPS = ("event_timestamp", "created_timestamp")
VALUE_FIELDS = {
    "integer": "int64_val", "number": "double_val", "money": "double_val", "category": "string_val",
    "text": "string_val", "boolean": "bool_val",
}  # fmt: skip
_STORE = WholeRowPostgresOnlineStore()


def materialize(table: Table) -> int:
    """Write the newest row of each entity in a new upload to the online store; idempotent.

    The newest row has the latest event time and, of equal ones, the latest known time. An upload counts as new until
    all its entities are written, so the next run finishes an interrupted one.

    Returns:
        The number of entities written.

    Raises:
        ConfigurationError: the table has no key, or the spec was changed and is incompatible with rows already loaded.
        ServiceError, psycopg.Error: Postgres is not available; run it again.
    """
    if not table.has_key:
        raise ConfigurationError(f"{table.name} has no key by which its rows could be looked up, so none are online")
    if not table.stored_columns:
        return 0
    ensure_tables(table)
    features.apply(table)
    view, config, count = features.online_view(table), repo_config(), 0
    with transaction() as cursor:
        # Without the lock, the slower of two runs could overwrite a newer row with an older one.
        lock(cursor, online_lock(table))
        new = sorted(_loads(cursor, table) - _STORE.materialized_uploads(config, view))
        hashes = ",".join(load.partition("/")[0] for load in new)
        for part in _newest_parts(cursor, table, _entities_of(table), hashes) if new else ():
            _STORE.online_write_batch(config, view, [_entry(table, row) for row in part], None)
            count += len(part)
        _STORE.mark_materialized(config, view, new)
    log.info(
        "%s: wrote the newest rows of %s entities from %d new uploads to the online store",
        table.name,
        f"{count:,}",
        len(new),
    )
    return count


def online_lock(table: Table) -> str:
    """Return the name of the lock that a writer of the table's online rows holds."""
    return f"materialize:{table.name}"


def write_again(cursor: Any, table: Table, entities: str, upload_sha256: str) -> None:
    """Write the newest of the remaining rows of some entities to the online store, and remove those that have none.

    Args:
        cursor: of the transaction that removed rows of an upload; it holds `online_lock`. If it does not commit, the
            next `materialize` writes the rows of the upload again.
        table: the spec.
        entities: a table of the keys of these entities.
        upload_sha256: of the upload.

    Raises:
        ServiceError, psycopg.Error: Postgres is not available.
    """
    if not (table.has_key and table.stored_columns):
        return
    features.apply(table)
    view, config = features.online_view(table), repo_config()
    _STORE.unmark_materialized(config, view, upload_sha256)
    for part in _newest_parts(cursor, table, f"TABLE {entities}"):
        _STORE.online_write_batch(config, view, [_entry(table, row) for row in part], None)
    same = " AND ".join(f"f.{identifier(key)} = e.{identifier(key)}" for key in table.keys)
    cursor.execute(
        f"SELECT {key_list(table)} FROM {entities} e WHERE NOT EXISTS"  # noqa: S608 – names are quoted
        f" (SELECT FROM features.{identifier(table.name)} f WHERE {same})"
    )
    for part in _parts(cursor):
        _STORE.remove_rows(config, view, [entity_key(table, [row[key] for key in table.keys]) for row in part])


def remove_entities(table: Table, keys: Iterable[Sequence[Any]]) -> None:
    """Remove entities from the online store; those that are not there are no error.

    Args:
        table: the spec.
        keys: the typed values of the key columns, per entity.

    Raises:
        ServiceError, psycopg.Error: Postgres is not available.
    """
    if table.stored_columns:
        features.apply(table)
        view = features.online_view(table)
        _STORE.remove_rows(repo_config(), view, [entity_key(table, list(key)) for key in keys])


def remove_table(table: Table, others: Iterable[Table]) -> None:
    """Remove a table from the online store and from Feast; idempotent.

    Args:
        table: the spec.
        others: the specs that stay.

    Raises:
        psycopg.Error: Postgres is not available.
    """
    features.unregister(table, others)
    _STORE.remove_view(repo_config(), features.online_view(table))


def _loads(cursor: Any, table: Table) -> set[str]:
    """Return an id of each load that brought rows: the SHA-256 of the upload, `/2` after it for its second load."""
    statement = (
        "SELECT sha256 || CASE WHEN loads > 1 THEN '/' || loads ELSE '' END FROM uploads.ledger"
        " WHERE dataset = $1 AND purpose = 'train' AND rows_loaded > 0"
    )
    return {load for (load,) in rows(cursor, statement, table.name)}


def _entities_of(table: Table) -> str:
    """Return the SQL of the keys of the entities that have rows of uploads, whose hashes are bound as one text."""
    return (
        f"SELECT DISTINCT {key_list(table)} FROM features.{identifier(table.name)}"  # noqa: S608 – names are quoted
        " WHERE upload_sha256 = ANY(string_to_array($1, ','))"
    )


def _newest_parts(cursor: Any, table: Table, entities: str, *values: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the newest rows of some entities, in parts of at most `WRITE_BATCH` rows.

    Args:
        cursor: reads the rows.
        table: the spec.
        entities: a query of the keys of these entities.
        values: are bound to the query.
    """
    columns = ", ".join(f"f.{identifier(c)}" for c in (*table.stored_columns, *TIMESTAMPS))
    same = " AND ".join(f"f.{identifier(key)} = touched.{identifier(key)}" for key in table.keys)
    cursor.execute(
        f"SELECT {key_list(table, 'touched.')}, newest.* FROM ({entities}) touched"  # noqa: S608 – names are quoted
        f" CROSS JOIN LATERAL (SELECT {columns} FROM features.{identifier(table.name)} f WHERE {same}"
        " ORDER BY event_timestamp DESC, created_timestamp DESC LIMIT 1) newest",
        values or None,
    )
    yield from _parts(cursor)


def _parts(cursor: Any) -> Iterator[list[dict[str, Any]]]:
    for batch in cursor.fetch_record_batch():
        for start in range(0, batch.num_rows, WRITE_BATCH):
            yield batch.slice(start, WRITE_BATCH).to_pylist()


def _entry(table: Table, row: dict[str, Any]) -> tuple[EntityKey, dict[str, Value], Any, Any]:
    values = {name: _value(table, name, row[name]) for name in table.stored_columns}
    return entity_key(table, [row[key] for key in table.keys]), values, *(row[name] for name in TIMESTAMPS)


def _value(table: Table, column: str, cell: Any) -> Value:
    return Value() if cell is None else Value(**{VALUE_FIELDS[table.columns[column].type]: cell})


def entity_key(table: Table, cells: list[Any]) -> EntityKey:
    """Return an entity's key in Feast's form; different keys never become equal, as concatenated texts could."""
    values = [_value(table, name, cell) for name, cell in zip(table.keys, cells, strict=True)]
    return EntityKey(join_keys=table.keys, entity_values=values)


@cache
def repo_config() -> RepoConfig:
    """Return the settings of `feast_repo/feature_store.yaml`; this opens no connection."""
    return load_repo_config(features.REPOSITORY, features.REPOSITORY / "feature_store.yaml")


def newest_rows(dataset: Dataset, keys: pa.RecordBatch) -> tuple[pa.RecordBatch, list[int]]:
    """Return the newest rows of entities from the online store, typed like the rows of a `test` file.

    Args:
        dataset: the spec that the model was trained with.
        keys: the key columns, typed, shape (n_entities, n_keys).

    Returns:
        The rows of the known entities, in the order of `keys`: keys, event time and the columns that a model or a join
        needs, shape (n_known, n_columns). And the indices of the entities that are not in the store.

    Raises:
        ConfigurationError: the store lacks a column of the data set, so only whole rows can be scored.
        psycopg.Error: Postgres is not available.
    """
    stored = dataset.stored_columns
    if not stored:
        raise ConfigurationError(f"{dataset.name} has no columns of its own in the online store; send rows")
    entity_keys = [entity_key(dataset, [row[key] for key in dataset.keys]) for row in keys.to_pylist()]
    stored_rows = _STORE.newest_rows(repo_config(), dataset.name, entity_keys)
    known = [i for i, row in enumerate(stored_rows) if row]
    rows = [row for row in stored_rows if row]
    columns = {key: keys.column(key).take(pa.array(known, pa.int64())) for key in dataset.keys}
    if dataset.event_time:
        columns[dataset.event_time] = pa.array([row.event_time for row in rows], pa.timestamp("us", tz="UTC"))
    if absent := [name for name in stored if any(name not in row.values for row in rows)]:
        # The store holds a missing value as such. The value of a column that it does not hold is unknown.
        raise ConfigurationError(
            f"the online store does not hold {', '.join(absent)}, which the model was trained with: by the YAML it is "
            f"no feature any more, or `./ml-platform dataset materialize {dataset.name}` must be run; send rows"
        )
    for name in stored:
        cells = [_cell(row.values[name]) for row in rows]
        columns[name] = pa.array(cells, ARROW_TYPES[dataset.columns[name].type])
    return pa.RecordBatch.from_pydict(columns), [i for i, row in enumerate(stored_rows) if not row]


def _cell(value: Value) -> Any:
    field = value.WhichOneof("val")
    return getattr(value, field) if field else None
