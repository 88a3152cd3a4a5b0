"""Uploads that do not get on: files that wait for long, and files that were read and stay in the inbox."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from ml_platform.specs.catalog import catalog
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Dataset, Table
from stack.backup import archive, databases
from stack.config import Config

LONG = timedelta(hours=1)  # more than the retries of an outage
SOON = timedelta(minutes=5)  # by then a DAG that is on has begun with a file
UNSETTLED = """
SELECT json_build_array(a.bucket, a.object_key, a.outcome, trim('"' FROM a.etag),
    extract(epoch FROM now() - a.arrived_at)::int)
FROM uploads.arrivals a WHERE a.archived_key IS NULL AND a.arrived_at < now() - interval '15 min'
AND NOT EXISTS (SELECT FROM uploads.arrivals b WHERE (b.bucket, b.object_key) = (a.bucket, a.object_key)
    AND b.arrival_id > a.arrival_id)"""
ATTEMPTS = """
SELECT json_build_array(bucket, object_key, attempts, next_attempt IS NULL) FROM uploads.attempts"""


def mistakes_in_specs(config: Config) -> Iterator[str]:
    """Yield the mistakes in the YAML files of data sets."""
    yield from catalog(config.datasets_dir).problems


def waiting_files(config: Config) -> Iterator[str]:
    """Yield the files that have waited in an inbox for long, with what is known of their attempts."""
    attempts = {(bucket, key): rest for bucket, key, *rest in databases.query(config, "platform", ATTEMPTS)}
    for bucket, key, waited in _waiting(config):
        if waited > LONG:
            number, for_spec = attempts.get((bucket, key), (0, False))
            reason = "until its spec changes" if for_spec else f"after {number} attempts" if number else "untouched"
            yield f"{bucket}/{key} has waited for {_hours(waited)}, {reason}"


def unsettled_files(config: Config) -> Iterator[str]:
    """Yield the files that were read, whose result is recorded, and that still are in the inbox."""
    s3 = archive.connect(config)
    for bucket, key, outcome, etag, seconds in databases.query(config, "platform", UNSETTLED):
        there = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
        if [(entry["Key"], entry["ETag"].strip('"')) for entry in there] == [(key, etag)]:
            yield f"{bucket}/{key} was {outcome} {_hours(timedelta(seconds=seconds))} ago and is still in the inbox"


def dags_with_waiting_files(config: Config) -> dict[str, int]:
    """Return the number of files that wait for each DAG and should have been taken by now."""
    counts: dict[str, int] = {}
    for table, purpose, waited in _files(config):
        if waited > SOON:
            name = f"{'ingest' if purpose == 'train' else 'test'}_{table.name}"
            counts[name] = counts.get(name, 0) + 1
    return counts


def _waiting(config: Config) -> Iterator[tuple[str, str, timedelta]]:
    for table, purpose, entry in _entries(config):
        yield table.bucket_of(entry["Key"], purpose), entry["Key"], _age(entry)


def _files(config: Config) -> Iterator[tuple[Table, Purpose, timedelta]]:
    for table, purpose, entry in _entries(config):
        yield table, purpose, _age(entry)


def _entries(config: Config) -> Iterator[tuple[Table, Purpose, dict[str, Any]]]:
    """Yield the files in all inboxes, with S3's entry of each."""
    s3, known = archive.connect(config), catalog(config.datasets_dir)
    for table, purpose in _inboxes((*known.datasets, *known.tables)):
        for bucket, prefix in table.inboxes(purpose):
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            for entry in chain.from_iterable(page.get("Contents", []) for page in pages):
                if not entry["Key"].endswith("/"):  # that is a folder
                    yield table, purpose, entry


def _inboxes(tables: Iterable[Table]) -> Iterator[tuple[Table, Purpose]]:
    for table in tables:
        yield table, "train"
        if isinstance(table, Dataset):
            yield table, "test"


def _age(entry: dict[str, Any]) -> timedelta:
    modified: datetime = entry["LastModified"]
    return datetime.now(UTC) - modified


def _hours(duration: timedelta) -> str:
    minutes = int(duration.total_seconds() // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60:,} hours"
