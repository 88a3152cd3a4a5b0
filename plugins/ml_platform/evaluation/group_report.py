"""How a model differs between groups of rows: each measure by group, and its differences, with intervals. No I/O.

The values are those of fairlearn's `MetricFrame`. The intervals are our own: a difference has a sign, so that its
interval holds 0 if chance can explain it, and all differences of one column are judged together (docs/adr/0110).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame
from numpy.typing import NDArray

from ml_platform.evaluation.bootstrap import Interval, interval
from ml_platform.evaluation.group_intervals import (
    CONFIDENCE,
    Numbers,
    half_widths,
    has_enough,
    measured_rows,
    resampled_measures,
)
from ml_platform.evaluation.group_measures import Measure
from ml_platform.evaluation.task import Outputs, Task, Values

MOST_GROUPS = 12  # the largest ones; further ones are only counted


@dataclass(frozen=True)
class Estimate:
    """A value and its interval."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class Group:
    """One group.

    Attributes:
        name: for people.
        rows: number of its rows.
        estimates: by the name of a measure; those that it has enough rows for.
    """

    name: str
    rows: int
    estimates: dict[str, Estimate]


@dataclass(frozen=True)
class Difference:
    """The difference of a measure between two groups.

    Attributes:
        measure: its name.
        higher: name of the group with the higher value.
        lower: name of the other group.
        estimate: the difference, not negative; its interval is simultaneous for all differences of the column.
        criteria: the names that this difference has in the literature.
    """

    measure: str
    higher: str
    lower: str
    estimate: Estimate
    criteria: tuple[str, ...] = ()

    @property
    def is_significant(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.estimate.interval.low > 0


@dataclass(frozen=True)
class GroupReport:
    """The groups of one column.

    Attributes:
        column: its name.
        is_feature: whether the model sees it.
        titles: of the measures, by name, in their order.
        explanations: of titles that need one, by title.
        groups: in the order of their values.
        other_groups: number of further groups, which are not in `groups`.
        other_rows: number of their rows.
        differences: of each measure the largest one; after it the clearest one, if only that is significant.
    """

    column: str
    is_feature: bool
    titles: dict[str, str]
    explanations: dict[str, str]
    groups: tuple[Group, ...]
    other_groups: int
    other_rows: int
    differences: tuple[Difference, ...]


def group_report(task: Task, labels: Values, outputs: Outputs, groups: pd.Series, *, is_feature: bool) -> GroupReport:
    """Measure a model on each group of the hold-out.

    Args:
        task: with its threshold or interval.
        labels: of the hold-out, shape (n_rows,).
        outputs: of the model for these rows.
        groups: the group of each row, categories in their order; named as the column; shape (n_rows,).
        is_feature: whether the model sees the column.
    """
    measures = task.group_measures(labels, outputs)
    counts = groups.value_counts(sort=False)
    largest = counts[counts > 0].nlargest(MOST_GROUPS)
    names = [str(name) for name in groups.cat.categories if name in largest.index]
    codes = pd.Index(names).get_indexer(pd.Index(groups.astype(object)))
    values = _values(measures, codes, len(names))
    resampled = resampled_measures(measures, codes, len(names))
    rows = np.array([[measured_rows(measure, codes == i) for measure in measures] for i in range(len(names))])
    return GroupReport(
        column=str(groups.name),
        is_feature=is_feature,
        titles={measure.name: measure.title for measure in measures},
        explanations={measure.title: measure.explanation for measure in measures if measure.explanation},
        groups=tuple(
            Group(name, int(counts[name]), _estimates(measures, values[i], resampled[:, i]))
            for i, name in enumerate(names)
        ),
        other_groups=int((counts > 0).sum()) - len(names),
        other_rows=int((codes < 0).sum()),
        differences=tuple(_with_criteria(measures, _differences(measures, names, values, resampled, rows))),
    )


def _values(measures: Sequence[Measure], codes: NDArray[np.intp], n_groups: int) -> Numbers:
    """Return each measure of each group, shape (n_groups, n_measures); NaN with too few rows."""
    values = np.full((n_groups, len(measures)), np.nan)
    for j, measure in enumerate(measures):
        enough = [i for i in range(n_groups) if has_enough(measure, codes == i)]
        if enough:
            rows = np.isin(codes, enough)
            by_group = MetricFrame(
                metrics={measure.name: measure.metric}, y_true=measure.labels[rows], y_pred=measure.given[rows],
                sensitive_features=codes[rows],
            ).by_group[measure.name]  # fmt: skip
            values[enough, j] = by_group.loc[enough]
    return values


def _estimates(measures: Sequence[Measure], values: Numbers, resampled: Numbers) -> dict[str, Estimate]:
    estimates = {}
    for j, measure in enumerate(measures):
        if not np.isnan(values[j]):
            around = interval(values[j] + resampled[:, j] - resampled[:, j].mean(), CONFIDENCE)
            low, high = max(around.low, measure.low), min(around.high, measure.high)
            estimates[measure.name] = Estimate(float(values[j]), Interval(low, high))
    return estimates


def _differences(
    measures: Sequence[Measure], names: Sequence[str], values: Numbers, resampled: Numbers, rows: NDArray[np.intp]
) -> Iterator[Difference]:
    compared = [j for j, measure in enumerate(measures) if measure.is_compared]
    first, second = np.array(list(combinations(range(len(names)), 2)), dtype=np.intp).reshape(-1, 2).T
    apart = (values[first] - values[second])[:, compared]
    fewer = np.minimum(rows[first], rows[second])[:, compared]
    widths = half_widths((resampled[:, first] - resampled[:, second])[:, :, compared], fewer)
    for column, j in enumerate(compared):
        sizes, least = np.abs(apart[:, column]), np.abs(apart[:, column]) - widths[:, column]
        if np.isnan(sizes).all():
            continue
        largest, clearest = int(np.nanargmax(sizes)), int(np.nanargmax(least))
        for k in [largest] if least[largest] > 0 or least[clearest] <= 0 else [largest, clearest]:
            pair = (first[k], second[k]) if apart[k, column] >= 0 else (second[k], first[k])
            most = min(float(sizes[k] + widths[k, column]), measures[j].high - measures[j].low)
            estimate = Estimate(float(sizes[k]), Interval(float(least[k]), most))
            yield Difference(measures[j].name, names[pair[0]], names[pair[1]], estimate)


def _with_criteria(measures: Sequence[Measure], differences: Iterator[Difference]) -> Iterator[Difference]:
    """Add its names to each difference; a name that measures share belongs to the largest difference of them."""
    found, criteria = list(differences), {measure.name: measure.criteria for measure in measures}
    for one in found:
        rivals = {name: [d for d in found if name in criteria[d.measure]] for name in criteria[one.measure]}
        largest = (name for name, some in rivals.items() if one is max(some, key=lambda d: d.estimate.value))
        yield replace(one, criteria=tuple(largest))
