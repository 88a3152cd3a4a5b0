"""Copy a version with its lineage to another registry, and check that the copy predicts the same."""

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
from ml_platform.registry import registry, version_records, version_tags
from ml_platform.settings import settings
from ml_platform.specs.spec import Dataset
from ml_platform.storage import mlflow_client
from ml_platform.storage.locks import promotion_lock
from ml_platform.training import tracking

log = logging.getLogger(__name__)

FOLDER = "model"  # of the model's files, among the artifacts of the run
# Tags of a run that would mean something else in another registry. The copy has them as `source_<tag>`.
_SOURCE_TAGS = ("search_id", "kind", "training_set_uri", "model_version", "decision", "reason")


def lock_name(environment: str, model: str) -> str:
    """Return the name under which `promotion_lock` locks a model in an environment."""
    return f"{environment}/{model}"


def copy(name: str, environment: Environment, version: int | None = None) -> CopiedVersion:
    """Register a version in another registry, with its files (byte by byte), its run and its tags.

    The function is idempotent: an existing copy is returned. No alias moves.

    Args:
        name: of the registered model.
        environment: the target.
        version: its number; the current champion if not given.

    Raises:
        RegistryError: there is no such version, or its files or tags are not what was recorded at training.
        ConfigurationError: the target is the registry of this platform itself, or refuses the login.
    """
    if public_url(environment.url) == public_url(settings().mlflow_tracking_uri):
        raise ConfigurationError(
            f"{environment.name}: {environment.url} is the registry of this platform itself; name another one"
        )
    source = _source(name, version)
    run = mlflow_client.connect().get_run(str(source.run_id))
    lineage = {
        "source_registry": public_url(settings().mlflow_url or settings().mlflow_tracking_uri),
        "source_run_id": run.info.run_id,
        "source_version": source.version,
    }
    model_card = tracking.read_model_card(run.info.run_id)
    with registry.download(source) as folder:
        dataset = _load_dataset(source, folder)
        with promotion_lock(lock_name(environment.name, name)), environment.use():
            copied = _register(folder, dataset, source, run, lineage, model_card)
    log.info("%s version %s is version %s in %s", name, source.version, copied.version, environment.name)
    return CopiedVersion(
        name, int(source.version), environment.name, int(copied.version), source.tags["model_sha256"], run.info.run_id
    )


def _source(name: str, version: int | None) -> ModelVersion:
    if version is not None:
        return registry.get_version(name, version)
    champion = registry.live_version(name)
    if champion is None:
        raise RegistryError(f"{name}: no model is live, so there is none to promote; name a version")
    return champion


def _load_dataset(source: ModelVersion, folder: Path) -> Dataset:
    try:
        version_records.check(source)
        return registry.load_files(source, source.tags, folder).dataset
    except RegistryError as error:
        raise RegistryError(f"{source.name} version {source.version}: {error}") from error


def _register(
    folder: Path,
    dataset: Dataset,
    source: ModelVersion,
    run: Run,
    lineage: Mapping[str, str],
    model_card: Mapping[str, str],
) -> ModelVersion:
    api, sha256 = mlflow_client.connect(), source.tags["model_sha256"]
    copied_run = _find_or_create_run(dataset, run, {**lineage, "model_sha256": sha256})
    versions = api.search_model_versions(f"name = '{source.name}' and run_id = '{copied_run.info.run_id}'")
    if same := [version for version in versions if version.tags.get("model_sha256") == sha256]:
        return max(same, key=lambda version: int(version.version))
    _log(copied_run, run)
    api.log_artifacts(copied_run.info.run_id, str(folder), FOLDER)
    tracking.log_model_card(copied_run.info.run_id, model_card)
    api.set_terminated(copied_run.info.run_id, run.info.status, run.info.end_time)
    registry.ensure_model(api, dataset)
    tags = {**_version_tags(source.tags), **lineage}
    if model_card:
        tags["model_card"] = tracking.model_card_page(copied_run)
    return api.create_model_version(
        source.name,
        source=f"{copied_run.info.artifact_uri}/{FOLDER}",
        run_id=copied_run.info.run_id,
        description=version_tags.description(tags),
        tags=tags,
    )


def _find_or_create_run(dataset: Dataset, run: Run, lineage: Mapping[str, str]) -> Run:
    """Return the copy of a run: that of an earlier promotion, which may have been killed, or a new one."""
    api = mlflow_client.connect()
    experiment = mlflow_client.experiment_id(api, dataset.name)
    query = " and ".join(f"tags.{tag} = '{lineage[tag]}'" for tag in ("source_run_id", "model_sha256"))
    runs = api.search_runs([experiment], query, order_by=["start_time"], max_results=1)
    if runs:
        return runs[0]
    tags = {**_run_tags(run.data.tags), **lineage, "kind": "promotion"}
    return api.create_run(experiment, run.info.start_time, tags, run.info.run_name)


def _run_tags(tags: Mapping[str, str]) -> dict[str, str]:
    kept = {tag: text for tag, text in tags.items() if not tag.startswith("mlflow.") or tag == MLFLOW_GIT_COMMIT}
    return {f"source_{tag}" if tag in _SOURCE_TAGS else tag: text for tag, text in kept.items()}


def _version_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return a version's tags for its copy. The gate decided against another champion, so its tags are renamed."""
    kept = version_tags.without_promotion(tags)
    kept.pop("model_card", None)  # a page of the source's MLflow
    return {f"source_{tag}" if tag.startswith("decision") else tag: text for tag, text in kept.items()}


def _log(copied_run: Run, run: Run) -> None:
    """Write parameters, last values of the metrics and the name of the training set; idempotent."""
    api, at = mlflow_client.connect(), run.info.end_time or run.info.start_time
    metrics = [Metric(name, value, at, 0) for name, value in run.data.metrics.items()]
    api.log_batch(copied_run.info.run_id, metrics, [Param(*item) for item in run.data.params.items()])
    if run.inputs and run.inputs.dataset_inputs:
        api.log_inputs(copied_run.info.run_id, run.inputs.dataset_inputs)


def check(environment: Environment, copied: CopiedVersion) -> int:
    """Load a copy from its registry in a new process, and compare its predictions with those of the original.

    Returns:
        The number of rows for which both predict the same.

    Raises:
        RegistryError: the copy has other files, or predicts something else.
    """
    model = registry.load(registry.get_version(copied.model, copied.version))
    rows = reference_rows(model)
    expected, _ = model.predict(rows)
    with environment.use():
        version = find_copy(copied)
        try:
            smoke_test.check(version, rows, expected)
        except RegistryError as error:
            raise copy_error(copied, error) from error
    log.info("%s predicts the same as the original for %s rows", copied, f"{len(rows):,}")
    return len(rows)


def find_copy(copied: CopiedVersion) -> ModelVersion:
    """Return the registered copy; call it inside `environment.use()`.

    Raises:
        RegistryError: there is none, or its tag `model_sha256` names other files.
    """
    version = registry.get_version(copied.model, copied.target_version)
    if version.tags.get("model_sha256") != copied.model_sha256:
        raise copy_error(copied, "its tag model_sha256 is not that of the original")
    return version


def copy_error(copied: CopiedVersion, problem: object) -> RegistryError:
    """Return the error that says why a copy does not go live, and what to do."""
    return RegistryError(
        f"{copied} does not go live there: {problem}. Find out who changed it there, delete that version and its run, "
        "and promote it again"
    )
