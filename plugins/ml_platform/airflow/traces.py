"""Traces of files, as an option: spans from the drop of a file to its result, over tasks and DAGs.

Nothing is passed from task to task. The ids of a trace, and of its first span, come from the arrival of the file:
bucket, key, ETag and time. A training asks the ledger which files the run that started it has announced. It never fails
a task: what cannot be sent is logged.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ml_platform.exceptions import PlatformError
from ml_platform.specs.catalog import platform_options

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from ml_platform.airflow.otlp import Ids, Sender
    from ml_platform.ingestion.upload_report import UploadReport

log = logging.getLogger(__name__)

Take = Callable[[str], "UploadReport"]
LOADS = "ingest_"  # how the ids of DAGs begin that load files
ANNOUNCE = "announce"  # the task of them that starts the training
MOST_FILES = 20  # of one training: the newest


@lru_cache(maxsize=1)
def sender() -> "Sender | None":
    """Return where this process sends spans; None without the option.

    Raises:
        ConfigurationError: the options of the platform are invalid.
    """
    url = platform_options().traces.url
    if url is None:
        return None
    from ml_platform.airflow.otlp import Sender

    return Sender(url)


def of_files(take: Take) -> Take:
    """Return a function that takes a file as `take` does, and then sends its spans; `take` itself without the option.

    Args:
        take: loads or scores the file with a key, settles it and returns its report.
    """
    if not _is_on():
        return take

    def taken(key: str) -> "UploadReport":
        began = time.time_ns()
        report = take(key)
        _send(lambda: file_spans(report, began))
        return report

    return taken


def of_task(ti: Any, *, error: str = "") -> None:
    """Send the span of a task that has ended, in the trace of the newest file that it is about.

    Args:
        ti: the running task instance.
        error: the kind of the error with which it failed.
    """
    if _is_on():
        _send(lambda: task_spans(ti.get_template_context(), error))


def _is_on() -> bool:
    try:
        return sender() is not None
    except PlatformError as problem:
        log.warning("traces: %s", problem)
        return False


def _send(spans_of: Callable[[], "list[ReadableSpan]"]) -> None:
    try:
        spans, server = spans_of(), sender()
        if spans and server:
            server.send(spans)
    except (PlatformError, OSError, ValueError) as problem:
        log.warning("traces: no spans of this step: %s", problem)


def file_spans(report: "UploadReport", began: int) -> "list[ReadableSpan]":
    """Return the spans of a file: from its drop until it is settled, its wait, and its load or score.

    Args:
        report: on the file.
        began: when it was taken, in nanoseconds since 1970.
    """
    from ml_platform.airflow.otlp import span

    if report["outcome"] == "gone":
        return []
    dropped, now = datetime.fromisoformat(report["last_modified"]), time.time_ns()
    drop = min(_nanoseconds(dropped), began)  # the S3 server may have another time
    root = root_of(report["bucket"], report["key"], report["etag"], dropped)
    facts = {
        "dataset": report["dataset"], "file": report["key"], "upload": report["sha256"], "outcome": report["outcome"],
        "rows": report["rows_read"], "result": report["result_key"],
    }  # fmt: skip
    verb = "load" if report["purpose"] == "train" else "score"
    return [
        span(report["key"], root, (drop, now), facts),
        span("wait in the inbox", _part_of(root, "wait"), (drop, began), {}, parent=root),
        span(verb, _part_of(root, verb), (began, now), facts, parent=root),
    ]


def task_spans(context: Mapping[str, Any], error: str) -> "list[ReadableSpan]":
    """Return the span of a task that has ended; none if it is about no file."""
    from ml_platform.airflow.otlp import span

    roots = [root for dag_id, run_id in _source_runs(context) for root in _announced(dag_id, run_id)]
    if not roots:
        return []
    ti, (root, *others) = context["ti"], roots
    facts = {"dag": ti.dag_id, "run": ti.run_id, "task": ti.task_id, "try": ti.try_number}
    ids = _part_of(root, *map(str, facts.values()))
    times = (_nanoseconds(ti.start_date), time.time_ns())
    name = f"{ti.dag_id}.{ti.task_id}"
    return [span(name, ids, times, facts, parent=root, links=others[:MOST_FILES], error=error)]


def _source_runs(context: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the runs that have loaded what a task is about: its own, or those whose events have started its run."""
    ti = context["ti"]
    if ti.dag_id.startswith(LOADS) and ti.task_id == ANNOUNCE:
        yield ti.dag_id, ti.run_id
    for events in (context.get("triggering_asset_events") or {}).values():
        for event in events:
            if (event.source_dag_id or "").startswith(LOADS):
                yield event.source_dag_id, event.source_run_id


def _announced(dag_id: str, run_id: str) -> "list[Ids]":
    from ml_platform.ingestion import ledger
    from ml_platform.storage.database import transaction

    with transaction() as cursor:
        arrivals = ledger.announced_arrivals(cursor, dag_id.removeprefix(LOADS), run_id, MOST_FILES)
    return [root_of(*arrival) for arrival in arrivals]


def root_of(bucket: str, key: str, etag: str, dropped: datetime) -> "Ids":
    """Return the ids of the trace of a file and of its first span: those of the same arrival are always the same."""
    from ml_platform.airflow.otlp import Ids

    digest = _digest(bucket, key, etag, dropped.astimezone(UTC).isoformat())
    return Ids(int.from_bytes(digest[:16]), int.from_bytes(digest[16:24]))


def _part_of(root: "Ids", *names: str) -> "Ids":
    digest = _digest(f"{root.trace:032x}", *names)
    return root._replace(span=int.from_bytes(digest[:8]))


def _digest(*texts: str) -> bytes:
    return hashlib.sha256(json.dumps(texts).encode()).digest()


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1e6) * 1000
