import math

import numpy as np
import pytest

from ml_platform.metrics import f1, judge

LABELS = np.array([0, 0, 1, 1])


def test_judged_at_the_threshold():
    probabilities = np.array([0.1, 0.4, 0.35, 0.8])
    assert judge(LABELS, probabilities, 0.4) == pytest.approx(
        {"f1": 0.5, "roc_auc": 0.75, "average_precision": 5 / 6, "precision": 0.5, "recall": 0.5, "accuracy": 0.5}
    )
    assert judge(LABELS, probabilities, 0.9)["precision"] == 0.0


def test_one_nan_makes_all_figures_nan():
    broken = np.array([0.1, np.nan, 0.2, 0.9])
    assert all(math.isnan(value) for value in judge(LABELS, broken, 0.5).values())
    assert math.isnan(f1(LABELS, broken, 0.5))
    assert math.isnan(f1(LABELS, np.full(4, 0.5), math.nan))
