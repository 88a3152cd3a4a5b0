"""Predictions beside the truth that came later: joined by key and event time, once, as of the time of the prediction.

A label that was loaded before its prediction was made is no late truth: the model may have been trained on it. Of
several predictions of one version for the same row, the first counts; of a label that was corrected, the newest.
Where the files have no event time, the truth is the first label of the entity after the prediction. Labels that were
asked for are left out: their rows were chosen because they are hard, so they say nothing about the others.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ml_platform.evaluation.task import Task
from ml_platform.monitoring.window import Window
from ml_platform.parsing.labels import class_text
from ml_platform.specs.parts import Column
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import fetch, identifier, literal, rows, transaction
from ml_platform.storage.tables import existing_columns, sql_types
from ml_platform.training.training_set import typed

MOST_ROWS = 200_000  # the newest
COLUMNS = ("event_time", "probability", "prediction", "label", "known_at")
# when each file was scored; rows over HTTP and of streams were predicted at their request
SCORED_AT = """
    SELECT report ->> 'result_key' AS result_key, min(arrived_at) AS arrived_at FROM uploads.arrivals
    WHERE dataset = $1 AND purpose = 'test' AND outcome = 'scored' GROUP BY 1"""
_PREDICTIONS = f"""
    SELECT DISTINCT ON (entity_key, event_time) entity_key, event_time, predicted_at, probability, prediction FROM (
        SELECT l.*, coalesce(f.arrived_at, l.requested_at) AS predicted_at
        FROM predictions.log l LEFT JOIN ({SCORED_AT}) f USING (result_key)
        WHERE l.model = $1 AND l.model_version = $2::int
    ) logged WHERE predicted_at > $3::text::timestamptz AND predicted_at <= $4::text::timestamptz
    ORDER BY entity_key, event_time, predicted_at"""  # noqa: S608 – constants
_WITHOUT_TRUTH = f"""
SELECT event_time, probability, prediction, NULL, NULL FROM ({_PREDICTIONS}) p
ORDER BY event_time DESC, predicted_at DESC LIMIT {MOST_ROWS}"""  # noqa: S608 – constants
_VERSIONS = "SELECT DISTINCT model_version FROM predictions.log WHERE model = $1 ORDER BY 1 DESC LIMIT $2::int"
# uploads with labels that can be a late truth
LOADED = """SELECT sha256, claimed_at FROM uploads.ledger u WHERE dataset = $1 AND purpose = 'train'
    AND NOT EXISTS (SELECT FROM labelling.answers a WHERE a.dataset = $1 AND a.upload_sha256 = u.sha256)"""


def predictions(window: Window, dataset: Dataset, task: Task) -> pd.DataFrame:
    """Return the predictions of a window, each with its truth if that is known, in the order of their event times.

    Args:
        window: the version, and when its predictions were requested.
        dataset: the spec in `datasets/*.yaml`, whose table has the labels.
        task: of the version; a label of a class that it does not know is left out.

    Returns:
        `COLUMNS`, and those of `segment_columns` that are in the tables; at most `MOST_ROWS` rows, the newest.
        `probability` is as it was logged; `prediction` and `label` are class indices or numbers as float64, NaN
        without a truth; `known_at` is when the label was loaded. The other columns are typed as in a training set,
        and missing without a truth.

    Raises:
        ServiceError: Postgres failed.
    """
    with transaction() as cursor:
        has_labels = bool(existing_columns(cursor, "labels", dataset.name))
        stored = existing_columns(cursor, "features", dataset.name) if has_labels else {}
        segments = {name: column for name, column in segment_columns(dataset).items() if name in stored}
        statement = _statement(dataset, segments) if has_labels else _WITHOUT_TRUTH
        found = rows(cursor, statement, *window.values())
    # as objects: beside a missing label, pandas would make a float of the class 1, which is no class
    frame = pd.DataFrame(found[::-1], columns=[*COLUMNS, *segments], dtype=object)
    frame = frame.assign(**typed(segments, frame))
    frame["probability"] = frame["probability"].astype("float64")
    frame["event_time"] = pd.to_datetime(frame["event_time"], utc=True)
    frame["prediction"] = _values(task, frame["prediction"].tolist())
    frame["label"] = _values(task, [None if label is None else class_text(label) for label in frame["label"]])
    return frame[frame["prediction"].notna()].reset_index(drop=True)


def versions(model: str, most: int) -> list[int]:
    """Return the versions of a model that have predicted, the newest first."""
    return [int(version) for (version,) in fetch(_VERSIONS, model, most)]


def segment_columns(dataset: Dataset) -> dict[str, Column]:
    """Return the columns of a data set's own files whose values are segments: features, and sensitive columns."""
    return {**dataset.own_features, **dataset.withheld}


def _values(task: Task, texts: Sequence[Any]) -> pd.Series:
    if not task.classes:
        return pd.Series(texts, dtype=object).astype("float64")
    index = {text: float(number) for number, text in enumerate(task.classes)}
    return pd.Series([index.get(text) for text in texts], dtype="float64")


def truth(dataset: Dataset) -> str:
    """Return the SQL to join, as `t`, the truth that came after a prediction `p`, with `LOADED` as `loaded`.

    `p` has `entity_key`, `event_time` and `predicted_at`; `t` has `label`, `event_timestamp` and `claimed_at`.
    """
    return f"""JOIN {label_of_row(dataset)} t ON t.claimed_at > p.predicted_at AND NOT EXISTS (
    SELECT {_labels(dataset)} AND l.event_timestamp = t.event_timestamp AND u.claimed_at <= p.predicted_at
)"""


def label_of_row(dataset: Dataset) -> str:
    """Return the SQL of the label of a prediction `p`, whenever it was loaded, with uploads named `loaded`."""
    same_time = "l.event_timestamp = p.event_time" if dataset.event_time else "l.event_timestamp >= p.event_time"
    return f"""LATERAL (
    SELECT u.claimed_at, l.event_timestamp, l.{identifier(dataset.label.column)} AS label
    {_labels(dataset)} AND {same_time}
    ORDER BY l.event_timestamp, l.created_timestamp DESC LIMIT 1
)"""


def _labels(dataset: Dataset) -> str:
    return (
        f"FROM labels.{identifier(dataset.name)} l JOIN loaded u ON u.sha256 = l.upload_sha256"
        f" WHERE {_same_key(dataset, sql_types(dataset))} AND l.{identifier(dataset.label.column)} IS NOT NULL"
    )


def _same_key(dataset: Dataset, types: Mapping[str, str]) -> str:
    return " AND ".join(
        f"l.{identifier(key)} = (p.entity_key ->> {literal(key)})::{types[key]}" for key in dataset.keys
    )


def _statement(dataset: Dataset, segments: Mapping[str, Column]) -> str:
    features = "".join(f", v.{identifier(name)}" for name in segments)
    return f"""
WITH predicted AS ({_PREDICTIONS}
), loaded AS ({LOADED})
SELECT p.event_time, p.probability, p.prediction, t.label, t.claimed_at{features}
FROM predicted p LEFT {truth(dataset)}
LEFT JOIN LATERAL (
    SELECT l.* FROM features.{identifier(dataset.name)} l
    WHERE {_same_key(dataset, sql_types(dataset))} AND l.event_timestamp <= t.event_timestamp
    ORDER BY l.event_timestamp DESC, l.created_timestamp DESC LIMIT 1
) v ON true
ORDER BY p.event_time DESC, p.predicted_at DESC LIMIT {MOST_ROWS}"""  # noqa: S608 – quoted names
