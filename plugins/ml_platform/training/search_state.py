"""What makes two searches the same search, so that a killed one goes on and no other is taken for it."""

import json
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from ml_platform import RANDOM_STATE
from ml_platform.registry.model_files import versions
from ml_platform.training.search_plan import SearchPlan
from ml_platform.training.training_set import TrainingSet

LIBRARY = Path(__file__).resolve().parents[1]
DECIDING_FILES = (
    "estimators/table.py", "evaluation/metrics.py", "specs/holdout.py",
    "training/candidates.py", "training/search.py", "training/split.py",
)  # fmt: skip


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return a hash of what decides a candidate's scores beside the data: our code and the libraries' versions."""
    digest = sha256(json.dumps([versions(), RANDOM_STATE]).encode())
    for name in DECIDING_FILES:
        digest.update((LIBRARY / name).read_bytes())
    return digest.hexdigest()


def search_id(training_set: TrainingSet, plan: SearchPlan) -> str:
    """Return what tells a search from all others: data, hold-out, folds, metric, code and attempt.

    The candidates are not part of it: a search with more of them goes on with those that are new.
    """
    dataset = training_set.dataset
    held = [dataset.holdout_by, dataset.gate.holdout]
    parts = [dataset.name, training_set.sha256, *held, plan.folds, plan.scoring, code_version(), plan.attempt_id]
    return sha256(json.dumps(parts).encode()).hexdigest()
