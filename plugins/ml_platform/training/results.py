"""The values that the steps of a training pass on; DAG files can import them without loading a library."""

from dataclasses import dataclass, field
from typing import Any

from ml_platform.specs.tasks import CandidateKind, Metric


@dataclass(frozen=True)
class Source:
    """An upload whose labels are in a training set.

    Attributes:
        key: of the object.
        sha256: of the object's bytes.
        rows: number of rows loaded from it.
    """

    key: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class TrainingSetReference:
    """A frozen training set, without its rows.

    Attributes:
        dataset: name of the data set.
        spec_sha256: version of the spec.
        key: of the Parquet file in the artifact bucket.
        sha256: hash of the content.
        rows: number of rows.
        classes: the values of the label as in the files; of two the negative one is first; none if it is a number.
        class_rows: number of rows of each class.
        sources: the uploads whose labels are in it.
    """

    dataset: str
    spec_sha256: str
    key: str
    sha256: str
    rows: int
    classes: list[str]
    class_rows: list[int]
    sources: list[Source]


@dataclass(frozen=True)
class SearchResult:
    """The result of a search.

    Attributes:
        run_id: of the parent run in MLflow.
        url: of the parent run's page.
        search_id: identifies the search; see `search_state`.
        candidate: estimator and parameters of the chosen candidate.
        score: mean of its metric `scoring` over the folds.
        score_sd: standard deviation of that metric over the folds.
        scoring: the metric that compared the candidates.
        folds: number of folds of the cross-validation.
        jobs: number of candidates fitted in parallel.
        total: number of candidates.
        failed: number of candidates that could not be fitted or scored.
        pruned: number of candidates that were stopped after their first folds.
        suspected_leaks: score by column; see `leakage`.
        compare_url: of MLflow's page with the best candidate of each estimator; empty if there is only one estimator.
    """

    run_id: str
    url: str
    search_id: str
    candidate: tuple[CandidateKind, dict[str, Any]]
    score: float
    score_sd: float
    scoring: Metric
    folds: int
    jobs: int
    total: int
    failed: int
    pruned: int = 0
    suspected_leaks: dict[str, float] = field(default_factory=dict)
    compare_url: str = ""


@dataclass(frozen=True)
class Challenger:
    """A new registered version.

    Attributes:
        run_id: of the MLflow run that trained it.
        url: of that run's page.
        name: of the registered model.
        version: number of the model version.
        threshold: rows with at least this probability are positive; None without one.
        metrics: by name, on the hold-out.
        search: the search that chose its candidate.
    """

    run_id: str
    url: str
    name: str
    version: int
    threshold: float | None
    metrics: dict[str, float]
    search: SearchResult
