"""MLflow's model registry: versions with the tags of their training, and the aliases that name the live one."""

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import mlflow.artifacts
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput, Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from sklearn.base import BaseEstimator

from ml_platform.evaluation.tasks import task_of
from ml_platform.exceptions import RegistryError
from ml_platform.pages import address
from ml_platform.registry import model_files, version_records, version_tags
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.settings import settings
from ml_platform.specs.spec import Dataset
from ml_platform.storage import database, mlflow_client

log = logging.getLogger(__name__)

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
LINKS = "\n\nPages: "  # begins the last line of a model's description that the platform wrote


def alias_version(name: str, alias: str) -> ModelVersion | None:
    """Return the version that an alias names; None if the model or the alias does not exist."""
    try:
        return mlflow_client.connect().get_model_version_by_alias(name, alias)
    except MlflowException as error:
        # MLflow reports a missing alias as an invalid parameter, a missing model as a missing resource.
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def alias_number(name: str, alias: str = CHAMPION) -> int | None:
    """Return the number of the version that an alias names in MLflow, or None."""
    version = alias_version(name, alias)
    return int(version.version) if version else None


def aliases(name: str) -> dict[str, int]:
    """Return the numbers of the versions that have an alias in MLflow, by alias; none if there is no such model."""
    try:
        model = mlflow_client.connect().get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}
    return {alias: int(version) for alias, version in model.aliases.items()}


def champions() -> dict[str, int]:
    """Return the champion's version of every registered model that has a champion, by name."""
    versions: dict[str, int] = {}
    token: str | None = ""
    while token is not None:
        page = mlflow_client.connect().search_registered_models(max_results=1000, page_token=token or None)
        versions |= {one.name: int(one.aliases[CHAMPION]) for one in page if CHAMPION in one.aliases}
        token = page.token or None
    return versions


def get_version(name: str, version: int) -> ModelVersion:
    """Return a version by its number.

    Raises:
        RegistryError: there is no such version.
    """
    try:
        return mlflow_client.connect().get_model_version(name, str(version))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        raise RegistryError(f"{name}: there is no version {version}") from None


def live_version(name: str) -> ModelVersion | None:
    """Return the version that is live: the one with the alias `champion`.

    If the platform never made that version live, it is the last one that the platform made live. None if there is
    none, or it was deleted in MLflow.
    """
    version = alias_version(name, CHAMPION)
    if version is None:
        return None
    recorded = version_records.read(version)
    if recorded and recorded.was_live:
        return version
    log.warning("%s: the alias names version %s, which the platform never made live", name, version.version)
    verified = version_records.last_live(name)
    try:
        return None if verified is None else get_version(name, verified)
    except RegistryError as error:
        log.warning("%s", error)
        return None


def load_champion(name: str) -> LoadedModel:
    """Load the champion. To find out whether there is one, use `alias_version(name, "champion")`.

    If the alias names a version that must not be live, the last one that the platform made live is loaded instead; its
    attribute `problem` says why.

    Raises:
        RegistryError: there is no champion, or neither version can be loaded: see `load_live`.
    """
    version = alias_version(name, CHAMPION)
    if version is None:
        raise RegistryError(f"{name}: no model is live (no alias {CHAMPION!r}); train one")
    try:
        return load_live(version)
    except RegistryError as error:
        verified = version_records.last_live(name)
        if verified is None or verified == int(version.version):
            raise
        log.warning("%s; version %d, which the platform made live last, is used", error, verified)
        return replace(load_live(get_version(name, verified)), problem=str(error))


def load_live(version: ModelVersion) -> LoadedModel:
    """Load a version that the platform made live at some time.

    Raises:
        RegistryError: see `load`; or the alias was moved to it in MLflow only.
    """
    with _named(version):
        version_records.check_live(version)
        return _download_and_load(version, version.tags)


def load(version: ModelVersion) -> LoadedModel:
    """Download, check and load one version that this platform has recorded.

    Raises:
        RegistryError: its files are missing, could run code, or differ from the record; or its tags differ from the
            record.
    """
    with _named(version):
        version_records.check(version)
        return _download_and_load(version, version.tags)


def load_recorded(version: ModelVersion) -> LoadedModel:
    """Load a version by its recorded tags, also if its tags in MLflow differ from them.

    Raises:
        RegistryError: there is no record, or the files are missing, could run code, or differ from the record.
    """
    with _named(version):
        return _download_and_load(version, version_records.get(version).tags)


def load_copy(version: ModelVersion) -> LoadedModel:
    """Load a version that this platform has not recorded, such as one in another registry.

    Its files are compared with its own tags only: the caller compares the tag `model_sha256` with what it knows.

    Raises:
        RegistryError: its files are missing, could run code, or differ from its tags.
    """
    with _named(version):
        return _download_and_load(version, version.tags)


@contextmanager
def _named(version: ModelVersion) -> Iterator[None]:
    try:
        yield
    except RegistryError as error:
        raise RegistryError(f"{version.name} version {version.version}: {error}") from error


def _download_and_load(version: ModelVersion, tags: Mapping[str, str]) -> LoadedModel:
    with download(version) as folder:
        return load_files(version, tags, folder)


