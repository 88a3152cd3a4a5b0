# ruff: noqa: S608 – names go through identifier(); values are bound
"""The label values of a data set whose spec names only the positive one: two in all, over all its files."""

from typing import Any

from ml_platform.parsing.labels import class_text, label_values
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import identifier, rows, transaction
from ml_platform.storage.locks import lock
from ml_platform.storage.tables import existing_columns


def reject_third_values(cursor: Any, dataset: Dataset, incoming: str, rejected: str) -> None:
    """Reject the incoming rows with a third label value, where the spec names only the positive one.

    The other value is the most frequent one of the rows already loaded; in the first file, that of its own rows.

    Args:
        cursor: of the transaction that loads the file.
        dataset: the spec.
        incoming: the temporary table of the good rows.
        rejected: the temporary table of the bad values.

    Raises:
        ConfigurationError: the label column cannot hold the positive value.
    """
    (positive,) = label_values(dataset)
    label, loaded = identifier(dataset.label.column), f"labels.{identifier(dataset.name)}"
    found = [
        value for (value,) in rows(cursor, f"SELECT DISTINCT {label} FROM {incoming} WHERE {label} <> $1", positive)
    ]
    known = rows(cursor, f"SELECT {label} FROM {loaded} WHERE {label} <> $1 LIMIT 1", positive)
    if all((value,) in known for value in found):
        return
    # Two files that are loaded at once must not decide differently what the other value is.
    lock(cursor, f"label values of {dataset.name}")
    negative = _most_frequent(cursor, loaded, label, positive) or _most_frequent(cursor, incoming, label, positive)
    other, named = class_text(negative[0]), class_text(positive)
    reason = (
        f"not allowed; allowed are {other}, {named}: datasets/{dataset.name}.yaml names {named}, and {other} is the"
        " other value so far; if the label has more than two, name all `classes` there"
    )
    cursor.execute(
        f"INSERT INTO {rejected} SELECT line, $3::text, {label}::text, $4::text FROM {incoming}"
        f" WHERE {label} NOT IN ($1, $2)",
        (positive, negative[0], dataset.header(dataset.label.column), reason),
    )
    cursor.execute(f"DELETE FROM {incoming} WHERE {label} NOT IN ($1, $2)", (positive, negative[0]))


def loaded_other_value(dataset: Dataset) -> str | None:
    """Return the other value of a label of which the spec names only the positive one, as the loaded rows have it.

    Raises:
        ConfigurationError: the label column cannot hold the positive value.
        ServiceError: Postgres is not available.
    """
    (positive,) = label_values(dataset)
    label, loaded = identifier(dataset.label.column), f"labels.{identifier(dataset.name)}"
    with transaction() as cursor:
        if dataset.label.column not in existing_columns(cursor, "labels", dataset.name):
            return None
        other = _most_frequent(cursor, loaded, label, positive)
    return class_text(other[0]) if other else None


def _most_frequent(cursor: Any, table: str, label: str, positive: Any) -> tuple[Any, ...]:
    """Return the most frequent value but the positive one, of several the first by line; () if there is none."""
    found = rows(
        cursor,
        f"SELECT {label} FROM {table} WHERE {label} <> $1 GROUP BY {label} ORDER BY count(*) DESC, min(line) LIMIT 1",
        positive,
    )
    return found[0] if found else ()
