"""Make a backup: stop the pipelines, copy databases, buckets and settings, let the pipelines run again."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from stack.access import buckets
from stack.backup import archive, databases
from stack.backup.folder import SETTINGS, LogProgress, check_place, megabytes, private_file
from stack.backup.manifest import Bucket, File, Manifest
from stack.config import ROOT, Config
from stack.errors import BackupError
from stack.revision import revision
from stack.servers.backup_schedule import paused
from stack.target import runner


def make_backup(config: Config, folder: Path, log_progress: LogProgress) -> Manifest:
    """Copy the platform to a new folder, which appears when it is complete; the pipelines are stopped meanwhile.

    Raises:
        BackupError: the folder exists already, or something could not be copied.
    """
    check_place(config, folder)
    if folder.exists():
        raise BackupError(f"{folder} exists already, and a backup is never overwritten.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _temporary_folder(folder) as partial, _pipelines_stopped(config, log_progress):
        manifest = _copy(config, partial, log_progress)
        partial.rename(folder)
    return manifest


@contextmanager
def _temporary_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside `folder`; removed at the end, unless it has been renamed."""
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _pipelines_stopped(config: Config, log_progress: LogProgress) -> Iterator[None]:
    """Stop the pipelines, keep databases and buckets up; afterwards all is as before, also after an error."""
    target, ran_before = runner(config), runner(config).running(config)
    stopped = [name for name in paused(config) if name in ran_before]
    began = time.monotonic()
    try:
        target.pause(config, stopped)
        if not ran_before >= {"postgres", "objects"}:
            target.up(config, ["postgres", "objects"])
        yield
    finally:
        if ran_before:
            target.resume(config, stopped)
        else:
            target.down(config)
        if stopped:
            seconds = time.monotonic() - began
            log_progress(f"the pipelines were stopped for {seconds:.0f} s; interrupted tasks are tried again")


def _copy(config: Config, folder: Path, log_progress: LogProgress) -> Manifest:
    with private_file(folder / SETTINGS) as file:
        file.write(config.env_file.read_bytes())
    rows = _dump_databases(config, folder, log_progress)
    manifest = Manifest(
        made_at=datetime.now(UTC),
        commit=revision(ROOT / ".git"),
        postgres=databases.server_version(config),
        settings=File.of(folder / SETTINGS),
        databases={database: File.of(folder / f"{database}.dump") for database in databases.DATABASES},
        rows=rows,
        buckets={bucket: _pack(config, bucket, folder / f"{bucket}.tar", log_progress) for bucket in buckets()},
    )
    manifest.write(folder)
    return manifest


def _dump_databases(config: Config, folder: Path, log_progress: LogProgress) -> dict[str, int]:
    """Return the numbers of rows at the moments of the dumps."""
    rows: dict[str, int] = {}
    for database in databases.DATABASES:
        path = folder / f"{database}.dump"
        with private_file(path) as file:
            rows |= databases.dump(config, database, file)
        log_progress(f"database {database}: {megabytes(path.stat().st_size)}")
    return rows


def _pack(config: Config, bucket: str, path: Path, log_progress: LogProgress) -> Bucket:
    with private_file(path) as file:
        contents = archive.pack(archive.connect(config), bucket, file)
    log_progress(f"bucket {bucket}: {contents.objects:,} objects, {megabytes(contents.bytes)}")
    return Bucket(objects=contents.objects, object_bytes=contents.bytes, **File.of(path).model_dump())
