"""The two sides of a training set: what is trained on, and the hold-out that no training sees."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_platform.exceptions import DegenerateDataError
from ml_platform.holdout import holdout
from ml_platform.training_set import TrainingSet


@dataclass(frozen=True)
class Split:
    """A training set, parted by the hold-out: keys, features and labels (0 or 1) of either side."""

    keys: pd.Series
    features: pd.DataFrame
    labels: pd.Series
    held: NDArray[np.bool_]

    def train(self) -> tuple[pd.DataFrame, pd.Series]:
        """Return features and labels of the rows that are trained on."""
        return self.features[~self.held], self.labels[~self.held]

    def test(self) -> tuple[pd.DataFrame, NDArray[np.int64]]:
        """Return features and labels of the hold-out."""
        return self.features[self.held], self.labels[self.held].to_numpy(dtype=np.int64)


def split(training_set: TrainingSet, folds: int) -> Split:
    """Part a training set, and refuse one that cannot train or judge a model.

    Raises:
        DegenerateDataError: a side has fewer rows of a class than there are folds; the text gives the numbers.
    """
    dataset, frame = training_set.dataset, training_set.frame
    keys, labels = frame[dataset.entity.key], frame[dataset.label.column]
    parts = Split(keys, frame[list(dataset.features)], labels, holdout(keys, dataset.name, dataset.gate.holdout))
    for side, mask in (("training rows", ~parts.held), ("hold-out", parts.held)):
        positives, rows = int(labels[mask].sum()), int(mask.sum())
        if min(positives, rows - positives) < folds:
            raise DegenerateDataError(
                f"{dataset.name}: of {rows:,} rows in the {side}, {positives:,} are positive and {rows - positives:,} "
                f"negative; {folds} folds need at least {folds} of each (training set: {len(frame):,} rows)"
            )
    return parts
