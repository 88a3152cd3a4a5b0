"""Predictions beside the truth that came later: whether probabilities are rates, and numbers are right on average."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from ml_platform.evaluation.calibration import calibration_error
from ml_platform.monitoring.late_truth import LOADED, SCORED_AT, truth
from ml_platform.parsing.labels import class_text
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import rows, transaction
from ml_platform.storage.tables import existing_columns

MOST_ROWS = 5_000  # predictions that are looked at: the newest that labels can have come for
GROUPS = 10
LEAST_ROWS = 20  # of a group
CONFIDENCE = 0.9


@dataclass(frozen=True)
class Group:
    """Rows with similar predictions.

    Attributes:
        predicted: mean of the probabilities or of the numbers.
        actual: share of rows for which it came true, or mean of the true numbers.
        low: low end of the 90 % interval of `actual`.
        high: its high end.
        rows: number of rows.
    """

    predicted: float
    actual: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class Calibration:
    """How well the predictions of a version agree with the truth that came later.

    Attributes:
        considered: number of predictions that were looked at, `MOST_ROWS` at most.
        judged: how many of them have a truth that came later.
        groups: of them, by rising prediction; each with an equal number of rows.
        error: mean distance of probability and rate, or mean absolute error of numbers; NaN without a truth.
        coverage: share of true numbers inside their intervals; None for classes.
    """

    considered: int
    judged: int
    groups: tuple[Group, ...]
    error: float
    coverage: float | None


def calibration(dataset: Dataset, version: int, since: datetime) -> Calibration:
    """Return how a version's predictions since a moment agree with the truth.

    The rules are those of the check of performance (`monitoring/late_truth.py`): labels that were loaded before the
    prediction, or that people were asked for, do not count, and of several predictions for a row the first does.

    Raises:
        ServiceError: Postgres failed.
    """
    with transaction() as cursor:
        if dataset.label.column not in existing_columns(cursor, "labels", dataset.name):
            return Calibration(0, 0, (), float("nan"), None)
        found = rows(cursor, _statement(dataset), dataset.name, version, since.isoformat())
    judged = [row for row in found if row[0] is not None]
    is_number = dataset.label.kind == "number"
    compared = _numbers(judged) if is_number else _events(dataset, judged)
    return _compared(len(found), *compared, is_number=is_number)


def _statement(dataset: Dataset) -> str:
    return f"""
WITH loaded AS ({LOADED}
), newest AS (
    SELECT * FROM predictions.log WHERE model = $1 AND model_version = $2::int
    AND requested_at >= $3::text::timestamptz AND requested_at < (SELECT max(claimed_at) FROM loaded)
    ORDER BY requested_at DESC LIMIT {MOST_ROWS}
), predicted AS (
    SELECT DISTINCT ON (entity_key, event_time) n.*, coalesce(f.arrived_at, n.requested_at) AS predicted_at
    FROM newest n LEFT JOIN ({SCORED_AT}) f USING (result_key) ORDER BY entity_key, event_time, predicted_at
)
SELECT t.label, p.prediction, p.probability, p.low, p.high
FROM predicted p LEFT {truth(dataset)}"""  # noqa: S608 – quoted names


Pairs = tuple[NDArray[np.float64], NDArray[np.float64], float | None]  # predicted, actual, and the coverage


def _numbers(judged: list[tuple[float, str, None, float, float]]) -> Pairs:
    actual = np.array([row[0] for row in judged], dtype=np.float64)
    predicted = np.array([row[1] for row in judged], dtype=np.float64)
    low, high = (np.array([row[place] for row in judged], dtype=np.float64) for place in (3, 4))
    inside = (low <= actual) & (actual <= high)
    return predicted, actual, float(inside.mean()) if len(judged) else None


def _events(dataset: Dataset, judged: list[tuple[object, str, float, None, None]]) -> Pairs:
    """Return the logged probabilities, and 1 where what they are about has happened: see `Task.events`."""
    positive = None if dataset.label.positive is None else class_text(dataset.label.positive)
    happened = [class_text(label) == (positive or prediction) for label, prediction, *_ in judged]
    probabilities = [row[2] for row in judged]
    return np.array(probabilities, dtype=np.float64), np.array(happened, dtype=np.float64), None


def _compared(
    considered: int,
    predicted: NDArray[np.float64],
    actual: NDArray[np.float64],
    coverage: float | None,
    *,
    is_number: bool,
) -> Calibration:
    if not len(predicted):
        return Calibration(considered, 0, (), float("nan"), None)
    groups = min(GROUPS, max(1, len(predicted) // LEAST_ROWS))
    parts = np.array_split(np.argsort(predicted, kind="stable"), groups)
    return Calibration(
        considered,
        len(predicted),
        tuple(_group(predicted[part], actual[part], is_number=is_number) for part in parts),
        float(np.abs(predicted - actual).mean())
        if is_number
        else calibration_error(actual.astype(np.int64), predicted),
        coverage,
    )


def _group(predicted: NDArray[np.float64], actual: NDArray[np.float64], *, is_number: bool) -> Group:
    mean, count = float(actual.mean()), len(actual)
    low, high = _mean_interval(actual) if is_number else _share_interval(int(actual.sum()), count)
    return Group(float(predicted.mean()), mean, low, high, count)


def _share_interval(events: int, count: int) -> tuple[float, float]:
    """Return the exact interval of a rate, of Clopper and Pearson (1934)."""
    tail = (1 - CONFIDENCE) / 2
    low = float(beta.ppf(tail, events, count - events + 1)) if events else 0.0
    return low, float(beta.ppf(1 - tail, events + 1, count - events)) if events < count else 1.0


def _mean_interval(actual: NDArray[np.float64]) -> tuple[float, float]:
    """Return the interval of a mean, by its normal approximation."""
    half = 1.645 * float(actual.std(ddof=1)) / len(actual) ** 0.5 if len(actual) > 1 else 0.0
    return float(actual.mean()) - half, float(actual.mean()) + half
