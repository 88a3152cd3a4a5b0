"""The identity of a search: a killed search resumes, and a search with other inputs starts from the beginning."""

import importlib.metadata
import json
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from ml_platform import RANDOM_STATE
from ml_platform.registry.model_files import package_versions
from ml_platform.training.search_plan import SearchPlan
from ml_platform.training.training_set import TrainingSet

LIBRARY = Path(__file__).resolve().parents[1]
HASHED_FILES = (
    "estimators/boosters.py", "estimators/dense_network.py", "estimators/lightgbm_model.py",
    "estimators/snapshot_ensemble.py", "estimators/table.py", "estimators/unseen_missing.py",
    "estimators/xgboost_model.py", "evaluation/binary.py", "evaluation/classification.py", "evaluation/intervals.py",
    "evaluation/metrics.py", "evaluation/multiclass.py", "evaluation/regression.py", "specs/holdout.py",
    "training/candidates.py", "training/ensembling.py", "training/fold_fits.py", "training/pruning.py",
    "training/race.py", "training/search.py", "training/search_space.py", "training/split.py", "training/tpe.py",
)  # fmt: skip


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return a hash of the code that decides a candidate's scores: our files, and the versions of the packages."""
    digest = sha256(json.dumps([package_versions(), RANDOM_STATE]).encode())
    for name in HASHED_FILES:
        digest.update((LIBRARY / name).read_bytes())
    return digest.hexdigest()


def search_id(training_set: TrainingSet, plan: SearchPlan) -> str:
    """Return a hash of all that identifies a search: data, hold-out, folds, metric, code and attempt.

    The candidates do not count: a search with more candidates fits only the new ones. The space of the strategy tpe
    does, because earlier candidates decide which is drawn next, and which is pruned; the number of trials does not.
    """
    dataset = training_set.dataset
    holdout = [dataset.holdout_by, dataset.gate.holdout]
    measured = [plan.folds, plan.scoring, dataset.search.interval]
    parts = [dataset.name, training_set.sha256, *holdout, *measured, code_version(), plan.attempt_id]
    if plan.strategy == "tpe":
        parts += ["tpe", importlib.metadata.version("optuna"), repr(plan.space)]
    if plan.ensemble:
        parts += ["ensemble", str(plan.ensemble)]
    return sha256(json.dumps(parts).encode()).hexdigest()
