# ruff: noqa: S608 – names go through identifier(); values are bound or quoted
"""From the temporary tables to features and labels: only what earlier files did not bring already.

All of it runs in the transaction of the load.
"""

from typing import Any

from ml_platform.ingestion.staging import INCOMING, KNOWN_KEYS, PRESENT, REJECTED, TIMED, key_headers, key_text
from ml_platform.ingestion.upload_order import CONFLICT
from ml_platform.specs.spec import Table
from ml_platform.storage.database import identifier, literal, rows
from ml_platform.storage.tables import feature_columns, key_list


def compares_values(table: Table) -> bool:
    """Return whether a time of the rows is that of their upload, so that only their values tell what is new."""
    return table.event_time is None or table.known_at == "load"


def insert(cursor: Any, table: Table, sha256: str, *, later: bool = False) -> int:
    """Insert the features and labels of the incoming rows; return how many rows were new.

    A row with the key and timestamps of a row from an earlier file is present if its values are the same. If they
    differ, it is rejected. If a time of the row is that of its upload, it is present if it equals the version of its
    entity at that time, or the next one.

    Args:
        cursor: of the transaction of the load.
        table: the spec.
        sha256: of the upload.
        later: whether there can be versions from later uploads.
    """
    if compares_values(table):
        _remove_unchanged(cursor, table, later=later)
    loaded = _insert(cursor, table, "features", feature_columns(table), sha256)
    if loaded < rows(cursor, f"SELECT count(*) FROM {INCOMING}")[0][0]:
        _remove_present(cursor, table, sha256)
    if table.label_columns:
        _insert(cursor, table, "labels", table.label_columns, sha256)
    return loaded


def _insert(cursor: Any, table: Table, schema: str, columns: tuple[str, ...], sha256: str) -> int:
    target = f"{key_list(table)}, event_timestamp, created_timestamp"
    names = "".join(f", {identifier(name)}" for name in columns)
    added: int = rows(
        cursor,
        f"WITH added AS (INSERT INTO {schema}.{identifier(table.name)} ({target}, upload_sha256, line{names})"
        f" SELECT {target}, $1::text, line{names} FROM {TIMED} ORDER BY {target}"
        f" ON CONFLICT ({target}) DO NOTHING RETURNING 1)"
        " SELECT count(*) FROM added",
        sha256,
    )[0][0]
    return added


def _same_row(table: Table, alias: str, other: str = "i") -> str:
    """Return the SQL condition that two rows have the same key and timestamps."""
    columns = (*(identifier(key) for key in table.keys), "event_timestamp", "created_timestamp")
    return " AND ".join(f"{alias}.{column} = {other}.{column}" for column in columns)


def _same_values(table: Table) -> str:
    """Return the SQL condition that the row `i` has the values of the row `f` of the features and `l` of the labels.

    A label file may have corrected the label since. With an event time, both labels are then those of the row; without,
    the newest one is.
    """
    same = [f"f.{identifier(c)} IS NOT DISTINCT FROM i.{identifier(c)}" for c in feature_columns(table)]
    if table.label_columns:
        label, *leaks = map(identifier, table.label_columns)
        of_row = " AND ".join(f"l.{c} IS NOT DISTINCT FROM i.{c}" for c in (label, *leaks))
        corrected = _corrected_label(table)
        is_unchanged = of_row if table.event_time else f"{of_row} AND {corrected} IS NULL"
        same.append(f"(({is_unchanged}) OR coalesce(i.{label} = {corrected}, false))")
    return " AND ".join(same) or "true"


def _corrected_label(table: Table) -> str:
    """Return the SQL of the label that a label file has given the row `f` before the time of the row `i`."""
    same = [f"n.{identifier(key)} = f.{identifier(key)}" for key in table.keys]
    if table.event_time:
        same += ["n.event_timestamp = f.event_timestamp", "n.created_timestamp > f.created_timestamp"]
    else:
        same += ["n.event_timestamp > f.event_timestamp", "n.event_timestamp <= i.event_timestamp"]
    newest_first = "ORDER BY n.event_timestamp DESC, n.created_timestamp DESC LIMIT 1"
    label, name = identifier(table.label_columns[0]), identifier(table.name)
    return f"(SELECT n.{label} FROM labels.{name} n WHERE {' AND '.join(same)} {newest_first})"


