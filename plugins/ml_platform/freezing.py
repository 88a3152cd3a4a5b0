"""The point-in-time join: each label with the features that were known at its time, frozen for good."""

import io
import logging
from dataclasses import asdict
from typing import Any

import pandas as pd

from ml_platform import database, features, objects
from ml_platform.database import identifier
from ml_platform.datasets import Dataset
from ml_platform.exceptions import DegenerateDataError
from ml_platform.training_set import BUCKET, Reference, content_hash, model_input

log = logging.getLogger(__name__)

LABEL = "__label"  # the 0/1 column while Feast joins; takes the label column's own name afterwards


def labels_query(dataset: Dataset) -> str:
    """Return the SQL of the label rows: one per entity and event time, the latest known of each."""
    key, label = identifier(dataset.entity.key), identifier(dataset.label.column)
    return f"""
        SELECT DISTINCT ON ({key}, event_timestamp)
               {key}, event_timestamp,
               ({label}::text = {database.literal(str(dataset.label.positive))})::int AS {LABEL}
        FROM labels.{identifier(dataset.name)}
        ORDER BY {key}, event_timestamp, created_timestamp DESC
    """  # noqa: S608 – identifiers and the one literal are quoted


def build(dataset: Dataset) -> pd.DataFrame:
    """Join the training set of a data set; the order of the rows does not depend on the join's.

    Raises:
        DegenerateDataError: there are no labels yet.
    """
    joined = features.historical_features(dataset, labels_query(dataset))
    if joined.empty:
        raise DegenerateDataError(f"{dataset.name}: no labelled rows are loaded; drop {dataset.inbox_pattern('train')}")
    joined = joined.sort_values([dataset.entity.key, "event_timestamp"], ignore_index=True)
    frame = joined[[dataset.entity.key, "event_timestamp"]]
    label = joined[LABEL].astype("int64").rename(dataset.label.column)
    return pd.concat([frame, model_input(dataset, joined), label], axis=1)


def freeze(dataset: Dataset) -> dict[str, Any]:
    """Build the training set, write it once under its hash, and return its `training_set.Reference` as a dict.

    Raises:
        DegenerateDataError: there are no labels yet.
    """
    database.ensure_tables(dataset)
    features.apply(dataset)
    frame = build(dataset)
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
    return asdict(Reference(dataset.name, key, sha256, len(frame), positives, sources(dataset)))


def sources(dataset: Dataset) -> list[dict[str, Any]]:
    """Return the uploads whose labels are in the training set: object key, SHA-256 and rows loaded."""
    rows = database.fetch(
        "SELECT object_key, sha256, rows_loaded FROM uploads.ledger"
        " WHERE dataset = $1 AND purpose = 'train' AND rows_loaded > 0 ORDER BY claimed_at",
        dataset.name,
    )
    return [{"key": key, "sha256": sha256, "rows": loaded} for key, sha256, loaded in rows]
