"""The check for drift: the rows that the live version scored since the last check, beside those it was trained on."""

import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from mlflow.entities.model_registry import ModelVersion

from ml_platform import logs
from ml_platform.monitoring import checks, metric_series, window
from ml_platform.monitoring.checks import Check
from ml_platform.monitoring.comparison import Finding, compare, has_drift
from ml_platform.monitoring.page import DriftPage, render_page
from ml_platform.monitoring.reference import Season, reference_rows
from ml_platform.monitoring.verdict import sentence, status, subject
from ml_platform.monitoring.window import Window
from ml_platform.registry import registry
from ml_platform.specs.parts import timedelta_of
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store

log = logging.getLogger(__name__)

BUCKET = "reports"
ReferenceName = Literal["training set", "same season"]


@dataclass(frozen=True)
class Skipped:
    """Why nothing was checked; no failure."""

    reason: str


@dataclass(frozen=True)
class Plan:
    """What to check.

    Attributes:
        end: rows scored until then.
        length: of the window; None: from the last check of this version on.
        reference: with what to compare; None: the same season if the YAML names one.
        is_dry: only the page is written.
    """

    end: datetime
    length: timedelta | None = None
    reference: ReferenceName | None = None
    is_dry: bool = False


def check(dataset: Dataset, plan: Plan, by: str) -> Check | Skipped:
    """Compare scored rows with the training, and write page, row and metrics; idempotent.

    Args:
        dataset: the spec in `datasets/*.yaml`.
        plan: what to check.
        by: the DAG or the user.

    Raises:
        RegistryError: the live version cannot be loaded.
        ServiceError, psycopg.Error, MlflowException: a server failed; run it again.
    """
    logs.bind(dataset=dataset.name)
    live = registry.live_version(dataset.name)
    if live is None:
        return Skipped(f"no model of {dataset.name} is live")
    logs.bind(model=int(live.version))
    scored = Window(dataset.name, int(live.version), _start(dataset, live, plan), plan.end)
    counts = window.count(scored)
    if counts.rows < dataset.monitor.rows:  # before anything large is read
        return Skipped(
            f"{counts.rows:,} rows were scored by version {live.version} since {scored.start:%Y-%m-%d %H:%M} UTC; a"
            f" check waits for {dataset.monitor.rows:,} (monitor.rows in datasets/{dataset.name}.yaml)"
        )
    return _compare(dataset, plan, live, scored, counts, by)


def _start(dataset: Dataset, live: ModelVersion, plan: Plan) -> datetime:
    if plan.length is not None:
        return plan.end - plan.length
    created = datetime.fromtimestamp(live.creation_timestamp / 1000, UTC)
    return checks.last_end("drift", dataset.name, int(live.version), plan.end) or min(created, plan.end)


def _compare(
    dataset: Dataset, plan: Plan, live: ModelVersion, scored: Window, counts: window.Counts, by: str
) -> Check | Skipped:
    model = registry.load_live(live)
    name = plan.reference or ("same season" if dataset.monitor.season else "training set")
    season = _season(dataset, counts) if name == "same season" else None
    reference = reference_rows(model, season)
    if reference is None or reference.rows < dataset.monitor.rows:
        found = f"only {reference.rows:,} rows" if reference else "no rows"
        of_season = " of this season" if season else ""
        return Skipped(
            f"the training set of version {live.version} has {found}{of_season} to compare with; a check needs"
            f" {dataset.monitor.rows:,} (monitor.rows in datasets/{dataset.name}.yaml)"
        )
    features = window.features(model, dataset, window.files(scored))
    values = window.predictions(scored, model.task)
    known = None if reference.predictions is None else (reference.predictions, values)
    rows = reference.frame.head(0) if features.frame is None else features.frame
    findings = compare(reference.frame, rows, known)
    page = DriftPage(scored, name, counts.rows, reference, features, values, findings)
    result = Check(
        "drift", scored, name, counts.rows, "drift" if has_drift(findings) else "no drift",
        _figures(page), f"{dataset.name}/{_page_name(plan, scored, name)}",
    )  # fmt: skip
    _write(result, render_page(page), plan, by)
    log.info("%s", sentence(dataset.name, scored.version, counts.rows, findings))
    return result


def _season(dataset: Dataset, counts: window.Counts) -> Season:
    first, last = window.event_times(counts, timedelta_of(dataset.monitor.every))
    return Season(timedelta_of(dataset.monitor.season or "52w"), first, last)


def _page_name(plan: Plan, scored: Window, reference: ReferenceName) -> str:
    season = ".season" if reference == "same season" else ""
    dry = ".dry-run" if plan.is_dry else ""
    times = f"{scored.start:%Y%m%dT%H%M%SZ}-{scored.end:%Y%m%dT%H%M%SZ}"
    return f"drift.{times}.version-{scored.version}{season}{dry}.html"


def _figures(page: DriftPage) -> dict[str, Any]:
    return {
        "sentence": sentence(page.window.model, page.window.version, page.rows, page.findings),
        "findings": [_finding(one) for one in page.findings],
        "rows_of_files": page.features.rows,
        "rows_compared": 0 if page.features.frame is None else len(page.features.frame),
        "reference_rows": page.reference.rows,
        "reference_rows_compared": len(page.reference.frame),
        "missing_files": list(page.features.missing_files),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return asdict(finding) | {"subject": subject(finding), "verdict": status(finding)}


def _write(result: Check, html: str, plan: Plan, by: str) -> None:
    """Write the page, the metrics, and last the row, which the next check begins after."""
    object_store.replace(BUCKET, str(result.report_key), html.encode(), "text/html; charset=utf-8")
    if not plan.is_dry:
        metric_series.log_check(result)
        checks.record(result, by)
