"""The training set: the labels with the features known at their time, frozen under a content hash."""

import hashlib
import io
import logging
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from ml_platform import database, features, objects
from ml_platform.database import identifier
from ml_platform.datasets import Dataset
from ml_platform.exceptions import DegenerateDataError, RegistryError

log = logging.getLogger(__name__)

BUCKET = "mlflow"
LABEL = "__label"  # the 0/1 column while Feast joins; takes the label column's own name afterwards


@dataclass(frozen=True)
class TrainingSet:
    """A frozen training set.

    Attributes:
        dataset: what the columns mean.
        frame: entity key, `event_timestamp`, the features in the data set's order, the label column as 0/1.
            Numeric and boolean features are float64, categories are str; NaN is missing.
        sha256: hash of the frame's content; names the file.
        uri: where the Parquet lies.
        sources: per upload the object key, the SHA-256 of its bytes and its rows.
    """

    dataset: Dataset
    frame: pd.DataFrame
    sha256: str
    uri: str
    sources: list[dict[str, Any]]


@dataclass(frozen=True)
class Reference:
    """What travels between tasks in place of the frame."""

    dataset: str
    key: str
    sha256: str
    rows: int
    positives: int
    sources: list[dict[str, Any]]


def model_input(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Return only the features, in the data set's order, as a model takes them.

    Numeric and boolean columns become float64, categories objects of str; NaN is missing in both.
    """
    columns: dict[str, pd.Series] = {}
    for name, column in dataset.features.items():
        if column.type == "category":
            columns[name] = frame[name].astype(object).where(frame[name].notna(), float("nan"))
        else:
            columns[name] = frame[name].astype("float64")
    return pd.DataFrame(columns, index=frame.index)


def content_hash(frame: pd.DataFrame) -> str:
    """Return the SHA-256 of a frame's columns, types and values; the index does not count."""
    digest = hashlib.sha256(repr([(name, str(kind)) for name, kind in frame.dtypes.items()]).encode())
    digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return digest.hexdigest()


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
    """Build the training set, write it once under its hash, and return its `Reference` as a dict.

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


def load(dataset: Dataset, reference: dict[str, Any]) -> TrainingSet:
    """Read a frozen training set back.

    Raises:
        RegistryError: what lies there is not what was frozen.
    """
    wanted = Reference(**reference)
    frame = pd.read_parquet(io.BytesIO(objects.get(BUCKET, wanted.key)))
    if (found := content_hash(frame)) != wanted.sha256:
        raise RegistryError(f"s3://{BUCKET}/{wanted.key}: content hash is {found}, frozen was {wanted.sha256}")
    return TrainingSet(dataset, frame, wanted.sha256, f"s3://{BUCKET}/{wanted.key}", wanted.sources)


def sources(dataset: Dataset) -> list[dict[str, Any]]:
    """Return the uploads whose labels are in the training set: object key, SHA-256 and rows loaded."""
    rows = database.fetch(
        "SELECT object_key, sha256, rows_loaded FROM uploads.ledger"
        " WHERE dataset = $1 AND purpose = 'train' AND rows_loaded > 0 ORDER BY claimed_at",
        dataset.name,
    )
    return [{"key": key, "sha256": sha256, "rows": loaded} for key, sha256, loaded in rows]
