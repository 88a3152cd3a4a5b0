"""The check of the performance: the truth that came later beside the promise; until it comes, an estimate."""

import logging
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from mlflow.entities.model_registry import ModelVersion

from ml_platform.evaluation.task import Task
from ml_platform.monitoring import checks, late_truth, metric_series
from ml_platform.monitoring.checks import Check
from ml_platform.monitoring.drift_check import BUCKET, Plan, Skipped
from ml_platform.monitoring.performance import (
    MistakeTest,
    Predicted,
    Score,
    expected_score,
    mistake_tests,
    predicted,
    score,
)
from ml_platform.monitoring.performance_page import render_page
from ml_platform.monitoring.performance_verdict import Performance, Period, VersionScore, sentence, verdict
from ml_platform.monitoring.promise import holdout
from ml_platform.monitoring.segments import Segment, segments
from ml_platform.monitoring.window import Window
from ml_platform.registry import registry
from ml_platform.specs.parts import timedelta_of
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store

log = logging.getLogger(__name__)

REFERENCE = "hold-out"
LEAST_LABELS = 30  # with fewer, no metric says much
MOST_PERIODS = 26
MOST_VERSIONS = 5
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


def check(dataset: Dataset, plan: Plan, by: str) -> Check | Skipped:
    """Compare the live version with its promise, by all truth that is known; write page, row and metrics.

    Args:
        dataset: the spec in `datasets/*.yaml`.
        plan: what to check; `length` counts back from `end`, by default from when the version was made.
        by: the DAG or the user.

    Raises:
        RegistryError: the live version cannot be loaded.
        ServiceError, psycopg.Error, MlflowException: a server failed; run it again.
    """
    live = registry.live_version(dataset.name)
    if live is None:
        return Skipped(f"no model of {dataset.name} is live")
    model = registry.load_live(live)
    window = Window(dataset.name, int(live.version), _start(live, plan), plan.end)
    rows = late_truth.predictions(window, dataset, model.task)
    known = rows[rows["label"].notna()]
    kind: checks.Kind = "performance" if len(known) >= LEAST_LABELS else "estimated performance"
    number = len(known if kind == "performance" else rows)
    if reason := _no_news(dataset, model.task, window, kind, number):
        return Skipped(reason)
    promised = holdout(model, late_truth.segment_columns(dataset))
    if promised is None:
        return Skipped(f"the training set of version {window.version} is not here, so its promise is not known")
    found = _performance(dataset, plan, window, model.task, promised, rows)
    result = Check(kind, window, REFERENCE, number, verdict(found), _figures(found), _page_key(plan, window))
    _write(result, render_page(found), plan, by)
    log.info("%s", sentence(found))
    return result


def _start(live: ModelVersion, plan: Plan) -> datetime:
    created = datetime.fromtimestamp(live.creation_timestamp / 1000, UTC)
    return plan.end - plan.length if plan.length is not None else min(created, plan.end)


def _no_news(dataset: Dataset, task: Task, window: Window, kind: checks.Kind, number: int) -> str | None:
    """Return why there is nothing to check, or None."""
    if kind == "estimated performance" and task.event_metric is None:
        return f"the truth of fewer than {LEAST_LABELS} predictions is known, and numbers have no probabilities"
    if kind == "estimated performance" and number < dataset.monitor.rows:
        return (
            f"the truth of fewer than {LEAST_LABELS} predictions of version {window.version} is known, and for an"
            f" estimate {dataset.monitor.rows:,} predictions are needed; there are {number:,}"
        )
    if checks.last_rows(kind, window) == number:
        return f"nothing is new since the last check of version {window.version}"
    return None


def _performance(
    dataset: Dataset, plan: Plan, window: Window, task: Task, promised: pd.DataFrame, rows: pd.DataFrame
) -> Performance:
    before = predicted(task, promised)
    # in the order in which the truth came: only then does a later look continue the test of an earlier one
    later = rows[rows["label"].notna()].sort_values("known_at", kind="stable")
    known = predicted(task, later)
    has_truth = len(later) >= LEAST_LABELS
    tests = tuple(mistake_tests(task, before, known)) if has_truth else ()
    return Performance(
        window=window,
        task=task,
        predictions=len(rows),
        labels=len(later),
        promised=score(task, before),
        promised_events=_event_score(task, before),
        seen=score(task, known) if has_truth else None,
        expected=_expected(task, rows),
        awaited=_expected(task, rows[rows["label"].isna()]),
        tests=tests,
        since={one.kind: later["event_time"].iloc[one.change] for one in tests if one.change is not None},
        periods=tuple(_periods(dataset, task, rows)),
        versions=tuple(_versions(dataset, plan, window, task)),
        segments=_segments(dataset, task, promised, later) if has_truth else (),
    )


