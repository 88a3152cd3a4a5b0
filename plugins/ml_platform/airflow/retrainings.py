"""The asset by which `monitor_<name>` starts `train_<name>`, and what a training knows about its start."""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from ml_platform.airflow import wiring
from ml_platform.specs.spec import Dataset

if TYPE_CHECKING:
    from ml_platform.promotion.results import GateResult
    from ml_platform.training.results import TrainingSetReference

ACTIVE = ["queued", "running"]  # a run that waits for an approval is running
Freeze = Callable[[], "TrainingSetReference"]


def retraining(dataset: Dataset) -> Asset:
    """Return the asset that `monitor_<name>` updates to start a training; its events say the reason."""
    return Asset(name=f"retraining of {dataset.name}", uri=f"ml-platform://retraining/{dataset.name}")


def starts_training(dataset: Dataset) -> Asset:
    """Return the asset whose update starts `train_<name>`: each load of rows, or a decision of `monitor_<name>`."""
    return retraining(dataset) if dataset.monitor.retrains else wiring.training_data(dataset)


def starts_when(dataset: Dataset) -> str:
    """Return the beginning of a training for the runbook of `train_<name>`, with links as `runbook` takes them."""
    if dataset.monitor.retrains:
        return f"[monitor_{dataset.name}](dag:monitor_{dataset.name}) has found drift, or that no model is live"
    return f"[ingest_{dataset.name}](dag:ingest_{dataset.name}) has loaded new rows"


def can_ask(dataset: Dataset) -> bool:
    """Return whether a person is asked in some runs of `train_<name>`."""
    return dataset.gate.approval or dataset.monitor.on_drift == "retrain_with_approval"


def can_wait(dataset: Dataset) -> bool:
    """Return whether some runs of `train_<name>` wait: for a person, or in shadow for the truth."""
    return can_ask(dataset) or dataset.shadow is not None


def start(dataset: Dataset) -> str:
    """Decide, in a task of `monitor_<name>`, whether a training begins; the asset is updated if so.

    Returns:
        The reason.

    Raises:
        AirflowSkipException: no training begins; says why.
    """
    from ml_platform.monitoring import retraining as decisions  # only in the task: DAG files are parsed often

    context = get_current_context()
    if context["params"]["dry_run"]:
        raise AirflowSkipException("a dry run starts nothing")
    is_training = bool(context["ti"].get_dr_count(dag_id=f"train_{dataset.name}", states=ACTIVE))
    decision = decisions.decide(
        dataset, context["dag_run"].run_after, is_training=is_training, by=wiring.started_by()
    )  # fmt: skip
    if not decision.is_started:
        raise AirflowSkipException(decision.sentence)
    context["outlet_events"][retraining(dataset)].extra = decision.facts()
    return decision.reason


def facts(dataset: Dataset) -> dict[str, Any] | None:
    """Return what the event says that started this run of `train_<name>`; None if it was not the monitor."""
    if not dataset.monitor.retrains:
        return None
    events = get_current_context()["triggering_asset_events"].get(retraining(dataset), ())
    return dict(events[-1].extra) if events else None


def needs_approval(dataset: Dataset) -> bool:
    """Return whether a person is asked in this run: always, or about a retraining that would replace a champion."""
    if dataset.gate.approval or not can_ask(dataset):
        return dataset.gate.approval
    found = facts(dataset)
    return found is not None and not found["is_first"]


def of_run(dataset: Dataset) -> Dataset:
    """Return the spec for this run of `train_<name>`: its gate asks for an approval if a person is asked."""
    rule = dataset.gate.model_copy(update={"approval": needs_approval(dataset)})
    return dataset.model_copy(update={"gate": rule})


def skipped_if_known(dataset: Dataset) -> Callable[[Freeze], Freeze]:
    """Decorate the task that freezes a training set: of a retraining, it is skipped if the model would be the same."""

    def decorate(freeze: Freeze) -> Freeze:
        @functools.wraps(freeze)
        def skipping() -> "TrainingSetReference":
            reference = freeze()
            if facts(dataset) and (version := _trained_on(reference)):
                raise AirflowSkipException(
                    f"the training set is that of version {version}, so the model would be the same; trigger the DAG "
                    "by hand to train on it all the same"
                )
            return reference

        return skipping

    return decorate


def _trained_on(reference: "TrainingSetReference") -> int | None:
    from ml_platform.promotion import decisions  # only in the task: DAG files are parsed often

    return decisions.version_trained_on(reference.dataset, reference.sha256)


def with_reason(dataset: Dataset, result: "GateResult | None") -> "GateResult | None":
    """Return the question to a person with the reason of the retraining before it."""
    if result is None or not (found := facts(dataset)):
        return result
    return replace(result, body=f"**Why it was retrained**: {found['reason']}.\n\n{result.body}")
