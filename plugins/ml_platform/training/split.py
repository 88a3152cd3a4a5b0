"""The two sides of a training set, what is trained on and the hold-out, and the folds of the former."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from ml_platform import RANDOM_STATE
from ml_platform.evaluation.holdout_report import HoldoutRows
from ml_platform.exceptions import DegenerateDataError
from ml_platform.specs.holdout import HoldoutRule, holdout_by_time
from ml_platform.specs.spec import Dataset
from ml_platform.training.training_set import TrainingSet, entity_ids

Folds = Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]

MAX_GROUPS = 2000  # scikit-learn takes 0.25 ms for each: 76 s for 300,000 entities


@dataclass(frozen=True)
class Split:
    """A training set, parted by the hold-out.

    Attributes:
        dataset: what the columns mean.
        classes: the label's values, by index.
        ids: what tells entities apart, shape (n_rows,).
        times: event times (UTC), shape (n_rows,).
        features: shape (n_rows, n_features).
        labels: class indices, shape (n_rows,).
        rule: which rows are held out.
        held: the rule's answer, shape (n_rows,).
    """

    dataset: Dataset
    classes: tuple[str, ...]
    ids: pd.Series
    times: pd.Series
    features: pd.DataFrame
    labels: pd.Series
    rule: HoldoutRule
    held: NDArray[np.bool_]

    def train(self) -> tuple[pd.DataFrame, pd.Series]:
        """Return features and labels of the rows that are trained on."""
        return self.features[~self.held], self.labels[~self.held]

    def test(self) -> tuple[pd.DataFrame, NDArray[np.int64]]:
        """Return features and labels of the hold-out."""
        return self.features[self.held], self.labels[self.held].to_numpy(dtype=np.int64)

    def holdout_rows(self) -> HoldoutRows:
        """Return the hold-out with all that is known of its rows."""
        return HoldoutRows(self.ids[self.held], self.times[self.held], *self.test(), self.classes)

    def folds(self, number: int) -> Folds:
        """Return the folds that search and threshold share: per fold the training rows to fit on and those to score.

        They are stratified by class. What would give the answer away stays on one side of each fold: by time the rows
        of one day, else the rows of one entity.

        Raises:
            DegenerateDataError: a class would be missing from a fold.
        """
        groups = self._groups()
        kind = StratifiedKFold if groups is None else StratifiedGroupKFold
        labels = self.labels[~self.held]
        try:
            found = list(kind(number, shuffle=True, random_state=RANDOM_STATE).split(labels, labels, groups))
        except ValueError as error:
            raise DegenerateDataError(f"{self.dataset.name}: {number} folds cannot be made: {error}") from error
        for part in (part for fold in found for part in fold):
            present = set(labels.iloc[part])
            if missing := [name for index, name in enumerate(self.classes) if index not in present]:
                unit, names = "day" if self.rule.by == "time" else "entity", ", ".join(map(repr, missing))
                raise DegenerateDataError(
                    f"{self.dataset.name}: one of {number} folds has no row of class {names}, since all rows of one "
                    f"{unit} are kept together; take fewer folds, or load rows of that class of more of them"
                )
        return found

    def _groups(self) -> NDArray[np.intp] | None:
        # By the day, not by the moment: rows of one day are near twins, for they share more than what is joined as of
        # their hour (the weather). Measured in docs/adr/0041; by the week there would be few groups to stratify.
        units = self.times.dt.floor("D") if self.rule.by == "time" else self.ids
        units = units[~self.held]
        if self.rule.by == "entity" and units.is_unique:
            return None
        return pd.factorize(units)[0] % MAX_GROUPS


def split(training_set: TrainingSet, folds: int) -> Split:
    """Part a training set, and refuse one that cannot train or judge a model.

    Raises:
        DegenerateDataError: a side has fewer rows of a class than there are folds, or no feature tells one row that is
            trained on from another; the text gives the numbers.
    """
    dataset, frame, classes = training_set.dataset, training_set.frame, training_set.classes
    ids, times, labels = entity_ids(dataset, frame), frame["event_timestamp"], frame[dataset.label.column]
    rule = holdout_rule(dataset, times)
    held = rule.mask(ids, times)
    for side, mask in (("training rows", ~held), ("rows of the hold-out", held)):
        counts = [int((labels[mask] == index).sum()) for index in range(len(classes))]
        if min(counts) < folds:
            each = ", ".join(f"{count:,} are {name!r}" for name, count in zip(classes, counts, strict=True))
            raise DegenerateDataError(
                f"{dataset.name}: {folds} folds need at least {folds} rows of each class; of {int(mask.sum()):,} "
                f"{side} {each} (training set: {len(frame):,} rows)"
            )
    features = frame[list(dataset.features)]
    _check_features(dataset, features[~held])
    return Split(dataset, classes, ids, times, features, labels, rule, held)


def _check_features(dataset: Dataset, features: pd.DataFrame) -> None:
    if not any(values.nunique() + values.isna().any() > 1 for _, values in features.items()):
        raise DegenerateDataError(
            f"{dataset.name}: no feature varies among {len(features):,} training rows, each is empty or has one value "
            f"only: {', '.join(map(str, features))}; load rows in which one of them varies, or name further columns in "
            f"datasets/{dataset.name}.yaml"
        )


def holdout_rule(dataset: Dataset, times: pd.Series) -> HoldoutRule:
    """Return which rows of a data set are held out from a training on rows of these event times."""
    if dataset.holdout_by == "time":
        return holdout_by_time(dataset.name, times, dataset.gate.holdout)
    return HoldoutRule(dataset.name, "entity", dataset.gate.holdout)
