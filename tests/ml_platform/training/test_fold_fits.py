"""A candidate is fitted fold by fold; the first folds can be scored before the others are fitted."""

import numpy as np
import pytest

from ml_platform.training.candidates import Candidate
from ml_platform.training.fold_fits import first_folds, fit_fold, out_of_fold
from ml_platform.training.split import split
from tests.ml_platform.training.trainings import make_dataset, make_frame, make_training_set

GOOD = Candidate("logistic_regression", {"C": 1.0})
FAILING = Candidate("random_forest", {"bootstrap": False, "oob_score": True})
UNFINISHED = Candidate("logistic_regression", {"max_iter": 1})


@pytest.fixture(scope="module")
def parts():
    return split(make_training_set(make_dataset(), make_frame(300)), 3)


def test_each_row_is_predicted_by_the_fit_on_the_other_folds(parts):
    folds = parts.folds(3)
    fits = [fit_fold(GOOD, parts.dataset, parts.task, *parts.train(), fold) for fold in folds]
    whole = out_of_fold(parts.train()[1], fits, folds).raw
    assert np.isfinite(whole).all()
    for fit, (_, own) in zip(fits, folds, strict=True):
        assert np.array_equal(whole[own], fit.raw)
        assert fit.error is None
    first = out_of_fold(parts.train()[1], fits[:1], folds[:1]).raw
    assert np.isfinite(first).all(axis=1).sum() == len(folds[0][1])


def test_a_failure_and_warnings_are_part_of_the_fit(parts):
    failed = fit_fold(FAILING, parts.dataset, parts.task, *parts.train(), parts.folds(3)[0])
    assert "Out of bag estimation" in failed.error
    noted = fit_fold(UNFINISHED, parts.dataset, parts.task, *parts.train(), parts.folds(3)[0])
    assert noted.error is None
    assert "failed to converge" in noted.notes[0]


def test_the_first_folds_choose_their_thresholds_among_themselves():
    rows = np.arange(6)
    folds = [(np.setdiff1d(rows, own), own) for own in (rows[:2], rows[2:4], rows[4:])]
    first, second = first_folds(folds, 2)
    assert [part.tolist() for part in first] == [[2, 3], [0, 1]]
    assert [part.tolist() for part in second] == [[0, 1], [2, 3]]
    ((others, own),) = first_folds(folds, 1)
    assert others.tolist() == own.tolist() == [0, 1]
    assert first_folds(folds, 3) is folds
