"""Restore a backup: check that nothing is lost by it, then replace all data and start the platform."""

import os
from pathlib import Path

from stack import secrets
from stack.access import buckets
from stack.backup import archive, databases
from stack.backup.folder import SETTINGS, LogProgress, check_place
from stack.backup.manifest import Bucket, Manifest
from stack.config import Config
from stack.errors import BackupError, StackError
from stack.servers import kafka_node
from stack.target import runner

LOGS = "logs"


def restore_backup(
    config: Config, folder: Path, manifest: Manifest, log_progress: LogProgress, *, replace: bool = False
) -> None:
    """Bring the platform to the state of a verified backup, and start all of it.

    Raises:
        BackupError: the platform has data and `replace` is False, or something could not be restored.
    """
    check_place(config, folder)
    _check_keys(config, folder)
    if not replace:
        _check_empty(config, folder)
    try:
        restore_data(config, folder, manifest, log_progress)
        runner(config).up(config, [], lambda name, event: log_progress(f"{name:<22} {event}"))
        _check_models(config, log_progress)
    except StackError as error:
        raise BackupError(
            f"{error}\nThe platform is incomplete now; the backup is unchanged. "
            f"To restore it again: make restore FROM={folder} yes=1"
        ) from error


def restore_data(config: Config, folder: Path, manifest: Manifest, log_progress: LogProgress) -> None:
    """Remove all data, start the stores, and fill them from a backup.

    Raises:
        BackupError: something could not be restored, or differs from the manifest.
    """
    target = runner(config)
    target.wipe(config)
    target.up_stores(config)
    databases.check_version(config, manifest.postgres)
    for database in manifest.databases:
        with (folder / f"{database}.dump").open("rb") as file:
            databases.restore(config, database, file)
        log_progress(f"database {database}")
    for bucket, expected in manifest.buckets.items():
        _unpack(config, bucket, folder / f"{bucket}.tar", expected)
        log_progress(f"bucket {bucket}: {expected.objects:,} objects")
    if (rows := databases.count_rows(config)) != manifest.rows:
        raise BackupError(f"The tables have {rows} rows now; the backup had {manifest.rows}.")


def _unpack(config: Config, bucket: str, path: Path, expected: Bucket) -> None:
    s3 = archive.connect(config)
    with path.open("rb") as file:
        archive.unpack(s3, bucket, file)
    if (contents := archive.contents(s3, bucket)) != (expected.objects, expected.object_bytes):
        raise BackupError(
            f"The bucket {bucket} has {contents.objects:,} objects of {contents.bytes:,} bytes now; the backup had "
            f"{expected.objects:,} of {expected.object_bytes:,} bytes."
        )


def _check_keys(config: Config, folder: Path) -> None:
    """Raise BackupError if Airflow cannot decrypt its connections; of several keys it uses the one that fits."""
    here = config.airflow_fernet_key.get_secret_value().split(",")
    if not set(secrets.read(folder / SETTINGS)["AIRFLOW_FERNET_KEY"].split(",")) <= set(here):
        raise BackupError(
            f"AIRFLOW_FERNET_KEY in {config.env_file} is not the key with which Airflow has encrypted the connections "
            f"in this backup. Copy that line from {folder / SETTINGS}, or move {config.env_file} away to use all of "
            "the backup's settings."
        )


def _check_empty(config: Config, folder: Path) -> None:
    target, ran_before = runner(config), runner(config).running(config)
    target.up_stores(config)
    s3 = archive.connect(config)
    # a platform that has only been started has logs already: its daily task has run
    counts = {f"bucket {bucket}": archive.contents(s3, bucket).objects for bucket in buckets() if bucket != LOGS}
    counts["topics of Kafka"] = len(kafka_node.topics(config.state_dir / "kafka"))
    counts["uploads.arrivals"] = databases.count_rows(config).get("uploads.arrivals", 0)
    if not any(counts.values()):
        return
    if not ran_before:
        target.down(config)
    data = ", ".join(f"{name}: {number:,}" for name, number in counts.items() if number)
    raise BackupError(
        f"The platform is not empty ({data}). To remove all of its data and restore the backup instead: "
        f"make restore FROM={folder} yes=1"
    )


def _check_models(config: Config, log_progress: LogProgress) -> None:
    """Raise BackupError if a version that has an alias has no files in MLflow."""
    from mlflow import MlflowClient
    from mlflow.artifacts import list_artifacts
    from mlflow.exceptions import MlflowException

    os.environ.update(config.mlflow_environment())  # MLflow's client reads its login from there only
    client = MlflowClient(config.mlflow_url, config.mlflow_url)
    try:
        for model in client.search_registered_models():
            for alias, version in model.aliases.items():
                uri = client.get_model_version_download_uri(model.name, version)
                if not list_artifacts(artifact_uri=uri, tracking_uri=config.mlflow_url):
                    raise BackupError(f"The model {model.name} version {version} ({alias}) has no files in {uri}.")
                log_progress(f"model {model.name}: {alias} is version {version}")
    except MlflowException as error:
        raise BackupError(f"MLflow cannot show its models: {error}") from error
