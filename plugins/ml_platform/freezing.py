"""The point-in-time join: each label with the features that were known at its time, frozen for good."""

import io
import logging
from collections.abc import Collection
from dataclasses import asdict
from typing import Any

import pandas as pd
import pyarrow as pa

from ml_platform import database, features, objects
from ml_platform.conversion import convert
from ml_platform.database import identifier
from ml_platform.exceptions import ConfigurationError, DegenerateDataError
from ml_platform.spec import Dataset
from ml_platform.training_set import BUCKET, Reference, content_hash, model_input

log = logging.getLogger(__name__)

LABEL = "__label"  # the 0/1 column while Feast joins; takes the label column's own name afterwards
UPLOAD = "__upload"  # SHA-256 of the file that brought the label


def positive(dataset: Dataset) -> str:
    """Return the SQL of the label's positive value, read as a cell of a file would be.

    Raises:
        ConfigurationError: no cell of the label column can hold it.
    """
    name, value = dataset.label.column, str(dataset.label.positive)
    values, reasons = convert(pa.array([value]), dataset.columns[name], required=True)
    if reasons:
        raise ConfigurationError(f"datasets/{dataset.name}.yaml: label.positive is {value!r}: {reasons[0]}")
    return f"{database.literal(str(values[0].as_py()))}::{database.sql_types(dataset)[name]}"


def labels_query(dataset: Dataset) -> str:
    """Return the SQL of the label rows: one per entity and event time, the latest known of each."""
    key, label = identifier(dataset.entity.key), identifier(dataset.label.column)
    return f"""
        SELECT DISTINCT ON ({key}, event_timestamp)
               {key}, event_timestamp, upload_sha256 AS {UPLOAD},
               ({label} = {positive(dataset)})::int AS {LABEL}
        FROM labels.{identifier(dataset.name)}
        ORDER BY {key}, event_timestamp, created_timestamp DESC
    """  # noqa: S608 – identifiers and the one literal are quoted


def build(dataset: Dataset) -> tuple[pd.DataFrame, set[str]]:
    """Join the training set of a data set; the order of the rows does not depend on the join's.

    Returns:
        The frame, as `training_set.TrainingSet` describes it, and the SHA-256 of each upload whose labels are in it.

    Raises:
        DegenerateDataError: there are no labels yet.
    """
    if not database.fetch(f"SELECT FROM labels.{identifier(dataset.name)} LIMIT 1"):
        raise DegenerateDataError(f"{dataset.name}: no labelled rows are loaded; drop {dataset.inbox_pattern('train')}")
    joined = features.historical_features(dataset, labels_query(dataset))
    joined = joined.sort_values([dataset.entity.key, "event_timestamp"], ignore_index=True)
    at = joined["event_timestamp"].dt.tz_localize("UTC")  # which Feast means, but does not say
    frame = joined[[dataset.entity.key]].assign(event_timestamp=at)
    label = joined[LABEL].astype("int64").rename(dataset.label.column)
    return pd.concat([frame, model_input(dataset, joined), label], axis=1), set(joined[UPLOAD])


def freeze(dataset: Dataset) -> dict[str, Any]:
    """Build the training set, write it once under its hash, and return its `training_set.Reference` as a dict.

    Raises:
        DegenerateDataError: there are no labels yet.
        ConfigurationError: the label's positive value is none that the label column can hold.
    """
    database.ensure_tables(dataset)
    features.apply(dataset)
    frame, uploads = build(dataset)
    sha256 = content_hash(frame)
    key = f"training_sets/{dataset.name}/{sha256}.parquet"
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    written = objects.put_new(BUCKET, key, buffer.getvalue())
    positives = int(frame[dataset.label.column].sum())
    log.info(
        "training set of %s: %s rows, %s positive (%.1f %%), %d features as known at each label's time; %s s3://%s/%s",
        dataset.name, f"{len(frame):,}", f"{positives:,}", 100 * positives / len(frame), len(dataset.features),
        "frozen at" if written else "already frozen at", BUCKET, key,
    )  # fmt: skip
    return asdict(Reference(dataset.name, key, sha256, len(frame), positives, sources(dataset, uploads)))


def sources(dataset: Dataset, uploads: Collection[str]) -> list[dict[str, Any]]:
    """Return object key, SHA-256 and rows loaded of those uploads, in the order of their claims."""
    rows = database.fetch(
        "SELECT object_key, sha256, rows_loaded FROM uploads.ledger"
        " WHERE dataset = $1 AND purpose = 'train' ORDER BY claimed_at, sha256",
        dataset.name,
    )
    return [{"key": key, "sha256": sha256, "rows": loaded} for key, sha256, loaded in rows if sha256 in uploads]
