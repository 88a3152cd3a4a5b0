# ruff: noqa: S608 – names go through identifier(); values are bound or quoted
"""Labels that come on their own: those of label files, and of rows whose features came before.

A label is a version of its own. What is newest for a key and an event time counts, as with features. Its features are
found when a training set is built. All of it runs in the transaction of the load.
"""

from typing import Any

from ml_platform.ingestion import insertion
from ml_platform.ingestion.staging import INCOMING, LABELS, REJECTED, TIMED, key_headers, key_text
from ml_platform.ingestion.upload_order import CONFLICT
from ml_platform.specs.label_files import LabelFiles, without_label
from ml_platform.specs.spec import LABEL_FOLDER, Dataset
from ml_platform.storage.database import fetch, identifier, literal, rows
from ml_platform.storage.tables import key_list

NAMED = 3  # keys that a warning names
_TIMES = ("event_timestamp", "created_timestamp")


def insert(cursor: Any, dataset: Dataset, sha256: str, *, later: bool = False) -> int:
    """Insert the labels of the incoming rows and, unless it is a label file, their features, each on its own.

    A row is present if an earlier file brought both with the same values. It is rejected if one of the two came with
    the same timestamps but other values. Afterwards the incoming rows are those of which something was new.

    Args:
        cursor: of the transaction of the load.
        dataset: the spec; of label files, or with a late label.
        sha256: of the upload.
        later: whether there can be versions from later uploads.

    Returns:
        The number of rows of which something was new.
    """
    _stage(cursor, dataset)
    if dataset.event_time:
        _remove_unchanged(cursor, dataset, later=later)
        _reject_conflicts(cursor, dataset, sha256)
    if isinstance(dataset, LabelFiles):
        cursor.execute(f"TRUNCATE {INCOMING}")
    else:
        _insert_features(cursor, dataset, sha256, later=later)
    if not dataset.event_time:  # whether a label is new depends on the rows of features, also those of this file
        _remove_unchanged(cursor, dataset, later=later)
    _insert(cursor, dataset, sha256)
    keys = key_list(dataset, "l.")
    cursor.execute(
        f"INSERT INTO {INCOMING} (line, {key_list(dataset)}) SELECT l.line, {keys} FROM {LABELS} l"
        f" WHERE NOT EXISTS (SELECT FROM {INCOMING} i WHERE i.line = l.line)"
    )
    count: int = rows(cursor, f"SELECT count(*) FROM {INCOMING}")[0][0]
    return count


def _insert_features(cursor: Any, dataset: Dataset, sha256: str, *, later: bool) -> None:
    """Insert the features; of a file that is loaded again, without the rows that it brought the first time."""
    same = [f"f.{column} = i.{column}" for column in (*map(identifier, dataset.keys), *_TIMES)]
    cursor.execute(
        f"DELETE FROM {INCOMING} WHERE line IN (SELECT i.line FROM {TIMED} i JOIN"
        f" features.{identifier(dataset.name)} f ON {' AND '.join(same)} AND f.upload_sha256 = {literal(sha256)})"
    )
    insertion.insert(cursor, without_label(dataset), sha256, later=later)
    cursor.execute(f"DELETE FROM {LABELS} WHERE line IN (SELECT line FROM {REJECTED})")


def _columns(dataset: Dataset) -> str:
    return "".join(f", {identifier(name)}" for name in dataset.label_columns)


def _stage(cursor: Any, dataset: Dataset) -> None:
    cursor.execute(
        f"CREATE TEMP TABLE incoming_labels AS SELECT line, {key_list(dataset)}, event_timestamp, created_timestamp"
        f"{_columns(dataset)} FROM {TIMED} WHERE {identifier(dataset.label.column)} IS NOT NULL"
    )


