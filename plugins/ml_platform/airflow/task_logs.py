"""The logs of tasks: in a local file while the task runs, then in the bucket `logs`, and removed when they are old.

Airflow's own classes do the work. Five things are different here. After an upload only the uploaded file is removed:
Airflow would remove its folder, where the next attempt may be writing already. The key of the bucket is not kept for
the next upload: a worker lives for weeks, and the key may change. No server of logs is asked, because none runs. What
can be read of a log is shown, also while the object store is down. And an error begins with its last line.
"""

import logging
import os
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
from airflow.providers.amazon.aws.log.s3_task_handler import S3RemoteLogIO
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.execution_time.supervisor import _REMOTE_LOGGING_CONN_CACHE
from airflow.utils.log.file_task_handler import FileTaskHandler
from airflow.utils.state import TaskInstanceState
from botocore.exceptions import BotoCoreError, ClientError

from ml_platform.exceptions import ServiceError
from ml_platform.settings import settings

log = logging.getLogger(__name__)

OUTAGES = (BotoCoreError, ClientError)
UNFINISHED = (TaskInstanceState.RUNNING, TaskInstanceState.DEFERRED)
NO_LOG = "There is no log of this attempt: it was older than LOG_RETENTION_DAYS, or was lost before it was uploaded."
TASK_FAILED = "Task failed with exception"  # what Airflow logs with the traceback
OF_TASKS = "dag_id="  # how the folders of tasks begin; beside them are the logs of reading DAG files
OF_TRIGGER = ".trigger."
SILENT = timedelta(days=1)  # a file without a new line for so long is of a task that was killed, or runs on in silence


def begin_with_error(_logger: Any, _method: str, entry: Any) -> Any:
    """Let the log entry of a failed task begin with the last line of its traceback, which Airflow shows below it.

    It is a processor of structlog: it gets and returns the fields of an entry. An `AirflowFailException` repeats what
    its task has logged already.
    """
    if stacks := entry.get("error_detail"):
        kind, text = stacks[0]["exc_type"], stacks[0]["exc_value"]  # the others are its causes
        if entry["event"] == TASK_FAILED and kind != AirflowFailException.__name__:
            entry["event"] = f"{kind}: {text}"
    return entry


class BucketLogs(S3RemoteLogIO):
    """The logs in the bucket: a task's supervisor uploads them, the api-server reads them."""

    # Airflow installs these where a supervisor writes the file
    processors = (begin_with_error,)  # type: ignore[assignment] # the base class has an empty tuple

    def upload(self, path: os.PathLike[str] | str, ti: Any = None) -> None:
        """Append a local file to its object, then remove the file; it stays if the object store is down."""
        file = self.base_log_folder / path
        _REMOTE_LOGGING_CONN_CACHE.clear()  # for the next upload; this one has the connection in its environment
        if not file.is_file():
            return
        text = file.read_text("utf-8", errors="replace")
        location = f"{self.remote_base}/{file.relative_to(self.base_log_folder).as_posix()}"
        once = attrs.evolve(self)  # with a hook of its own, because a hook keeps the key
        if once._adds_nothing(text, location) or once.write(text, location):
            file.unlink()

    def _adds_nothing(self, text: str, location: str) -> bool:
        """Return whether an object needs no change, as after each new look of a sensor that has nothing to say."""
        with suppress(*OUTAGES):
            return not text and self.s3_log_exists(location)
        return False

    def read(self, relative_path: str, ti: Any) -> tuple[list[str], list[str] | None]:
        """Return where the parts of a log are, and their texts; during an outage what is wrong, and None."""
        try:
            sources, texts = super().read(relative_path, ti)
        except OUTAGES as error:
            reason = str(error).partition("?")[0]  # without the query of an address
            return [f"The logs in the object store cannot be read now: {reason}"], None
        return sources, texts


