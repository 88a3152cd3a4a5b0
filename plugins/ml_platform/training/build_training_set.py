"""The point-in-time join: each label with the features that were known at its time, frozen as a file."""

import io
import logging
from collections import Counter
from collections.abc import Collection, Hashable, Mapping
from typing import Any

import pandas as pd

from ml_platform import logs
from ml_platform.evaluation.tasks import kind_of, task_of
from ml_platform.exceptions import DegenerateDataError
from ml_platform.feature_store import features
from ml_platform.ingestion.labels_alone import can_come, row_of_label, without_features
from ml_platform.parsing.labels import class_text, label_values
from ml_platform.specs.label_files import label_files
from ml_platform.specs.spec import Dataset
from ml_platform.storage import database, object_store
from ml_platform.storage.database import identifier
from ml_platform.storage.locks import lock
from ml_platform.storage.tables import ensure_tables, key_list
from ml_platform.training.results import Source, TrainingSetReference
from ml_platform.training.training_set import BUCKET, content_hash, frozen_key, model_input, withheld_values

log = logging.getLogger(__name__)

LABEL = "__label"  # holds the label during the join; afterwards the label column holds its class index or number
UPLOAD = "__upload"  # SHA-256 of the file that the label comes from
FEATURES_UPLOAD = "__features_upload"  # and of the one with the features that it is about, where that may be another
LINE = "__line"  # of the label in that file
MAX_ROWS_NAMED = 20  # in an error


def labels_query(dataset: Dataset, *, alone: bool = False) -> str:
    """Return the SQL of the label rows: the latest known label of each entity and event time.

    It also selects the columns on which other tables are joined, from the row of features that the label is about: by
    default the same row of the file.

    Args:
        dataset: the spec.
        alone: whether there can be labels that came without features. A label is then about the newest row of its
            entity that is not later. Without an event time, its event time becomes that of this row, and a label that
            was uploaded before any row is about the first one. Labels without such a row are left out.
    """
    keys, name = key_list(dataset, "l."), identifier(dataset.name)
    selected = "".join(
        f", {'l' if column in dataset.keys else 'f'}.{identifier(column)} AS {identifier(alias)}"
        for alias, column in dataset.join_columns.items()
    )
    source, time = f"labels.{name} l", "l.event_timestamp"
    if alone:
        source += f" CROSS JOIN LATERAL ({row_of_label(dataset)}) f"
        selected += f", f.upload_sha256 AS {FEATURES_UPLOAD}"
        time = "l.event_timestamp" if dataset.event_time else "f.event_timestamp"
    elif set(dataset.join_columns.values()) - set(dataset.keys):
        row = (*(identifier(key) for key in dataset.keys), "event_timestamp", "created_timestamp")
        source += f" JOIN features.{name} f ON {' AND '.join(f'f.{one} = l.{one}' for one in row)}"
    return f"""
        SELECT DISTINCT ON ({keys}, {time})
               {keys}, {time}, l.upload_sha256 AS {UPLOAD}, l.line AS {LINE},
               l.{identifier(dataset.label.column)} AS {LABEL}{selected}
        FROM {source}
        ORDER BY {keys}, {time}, l.created_timestamp DESC
    """  # noqa: S608 – names are quoted


def _unexpected(dataset: Dataset, rows: pd.DataFrame, texts: list[str]) -> str:
    """Return the error about rows whose label is none of these values: file, line, key and label of the first."""
    files = {sha256: key for key, sha256, _ in _ledger(dataset)}

    def line(row: dict[Hashable, Any]) -> str:
        keys = ", ".join(f"{dataset.header(key)} {row[key]}" for key in dataset.keys)
        return f"{files[row[UPLOAD]]}, line {row[LINE]} ({keys}): {class_text(row[LABEL])!r}"

    return "\n".join([
        f"{dataset.name}: {len(rows):,} rows have a label {dataset.label.column} beyond {' and '.join(texts)};"
        " name `positive` for two values, and all `classes` for more, or take the file back:"
        f" ./ml-platform uploads withdraw {dataset.name} ID --reason ...",
        *map(line, rows.head(MAX_ROWS_NAMED).to_dict("records")),
    ])  # fmt: skip


def build(dataset: Dataset) -> tuple[pd.DataFrame, list[str], dict[str, int]]:
    """Join the training set of a data set; the rows are sorted by key and event time.

    Returns:
        Frame and classes (see `training_set.TrainingSet`), and the number of rows whose label comes from each upload,
        by its SHA-256. It is 0 for an upload that has only the features of labels which came alone.

    Raises:
        DegenerateDataError: there are no labels yet, or none that could be joined with features, or the label has
            values that the spec does not name.
        ConfigurationError: the label column cannot hold a value that the spec names.
    """
    alone = can_come(dataset)
    waiting = _waiting_labels(dataset) if alone else 0
    if not database.fetch(f"SELECT FROM labels.{identifier(dataset.name)} OFFSET {waiting} LIMIT 1"):
        raise DegenerateDataError(_no_labels(dataset, waiting))
    if waiting:
        log.warning("%s: %s labels wait for features as of their time; they are left out", dataset.name, f"{waiting:,}")
    joined = features.historical_features(dataset, labels_query(dataset, alone=alone))
    joined = joined.sort_values([*dataset.keys, "event_timestamp"], ignore_index=True)
    times = joined["event_timestamp"].dt.tz_localize("UTC")  # Feast returns UTC without its time zone
    frame = joined[list(dataset.keys)].assign(event_timestamp=times)
    kind = kind_of(dataset.label)
    named, label = kind.encode(dataset.label, label_values(dataset), joined[LABEL])
    if (unexpected := label.isna()).any():
        raise DegenerateDataError(_unexpected(dataset, joined[unexpected], named))
    inputs = model_input(dataset, joined).drop(columns=list(dataset.entity.features))
    withheld = withheld_values(dataset, joined)
    labelled = pd.concat([frame, inputs, withheld, label.astype(kind.label_type).rename(dataset.label.column)], axis=1)
    return labelled, named, dict.fromkeys(joined.get(FEATURES_UPLOAD, ()), 0) | dict(Counter(joined[UPLOAD]))


