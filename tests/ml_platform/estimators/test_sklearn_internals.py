"""One module touches scikit-learn's private members; without one of them the results stay the same."""

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.lib import recfunctions
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from ml_platform import ROOT
from ml_platform.estimators import sklearn_internals
from ml_platform.estimators.row_scorer import RowScorer
from ml_platform.estimators.sklearn_internals import calibrated_parts, tree_nodes, validate_params
from ml_platform.estimators.snapshot_ensemble import SnapshotEnsembleClassifier
from ml_platform.exceptions import ConfigurationError
from ml_platform.training.candidates import candidates
from ml_platform.training.search import evaluate
from ml_platform.training.split import split
from tests.ml_platform.estimators.fitted_models import CALIBRATED, columns, fitted, pipeline_of
from tests.ml_platform.training.trainings import (
    make_dataset,
    make_frame,
    make_training_set,
    make_weeks,
    make_weeks_frame,
)

PRIVATE = re.compile(r"_predictors|_baseline_prediction|\._loss|_validate_params|calibrated_classifiers_")
INVALID = make_dataset(candidates={"logistic_regression": {"C": [-1.0]}})


@pytest.fixture(autouse=True)
def _report_again() -> Iterator[None]:
    """Each test sees the log as a new process does, which reports a member once."""
    sklearn_internals._report_missing.cache_clear()
    yield
    sklearn_internals._report_missing.cache_clear()


def test_no_other_module_touches_private_members() -> None:
    modules = {path for path in (ROOT / "plugins").rglob("*.py") if PRIVATE.search(path.read_text())}
    assert modules == {ROOT / "plugins" / "ml_platform" / "estimators" / "sklearn_internals.py"}


def test_an_invalid_parameter_is_named_with_its_value_and_what_is_allowed() -> None:
    validate_params(LogisticRegression(C=2.0))
    with pytest.raises(ValueError, match=r"The 'C' parameter .* must be a float in the range .* Got -1.0"):
        validate_params(LogisticRegression(C=-1.0))


def test_an_estimator_of_our_own_checks_its_parameters_itself() -> None:
    validate_params(SnapshotEnsembleClassifier())
    with pytest.raises(ValueError, match=r"The 'alpha' parameter of SnapshotEnsembleClassifier must be .* Got -1"):
        validate_params(SnapshotEnsembleClassifier(alpha=-1))


def test_without_the_check_of_parameters_a_fit_finds_the_invalid_one(monkeypatch, caplog) -> None:
    with pytest.raises(ConfigurationError, match=r"Got -1\.0"):
        candidates(INVALID)
    with monkeypatch.context() as patch:  # only here: scikit-learn itself uses it when it fits
        patch.delattr(BaseEstimator, "_validate_params")
        (candidate,) = candidates(INVALID)
        candidates(INVALID)
    (message,) = caplog.messages  # once, not once per candidate
    assert re.fullmatch(r"scikit-learn .* no longer has .*_validate_params: .* when a model is fitted", message)
    parts = split(make_training_set(frame=make_frame(300)), 3)
    result = evaluate(candidate, parts.dataset, parts.task, *parts.train(), parts.folds(3))
    assert "The 'C' parameter" in result.error


def remove_attribute(name: str) -> Callable[[pytest.MonkeyPatch, BaseEstimator], None]:
    return lambda patch, classifier: patch.delattr(classifier, name)


def remove_nodes(patch: pytest.MonkeyPatch, classifier: BaseEstimator) -> None:
    patch.setattr(classifier, "_predictors", [[object()]])


def rename_node_field(patch: pytest.MonkeyPatch, classifier: BaseEstimator) -> None:
    tree = classifier._predictors[-1][-1]
    patch.setattr(tree, "nodes", recfunctions.rename_fields(tree.nodes, {"num_threshold": "threshold"}))


@pytest.mark.parametrize(
    ("remove", "member"),
    [
        (remove_attribute("_predictors"), "_predictors"),
        (remove_attribute("_baseline_prediction"), "_baseline_prediction"),
        (remove_attribute("_loss"), "_loss"),
        (remove_nodes, "nodes"),
        (rename_node_field, r"node fields \['num_threshold'\]"),
    ],
    ids=["_predictors", "_baseline_prediction", "_loss", "nodes", "a field of a node"],
)
def test_without_its_trees_a_boosted_classifier_gives_the_same_probabilities(
    monkeypatch, caplog, remove, member
) -> None:
    usual, model = fitted("shop", "hist_gradient_boosting")
    with monkeypatch.context() as patch:  # only while the scorer is made: predict_proba needs these members as well
        remove(patch, pipeline_of(model)[-1])
        assert tree_nodes(pipeline_of(model)[-1]) is None
        scorer = RowScorer(model, columns(make_dataset()))
    (message,) = caplog.messages
    assert re.search(rf"scikit-learn .* no longer has .*{member}.*: boosted trees predict one after the other", message)
    frame = make_frame(100, seed=3)
    assert np.array_equal(scorer.outputs(frame), usual.outputs(frame))
    assert np.array_equal(scorer.outputs(frame.head(1)), usual.outputs(frame.head(1)))


def test_the_nodes_are_those_of_all_trees_in_order() -> None:
    _, model = fitted("weeks", "hist_gradient_boosting")
    nodes = tree_nodes(pipeline_of(model)[-1])
    assert len(nodes.trees) == 9 * 3  # per iteration a tree for each class
    assert nodes.baseline.shape == (1, 3)
    np.testing.assert_allclose(nodes.link(nodes.baseline).sum(), 1)


def test_without_its_calibrators_a_calibrated_model_gives_the_same_probabilities(monkeypatch, caplog) -> None:
    usual, model = fitted("weeks", CALIBRATED + "logistic_regression")
    with monkeypatch.context() as patch:
        patch.delattr(model.calibrated_classifiers_[0], "calibrators")
        assert calibrated_parts(model) is None
        scorer = RowScorer(model, columns(make_weeks()))
    assert "no longer has '_CalibratedClassifier' object has no attribute 'calibrators'" in caplog.messages[0]
    frame = make_weeks_frame(50, seed=3)
    np.testing.assert_allclose(scorer.outputs(frame), usual.outputs(frame), rtol=0, atol=1e-12)
