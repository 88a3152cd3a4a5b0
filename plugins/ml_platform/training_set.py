"""The training set: what it holds, the hash that names it, and how a frozen one is read back."""

import hashlib
import io
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from ml_platform import objects
from ml_platform.datasets import Dataset
from ml_platform.exceptions import RegistryError

BUCKET = "mlflow"


@dataclass(frozen=True)
class TrainingSet:
    """A frozen training set.

    Attributes:
        dataset: what the columns mean.
        frame: entity key, `event_timestamp` (UTC), the features in the data set's order, the label column as 0/1.
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


def load(dataset: Dataset, reference: dict[str, Any]) -> TrainingSet:
    """Read a frozen training set back.

    Raises:
        RegistryError: what lies there is not what was frozen.
    """
    wanted = Reference(**reference)
    uri = f"s3://{BUCKET}/{wanted.key}"
    try:
        stored = pd.read_parquet(io.BytesIO(objects.get(BUCKET, wanted.key)))
        # Parquet brings a missing category back as None, which scikit-learn's imputer takes for a value.
        frame = stored.assign(**model_input(dataset, stored))
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise RegistryError(f"{uri} is not the training set that was frozen: {error}") from error
    if (found := content_hash(frame)) != wanted.sha256:
        raise RegistryError(f"{uri}: content hash is {found}, frozen was {wanted.sha256}")
    return TrainingSet(dataset, frame, wanted.sha256, uri, wanted.sources)