def _no_labels(dataset: Dataset, waiting: int) -> str:
    training = dataset.inbox_pattern("train")
    if waiting:
        return f"{dataset.name}: all {waiting:,} labels wait for features as of their time; drop {training}"
    files = f"{label_files(dataset).inbox_pattern('train')} or {training} with" if dataset.label.late else training
    return f"{dataset.name}: no labelled rows are loaded; drop {files}{' labels' * dataset.label.late}"


def _waiting_labels(dataset: Dataset) -> int:
    """Return the number of labels that no row of features could be joined with."""
    statement = f"SELECT count(*) FROM labels.{identifier(dataset.name)} l WHERE {without_features(dataset, 'l')}"  # noqa: S608
    return int(database.fetch(statement)[0][0])


def freeze_lock(dataset: Dataset) -> str:
    """Return the name of the lock that a freezing shares, so that no entity is erased between its join and its file."""
    return f"freeze {dataset.name}"


def freeze(dataset: Dataset) -> TrainingSetReference:
    """Build the training set, write it once under its hash, and return its reference.

    Raises:
        DegenerateDataError: there are no labels yet.
        ConfigurationError: the label column cannot hold a value that the spec names, or a change of the spec is
            incompatible with rows already loaded.
    """
    logs.bind(dataset=dataset.name)
    ensure_tables(dataset)
    for table in dataset.tables:
        ensure_tables(table)
    features.apply(dataset)
    with database.transaction() as cursor:
        lock(cursor, freeze_lock(dataset), shared=True)
        frame, named, uploads = build(dataset)
        sha256 = content_hash(frame)
        key = frozen_key(dataset, sha256)
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        written = object_store.put_new(BUCKET, key, buffer.getvalue())
    _record_sources(dataset, sha256, uploads)
    task, labels = task_of(dataset, named), frame[dataset.label.column]
    log.info(
        "training set of %s: %s rows (%s), %d features as known at each label's event time; %s s3://%s/%s",
        dataset.name, f"{len(frame):,}",
        task.described(labels.to_numpy()),
        len(dataset.features), "frozen at" if written else "already frozen at", BUCKET, key,
    )  # fmt: skip
    return TrainingSetReference(
        dataset=dataset.name, spec_sha256=dataset.sha256, key=key, sha256=sha256, rows=len(frame),
        classes=named, class_rows=[int((labels == index).sum()) for index in range(len(named))],
        sources=sources(dataset, uploads),
    )  # fmt: skip


def _record_sources(dataset: Dataset, sha256: str, uploads: Mapping[str, int]) -> None:
    """Record of which uploads a training set was made, so that people who take one back see who was trained on it.

    Where features can come from other uploads than the label, as those of a joined table, all loaded ones are recorded.
    """
    tables = [table.name for table in dataset.tables]
    tables += [dataset.name] if dataset.known_at != "event_time" else []
    columns = "(dataset, training_set_sha256, upload_of, upload_sha256, rows)"
    with database.transaction() as cursor:
        cursor.execute(
            f"INSERT INTO uploads.training_sets {columns} SELECT $1, $2, $1, sha256, rows FROM"  # noqa: S608 – constants
            " unnest(string_to_array($3, ','), string_to_array($4, ',')::bigint[]) AS upload (sha256, rows)"
            " ON CONFLICT (dataset, training_set_sha256, upload_of, upload_sha256) DO UPDATE SET rows = excluded.rows",
            (dataset.name, sha256, ",".join(uploads), ",".join(map(str, uploads.values()))),
        )
        cursor.execute(
            f"INSERT INTO uploads.training_sets {columns} SELECT $1, $2, dataset, sha256, NULL"  # noqa: S608 – constants
            " FROM uploads.ledger WHERE dataset = ANY(string_to_array($3, ',')) AND purpose = 'train'"
            " ON CONFLICT DO NOTHING",
            (dataset.name, sha256, ",".join(tables)),
        )


def sources(dataset: Dataset, uploads: Collection[str]) -> list[Source]:
    """Return object key, SHA-256 and number of rows of these uploads, in the order of their claims."""
    return [
        Source(key=key, sha256=sha256, rows=loaded) for key, sha256, loaded in _ledger(dataset) if sha256 in uploads
    ]


def _ledger(dataset: Dataset) -> list[tuple[str, str, int]]:
    rows = database.fetch(
        "SELECT object_key, sha256, rows_loaded FROM uploads.ledger"
        " WHERE dataset = $1 AND purpose = 'train' ORDER BY claimed_at, sha256",
        dataset.name,
    )
    return [(key, sha256, loaded) for key, sha256, loaded in rows]
