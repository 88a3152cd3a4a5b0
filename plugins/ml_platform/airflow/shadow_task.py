"""The tasks of `train_<name>` between gate and alias, if a winner of the gate is tried in shadow first."""

from typing import Any

from airflow.sdk import task

from ml_platform.airflow import retrainings, wiring
from ml_platform.airflow.typed_values import passes_dataclasses
from ml_platform.airflow.wiring import FOREVER, fail_at_once_on
from ml_platform.exceptions import ConfigurationError
from ml_platform.promotion.results import GateResult
from ml_platform.specs.spec import Dataset
from ml_platform.training.results import Challenger, TrainingSetReference

PAUSE = 300.0  # seconds between two looks for new files and new truth; in between no worker is used


def follow(dataset: Dataset, reference: Any, challenger: Any, gate_result: Any) -> Any:
    """Define the tasks `shadow` and `compare`; return the output of `compare`, which is like that of `gate`.

    Args:
        dataset: a spec with the option `shadow`.
        reference: output of the task that freezes the training set.
        challenger: output of `refit`.
        gate_result: output of `gate`.
    """
    rule = dataset.shadow
    if rule is None:
        return gate_result

    @task.sensor(mode="reschedule", poke_interval=PAUSE, timeout=FOREVER)
    @fail_at_once_on(ConfigurationError)
    @passes_dataclasses
    def shadow(challenger: Challenger, gate_result: GateResult) -> bool:
        from ml_platform.monitoring import shadow

        return shadow.look(dataset, rule, challenger, gate_result)

    @task.short_circuit
    @fail_at_once_on(ConfigurationError)
    @passes_dataclasses
    def compare(reference: TrainingSetReference, challenger: Challenger, gate_result: GateResult) -> GateResult | None:
        from ml_platform.monitoring import shadow
        from ml_platform.training import training_set

        training = training_set.load(retrainings.of_run(dataset), reference)
        return shadow.compare(training, challenger, gate_result, by=wiring.started_by())

    compared = compare(reference, challenger, gate_result)
    shadow(challenger, gate_result) >> compared
    return compared
