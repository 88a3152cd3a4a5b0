"""A training set split into training rows and hold-out, and the folds of the training rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_platform.evaluation.holdout_report import HoldoutRows
from ml_platform.evaluation.task import Folds, Task, Values
from ml_platform.evaluation.tasks import task_of
from ml_platform.exceptions import DegenerateDataError
from ml_platform.specs.holdout import HoldoutRule, holdout_by_time
from ml_platform.specs.spec import Dataset
from ml_platform.training.training_set import TrainingSet, entity_ids

MAX_GROUPS = 2000  # scikit-learn takes 0.25 ms per group: 76 s for 300,000 entities


@dataclass(frozen=True)
class Split:
    """A training set, split by the hold-out.

    Attributes:
        dataset: what the columns mean.
        task: the kind of problem.
        ids: one value per entity, as `entity_ids` returns it, shape (n_rows,).
        times: event times (UTC), shape (n_rows,).
        features: shape (n_rows, n_features).
        labels: class indices or numbers, shape (n_rows,).
        rule: says which rows are in the hold-out.
        in_holdout: True for the rows of the hold-out, shape (n_rows,).
        sensitive: the columns by which a model is judged, shape (n_rows, n_sensitive).
    """

    dataset: Dataset
    task: Task
    ids: pd.Series
    times: pd.Series
    features: pd.DataFrame
    labels: pd.Series
    rule: HoldoutRule
    in_holdout: NDArray[np.bool_]
    sensitive: pd.DataFrame

    def train(self) -> tuple[pd.DataFrame, pd.Series]:
        """Return features and labels of the training rows."""
        return self.features[~self.in_holdout], self.labels[~self.in_holdout]

    def test(self) -> tuple[pd.DataFrame, Values]:
        """Return features and labels of the hold-out."""
        return self.features[self.in_holdout], self.labels[self.in_holdout].to_numpy()

    def holdout_rows(self) -> HoldoutRows:
        """Return the rows of the hold-out with their ids, times and task."""
        withheld = self.sensitive.loc[self.in_holdout, list(self.dataset.withheld)]
        return HoldoutRows(self.ids[self.in_holdout], self.times[self.in_holdout], *self.test(), self.task, withheld)

    def folds(self, number: int) -> Folds:
        """Return the folds of search and threshold: for each the positions of the training rows to fit and to score.

        They are stratified by class, if there are classes. Rows that could reveal each other's label stay on one side
        of each fold: rows of one day if the hold-out is by time, else rows of one entity.

        Args:
            number: of folds.

        Raises:
            DegenerateDataError: the folds cannot be made, or one has no row of a class.
        """
        groups = self._groups()
        labels = self.labels[~self.in_holdout]
        try:
            folds = list(self.task.splitter(number, groups).split(labels, labels, groups))
        except ValueError as error:
            raise DegenerateDataError(f"{self.dataset.name}: {number} folds cannot be made: {error}") from error
        for part in (part for fold in folds for part in fold):
            present = set(labels.iloc[part])
            if missing := [name for index, name in enumerate(self.task.classes) if index not in present]:
                names, together = ", ".join(map(repr, missing)), self._kept_together()
                raise DegenerateDataError(
                    f"{self.dataset.name}: one of {number} folds has no row of class {names}, because all rows "
                    f"{together} stay together; use fewer folds, or load more different rows of that class"
                )
        return folds

    def _kept_together(self) -> str:
        if self.rule.by == "time":
            return "of one day"
        return "of one entity" if self.dataset.has_key else "with the same features"

    def _groups(self) -> NDArray[np.intp] | None:
        # By day, not by event time: rows of one day are near duplicates, because they share the weather and more.
        # Measured in docs/adr/0041. By week there would be too few groups to stratify.
        units = self.times.dt.floor("D") if self.rule.by == "time" else self.ids
        units = units[~self.in_holdout]
        if self.rule.by == "entity" and units.is_unique:
            return None
        return pd.factorize(units)[0] % MAX_GROUPS


def split(training_set: TrainingSet, folds: int) -> Split:
    """Split a training set, and reject one that cannot train or evaluate a model.

    Raises:
        DegenerateDataError: a side has fewer rows, or rows of a class, than the folds need, or no feature varies among
            the training rows; the text gives the numbers.
    """
    dataset, frame = training_set.dataset, training_set.frame
    task = task_of(dataset, training_set.classes)
    ids, times, labels = entity_ids(dataset, frame), frame["event_timestamp"], frame[dataset.label.column]
    rule = holdout_rule(dataset, times)
    in_holdout = rule.mask(ids, times)
    for side, mask in (("training rows", ~in_holdout), ("rows of the hold-out", in_holdout)):
        if problem := task.too_few(labels[mask].to_numpy(), folds):
            raise DegenerateDataError(
                f"{dataset.name}: too few {side} for {folds} folds: {problem} (training set: {len(frame):,} rows)"
            )
    features = frame[list(dataset.features)]
    _check_features(dataset, features[~in_holdout])
    sensitive = frame[[one.column for one in dataset.sensitive]]
    return Split(dataset, task, ids, times, features, labels, rule, in_holdout, sensitive)


def _check_features(dataset: Dataset, features: pd.DataFrame) -> None:
    if not any(values.nunique() + values.isna().any() > 1 for _, values in features.items()):
        raise DegenerateDataError(
            f"{dataset.name}: no feature varies among {len(features):,} training rows; each is empty or has only one "
            f"value: {', '.join(map(str, features))}; load rows in which a feature varies, or add columns to "
            f"datasets/{dataset.name}.yaml"
        )


def holdout_rule(dataset: Dataset, times: pd.Series) -> HoldoutRule:
    """Return the rule that says which rows are in the hold-out of a training on rows with these event times."""
    if dataset.holdout_by == "time":
        return holdout_by_time(dataset.name, times, dataset.gate.holdout)
    return HoldoutRule(dataset.name, "entity", dataset.gate.holdout)
