"""The interface of a task: every kind implements it whole."""

import numpy as np
import pytest

from ml_platform.evaluation.task import Calibration, Task
from ml_platform.evaluation.tasks import KINDS, task_of
from tests.ml_platform.evaluation.outputs import out_of_fold
from tests.ml_platform.training.trainings import make_dataset, make_houses, make_weeks


def test_a_task_cannot_be_half_a_kind():
    with pytest.raises(TypeError, match="abstract"):
        Task()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_is_whole(kind):
    assert not kind.__abstractmethods__
    facts = (
        "name",
        "estimator_type",
        "response",
        "gate_metric",
        "label_type",
        "output_type",
        "importance_title",
        "output_title",
    )
    assert all(getattr(kind, fact) for fact in facts)


@pytest.mark.parametrize("spec", [make_dataset(), make_weeks(), make_houses()], ids=KINDS)
def test_no_rows_have_no_predictions_in_the_shape_of_the_kind(spec):
    task = task_of(spec, () if spec.label.kind else spec.label.classes or ("0", "1"))
    outputs, predictions = task.no_rows()
    assert (len(outputs), predictions.shape, predictions.dtype) == (0, (0,), task.label_type)


def test_the_metrics_of_a_calibration_have_names_of_their_own(monkeypatch):
    task = task_of(make_dataset(), ("0", "1"))
    monkeypatch.setattr(type(task), "calibration_metrics", lambda self, labels, outputs: {"brier": float(outputs)})
    found = Calibration(task, None, 0.3, 0.2, "sigmoid").metrics()
    assert found == {"brier": 0.2, "brier_uncalibrated": 0.3}
    assert out_of_fold(1, 2, 3).scores == 2


LOGS = "log of the probability of the predicted class, minus the mean of these logs over all classes"
SHARES = "log odds of the predicted class, before the probabilities are divided by their sum"
SCALES = [
    (make_dataset(), "margin", "log odds of the positive class (1)"),
    (make_dataset(), "calibrated", "log odds of the positive class (1)"),
    (make_dataset(), "probability", "probability of the positive class (1)"),
    (make_weeks(), "margin", LOGS),
    (make_weeks(), "calibrated", SHARES),
    (make_weeks(), "probability", "probability of the predicted class"),
    (make_houses(), "number", "unit of the label"),
    (make_houses(), "logarithm", "logarithm of the prediction"),
]


@pytest.mark.parametrize(("spec", "scale", "text"), SCALES, ids=[f"{spec.name} {scale}" for spec, scale, _ in SCALES])
def test_each_kind_says_what_effects_add_up_to(spec, scale, text):
    task = task_of(spec, () if spec.label.kind else spec.label.classes or ("0", "1"))
    assert task.effect_scale(scale) == text


def test_only_with_several_classes_the_prediction_decides_what_is_explained():
    two, several = task_of(make_dataset(), ("0", "1")), task_of(make_weeks(), ("poor", "fair", "good"))
    number = task_of(make_houses(), ())
    assert two.explained_outputs(np.array([1, 0, 1])).tolist() == [0, 0, 0]
    assert several.explained_outputs(np.array([2, 0, 1])).tolist() == [2, 0, 1]
    assert number.explained_outputs(np.array([2.5, 0.5])).tolist() == [0, 0]