def _same_values(dataset: Dataset) -> str:
    """Return the SQL condition that the labels `l` and `i` are the same; leaks that a file lacks are no difference."""
    label, *leaks = map(identifier, dataset.label_columns)
    same = [
        f"l.{label} = i.{label}",
        *(f"coalesce(i.{leak} = l.{leak}, true)" for leak in leaks),
    ]
    return " AND ".join(same)


def _remove_unchanged(cursor: Any, dataset: Dataset, *, later: bool) -> None:
    """Remove the labels that equal the version known at their time, or with `later` the next one.

    Without an event time, a label is about the newest row of its key: it is new if newer features came since.
    """
    name, keys = identifier(dataset.name), [identifier(key) for key in dataset.keys]
    time = "created_timestamp" if dataset.event_time else "event_timestamp"
    same = [f"l.{key} = i.{key}" for key in keys] + ["l.event_timestamp = i.event_timestamp"] * bool(dataset.event_time)
    versions = f"SELECT * FROM labels.{name} l WHERE {' AND '.join(same)} AND l.{time}"
    order = "event_timestamp {0}, created_timestamp {0} LIMIT 1"
    neighbours = f"({versions} <= i.{time} ORDER BY {order.format('DESC')})"
    if not isinstance(dataset, LabelFiles) and dataset.event_time:  # a label file may have corrected it
        newest = f"SELECT * FROM labels.{name} l WHERE {' AND '.join(same)} ORDER BY l.created_timestamp DESC LIMIT 1"
        neighbours += f" UNION ALL ({newest})"
    if later:
        neighbours += f" UNION ALL ({versions} > i.{time} ORDER BY {order.format('ASC')})"
    newer = "".join(f" AND f.{key} = i.{key}" for key in keys)
    between = (
        f" AND NOT EXISTS (SELECT FROM features.{name} f WHERE f.event_timestamp > least(l.event_timestamp,"
        f" i.event_timestamp) AND f.event_timestamp <= greatest(l.event_timestamp, i.event_timestamp){newer})"
    )
    cursor.execute(
        f"DELETE FROM {LABELS} WHERE line IN (SELECT i.line FROM {LABELS} i CROSS JOIN LATERAL ({neighbours}) l"
        f" WHERE {_same_values(dataset)}{'' if dataset.event_time else between})"
    )


def _reject_conflicts(cursor: Any, dataset: Dataset, sha256: str) -> None:
    """Reject rows whose label came with the same timestamps but another value."""
    columns = (*map(identifier, dataset.keys), "event_timestamp", "created_timestamp")
    same = " AND ".join(f"l.{column} = i.{column}" for column in columns)
    cursor.execute(
        f"INSERT INTO {REJECTED} SELECT i.line, $1::text, {key_text(dataset, 'i.')}, 'the label of key ' ||"
        f" {key_text(dataset, 'i.')} || ' {CONFLICT} on line ' || l.line || ' of an earlier file; a label file corrects"
        f" it' FROM {LABELS} i JOIN labels.{identifier(dataset.name)} l ON {same}"
        f" AND l.upload_sha256 <> {literal(sha256)}",
        (key_headers(dataset),),
    )
    for table in (LABELS, INCOMING):
        cursor.execute(f"DELETE FROM {table} i USING {REJECTED} w WHERE w.line = i.line")


def _insert(cursor: Any, dataset: Dataset, sha256: str) -> None:
    target = f"{key_list(dataset)}, event_timestamp, created_timestamp"
    columns = _columns(dataset)
    cursor.execute(
        f"INSERT INTO labels.{identifier(dataset.name)} ({target}, upload_sha256, line{columns})"
        f" SELECT {target}, $1::text, line{columns} FROM {LABELS} ORDER BY {target} ON CONFLICT ({target}) DO NOTHING",
        (sha256,),
    )


