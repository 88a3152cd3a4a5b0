"""How well a model does in each segment of the rows, by the truth that came later, beside its hold-out. No I/O.

A segment is a value of a category, or a range of a number between the quartiles of the hold-out. Of many segments some
are lower by chance: the level of the test is divided by their number (Bonferroni).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from ml_platform.evaluation.sensitive_groups import groups_of
from ml_platform.evaluation.task import Task
from ml_platform.monitoring.performance import ALPHA, CONFIDENCE, Score, predicted, score
from ml_platform.specs.parts import ColumnType
from ml_platform.specs.tasks import sign

LEAST_ROWS = 30  # of a segment, in the hold-out and by the truth
MOST_VALUES = 8  # of a category: the most frequent ones
MOST_SEGMENTS = 12  # are shown


@dataclass(frozen=True)
class Segment:
    """Rows with the same value, or range of values, in a column.

    Attributes:
        column: its name.
        group: the value or the range, for people.
        labels: of how many rows the truth is known.
        promised: the metric of the gate on the rows of the hold-out.
        seen: the metric by the truth.
        loss: by how many standard errors it is worse than on the hold-out.
        is_worse: whether that is significant among all segments.
    """

    column: str
    group: str
    labels: int
    promised: Score
    seen: Score
    loss: float
    is_worse: bool


def segments(
    task: Task, kinds: Mapping[str, ColumnType], holdout: pd.DataFrame, later: pd.DataFrame
) -> tuple[Segment, ...]:
    """Return the segments with the largest losses, the largest first; at most `MOST_SEGMENTS`.

    Args:
        task: of the model.
        kinds: the type of each column that makes segments.
        holdout: `label`, `prediction` and the columns of `kinds`, typed as in a training set.
        later: the same of predictions whose truth is known.
    """
    parts = [part for name, kind in kinds.items() for part in _parts(name, kind, holdout, later)]
    level = float(norm.ppf(1 - ALPHA / max(1, len(parts))))
    found = (_segment(task, *part, level) for part in parts)
    return tuple(sorted(found, key=lambda one: -one.loss)[:MOST_SEGMENTS])


def _parts(
    name: str, kind: ColumnType, holdout: pd.DataFrame, later: pd.DataFrame
) -> Iterator[tuple[str, str, pd.DataFrame, pd.DataFrame]]:
    before, now = (groups_of(rows[name], kind, holdout[name], None).astype(str) for rows in (holdout, later))
    for group in now.value_counts().head(MOST_VALUES).index:
        ours, theirs = later[(now == group).to_numpy()], holdout[(before == group).to_numpy()]
        if min(len(ours), len(theirs)) >= LEAST_ROWS:
            yield name, group, theirs, ours


def _segment(task: Task, column: str, group: str, holdout: pd.DataFrame, later: pd.DataFrame, level: float) -> Segment:
    promised, seen = (score(task, predicted(task, rows)) for rows in (holdout, later))
    worse = sign(task.gate_metric) * (promised.value - seen.value)
    loss = worse / max(float(np.hypot(_error(promised), _error(seen))), 1e-9)
    return Segment(column, group, len(later), promised, seen, loss, loss > level)


def _error(one: Score) -> float:
    """Return the standard error that belongs to the width of an interval."""
    return (one.interval.high - one.interval.low) / (2 * float(norm.ppf((1 + CONFIDENCE) / 2)))
