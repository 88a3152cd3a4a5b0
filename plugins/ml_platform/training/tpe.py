"""A search that learns: the results so far decide which candidates are tried next.

Candidates are drawn by tree-structured Parzen estimators. Source: J. Bergstra et al., Algorithms for Hyper-Parameter
Optimization (2011), as Optuna has it. A candidate whose first folds are clearly worse than those of earlier ones is
pruned: its other folds are not fitted. The first candidates are one per estimator, from the middle of its ranges.

The search is a function of data, code and seed, whatever the number of jobs: it asks for candidates in rounds of a
fixed size, and each round has a seed of its own. So a search that resumes asks for the same candidates again, and
those that are known are not fitted again. No study is stored.
"""

import logging
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import NopPruner
from optuna.samplers import TPESampler
from optuna.trial import Trial, TrialState

from ml_platform import RANDOM_STATE
from ml_platform.specs.tasks import Metric
from ml_platform.training.candidates import Candidate
from ml_platform.training.pruning import cannot_win
from ml_platform.training.race import Entrant, Race
from ml_platform.training.search import CandidateResult
from ml_platform.training.search_space import Range, Space, Values

log = logging.getLogger(__name__)

ROUND = 4  # candidates that are asked for at once
ESTIMATOR = "estimator"
MAX_REPEATS = 100  # draws of a round that bring nothing new: the space has no more candidates


def search(
    space: Space,
    race: Race,
    *,
    trials: int,
    known: Mapping[str, CandidateResult],
    is_over: Callable[[], bool] = lambda: False,
) -> Iterator[CandidateResult]:
    """Yield the result of each candidate, pruned and failed ones too.

    Args:
        space: of the candidates.
        race: evaluates the candidates of a round.
        trials: number of candidates; fewer if the space has no more.
        known: results of an earlier attempt, by candidate id; they are not fitted again.
        is_over: asked before each round that has an unknown candidate; if it is true, the search ends.
    """
    study = _Study(space)
    done, asked = 0, study.ask(min(ROUND, trials))
    while asked:
        entrants = [Entrant(candidate, known.get(candidate.id)) for candidate in asked]
        if any(entrant.known is None for entrant in entrants) and is_over():
            log.info("the time of the search is over, after %d of %d candidates", done, trials)
            yield from (entrant.known for entrant in entrants if entrant.known is not None)
            return
        yield from race.run(entrants, study.should_prune)
        for entrant in entrants:
            study.tell(entrant, race.scoring)
        done += len(entrants)
        asked = study.ask(min(ROUND, trials - done))
    if done < trials:
        log.info("the space has only %d candidates", done)


class _Study:
    """A study of Optuna, in memory: it draws candidates, and learns from their scores."""

    def __init__(self, space: Space) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = space
        self._study = optuna.create_study(direction="maximize", pruner=NopPruner())
        self._trials: dict[str, Trial] = {}  # by candidate id
        for number, choices in enumerate(space.values()):
            middle = {_label(number, name): _middle(choice) for name, choice in choices.items()}
            self._study.enqueue_trial({ESTIMATOR: number} | middle)

    def ask(self, number: int) -> list[Candidate]:
        """Draw so many candidates that were not drawn before; fewer if there are no more."""
        self._study.sampler = _sampler(RANDOM_STATE + len(self._trials))
        asked: list[Candidate] = []
        for _ in range(number + MAX_REPEATS):
            if len(asked) == number:
                break
            trial = self._study.ask()
            candidate = _draw(trial, self._space)
            if candidate.id in self._trials:
                self._fail(trial)
            else:
                self._trials[candidate.id] = trial
                asked.append(candidate)
        return asked

    def should_prune(self, entrant: Entrant) -> bool:
        """Report the newest score of an entrant, and return whether it cannot win any more."""
        number, score = list(entrant.interim.items())[-1]
        self._trials[entrant.candidate.id].report(score if math.isfinite(score) else math.nan, number)
        finished = self._study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        interims = [trial.intermediate_values[number] for trial in finished]
        return cannot_win(score, interims, [value for trial in finished for value in trial.values])

    def tell(self, entrant: Entrant, scoring: Metric) -> None:
        """Learn from the result of an entrant."""
        trial, result = self._trials[entrant.candidate.id], entrant.result
        if result is not None and result.pruned:
            self._study.tell(trial, state=TrialState.PRUNED)
        elif result is not None and math.isfinite(score := result.score(scoring)):
            self._study.tell(trial, score)
        else:
            self._fail(trial)

    def _fail(self, trial: Trial) -> None:
        self._study.tell(trial, state=TrialState.FAIL)


def _sampler(seed: int) -> TPESampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # `group` draws the parameters of an estimator together
        return TPESampler(seed=seed, group=True)


def _label(estimator: int, name: str) -> str:
    return f"{estimator}.{name}"


def _middle(choice: Values | Range) -> float:
    """Return the position of the first value of a list, or the middle of a range."""
    if isinstance(choice, Values):
        return 0
    middle = math.sqrt(choice.low * choice.high) if choice.log else (choice.low + choice.high) / 2
    return round(middle) if isinstance(choice.low, int) else middle


def _draw(trial: Trial, space: Space) -> Candidate:
    estimators = list(space)
    number = trial.suggest_categorical(ESTIMATOR, range(len(estimators)))
    choices = space[estimators[number]]
    return Candidate(
        estimators[number], {name: _suggest(trial, _label(number, name), choice) for name, choice in choices.items()}
    )


def _suggest(trial: Trial, label: str, choice: Values | Range) -> Any:
    if isinstance(choice, Values):  # by position: Optuna takes only some types of values
        return choice.values[trial.suggest_categorical(label, range(len(choice.values)))]
    if isinstance(choice.low, int) and isinstance(choice.high, int):
        return trial.suggest_int(label, choice.low, choice.high, log=choice.log)
    return trial.suggest_float(label, choice.low, choice.high, log=choice.log)
