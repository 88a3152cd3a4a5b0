"""Rows that champion and challenger have both scored, with the truth that came after that: joined as late truth is."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ml_platform.evaluation.task import Outputs, Task, Values
from ml_platform.monitoring.late_truth import LOADED, MOST_ROWS, SCORED_AT, truth
from ml_platform.monitoring.shadow_records import Shadow
from ml_platform.parsing.labels import class_text
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import rows, transaction
from ml_platform.storage.tables import existing_columns


class Pairs(NamedTuple):
    """Rows with their truth, and what the two versions say about them: `labels` as values, outputs as `Task` has them.

    Each has the shape (n_rows,); outputs with several classes have a column per class, 1 for the predicted one.
    """

    labels: Values
    ours: Outputs
    theirs: Outputs


def count(dataset: Dataset, shadow: Shadow) -> int:
    """Return the number of rows with a truth."""
    found = _rows(dataset, shadow, f"SELECT count(*) FROM ({_statement(dataset)}) pairs")  # noqa: S608 – quoted names
    return int(found[0][0]) if found else 0


def pairs(dataset: Dataset, shadow: Shadow, task: Task) -> Pairs:
    """Return the rows with a truth, at most `MOST_ROWS`; classes that the challenger does not know are left out.

    Args:
        dataset: the spec in `datasets/*.yaml`, whose table has the labels.
        shadow: the record of the challenger.
        task: of the challenger.
    """
    found = _rows(dataset, shadow, f"{_statement(dataset)} LIMIT {MOST_ROWS}")
    labels = _values(task, [class_text(label) if task.classes else label for *_, label in found])
    is_known = np.isfinite(labels)
    ours, theirs = (
        _outputs(task, [row[place] for row in found], [row[place + 1] for row in found]) for place in (0, 2)
    )
    return Pairs(labels[is_known].astype(task.label_type), ours[is_known], theirs[is_known])


def _values(task: Task, texts: Sequence[Any]) -> Values:
    """Return labels, or logged predictions, as class indices or numbers; NaN for unknown classes."""
    index = {text: float(number) for number, text in enumerate(task.classes)}
    return np.array([index.get(text, np.nan) if index else float(text) for text in texts], dtype=float)


def _outputs(task: Task, probabilities: Sequence[Any], predictions: Sequence[Any]) -> Outputs:
    """Return logged predictions as outputs. With several classes their F1 needs the predicted class only."""
    if task.drift_column == "probability":
        return np.array(probabilities, dtype=float)
    values = _values(task, predictions)
    if not task.classes:
        return values
    one_hot: Outputs = (values[:, None] == np.arange(len(task.classes))).astype(float)
    return one_hot


def _rows(dataset: Dataset, shadow: Shadow, statement: str) -> list[tuple[Any, ...]]:
    """Return the rows of a statement; none if no labels were ever loaded."""
    with transaction() as cursor:
        if not existing_columns(cursor, "labels", dataset.name):
            return []
        return rows(cursor, statement, dataset.name, shadow.version, shadow.champion)


def _statement(dataset: Dataset) -> str:
    """Return the SQL: probability and prediction of the challenger, the same of the champion, and the label.

    Which label counts is as in `late_truth`.
    """
    return f"""
WITH scored AS ({SCORED_AT}), both_scored AS (
    SELECT DISTINCT ON (s.entity_key, s.event_time) s.entity_key, s.event_time, s.probability, s.prediction,
        l.probability AS champion_probability, l.prediction AS champion_prediction, scored.arrived_at AS predicted_at
    FROM predictions.shadow s JOIN scored USING (result_key)
    JOIN predictions.log l USING (model, result_key, entity_key, event_time)
    WHERE s.model = $1 AND s.model_version = $2::int AND l.model_version = $3::int
    ORDER BY s.entity_key, s.event_time, scored.arrived_at
), loaded AS ({LOADED})
SELECT p.probability, p.prediction, p.champion_probability, p.champion_prediction, t.label
FROM both_scored p {truth(dataset)}
ORDER BY p.event_time DESC, p.entity_key"""  # noqa: S608 – quoted names
