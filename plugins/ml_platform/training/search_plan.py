"""What a search is to try, and how."""

from collections.abc import Collection
from dataclasses import dataclass

from ml_platform.specs.parts import Metric, Search
from ml_platform.training.candidates import Candidate, candidates


@dataclass(frozen=True)
class SearchPlan:
    """The candidates of a search, and how they are compared.

    Attributes:
        candidates: each checked, none fitted yet.
        folds: of the stratified cross-validation.
        scoring: the metric whose mean chooses the best candidate.
        jobs: candidates fitted side by side.
        attempt_id: tells searches apart that are equal in all else, such as the id of a DAG run.
    """

    candidates: tuple[Candidate, ...]
    folds: int
    scoring: Metric
    jobs: int
    attempt_id: str = ""

    @classmethod
    def of(
        cls,
        search: Search,
        *,
        estimators: Collection[str] = (),
        quick: bool = False,
        folds: int | None = None,
        scoring: Metric | None = None,
        jobs: int | None = None,
        attempt_id: str = "",
    ) -> "SearchPlan":
        """Return the plan of a data set's search; whatever is not given is taken from its YAML.

        Args:
            search: the data set's.
            estimators: the ones to try; all in the grid if empty.
            quick: the first value of each parameter only, `class_weight` excepted.
            folds: see the attributes, as for the rest.
            scoring: as above.
            jobs: as above.
            attempt_id: as above.

        Raises:
            ConfigurationError: an estimator is not in the grid, or it does not accept a value.
        """
        return cls(
            candidates=tuple(candidates(search, estimators=estimators, quick=quick)),
            folds=folds or search.folds,
            scoring=scoring or search.scoring,
            jobs=jobs or search.jobs,
            attempt_id=attempt_id,
        )