def load_files(version: ModelVersion, tags: Mapping[str, str], folder: Path) -> LoadedModel:
    """Load a version from a folder with its files.

    Args:
        version: its name, number and run.
        tags: the recorded ones, or those of the version that the caller has compared with the record.
        folder: with the files, which are compared with the tag `model_sha256`.

    Raises:
        RegistryError: see `load_copy`.
    """
    classes = version_tags.read_classes(tags)
    rule = version_tags.read_holdout(version.name, tags)
    estimator, columns, dataset = model_files.read(folder, tags.get("model_sha256", ""))
    task = task_of(dataset, classes).as_fitted(estimator)
    if problem := task.check_estimator(estimator):
        raise RegistryError(problem)
    version_tags.check(tags, dataset, task)
    sha256, run_id = tags.get("training_set_sha256", ""), version.run_id or ""
    return LoadedModel(
        version.name, int(version.version), task, estimator, columns, dataset, rule, sha256, run_id,
        tags.get("model_card"),
    )  # fmt: skip


@contextmanager
def download(version: ModelVersion) -> Iterator[Path]:
    """Yield a folder with a version's files, which are not checked; the folder is removed at the end.

    Raises:
        RegistryError: there are no files.
    """
    tracking = settings().mlflow_tracking_uri
    location = mlflow_client.connect().get_model_version_download_uri(version.name, version.version)
    # An empty list means that the files were deleted. An outage raises another error: it must not look the same.
    paths = [item.path for item in mlflow.artifacts.list_artifacts(artifact_uri=location, tracking_uri=tracking)]
    if not paths or any(".." in Path(path).parts for path in paths):
        raise RegistryError(f"the model's files are not in the artifact store (found: {paths})")
    with tempfile.TemporaryDirectory() as folder:
        yield Path(mlflow.artifacts.download_artifacts(artifact_uri=location, dst_path=folder, tracking_uri=tracking))


def version_of_run(name: str, run_id: str, candidate_id: str) -> ModelVersion | None:
    """Return the version that a run registered and recorded for a candidate, or None."""
    versions = mlflow_client.connect().search_model_versions(f"name = '{name}' and run_id = '{run_id}'")
    matching = [version for version in versions if version.tags.get("candidate_id") == candidate_id]
    newest_first = sorted(matching, key=lambda version: int(version.version), reverse=True)
    return next(filter(version_records.read, newest_first), None)


def register(
    run: Run, dataset: Dataset, estimator: BaseEstimator, example: pd.DataFrame, tags: Mapping[str, str]
) -> ModelVersion:
    """Write a fitted model into the artifact store, register it under the data set's name, and record it.

    The version gets all its tags in the request that creates it. Two are added here: `model_sha256`, the digest of the
    files, and `spec_sha256`, the version of the spec. The same tags are recorded in Postgres.
    """
    api = mlflow_client.connect()
    model = api.create_logged_model(run.info.experiment_id, name=dataset.name, source_run_id=run.info.run_id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        sha256 = model_files.write(estimator, dataset, example, path, run_id=run.info.run_id, model_id=model.model_id)
        api.log_model_artifacts(model.model_id, str(path))
    api.finalize_logged_model(model.model_id, "READY")
    api.log_outputs(run.info.run_id, [LoggedModelOutput(model.model_id, step=0)])
    ensure_model(api, dataset)
    _describe_model(api, dataset)
    version = api.create_model_version(
        dataset.name,
        source=f"models:/{model.model_id}",
        run_id=run.info.run_id,
        model_id=model.model_id,
        description=version_tags.description(tags),
        tags={**tags, "model_sha256": sha256, "spec_sha256": dataset.sha256},
    )
    with database.transaction() as cursor:
        version_records.record(cursor, version, "training")
    return version


def ensure_model(api: MlflowClient, dataset: Dataset) -> None:
    """Create the registered model of a data set if it does not exist."""
    try:
        api.create_registered_model(dataset.name, description=dataset.description)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _describe_model(api: MlflowClient, dataset: Dataset) -> None:
    """Let the registered model say what its data set is about, and link to its pages; a person's own text stays."""
    links = {
        "Trainings": address(os.environ, "experiment", dataset.name),
        "train again": address(os.environ, "dag", f"train_{dataset.name}"),
        "roll back": address(os.environ, "dag", f"rollback_{dataset.name}"),
        "reports": address(os.environ, "bucket", f"reports/{dataset.name}"),
    }
    text = dataset.description + LINKS + " · ".join(f"[{title}]({url})" for title, url in links.items())
    there = api.get_registered_model(dataset.name).description or ""
    if there != text and (LINKS in there or there in ("", dataset.description)):
        api.update_registered_model(dataset.name, text)


def describe(version: ModelVersion, tags: Mapping[str, str]) -> None:
    """Replace the description of a version by that of these tags."""
    text = version_tags.description(tags)
    mlflow_client.connect().update_model_version(version.name, version.version, text)


def set_alias(name: str, alias: str, version: int) -> None:
    """Point an alias at a version."""
    mlflow_client.connect().set_registered_model_alias(name, alias, str(version))


def remove_alias(name: str, alias: str) -> None:
    """Remove an alias; it need not be there."""
    mlflow_client.connect().delete_registered_model_alias(name, alias)
