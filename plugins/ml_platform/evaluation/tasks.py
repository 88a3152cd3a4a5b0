"""The kinds of problem, and the one of a data set."""

from collections.abc import Sequence

from ml_platform.evaluation.binary import Binary
from ml_platform.evaluation.multiclass import Multiclass
from ml_platform.evaluation.regression import Regression
from ml_platform.evaluation.task import Task
from ml_platform.specs.parts import Label
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import TaskName

KINDS: dict[TaskName, type[Task]] = {"binary": Binary, "multiclass": Multiclass, "regression": Regression}


def kind_of(label: Label) -> type[Task]:
    """Return the kind of problem of a label."""
    return KINDS[label.task]


def task_of(dataset: Dataset, classes: Sequence[str]) -> Task:
    """Return the task of a data set, as long as nothing was chosen out of fold.

    Args:
        dataset: the spec.
        classes: the values of the label as in the files, by class index; empty if the label is a number.
    """
    return kind_of(dataset.label).of(dataset, classes)
