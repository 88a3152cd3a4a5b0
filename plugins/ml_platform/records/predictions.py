"""The log of predictions as people read it: how many there were, what they said, and all about one entity."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from ml_platform.exceptions import ContractError
from ml_platform.files.formats import display_text
from ml_platform.monitoring.late_truth import label_of_row
from ml_platform.parsing.conversion import convert
from ml_platform.parsing.labels import class_text
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import fetch, rows, transaction
from ml_platform.storage.tables import existing_columns

MOST_ROWS = 50_000  # whose values are counted: the newest of a period
BINS = 20
MOST_OF_AN_ENTITY = 200
Step = Literal["hour", "day"]


@dataclass(frozen=True)
class Volume:
    """How many rows a version predicted in an hour or a day.

    Attributes:
        at: its beginning, in UTC.
        version: of the model.
        source: batch (files), http or stream.
        rows: number of predictions.
    """

    at: datetime
    version: int
    source: str
    rows: int


@dataclass(frozen=True)
class Bin:
    """How many values are from `low` to `high`."""

    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class Distribution:
    """What was predicted in a period.

    Attributes:
        rows: number of predictions that were counted: the newest, `MOST_ROWS` at most.
        classes: how often each class was predicted; empty if the label is a number.
        bins: of the probability or, if the label is a number, of the number.
    """

    rows: int
    classes: Mapping[str, int]
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class Prediction:
    """A prediction about an entity.

    Attributes:
        version: of the model.
        source: batch (a file), http or stream.
        requested_at: when its row was uploaded or sent.
        event_time: of the row.
        prediction: the class or the number, as a text.
        probability: of the positive class, or of the predicted one; None if the label is a number.
        low: low end of the interval around a number.
        high: its high end.
        result_key: of the result file; None if it is in none.
        truth: the label as it is now, as a text; None if it is not known.
        truth_at: when the label was loaded.
    """

    version: int
    source: str
    requested_at: datetime
    event_time: datetime
    prediction: str
    probability: float | None
    low: float | None
    high: float | None
    result_key: str | None
    truth: str | None = None
    truth_at: datetime | None = None

    @property
    def is_truth_late(self) -> bool:
        """Whether the label came after the prediction, so that the model cannot have been trained on it."""
        return self.truth_at is not None and self.truth_at > self.requested_at


_VOLUMES = (
    "SELECT date_bin($3::text::interval, requested_at, '2000-01-01T00:00Z'), model_version, source, count(*)"
    " FROM predictions.log WHERE model = $1 AND requested_at >= $2::text::timestamptz GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
)
_VALUES = (
    "SELECT probability, prediction FROM predictions.log"
    " WHERE model = $1 AND requested_at >= $2::text::timestamptz AND $3::int IN (0, model_version)"
    " ORDER BY requested_at DESC LIMIT $4::int"
)
_COLUMNS = (
    "p.model_version, p.source, p.requested_at, p.event_time, p.prediction, p.probability, p.low, p.high, p.result_key"
)
_OF_AN_ENTITY = (
    "SELECT l.*, l.requested_at AS predicted_at FROM predictions.log l"
    " WHERE l.entity_key = $2::text::jsonb AND l.model = $1 ORDER BY l.requested_at DESC LIMIT $3::int"
)


def volumes(model: str, since: datetime, step: Step) -> list[Volume]:
    """Return how many predictions there were per hour or day, version and source, the oldest first."""
    return [Volume(*row) for row in fetch(_VOLUMES, model, since.isoformat(), f"1 {step}")]


def distribution(dataset: Dataset, since: datetime, version: int = 0) -> Distribution:
    """Return what was predicted since a moment; by all versions, or by one."""
    with transaction() as cursor:
        cursor.execute(_VALUES, (dataset.name, since.isoformat(), version, MOST_ROWS))
        found = cursor.fetch_arrow_table()
    if dataset.label.kind == "number":
        return Distribution(found.num_rows, {}, _bins(found["prediction"].cast(pa.float64()), None))
    classes = Counter(found["prediction"].to_pylist())
    return Distribution(found.num_rows, dict(classes.most_common()), _bins(found["probability"], (0.0, 1.0)))


def _bins(values: pa.ChunkedArray, ends: tuple[float, float] | None) -> tuple[Bin, ...]:
    counts, edges = np.histogram(values.drop_null().to_numpy(), bins=BINS, range=ends)
    return tuple(map(Bin, edges[:-1].tolist(), edges[1:].tolist(), counts.tolist())) if counts.sum() else ()


def entity_key(dataset: Dataset, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return a typed key.

    Args:
        dataset: the spec.
        texts: by key column, as in the files; rows without a key have `row_id`.

    Raises:
        ContractError: a text is no value of its column.
    """
    key = {}
    for name, column in dataset.key_columns.items():
        unlimited = column.model_copy(update={"min": None, "max": None, "values": None})  # as under an earlier spec
        values, reasons = convert(pa.array([texts[name]]), unlimited, required=True, missing=dataset.missing)
        if reasons:
            raise ContractError(f"{dataset.header(name)} {display_text(texts[name])!r}: {reasons[0]}")
        key[name] = values[0].as_py()
    return key


def of_entity(dataset: Dataset, key: Mapping[str, Any]) -> list[Prediction]:
    """Return the predictions about an entity, `MOST_OF_AN_ENTITY` at most, the newest first, each with the truth.

    Args:
        dataset: the spec in `datasets/*.yaml`.
        key: as `entity_key` returns it.
    """
    with transaction() as cursor:
        has_labels = dataset.label.column in existing_columns(cursor, "labels", dataset.name)
        found = rows(
            cursor, _with_truth(dataset) if has_labels else _without_truth(),
            *(dataset.name, json.dumps(dict(key)), MOST_OF_AN_ENTITY),
        )  # fmt: skip
    return [_prediction(row) for row in found]


def _prediction(row: tuple[Any, ...]) -> Prediction:
    *logged, label, at = row
    values = (*logged, None if label is None else class_text(label), at)
    return Prediction(*values)


def _without_truth() -> str:
    return f"SELECT {_COLUMNS}, NULL, NULL FROM ({_OF_AN_ENTITY}) p"  # noqa: S608 – constants


def _with_truth(dataset: Dataset) -> str:
    return f"""
WITH loaded AS (SELECT sha256, claimed_at FROM uploads.ledger WHERE dataset = $1 AND purpose = 'train')
SELECT {_COLUMNS}, t.label, t.claimed_at FROM ({_OF_AN_ENTITY}) p LEFT JOIN {label_of_row(dataset)} t ON true
ORDER BY p.requested_at DESC"""  # noqa: S608 – quoted names
