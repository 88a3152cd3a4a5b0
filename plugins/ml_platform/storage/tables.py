"""The tables of a spec: `features.<name>` and, if there is a label, `labels.<name>`; they follow the YAML.

Every spec version with which data are loaded is stored in `uploads.specs`. A change that is incompatible with rows
already loaded is rejected.
"""

import json
import logging
from typing import Any

import pyarrow as pa

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import DATASETS_DIR
from ml_platform.specs.changes import Changes, compare_specs
from ml_platform.specs.column_types import ARROW_TYPES
from ml_platform.specs.spec import Table
from ml_platform.storage.database import identifier, rows, transaction
from ml_platform.storage.locks import lock

log = logging.getLogger(__name__)

SQL_TYPES = {
    pa.int64(): "bigint",
    pa.float64(): "double precision",
    pa.string(): "text",
    pa.bool_(): "boolean",
    pa.timestamp("us", tz="UTC"): "timestamp with time zone",
}


TABLES_LOCK = "ml_platform tables"  # of a transaction that creates or drops tables


def sql_types(table: Table) -> dict[str, str]:
    """Return the SQL type of each column, also of the one with the ids of rows without a key."""
    columns = table.columns | table.key_columns
    return {name: SQL_TYPES[ARROW_TYPES[column.type]] for name, column in columns.items()}


def feature_columns(table: Table) -> tuple[str, ...]:
    """Return the columns of `features.<name>` without keys and bookkeeping, but with texts, which are no features."""
    excluded = {*table.keys, *table.label_columns, table.event_time, table.known_at}
    return tuple(name for name in table.columns if name not in excluded)


def key_list(table: Table, prefix: str = "") -> str:
    """Return the SQL of the key columns, each with a prefix such as `f.`."""
    return ", ".join(f"{prefix}{identifier(key)}" for key in table.keys)


def ensure_tables(table: Table) -> int:
    """Create the tables of a spec, or add its new columns, and record the spec.

    Returns:
        The spec's version, from 1.

    Raises:
        ConfigurationError: a change of the YAML is incompatible with rows already loaded, or the data set was removed;
            nothing is changed.
    """
    with transaction() as cursor:
        lock(cursor, TABLES_LOCK)
        _refuse_removed(cursor, table)
        version = _record_spec(cursor, table)
        _ensure_table(cursor, table, "features", feature_columns(table))
        if table.label_columns:
            _ensure_table(cursor, table, "labels", table.label_columns)
    return version


def _refuse_removed(cursor: Any, table: Table) -> None:
    """Refuse to create the tables of a removed data set again, for a task that began before it was removed."""
    removed = rows(cursor, "SELECT FROM uploads.removals WHERE name = $1 LIMIT 1", table.name)
    if removed and not (DATASETS_DIR / f"{table.name}.yaml").exists():
        raise ConfigurationError(
            f"{table.name} was removed (./ml-platform dataset remove); nothing is loaded or trained"
        )


def incompatible_changes(table: Table) -> list[str]:
    """Return what in a spec is incompatible with rows already loaded; this changes nothing.

    Raises:
        ServiceError: Postgres is not available.
    """
    with transaction() as cursor:
        _, _, changes = _compare_with_latest(cursor, table)
        problems = [f"datasets/{table.name}.yaml: {text}" for text in changes.incompatible]
        problems += _other_types(cursor, table, "features", feature_columns(table))
        if table.label_columns:
            problems += _other_types(cursor, table, "labels", table.label_columns)
    return problems


def _compare_with_latest(cursor: Any, table: Table) -> tuple[int, str, Changes]:
    """Return version and hash of the latest recorded spec (0 and "" if there is none), and the changes since then."""
    latest = rows(
        cursor,
        "SELECT version, sha256, spec::text FROM uploads.specs WHERE name = $1 ORDER BY version DESC LIMIT 1",
        table.name,
    )
    if not latest:
        return 0, "", Changes((), ())
    version, sha256, spec = latest[0]
    return int(version), sha256, compare_specs(json.loads(spec), table.model_dump(mode="json"))


def _record_spec(cursor: Any, table: Table) -> int:
    """Record a spec, with its changes, if it differs from the latest recorded one; return its version."""
    version, sha256, changes = _compare_with_latest(cursor, table)
    if sha256 == table.sha256:
        return version
    if changes.incompatible:
        problems = "\n".join(f"datasets/{table.name}.yaml: {text}" for text in changes.incompatible)
        raise ConfigurationError(f"{problems}\nRows were loaded with the old spec; undo the change, or use a new name")
    for text in changes.compatible:
        log.warning("datasets/%s.yaml: %s", table.name, text)
    cursor.execute(
        "INSERT INTO uploads.specs (name, version, sha256, spec, changes) VALUES ($1, $2, $3, $4::text::jsonb, $5)",
        (
            *(table.name, version + 1, table.sha256),
            *(json.dumps(table.model_dump(mode="json")), "\n".join(changes.compatible)),
        ),
    )
    return version + 1


def _ensure_table(cursor: Any, table: Table, schema: str, columns: tuple[str, ...]) -> None:
    types = sql_types(table)
    wanted = {name: types[name] for name in (*table.keys, *columns)}
    existing = existing_columns(cursor, schema, table.name)
    full_name = f"{schema}.{identifier(table.name)}"
    if not existing:
        _create(cursor, full_name, table, wanted)
        return
    if problems := _other_types(cursor, table, schema, columns):
        raise ConfigurationError("\n".join(problems))
    for name, kind in wanted.items():
        if name not in existing:
            cursor.execute(f"ALTER TABLE {full_name} ADD COLUMN {identifier(name)} {kind}")
            log.info("%s: the new column %s was added", full_name, name)


def _other_types(cursor: Any, table: Table, schema: str, columns: tuple[str, ...]) -> list[str]:
    """Return a sentence for each column that the table in Postgres holds with another type."""
    types, existing = sql_types(table), existing_columns(cursor, schema, table.name)
    declared = table.columns | table.key_columns
    return [
        f"datasets/{table.name}.yaml: columns.{name} is now {declared[name].type} ({types[name]}), but the table "
        f"{schema}.{identifier(table.name)} holds {existing[name]}; give the column a new name, and the name in the "
        "file as `header`"
        for name in (*table.keys, *columns)
        if existing.get(name, types[name]) != types[name]
    ]


def existing_columns(cursor: Any, schema: str, table: str) -> dict[str, str]:
    """Return the SQL type of each column of a table; empty if there is no such table."""
    result = rows(
        cursor,
        "SELECT column_name::text, data_type::text FROM information_schema.columns"
        " WHERE table_schema = $1 AND table_name = $2",
        schema,
        table,
    )
    return dict(result)


def _create(cursor: Any, full_name: str, table: Table, columns: dict[str, str]) -> None:
    own = ["event_timestamp timestamptz NOT NULL", "created_timestamp timestamptz NOT NULL"]
    own += ["upload_sha256 text NOT NULL", "line bigint NOT NULL"]
    declared = [
        f"{identifier(name)} {kind}{' NOT NULL' if name in table.keys else ''}" for name, kind in columns.items()
    ]
    cursor.execute(f"CREATE TABLE {full_name} ({', '.join([*declared, *own])})")
    # Unique: with two rows of equal timestamps, the point-in-time join would choose at random.
    cursor.execute(f"CREATE UNIQUE INDEX ON {full_name} ({key_list(table)}, event_timestamp, created_timestamp)")
    log.info("%s: created with %d columns", full_name, len(columns) + len(own))