class TaskLogHandler(FileTaskHandler):
    """Shows the log of a task: what is in the bucket, and the local file while there is one."""

    def _read_from_logs_server(self, ti: Any, worker_log_rel_path: str) -> tuple[list[str], list[Generator[str]]]:
        """Ask no server. Airflow calls this for a task that runs, and for one that has ended without any log.

        The log of the latter may have been uploaded since Airflow looked into the bucket: look again.
        """
        if ti.state in UNFINISHED:
            return [], []
        sources, texts = BucketLogs.from_config().read(worker_log_rel_path, ti)
        return sources if texts else [], [_lines(texts or sources or [NO_LOG])]


def _lines(texts: list[str]) -> Generator[str]:
    for text in texts:
        yield from text.split("\n")


def clean(is_running: Callable[[str, str, str], bool], *, dry_run: bool = False) -> None:
    """Remove the logs that are older than `LOG_RETENTION_DAYS`, and upload what killed tasks left on this machine.

    Args:
        is_running: whether a task runs now, by the ids of DAG, run and task. Its file stays, also if it is silent.
        dry_run: only count the old logs in the bucket.

    Raises:
        ServiceError: the object store failed.
    """
    logs = BucketLogs.from_config()
    retention = timedelta(days=settings().log_retention_days)
    try:
        removed = _remove_objects(logs, retention, dry_run=dry_run)
    except OUTAGES as error:
        raise ServiceError(f"{logs.remote_base}: {error}") from error
    if dry_run:
        log.info("%d logs older than %d days would be removed", removed, retention.days)
        return
    uploaded = _clean_folder(logs, retention, is_running)
    _remove_empty_folders(logs.base_log_folder)
    log.info("%d logs older than %d days are removed", removed, retention.days)
    if uploaded:
        log.info("%d logs that killed tasks had left on this machine are in the bucket now", uploaded)


def _remove_objects(logs: S3RemoteLogIO, retention: timedelta, *, dry_run: bool) -> int:
    """Remove old objects; one by one, because the answer to a request for many hides errors. Return how many."""
    oldest, removed = datetime.now(UTC) - retention, 0
    s3, (bucket, _) = logs.hook.get_conn(), logs.hook.parse_s3_url(logs.remote_base)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            if entry["LastModified"] < oldest:
                if not dry_run:
                    s3.delete_object(Bucket=bucket, Key=entry["Key"])
                removed += 1
    return removed


def _clean_folder(logs: S3RemoteLogIO, retention: timedelta, is_running: Callable[[str, str, str], bool]) -> int:
    """Remove old local files, and upload those of killed tasks; return how many."""
    uploaded = 0
    for file in [path for path in logs.base_log_folder.rglob("*") if path.is_file()]:
        age, path = _age(file), file.relative_to(logs.base_log_folder)
        if age > retention:
            file.unlink()
        elif age > SILENT and _is_of_task(path) and not is_running(*_ids(path)):
            logs.upload(file)
            uploaded += not file.exists()
    return uploaded


def _is_of_task(path: Path) -> bool:
    """Return whether a file is of a task, and not of its trigger, which may wait for weeks without a word."""
    return path.parts[0].startswith(OF_TASKS) and OF_TRIGGER not in path.name


def _ids(path: Path) -> tuple[str, str, str]:
    """Return the ids of DAG, run and task: the first three folders are `dag_id=…/run_id=…/task_id=…`."""
    dag, run, task = (part.partition("=")[2] for part in path.parts[:3])
    return dag, run, task


def _remove_empty_folders(base: Path) -> None:
    """Remove folders that have been empty for a while; in a new one, a task may be about to create its file."""
    for folder in sorted((path for path in base.rglob("*") if path.is_dir()), reverse=True):
        if _age(folder) > SILENT:
            with suppress(OSError):  # it is not empty
                folder.rmdir()


def _age(path: Path) -> timedelta:
    """Return the time since the last change; none for a path that has just been removed, as an ended task does."""
    with suppress(FileNotFoundError):
        return timedelta(seconds=time.time() - path.stat().st_mtime)
    return timedelta(0)