def without_features(dataset: Dataset, label: str) -> str:
    """Return the SQL condition that there are no features yet that a label could be joined with.

    Args:
        dataset: the spec.
        label: the alias of the row with key and event time of the label.
    """
    found = [f"f.{identifier(key)} = {label}.{identifier(key)}" for key in dataset.keys]
    found += [f"f.{time} <= {label}.event_timestamp" for time in _TIMES] if dataset.event_time else []
    return f"NOT EXISTS (SELECT FROM features.{identifier(dataset.name)} f WHERE {' AND '.join(found)})"


def waiting_warning(cursor: Any, dataset: Dataset) -> str:
    """Return a warning about the new labels that have no features yet; "" if all have.

    Args:
        cursor: of the transaction of the load, after the labels were inserted.
        dataset: the spec.
    """
    found = rows(
        cursor,
        f"SELECT line, {key_text(dataset, 'l.')}, count(*) OVER () FROM {LABELS} l"
        f" WHERE {without_features(dataset, 'l')} ORDER BY line LIMIT {NAMED}",
    )
    if not found:
        return ""
    count = found[0][2]
    named = ", ".join(f"{key} (line {line})" for line, key, _ in found)
    then = " that was known at the time of the label" if dataset.event_time else ""
    return (
        f"{count:,} label{'s' if count > 1 else ''} wait{'s' * (count == 1)} for features: no row with the same "
        f"{key_headers(dataset)}{then} is loaded: {named}{' and others' if count > NAMED else ''}"
    )


def row_of_label(dataset: Dataset) -> str:
    """Return the SQL of the row of features `f` that the label `l` is about: the newest that was true and known then.

    Without an event time, a label that was uploaded before any row of its key is about the first one.
    """
    same = " AND ".join(f"f.{identifier(key)} = l.{identifier(key)}" for key in dataset.keys)
    of_entity = f"SELECT f.* FROM features.{identifier(dataset.name)} f WHERE {same} AND f.event_timestamp"
    newest_first = "ORDER BY f.event_timestamp DESC, f.created_timestamp DESC LIMIT 1"
    if dataset.event_time:
        return f"{of_entity} <= l.event_timestamp AND f.created_timestamp <= l.event_timestamp {newest_first}"
    newest = f"{of_entity} <= l.event_timestamp {newest_first}"
    first = f"{of_entity} > l.event_timestamp ORDER BY f.event_timestamp, f.created_timestamp LIMIT 1"
    return f"SELECT * FROM (({newest}) UNION ALL ({first})) f ORDER BY f.event_timestamp LIMIT 1"


def can_come(dataset: Dataset) -> bool:
    """Return whether labels can have come apart from features: from label files, as answers, or because they come late.

    That they come late may also be said by an earlier version of the spec.
    """
    return dataset.label.late or bool(
        fetch(
            "SELECT FROM uploads.ledger WHERE dataset = $1 AND purpose = 'train'"
            " AND (starts_with(object_key, $2) OR starts_with(object_key, $3))"
            " UNION ALL SELECT FROM uploads.specs WHERE name = $1 AND spec->'label'->>'late' = 'true' LIMIT 1",
            *(dataset.name, LABEL_FOLDER, dataset.answer_prefix),
        )
    )


def new_rows(cursor: Any, dataset: Dataset, run_id: str) -> int:
    """Return how many labels are new to a training, or their features are, because of the files that a run announces.

    Args:
        cursor: of the transaction that marks these files as announced.
        dataset: the spec.
        run_id: of the DAG run.
    """
    count: int = rows(
        cursor,
        "WITH new AS (SELECT sha256 FROM uploads.ledger WHERE dataset = $1 AND purpose = 'train' AND announced_in = $2)"
        f" SELECT count(*) FROM labels.{identifier(dataset.name)} l CROSS JOIN LATERAL ({row_of_label(dataset)}) f"
        " WHERE l.upload_sha256 IN (SELECT sha256 FROM new) OR f.upload_sha256 IN (SELECT sha256 FROM new)",
        *(dataset.name, run_id),
    )[0][0]
    return count
