"""The fields of the DAGs' trigger forms."""

import os
from collections.abc import Mapping
from typing import Any

from airflow.sdk import Param

from ml_platform.pages import PAGES
from ml_platform.records.persons import ON_BEHALF_OF
from ml_platform.specs.distributions import Distribution
from ml_platform.specs.parts import (
    DEFAULT_TRIALS,
    DURATION,
    MAX_MEMBERS,
    MAX_TRIALS,
    QUICK_TRIALS,
    STRATEGIES,
    Search,
    timedelta_of,
)
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import METRICS


def training(dataset: Dataset) -> dict[str, Param]:
    """Return the fields of the form of `train_<data set>`; their defaults come from the data set's YAML."""
    search, estimators = dataset.search, list(dataset.search.candidates)
    return {
        "grid": Param(
            "full",
            type="string",
            enum=["quick", "full"],
            title="Grid",
            description="full: every combination of the grid. quick: only the first value of each parameter, "
            f"with and without class weights; with the strategy tpe, at most {QUICK_TRIALS} trials.",
        ),
        "strategy": Param(
            search.strategy,
            type="string",
            enum=_strategies(search),
            title="Strategy",
            description="grid: every combination. tpe: earlier results decide which candidates are tried next.",
        ),
        "trials": Param(
            search.trials or DEFAULT_TRIALS,
            type="integer",
            minimum=1,
            maximum=MAX_TRIALS,
            title="Trials",
            description="Only for the strategy tpe: number of candidates.",
        ),
        "timeout": Param(
            search.timeout,
            type=["null", "string"],
            pattern=DURATION,
            title="Timeout",
            description="Only for the strategy tpe: no candidates are started after this time, such as 90s, 10m or 2h. "
            "Leave it empty for no limit.",
        ),
        "ensemble": Param(
            search.ensemble,
            type=["null", "integer"],
            minimum=2,
            maximum=MAX_MEMBERS,
            title="Ensemble",
            description="One more candidate: the weighted mean of so many of the others at most. "
            "Leave it empty for no ensemble.",
        ),
        "estimators": Param(
            estimators,
            type="array",
            items={"type": "string", "enum": estimators},
            examples=estimators,
            minItems=1,
            uniqueItems=True,
            title="Estimators",
            description="The families of models to search.",
        ),
        "scoring": Param(
            search.scoring,
            type="string",
            enum=list(METRICS[dataset.label.task]),
            title="Scoring",
            description="The metric that chooses the best candidate in the cross-validation.",
        ),
        "folds": Param(
            search.folds,
            type="integer",
            minimum=2,
            maximum=20,
            title="Folds",
            description="Number of parts of the cross-validation. More parts take longer and give a steadier score.",
        ),
        "jobs": Param(
            search.jobs,
            type="integer",
            minimum=1,
            maximum=64,
            title="Parallel jobs",
            description="Number of candidates that are fitted in parallel, at most the number of cores.",
        ),
    }


