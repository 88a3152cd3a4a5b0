"""`make backup` and `make restore`: databases, buckets and settings as one folder, wherever the platform runs.

A backup is `manifest.json`, the settings `.env`, a dump of each database and a tar file of each bucket. It holds all
secrets of the platform, so only its owner can read it.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from stack import archive, databases, secrets
from stack.access import buckets
from stack.config import ROOT, Config, env_path, load
from stack.errors import BackupError, StackError
from stack.manifest import SETTINGS, Bucket, Manifest, described, private_file, verify
from stack.revision import revision
from stack.target import runner
from stack.terminal import as_interrupt

Say = Callable[[str], None]
PIPELINES = ("airflow-scheduler", "airflow-triggerer", "airflow-dag-processor")


def make(config: Config, folder: Path, say: Say) -> Manifest:
    """Copy the platform to a new folder, which appears when it is whole; the pipelines stand still meanwhile.

    Raises:
        BackupError: the folder is there, or something could not be copied.
    """
    _check_place(config, folder)
    if folder.exists():
        raise BackupError(f"{folder} is there already, and no backup is ever overwritten.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        with _standing_still(config, say):
            manifest = _copy(config, partial, say)
            partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return manifest


def restore(config: Config, folder: Path, manifest: Manifest, say: Say, *, replace: bool = False) -> None:
    """Bring the platform to the state of a verified backup, and start all of it.

    Raises:
        BackupError: the platform is not empty and is not to be replaced, or something could not be restored.
    """
    _check_place(config, folder)
    _check_keys(config, folder)
    if not replace:
        _check_empty(config, folder)
    try:
        restore_data(config, folder, manifest, say)
        runner(config).up(config, [], lambda name, event: say(f"{name:<22} {event}"))
        _check_models(config, say)
    except StackError as error:
        raise BackupError(
            f"{error}\nThe platform is not whole now; the backup is. To start anew: make restore FROM={folder} yes=1"
        ) from error


def restore_data(config: Config, folder: Path, manifest: Manifest, say: Say) -> None:
    """Remove all data, start what holds data, and fill it from a backup.

    Raises:
        BackupError: something could not be restored, or is not what the manifest says.
    """
    target = runner(config)
    target.wipe(config)
    target.up_stores(config)
    databases.check_version(config, manifest.postgres)
    for database in manifest.databases:
        with (folder / f"{database}.dump").open("rb") as file:
            databases.restore(config, database, file)
        say(f"database {database}")
    for bucket, expected in manifest.buckets.items():
        _unpack(config, bucket, folder / f"{bucket}.tar", expected)
        say(f"bucket {bucket}: {expected.objects:,} objects")
    if (rows := databases.count_rows(config)) != manifest.rows:
        raise BackupError(f"The tables have {rows} rows now; the backup had {manifest.rows}.")


@contextmanager
def _standing_still(config: Config, say: Say) -> Iterator[None]:
    """Stop the pipelines, keep databases and buckets up; afterwards all is as it was, also after an error."""
    target, ran = runner(config), runner(config).running(config)
    paused = [name for name in PIPELINES if name in ran]
    began = time.monotonic()
    try:
        target.pause(config, paused)
        if not ran >= {"postgres", "objects"}:
            target.up(config, ["postgres", "objects"])
        yield
    finally:
        if ran:
            target.resume(config, paused)
        else:
            target.down(config)
        if paused:
            say(f"the pipelines stood still for {time.monotonic() - began:.0f} s; interrupted tasks are tried again")


def _copy(config: Config, folder: Path, say: Say) -> Manifest:
    with private_file(folder / SETTINGS) as file:
        file.write(config.env_file.read_bytes())
    rows: dict[str, int] = {}
    for database in databases.DATABASES:
        with private_file(folder / f"{database}.dump") as file:
            rows |= databases.dump(config, database, file)
        say(f"database {database}: {_size((folder / f'{database}.dump').stat().st_size)}")
    manifest = Manifest(
        made_at=datetime.now(UTC),
        commit=revision(ROOT / ".git"),
        postgres=databases.server_version(config),
        settings=described(folder / SETTINGS),
        databases={database: described(folder / f"{database}.dump") for database in databases.DATABASES},
        rows=rows,
        buckets={bucket: _pack(config, bucket, folder / f"{bucket}.tar", say) for bucket in buckets()},
    )
    manifest.write(folder)
    return manifest


def _pack(config: Config, bucket: str, path: Path, say: Say) -> Bucket:
    with private_file(path) as file:
        found = archive.pack(archive.connect(config), bucket, file)
    say(f"bucket {bucket}: {found.objects:,} objects, {_size(found.bytes)}")
    return Bucket(objects=found.objects, object_bytes=found.bytes, **described(path).model_dump())


def _unpack(config: Config, bucket: str, path: Path, expected: Bucket) -> None:
    s3 = archive.connect(config)
    with path.open("rb") as file:
        archive.unpack(s3, bucket, file)
    if (found := archive.contents(s3, bucket)) != (expected.objects, expected.object_bytes):
        raise BackupError(
            f"The bucket {bucket} has {found.objects:,} objects of {found.bytes:,} bytes now; the backup had "
            f"{expected.objects:,} of {expected.object_bytes:,} bytes."
        )


def _check_place(config: Config, folder: Path) -> None:
    if folder.resolve().is_relative_to(config.state_dir.resolve()):
        raise BackupError(f"{folder} lies in {config.state_dir}, which a restore removes. Choose a folder elsewhere.")


def _check_keys(config: Config, folder: Path) -> None:
    """Refuse if Airflow could not read what it has encrypted; of several keys it takes the one that fits."""
    here = config.airflow_fernet_key.get_secret_value().split(",")
    if not set(secrets.read(folder / SETTINGS)["AIRFLOW_FERNET_KEY"].split(",")) <= set(here):
        raise BackupError(
            f"AIRFLOW_FERNET_KEY in {config.env_file} is not the key with which Airflow has encrypted the connections "
            f"in this backup. Copy that line from {folder / SETTINGS}, or move {config.env_file} away, to take over "
            "all of the backup's settings."
        )


def _check_empty(config: Config, folder: Path) -> None:
    target, ran = runner(config), runner(config).running(config)
    target.up_stores(config)
    s3 = archive.connect(config)
    found = {f"bucket {bucket}": archive.contents(s3, bucket).objects for bucket in buckets()}
    found["uploads.arrivals"] = databases.count_rows(config).get("uploads.arrivals", 0)
    if not any(found.values()):
        return
    if not ran:
        target.down(config)
    holds = ", ".join(f"{name}: {number:,}" for name, number in found.items() if number)
    raise BackupError(
        f"The platform is not empty ({holds}). To remove all of its data and put the backup in their place: "
        f"make restore FROM={folder} yes=1"
    )


def _check_models(config: Config, say: Say) -> None:
    """Ask MLflow for the files of every version that has an alias."""
    from mlflow import MlflowClient
    from mlflow.artifacts import list_artifacts
    from mlflow.exceptions import MlflowException

    client = MlflowClient(config.mlflow_url, config.mlflow_url)
    try:
        for model in client.search_registered_models():
            for alias, version in model.aliases.items():
                uri = client.get_model_version_download_uri(model.name, version)
                if not list_artifacts(artifact_uri=uri, tracking_uri=config.mlflow_url):
                    raise BackupError(f"The model {model.name} version {version} ({alias}) has no files in {uri}.")
                say(f"model {model.name}: {alias} is version {version}")
    except MlflowException as error:
        raise BackupError(f"MLflow cannot show its models: {error}") from error


def _size(number: int) -> str:
    return f"{number / 1e6:,.1f} MB"


def run_make(options: argparse.Namespace, say: Say) -> None:
    """Make a backup and say where it is."""
    began = time.monotonic()
    folder = Path(options.to or ROOT / "backups" / datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ"))
    manifest = make(load(), folder, say)
    total = _size(sum(file.bytes for file in manifest.files().values()))
    say(f"Backup {folder}: {total}, {time.monotonic() - began:.0f} s. All secrets are in it: guard it like {SETTINGS}.")


def run_restore(options: argparse.Namespace, say: Say) -> None:
    """Check a backup, take over its settings where there are none, and restore it."""
    began = time.monotonic()
    folder: Path = options.folder
    manifest = verify(folder)
    if not env_path().exists():
        with private_file(env_path()) as file:
            file.write((folder / SETTINGS).read_bytes())
        say(f"settings: {env_path()}, from the backup")
    restore(load(), folder, manifest, say, replace=options.replace)
    say(f"Restored {folder}, made {manifest.made_at:%Y-%m-%d %H:%M} UTC, {time.monotonic() - began:.0f} s.")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False)
    signal.signal(signal.SIGTERM, as_interrupt)
    try:
        options.run(options, lambda text: console.print(text, markup=False, soft_wrap=True))
    except (StackError, OSError) as error:
        console.print(str(error), markup=False, style="red", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("\nInterrupted.")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stack.backup", description=__doc__)
    commands = parser.add_subparsers(required=True)
    making = commands.add_parser("make", help=run_make.__doc__)
    making.add_argument("--to", help="a folder that is not there yet; by default backups/<UTC time>")
    making.set_defaults(run=run_make)
    restoring = commands.add_parser("restore", help=run_restore.__doc__)
    restoring.add_argument("folder", type=Path)
    restoring.add_argument("--replace", action="store_true", help="remove the data of a platform that is not empty")
    restoring.set_defaults(run=run_restore)
    return parser


if __name__ == "__main__":
    sys.exit(main())
