"""The plan of a search: its candidates, and how they are compared."""

from collections.abc import Collection
from dataclasses import dataclass

from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import Metric
from ml_platform.training.candidates import Candidate, candidates


@dataclass(frozen=True)
class SearchPlan:
    """The candidates of a search, and how they are compared.

    Attributes:
        candidates: valid, not fitted yet; in the order of the grid, the simplest first.
        folds: number of folds of the cross-validation.
        scoring: the metric whose mean over the folds compares the candidates.
        jobs: number of candidates fitted in parallel.
        attempt_id: makes searches differ that are otherwise equal, such as the id of a DAG run.
    """

    candidates: tuple[Candidate, ...]
    folds: int
    scoring: Metric
    jobs: int
    attempt_id: str = ""

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        *,
        estimators: Collection[str] = (),
        quick: bool = False,
        folds: int | None = None,
        scoring: Metric | None = None,
        jobs: int | None = None,
        attempt_id: str = "",
    ) -> "SearchPlan":
        """Return the plan of a data set's search; the YAML gives the defaults.

        Args:
            dataset: the spec; its section `search` has the grids and the defaults.
            estimators: of these only; of all in the grid if empty.
            quick: use only the first value of each parameter, but all values of `class_weight`.
            folds: see the attributes.
            scoring: see the attributes.
            jobs: see the attributes.
            attempt_id: see the attributes.

        Raises:
            ConfigurationError: an estimator is not in the grid, or a value is invalid.
        """
        search = dataset.search
        return cls(
            candidates=tuple(candidates(dataset, estimators=estimators, quick=quick)),
            folds=folds or search.folds,
            scoring=scoring or search.scoring,
            jobs=jobs or search.jobs,
            attempt_id=attempt_id,
        )
