"""The plan of a search: its candidates or their space, and how they are compared."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from ml_platform.specs.parts import DEFAULT_TRIALS, QUICK_TRIALS, Strategy, timedelta_of
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import Metric
from ml_platform.training.candidates import Candidate, candidates
from ml_platform.training.search_space import Space, search_space


@dataclass(frozen=True)
class SearchPlan:
    """The candidates of a search or their space, and how they are compared.

    Attributes:
        candidates: of a grid, valid, not fitted yet; in the order of the grid, the simplest first.
        folds: number of folds of the cross-validation.
        scoring: the metric whose mean over the folds compares the candidates.
        jobs: number of candidates fitted in parallel.
        attempt_id: makes searches differ that are otherwise equal, such as the id of a DAG run.
        strategy: grid, or tpe; the next attributes are for tpe.
        space: from which candidates are drawn, the simplest estimator first.
        trials: number of candidates.
        timeout: no candidates are started after so many seconds of search.
        ensemble: number of members of an ensemble at most; 0 for none.
    """

    candidates: tuple[Candidate, ...]
    folds: int
    scoring: Metric
    jobs: int
    attempt_id: str = ""
    strategy: Strategy = "grid"
    space: Space = field(default_factory=dict)
    trials: int = 0
    timeout: float | None = None
    ensemble: int = 0

    @property
    def total(self) -> int:
        """The number of candidates; it may end with fewer: by the strategy tpe, or without an ensemble."""
        return (len(self.candidates) if self.strategy == "grid" else self.trials) + bool(self.ensemble)

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
        strategy: Strategy | None = None,
        trials: int | None = None,
        timeout: str | None = None,
        ensemble: int | None = None,
    ) -> "SearchPlan":
        """Return the plan of a data set's search; the YAML gives the defaults.

        Args:
            dataset: the spec; its section `search` has the candidates and the defaults.
            estimators: of these only; of all in the YAML if empty.
            quick: use only the first value of each list, but all values of `class_weight`; at most ten trials.
            folds: see the attributes.
            scoring: see the attributes.
            jobs: see the attributes.
            attempt_id: see the attributes.
            strategy: see the attributes.
            trials: see the attributes; without effect on a grid.
            timeout: a duration such as 10m, or an empty text for none; without effect on a grid.
            ensemble: see the attributes.

        Raises:
            ConfigurationError: an estimator is not in the YAML, a value is invalid, or a grid has a distribution.
        """
        search = dataset.search
        plan = cls(
            candidates=(),
            folds=folds or search.folds,
            scoring=scoring or search.scoring,
            jobs=jobs or search.jobs,
            attempt_id=attempt_id,
            strategy=strategy or search.strategy,
            ensemble=(search.ensemble or 0) if ensemble is None else ensemble,
        )
        if plan.strategy == "grid":
            return replace(plan, candidates=tuple(candidates(dataset, estimators=estimators, quick=quick)))
        number = trials or search.trials or DEFAULT_TRIALS
        duration = search.timeout if timeout is None else timeout
        return replace(
            plan,
            space=search_space(dataset, estimators=estimators, quick=quick),
            trials=min(number, QUICK_TRIALS) if quick else number,
            timeout=timedelta_of(duration).total_seconds() if duration else None,
        )
