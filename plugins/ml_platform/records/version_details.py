"""What a version of a model is: its candidate, metrics with intervals, threshold, data, features and code.

The record in Postgres has most of it, as the training wrote it. Rows and features are in MLflow alone.
"""

import json
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import mlflow.artifacts
from pydantic import ValidationError

from ml_platform.exceptions import RegistryError
from ml_platform.registry import registry, version_tags
from ml_platform.registry.model_files import SPEC_FILE
from ml_platform.settings import settings
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import TaskName
from ml_platform.storage import mlflow_client
from ml_platform.storage.database import fetch


@dataclass(frozen=True)
class VersionDetails:
    """The record of a version.

    Attributes:
        model: its name, which is the data set's.
        version: its number.
        run_id: of its training in MLflow.
        registered_at: when (UTC).
        metrics: on the hold-out, by name.
        intervals: of the metrics, low and high, by name; of versions before intervals were recorded there are none.
        candidate: estimator and parameters, as a text.
        candidate_id: of the candidate in its search.
        task: the kind of problem.
        classes: the values of the label, by class index; empty if the label is a number.
        threshold: the probability that a positive row must reach; None if there is none.
        calibration: how probabilities were calibrated; `none` if they were not.
        training_set_sha256: content hash of the training set.
        spec_sha256: of the spec of the training.
        holdout: how the hold-out was chosen, and its share.
        git_commit: of the code; `unknown` if that was not known.
    """

    model: str
    version: int
    run_id: str
    registered_at: datetime
    metrics: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    candidate: str = ""
    candidate_id: str = ""
    task: TaskName = "regression"
    classes: tuple[str, ...] = ()
    threshold: float | None = None
    calibration: str = "none"
    training_set_sha256: str = ""
    spec_sha256: str = ""
    holdout: str = ""
    git_commit: str = "unknown"


@dataclass(frozen=True)
class TrainingFacts:
    """What only MLflow knows of a version.

    Attributes:
        rows_train: rows that it was fitted on; None if that was not logged.
        rows_holdout: rows of its hold-out.
        features: their names, in order; None if its spec cannot be read any more.
        packages: versions of the packages, by name.
    """

    rows_train: int | None
    rows_holdout: int | None
    features: tuple[str, ...] | None
    packages: dict[str, str]


def details(name: str, version: int) -> VersionDetails:
    """Return the record of a version; of a number that was used again, the newest.

    Raises:
        RegistryError: the platform has not recorded this version, or its record is invalid.
        ServiceError: Postgres is not available.
    """
    found = fetch(
        "SELECT run_id, recorded_at, tags::text FROM models.versions WHERE model = $1 AND version = $2::int"
        " ORDER BY recorded_at DESC LIMIT 1",
        *(name, version),
    )
    if not found:
        raise RegistryError(f"{name}: there is no record of version {version}")
    run_id, recorded_at, text = found[0]
    tags = json.loads(text)
    classes, threshold = version_tags.read_classes(tags), version_tags.read_threshold(tags)
    return VersionDetails(
        name, version, run_id, recorded_at, classes=classes, threshold=threshold, task=_task(classes, threshold),
        metrics=json.loads(tags.get("holdout_metrics", "{}")),
        intervals={one: (low, high) for one, (low, high) in json.loads(tags.get("holdout_intervals", "{}")).items()},
        candidate=tags.get("candidate", ""), candidate_id=tags.get("candidate_id", ""),
        calibration=tags.get("calibration", "none"), training_set_sha256=tags.get("training_set_sha256", ""),
        spec_sha256=tags.get("spec_sha256", ""), git_commit=tags.get("git_commit", "unknown"),
        holdout=f"{tags.get('holdout_share', '?')} of the rows, by {tags.get('holdout_by', '?')}",
    )  # fmt: skip


def _task(classes: tuple[str, ...], threshold: float | None) -> TaskName:
    if threshold is not None:
        return "binary"
    return "multiclass" if classes else "regression"


def training_facts(found: VersionDetails) -> TrainingFacts:
    """Return what MLflow knows of a version. It never changes, so it can be kept.

    Raises:
        MlflowException: MLflow is not available, or the run was deleted.
    """
    run = mlflow_client.connect().get_run(found.run_id)
    train, held = (run.data.params.get(f"rows_{part}") for part in ("train", "holdout"))
    spec = _spec(found)
    return TrainingFacts(
        rows_train=int(train) if train else None,
        rows_holdout=int(held) if held else None,
        features=tuple(spec.features) if spec else None,
        packages=json.loads(run.data.tags.get("packages", "{}")),
    )


def _spec(found: VersionDetails) -> Dataset | None:
    """Return the spec of the training, from the model's files; None if it is of a form that is not known any more."""
    tracking = settings().mlflow_tracking_uri
    registered = registry.get_version(found.model, found.version)
    location = mlflow_client.connect().get_model_version_download_uri(registered.name, registered.version)
    with tempfile.TemporaryDirectory() as folder:
        path = mlflow.artifacts.download_artifacts(
            artifact_uri=f"{location.rstrip('/')}/{SPEC_FILE}", dst_path=folder, tracking_uri=tracking
        )
        try:
            return Dataset.model_validate_json(Path(path).read_bytes())
        except ValidationError:
            return None
