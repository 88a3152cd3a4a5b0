"""The training set: its content, the hash that names it, and how a frozen one is read back."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from ml_platform import logs
from ml_platform.exceptions import ConfigurationError, RegistryError
from ml_platform.parsing.row_ids import value_digests
from ml_platform.specs.parts import Column
from ml_platform.specs.spec import ROW_ID, Dataset
from ml_platform.storage import object_store
from ml_platform.training.results import Source, TrainingSetReference

BUCKET = "mlflow"


@dataclass(frozen=True)
class TrainingSet:
    """A frozen training set.

    Attributes:
        dataset: the spec; it says what the columns mean.
        frame: key columns, `event_timestamp` (UTC), the features in the data set's order, withheld columns, the label
            column as the index of its class (int64) or its number (float64). Numeric and boolean columns are float64,
            categories are str; NaN is missing.
        classes: the values of the label as in the files; of two the negative one is first; none if it is a number.
        sha256: hash of the frame's content; names the file.
        uri: of the Parquet file.
        sources: object key, SHA-256 and number of rows of each upload.
    """

    dataset: Dataset
    frame: pd.DataFrame
    classes: tuple[str, ...]
    sha256: str
    uri: str
    sources: list[Source]


def frozen_prefix(dataset: Dataset) -> str:
    """Return the prefix of the keys of the data set's frozen training sets in the bucket `mlflow`."""
    return f"training_sets/{dataset.name}/"


def frozen_key(dataset: Dataset, sha256: str) -> str:
    """Return the key of a frozen training set in the bucket `mlflow`."""
    return key_of(dataset.name, sha256)


def key_of(name: str, sha256: str) -> str:
    """Return the key of a frozen training set in the bucket `mlflow`, by the name of its data set."""
    return f"training_sets/{name}/{sha256}.parquet"


def model_input(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Return only the features, in the data set's order and in the types that a model takes.

    Numeric and boolean columns become float64, categories objects of str; NaN is missing in both.
    """
    return typed(dataset.features, frame)


def withheld_values(dataset: Dataset, frame: pd.DataFrame) -> pd.DataFrame:
    """Return only the withheld columns, in the types of `model_input`."""
    return typed(dataset.withheld, frame)


def typed(columns: Mapping[str, Column], frame: pd.DataFrame) -> pd.DataFrame:
    """Return only these columns, in the types of `model_input`."""
    found: dict[str, pd.Series] = {}
    for name, column in columns.items():
        if column.type == "category":
            found[name] = frame[name].astype(object).where(frame[name].notna(), float("nan"))
        else:
            found[name] = frame[name].astype("float64")
    return pd.DataFrame(found, index=frame.index)


def entity_ids(dataset: Dataset, frame: pd.DataFrame) -> pd.Series:
    """Return one value per entity, shape (n_rows,): the key column, or the texts of several joined to one.

    Without a key, rows with the same features count as one entity: their value is the last part of their ids.
    """
    if not dataset.has_key:
        return value_digests(frame[ROW_ID])
    if len(dataset.keys) == 1:
        return frame[dataset.keys[0]]
    texts = [frame[key].astype(str) for key in dataset.keys]
    return texts[0].str.cat(pd.concat(texts[1:], axis=1), sep="\x1f")


def content_hash(frame: pd.DataFrame) -> str:
    """Return the SHA-256 of a frame's columns, types and values; the index does not count."""
    digest = hashlib.sha256(repr([(name, str(kind)) for name, kind in frame.dtypes.items()]).encode())
    digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def load(dataset: Dataset, reference: TrainingSetReference) -> TrainingSet:
    """Read a frozen training set back.

    Raises:
        RegistryError: the file is not the one that was frozen.
        ConfigurationError: the data set's YAML has changed since.
    """
    logs.bind(dataset=dataset.name)
    if reference.spec_sha256 != dataset.sha256:
        raise ConfigurationError(
            f"datasets/{dataset.name}.yaml has changed since the training set was frozen; start a new training"
        )
    uri = f"s3://{BUCKET}/{reference.key}"
    try:
        stored = pd.read_parquet(io.BytesIO(object_store.get(BUCKET, reference.key)))
        # Parquet returns a missing category as None, which scikit-learn's imputer treats as a value.
        frame = stored.assign(**model_input(dataset, stored), **withheld_values(dataset, stored))
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise RegistryError(f"{uri} is not the frozen training set: {error}") from error
    if (actual := content_hash(frame)) != reference.sha256:
        raise RegistryError(f"{uri}: content hash is {actual}, expected {reference.sha256}")
    return TrainingSet(dataset, frame, tuple(reference.classes), reference.sha256, uri, reference.sources)