def _remove_unchanged(cursor: Any, table: Table, *, later: bool) -> None:
    """Remove the incoming rows that equal the version of their entity at their time, or with `later` the next one."""
    name = identifier(table.name)
    time = "created_timestamp" if table.event_time else "event_timestamp"  # that of the upload
    same = [f"f.{identifier(key)} = i.{identifier(key)}" for key in table.keys]
    same += ["f.event_timestamp = i.event_timestamp"] if table.event_time else []
    versions = f"SELECT * FROM features.{name} f WHERE {' AND '.join(same)} AND f.{time}"
    order = "event_timestamp {0}, created_timestamp {0} LIMIT 1"
    neighbours = f"(({versions} <= i.{time} ORDER BY {order.format('DESC')})"
    neighbours += f" UNION ALL ({versions} > i.{time} ORDER BY {order.format('ASC')}))" if later else ")"
    labels = f" JOIN labels.{name} l ON {_same_row(table, 'l', 'f')}" if table.label_columns else ""
    known = "" if table.known_at in ("event_time", "load") else " AND f.created_timestamp = i.created_timestamp"
    cursor.execute(
        f"DELETE FROM {INCOMING} WHERE line IN (SELECT i.line FROM {TIMED} i CROSS JOIN LATERAL"
        f" {neighbours} f{labels} WHERE {_same_values(table)}{known})"
    )


def _remove_present(cursor: Any, table: Table, sha256: str) -> None:
    """Remove the rows that an earlier file brought from the incoming ones; reject those with other values."""
    labels = f" LEFT JOIN labels.{identifier(table.name)} l ON {_same_row(table, 'l')}" if table.label_columns else ""
    cursor.execute(
        f"CREATE TEMP TABLE present AS SELECT i.line, {key_text(table, 'i.')} AS key, f.line AS other,"
        f" {_same_values(table)} AS same FROM {TIMED} i JOIN features.{identifier(table.name)} f"
        f" ON {_same_row(table, 'f')} AND f.upload_sha256 <> {literal(sha256)}{labels}"
    )
    cursor.execute(
        f"INSERT INTO {REJECTED} SELECT line, $1::text, key,"
        f" 'key ' || key || ' {CONFLICT}"
        " on line ' || other || ' of an earlier file; a correction needs a later known time'"
        f" FROM {PRESENT} WHERE NOT same",
        (key_headers(table),),
    )
    cursor.execute(f"DELETE FROM {INCOMING} i USING {PRESENT} k WHERE k.line = i.line")


def remember_known_keys(cursor: Any, table: Table, sha256: str) -> int:
    """Create `KNOWN_KEYS`, those of the incoming rows that have rows from earlier files; return their number."""
    keys = " AND ".join(f"f.{identifier(key)} = i.{identifier(key)}" for key in table.keys)
    cursor.execute(
        f"CREATE TEMP TABLE known_keys AS SELECT * FROM (SELECT DISTINCT {key_list(table)} FROM {INCOMING}) i WHERE"
        f" EXISTS (SELECT FROM features.{identifier(table.name)} f WHERE {keys}"
        f" AND f.upload_sha256 <> {literal(sha256)})"
    )
    known: int = rows(cursor, f"SELECT count(*) FROM {KNOWN_KEYS}")[0][0]
    return known


def count_changed_keys(cursor: Any, table: Table) -> int:
    """Return how many known keys are still among the incoming rows."""
    keys = key_list(table)
    changed = f"SELECT {keys} FROM {KNOWN_KEYS} INTERSECT SELECT {keys} FROM {INCOMING}"
    count: int = rows(cursor, f"SELECT count(*) FROM ({changed}) changed")[0][0]
    return count
