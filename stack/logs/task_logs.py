"""The logs of Airflow's tasks: those of running tasks are files, the others are in the bucket `logs`."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import chain
from pathlib import PurePosixPath
from typing import Any

from stack.config import Config
from stack.logs.entry import IDS, TASKS, Entry
from stack.logs.files import dated, written_at

BUCKET = "logs"
OF_TASKS = "dag_id="  # how their paths begin


def entries(config: Config, since: datetime | None, is_wanted: Callable[[Entry], bool]) -> list[Entry]:
    """Return the entries of tasks in the order of time.

    Args:
        config: the platform.
        since: logs that were not written to since are not read.
        is_wanted: chooses entries, one log after another, so that not all of them are in memory.

    Raises:
        BotoCoreError, ClientError: the object store cannot be asked.
    """
    logs = chain(_of_ended_tasks(config, since), _of_running_tasks(config, since))
    return sorted(filter(is_wanted, chain.from_iterable(logs)), key=lambda entry: entry.time)


def _of_ended_tasks(config: Config, since: datetime | None) -> Iterator[Iterator[Entry]]:
    s3 = _connect(config)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=OF_TASKS):
        for found in page.get("Contents", []):
            key, written = found["Key"], found["LastModified"]
            if since is None or written >= since:
                body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
                yield _with_ids(body.decode("utf-8", "replace"), written, key)


def _of_running_tasks(config: Config, since: datetime | None) -> Iterator[Iterator[Entry]]:
    folder = config.state_dir / "airflow" / "logs"
    for path in folder.glob(f"{OF_TASKS}*/**/*.log*"):
        with suppress(FileNotFoundError):  # it has just been uploaded
            written = written_at(path)
            if path.is_file() and (since is None or written >= since):
                yield _with_ids(path.read_text("utf-8", "replace"), written, path.relative_to(folder).as_posix())


def _with_ids(text: str, written: datetime, path: str) -> Iterator[Entry]:
    ids = ids_of(path)
    for entry in dated(TASKS, text.splitlines(), written):
        yield replace(entry, server=TASKS, is_copy=False, fields=ids | dict(entry.fields))


def ids_of(path: str) -> dict[str, str]:
    """Return the ids in the path of a log: `dag_id=…/run_id=…/task_id=…/attempt=1.log`."""
    parts = (part.partition("=") for part in PurePosixPath(path).parts)
    ids = {IDS.get(name, name): value for name, is_id, value in parts if is_id}
    return ids | {"try": ids["try"].partition(".")[0]} if "try" in ids else ids


def _connect(config: Config) -> Any:
    import boto3  # here: half a second, which other commands do not spend
    import botocore.config

    return boto3.client(
        "s3", endpoint_url=config.s3_url, region_name="us-east-1", aws_access_key_id=config.logs_s3_access_key,
        aws_secret_access_key=config.logs_s3_secret_key.get_secret_value(),
        config=botocore.config.Config(
            s3={"addressing_style": "path"}, proxies={}, connect_timeout=3, retries={"total_max_attempts": 2}
        ),
    )  # fmt: skip