def search_options(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a filled-in form of `train_<data set>` says, as arguments of `SearchPlan.of`.

    An empty field means none there, not the default of the YAML, which the form showed.
    """
    options = {name: value for name, value in form.items() if name != ON_BEHALF_OF}
    quick = options.pop("grid") == "quick"
    return options | {"quick": quick, "timeout": options["timeout"] or "", "ensemble": options["ensemble"] or 0}


def _strategies(search: Search) -> list[str]:
    """Return the strategies that the parameters in the YAML allow: a grid takes no distributions."""
    has_distribution = any(
        isinstance(choice, Distribution) for parameters in search.candidates.values() for choice in parameters.values()
    )
    return ["tpe"] if has_distribution else list(STRATEGIES)


def rollback(name: str) -> dict[str, Param]:
    """Return the fields of the form of `rollback_<data set>`."""
    return {
        "reason": _reason("Why the current champion is replaced. It is recorded in the history."),
        "to": _version(name, "The version to roll back to. Leave it empty for the previous champion."),
    }


def withdrawal() -> dict[str, Param]:
    """Return the fields of the form of `withdraw_<name>`."""
    return {
        "upload": Param(
            type="string",
            pattern="^[0-9a-f]{4,64}$",
            title="Upload",
            description="The id of the upload: the beginning of the SHA-256 of its bytes. It is in its report and in "
            "the name of its archived file, and `ml-platform uploads list` shows it.",
        ),
        "reason": _reason("Why the upload is taken back. It is recorded."),
    }


def housekeeping() -> dict[str, Param]:
    """Return the field of the form of `housekeeping`."""
    description = "Remove nothing: the log of each task lists what would be removed."
    return {"dry_run": Param(False, type="boolean", title="Dry run", description=description)}


def promotion(name: str) -> dict[str, Param]:
    """Return the fields of the form of `promote_<data set>`."""
    return {
        "environment": Param(
            "production",
            type="string",
            pattern="^[a-z][a-z0-9_]{0,40}$",
            title="Environment",
            description="The target. It needs an Airflow connection mlflow_ENVIRONMENT, such as mlflow_production.",
        ),
        "version": _version(name, "The version to promote. Leave it empty for the champion."),
        "reason": _reason("Why this version goes live there. It is recorded in the history."),
    }


def pull() -> dict[str, Param]:
    """Return the fields of the form of `pull_<name>`."""
    again = "Only to read a range again."
    return {
        "partition": _text("Partition", f"{again} The partition of the source, such as 0, or the key of an object."),
        "start": _text("From", f"{again} The position before the first row. Leave it empty for the beginning."),
        "end": _text("To", f"{again} The position of the last row. Leave it empty for the newest."),
        "reason": _text("Reason", f"{again} Why; it is recorded."),
    }


def named_range(form: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Return partition, start and end of the range that a filled-in form of `pull_<name>` names, if it names one.

    A reason alone names the whole source.
    """
    partition, start, end, reason = ((form[name] or "").strip() for name in ("partition", "start", "end", "reason"))
    return (partition, start, end) if partition or start or end or reason else None


def monitoring(dataset: Dataset) -> dict[str, Param]:
    """Return the fields of the form of `monitor_<data set>`."""
    references = ["same season", "training set"] if dataset.monitor.season else ["training set"]
    return {
        "window": Param(
            None,
            type=["null", "string"],
            pattern=DURATION,
            title="Window",
            description="Rows scored in the time before now, such as 12h, 7d or 2w. Leave it empty for all rows since "
            "the last check.",
        ),
        "reference": Param(
            references[0],
            type="string",
            enum=references,
            title="Reference",
            description="training set: all rows that the model was trained on. same season: those of the same time of "
            "earlier seasons (monitor.season in the YAML).",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Only the page is written: no row of monitoring.checks, no metrics.",
        ),
    }


def monitor_options(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a filled-in form of `monitor_<data set>` says, as arguments of `drift_check.Plan`."""
    window = form["window"]
    return {
        "length": timedelta_of(window) if window else None, "reference": form["reference"], "is_dry": form["dry_run"]
    }  # fmt: skip


def _text(title: str, description: str) -> Param:
    return Param(None, type=["null", "string"], title=title, description=description)


def _reason(description: str) -> Param:
    return Param(type="string", minLength=1, title="Reason", description=description)


def _version(name: str, description: str) -> Param:
    """Return the field for a version. It links to the lists of versions.

    A choice could offer only those that were there when the DAG file was read, and reading it may not ask a server.
    """
    pages = {"their scores and decisions": "versions", "MLflow": "model"}
    links = [f"[{title}]({url})" for title, scheme in pages.items() if (url := PAGES[scheme](os.environ, name))]
    listed = f" The versions: {', '.join(links)}." if links else ""
    return Param(
        None,
        type=["null", "integer"],
        minimum=1,
        title="Version",
        description=description,
        description_md=f"{description}{listed}",
    )
