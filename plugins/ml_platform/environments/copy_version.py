"""Carry a version to another registry with its lineage, and ask it there for what it answers here."""

import logging
from collections.abc import Mapping
from pathlib import Path

from mlflow.entities import Metric, Param, Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.utils.mlflow_tags import MLFLOW_GIT_COMMIT

from ml_platform.environments.environment import Environment, public_url
from ml_platform.environments.reference_rows import reference_rows
from ml_platform.environments.values import CopiedVersion
from ml_platform.exceptions import ConfigurationError, RegistryError
from ml_platform.promotion import smoke_test
from ml_platform.registry import registry
from ml_platform.settings import settings
from ml_platform.specs.spec import Dataset
from ml_platform.storage import mlflow_client
from ml_platform.storage.locks import promotion_lock

log = logging.getLogger(__name__)

FOLDER = "model"  # of the model's files among the artifacts of the run
# Of a run's tags, those that would mean something else in another registry: they are kept as `source_<tag>`.
_OF_THE_SOURCE = ("search_id", "kind", "training_set_uri", "model_version", "decision", "reason")
# Of a version's, those of its own promotion: it begins a new one.
_OF_A_PROMOTION = ("promoted_by", "promoted_at", "promotion_reason", "approved_by")


def lock_name(environment: str, model: str) -> str:
    """Return what `promotion_lock` is held of while an environment's model is looked at and moved."""
    return f"{environment}/{model}"


def copy(name: str, environment: Environment, version: int | None = None) -> CopiedVersion:
    """Register a version in another registry, with its files, byte by byte, its run and its tags.

    What has been copied before is found again, and not copied twice. No alias moves.

    Args:
        name: of the registered model.
        environment: where it goes.
        version: its number; the champion of this moment if not given.

    Raises:
        RegistryError: there is no such version, or its files or tags are not what was recorded at training.
        ConfigurationError: the other registry is this very one, or refuses the login.
    """
    if public_url(environment.url) == public_url(settings().mlflow_tracking_uri):
        raise ConfigurationError(f"{environment.name}: {environment.url} is this very registry; name another")
    source = _source(name, version)
    run = mlflow_client.connect().get_run(str(source.run_id))
    lineage = {
        "source_registry": public_url(settings().mlflow_url or settings().mlflow_tracking_uri),
        "source_run_id": run.info.run_id,
        "source_version": source.version,
    }
    with registry.download(source) as folder:
        dataset = _checked(source, folder)
        with promotion_lock(lock_name(environment.name, name)), environment.entered():
            there = _registered(folder, dataset, source, run, lineage)
    log.info("%s version %s is version %s in %s", name, source.version, there.version, environment.name)
    return CopiedVersion(
        name, int(source.version), environment.name, int(there.version), source.tags["model_sha256"], run.info.run_id
    )


def _source(name: str, version: int | None) -> ModelVersion:
    if version is not None:
        return registry.get_version(name, version)
    found = registry.alias_version(name, registry.CHAMPION)
    if found is None:
        raise RegistryError(f"{name}: no model is live, so there is none to promote; name a version")
    return found


def _checked(source: ModelVersion, folder: Path) -> Dataset:
    try:
        return registry.load_files(source, folder).dataset
    except RegistryError as error:
        raise RegistryError(f"{source.name} version {source.version}: {error}") from error


def _registered(
    folder: Path, dataset: Dataset, source: ModelVersion, run: Run, lineage: Mapping[str, str]
) -> ModelVersion:
    api, sha256 = mlflow_client.connect(), source.tags["model_sha256"]
    ours = _run(dataset, run, {**lineage, "model_sha256": sha256})
    found = api.search_model_versions(f"name = '{source.name}' and run_id = '{ours.info.run_id}'")
    if same := [version for version in found if version.tags.get("model_sha256") == sha256]:
        return max(same, key=lambda version: int(version.version))
    _log(ours, run)
    api.log_artifacts(ours.info.run_id, str(folder), FOLDER)
    api.set_terminated(ours.info.run_id, run.info.status, run.info.end_time)
    registry.ensure_model(api, dataset)
    return api.create_model_version(
        source.name,
        source=f"{ours.info.artifact_uri}/{FOLDER}",
        run_id=ours.info.run_id,
        tags={**_version_tags(source.tags), **lineage},
    )


def _run(dataset: Dataset, run: Run, lineage: Mapping[str, str]) -> Run:
    """Return the run there that stands for one here: that of a promotion before, also of a killed one, or a new one."""
    api = mlflow_client.connect()
    experiment = mlflow_client.experiment_id(api, dataset.name)
    query = " and ".join(f"tags.{tag} = '{lineage[tag]}'" for tag in ("source_run_id", "model_sha256"))
    found = api.search_runs([experiment], query, order_by=["start_time"], max_results=1)
    if found:
        return found[0]
    tags = {**_run_tags(run.data.tags), **lineage, "kind": "promotion"}
    return api.create_run(experiment, run.info.start_time, tags, run.info.run_name)


def _run_tags(tags: Mapping[str, str]) -> dict[str, str]:
    kept = {tag: text for tag, text in tags.items() if not tag.startswith("mlflow.") or tag == MLFLOW_GIT_COMMIT}
    return {f"source_{tag}" if tag in _OF_THE_SOURCE else tag: text for tag, text in kept.items()}


def _version_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return a version's tags as they are, but the gate's decision, which was made against another champion."""
    kept = {tag: text for tag, text in tags.items() if tag not in _OF_A_PROMOTION}
    return {f"source_{tag}" if tag.startswith("decision") else tag: text for tag, text in kept.items()}


def _log(ours: Run, run: Run) -> None:
    """Write parameters, last values of the metrics and the name of the training set; again, it is the same."""
    api, at = mlflow_client.connect(), run.info.end_time or run.info.start_time
    metrics = [Metric(name, value, at, 0) for name, value in run.data.metrics.items()]
    api.log_batch(ours.info.run_id, metrics, [Param(*item) for item in run.data.params.items()])
    if run.inputs and run.inputs.dataset_inputs:
        api.log_inputs(ours.info.run_id, run.inputs.dataset_inputs)


def check(environment: Environment, copied: CopiedVersion) -> int:
    """Have a fresh process load a version from the other registry and answer as it does here, to the same rows.

    Returns:
        The number of rows.

    Raises:
        RegistryError: its files there are not those from here, or it answers otherwise.
    """
    model = registry.load(registry.get_version(copied.model, copied.version))
    rows = reference_rows(model)
    expected, _ = model.predict(rows)
    with environment.entered():
        there = version_there(copied)
        try:
            smoke_test.check(there, rows, expected)
        except RegistryError as error:
            raise unfit(copied, error) from error
    log.info("%s answers %s rows as it does here", copied, f"{len(rows):,}")
    return len(rows)


def version_there(copied: CopiedVersion) -> ModelVersion:
    """Return the version there; inside the environment.

    Raises:
        RegistryError: there is none, or it is not said to be the files from here.
    """
    found = registry.get_version(copied.model, copied.target_version)
    if found.tags.get("model_sha256") != copied.model_sha256:
        raise unfit(copied, "its tag model_sha256 is not that of the files from here")
    return found


def unfit(copied: CopiedVersion, problem: object) -> RegistryError:
    """Return the error that says why a version does not go live there, and what to do."""
    return RegistryError(
        f"{copied} does not go live there: {problem}. Look who changed it there, delete the version and its run, "
        "and promote it again"
    )