def _versions(dataset: Dataset, plan: Plan, window: Window, task: Task) -> Iterator[VersionScore]:
    start = ALWAYS if plan.length is None else window.start
    for version in late_truth.versions(dataset.name, MOST_VERSIONS):
        rows = late_truth.predictions(window._replace(version=version, start=start), dataset, task)
        yield VersionScore(version, len(rows), int(rows["label"].notna().sum()), _seen(task, rows))


def _segments(dataset: Dataset, task: Task, promised: pd.DataFrame, later: pd.DataFrame) -> tuple[Segment, ...]:
    columns = late_truth.segment_columns(dataset)
    kinds = {name: one.type for name, one in columns.items() if name in promised and name in later}
    return segments(task, kinds, promised, later)


def _seen(task: Task, rows: pd.DataFrame) -> Score | None:
    known = rows[rows["label"].notna()]
    return score(task, predicted(task, known)) if len(known) >= LEAST_LABELS else None


def _expected(task: Task, rows: pd.DataFrame) -> Score | None:
    if len(rows) < LEAST_LABELS:
        return None
    return expected_score(task, rows["probability"].to_numpy(), rows["prediction"].to_numpy().astype(task.label_type))


def _event_score(task: Task, rows: Predicted) -> float | None:
    return None if task.event_metric is None else task.event_score(task.events(*rows), rows.predictions)


def _periods(dataset: Dataset, task: Task, rows: pd.DataFrame) -> list[Period]:
    """Return the performance per `monitor.every` of the event times, the latest last."""
    if rows.empty:
        return []
    length = timedelta_of(dataset.monitor.every)
    numbers = np.ceil((rows["event_time"] - rows["event_time"].iloc[-1]) / length).astype(int)
    found = []
    for number, part in list(rows.groupby(numbers.to_numpy()))[-MOST_PERIODS:]:
        known, seen = predicted(task, part[part["label"].notna()]), _seen(task, part)
        true_events = _event_score(task, known) if seen else None
        start = rows["event_time"].iloc[-1] + (int(number) - 1) * length
        found.append(Period(start, len(part), len(known.labels), seen, _expected(task, part), true_events))
    return found


def _page_key(plan: Plan, window: Window) -> str:
    dry = ".dry-run" if plan.is_dry else ""
    return f"{window.model}/performance.{window.end:%Y%m%dT%H%M%SZ}.version-{window.version}{dry}.html"


def _figures(found: Performance) -> dict[str, Any]:
    return {
        "sentence": sentence(found),
        "metric": found.task.gate_metric,
        "event_metric": found.task.event_metric,
        "predictions": found.predictions,
        "labels": found.labels,
        "promised": _score(found.promised),
        "seen": _score(found.seen),
        "expected": _score(found.expected),
        "awaited": _score(found.awaited),
        "mistakes": [_mistake(found, one) for one in found.tests],
        "segments": [_segment(one) for one in found.segments],
        "versions": [
            {"version": one.version, "predictions": one.predictions, "labels": one.labels, "seen": _score(one.seen)}
            for one in found.versions
        ],
    }


def _mistake(found: Performance, one: MistakeTest) -> dict[str, Any]:
    since = found.since.get(one.kind)
    return {
        "kind": one.kind, "on_holdout": one.on_holdout, "promised": one.promised, "seen": one.seen,
        "is_broken": one.is_broken, "since": None if since is None else since.isoformat(),
    }  # fmt: skip


def _segment(one: Segment) -> dict[str, Any]:
    return {
        "column": one.column, "group": one.group, "labels": one.labels, "promised": _score(one.promised),
        "seen": _score(one.seen), "is_worse": one.is_worse,
    }  # fmt: skip


def _score(one: Score | None) -> dict[str, float] | None:
    return None if one is None else {"value": one.value, **asdict(one.interval)}


def _write(result: Check, html: str, plan: Plan, by: str) -> None:
    """Write the page, the metrics, and last the row."""
    object_store.replace(BUCKET, str(result.report_key), html.encode(), "text/html; charset=utf-8")
    if not plan.is_dry:
        metric_series.log_check(result)
        checks.record(result, by)
