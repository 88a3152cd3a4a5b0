"""Each kind of label has its task."""

import pytest

from ml_platform.evaluation.binary import Binary
from ml_platform.evaluation.multiclass import Multiclass
from ml_platform.evaluation.regression import Regression
from ml_platform.evaluation.tasks import KINDS, kind_of, task_of
from ml_platform.specs.tasks import METRICS
from tests.ml_platform.training.trainings import make_dataset, make_houses, make_weeks


@pytest.mark.parametrize(
    ("dataset", "classes", "expected"),
    [
        (make_dataset(), ["0", "1"], Binary(("0", "1"))),
        (make_weeks(), ["poor", "fair", "good"], Multiclass(("poor", "fair", "good"))),
        (make_houses(), [], Regression(0.9)),
    ],
    ids=["binary", "multiclass", "regression"],
)
def test_the_task_of_a_data_set(dataset, classes, expected):
    assert task_of(dataset, classes) == expected
    assert kind_of(dataset.label) is type(expected)
    assert KINDS[dataset.label.task].name == dataset.label.task


def test_every_kind_has_a_gate_metric_among_its_metrics():
    assert all(kind.gate_metric in METRICS[name] for name, kind in KINDS.items())
