"""What a version predicted for its hold-out when it was trained, beside the labels there."""

from dataclasses import dataclass

from ml_platform.evaluation.holdout_report import outputs_in
from ml_platform.evaluation.task import Outputs, Values
from ml_platform.exceptions import RegistryError
from ml_platform.records.version_details import VersionDetails
from ml_platform.specs.tasks import TaskName
from ml_platform.training import tracking


@dataclass(frozen=True)
class HoldoutPredictions:
    """The hold-out of a version.

    Attributes:
        task: the kind of problem.
        classes: the values of the label, by class index; empty if the label is a number.
        threshold: with which the version predicts; None if it has none.
        labels: class indices or numbers, shape (n_rows,).
        outputs: probabilities or numbers, see `evaluation.task.Outputs`.
    """

    task: TaskName
    classes: tuple[str, ...]
    threshold: float | None
    labels: Values
    outputs: Outputs


def holdout(version: VersionDetails) -> HoldoutPredictions:
    """Return the predictions of a version for its hold-out. They never change, so they can be kept.

    Raises:
        RegistryError: the training did not store them.
        MlflowException: MLflow is not available.
    """
    found = tracking.holdout_predictions(version.run_id)
    if found is None:
        raise RegistryError(
            f"{version.model} version {version.version}: its predictions for the hold-out are not in MLflow; "
            "a version of another platform has none here"
        )
    labels = found["label"].to_numpy()
    return HoldoutPredictions(version.task, version.classes, version.threshold, labels, outputs_in(found))
