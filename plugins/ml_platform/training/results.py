"""What the steps of a training pass on: plain values, which a DAG file can name without loading a library."""

from dataclasses import dataclass, field
from typing import Any

from ml_platform.specs.parts import Estimator, Metric


@dataclass(frozen=True)
class Source:
    """An upload whose labels are in a training set.

    Attributes:
        key: of its object.
        sha256: of its bytes.
        rows: that were loaded of it.
    """

    key: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class TrainingSetReference:
    """A frozen training set, without its rows.

    Attributes:
        dataset: name of the data set.
        spec_sha256: version of the spec that it was built by.
        key: of the Parquet in the artifact bucket.
        sha256: hash of its content.
        rows: their number.
        classes: the label's values as files write them; of two, the negative one first.
        class_rows: rows per class.
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
    """What came of a search.

    Attributes:
        run_id: the parent run in MLflow.
        url: where a browser finds it.
        search_id: tells the search from others; see `search_state`.
        candidate: estimator and parameters of the best.
        score: its mean of `scoring` over the folds.
        score_sd: its standard deviation over the folds.
        scoring: the metric that chose it.
        folds: of the cross-validation.
        jobs: candidates fitted side by side.
        total: number of candidates.
        failed: number of candidates that could not be fitted or scored.
        suspected_leaks: score by column; see `leakage`.
    """

    run_id: str
    url: str
    search_id: str
    candidate: tuple[Estimator, dict[str, Any]]
    score: float
    score_sd: float
    scoring: Metric
    folds: int
    jobs: int
    total: int
    failed: int
    suspected_leaks: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Challenger:
    """A registered version that was just trained.

    Attributes:
        run_id: the run in MLflow that made it.
        url: where a browser finds that run.
        name: of the registered model.
        version: its number.
        threshold: the probability from which a row is positive; None with several classes.
        metrics: by name, on the hold-out.
        search: the search that found it.
    """

    run_id: str
    url: str
    name: str
    version: int
    threshold: float | None
    metrics: dict[str, float]
    search: SearchResult
