"""Outputs out of fold, as a task takes them."""

from ml_platform.evaluation.task import OutOfFold


def out_of_fold(labels, raw, folds, scores=None):
    return OutOfFold(labels, raw, raw if scores is None else scores, folds)
