"""Platt's calibration of each fold by the others."""

import numpy as np

from ml_platform.evaluation import platt


def test_a_fold_may_lack_all_but_one_row_of_a_class():
    scores, labels = np.linspace(-1, 1, 8)[:, None], np.array([0, 0, 0, 1, 0, 0, 1, 1])
    folds = [(np.arange(4), np.arange(4, 8)), (np.arange(4, 8), np.arange(4))]
    assert np.isfinite(platt.cross_calibrated(scores, labels, folds)).all()
