"""The identity of a search changes with all that decides its results, and with nothing else."""

import inspect
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ml_platform.estimators import boosters, table
from ml_platform.estimators.dense_network import descend
from ml_platform.estimators.lightgbm_model import LightGBMClassifier
from ml_platform.estimators.snapshot_ensemble import SnapshotEnsembleClassifier
from ml_platform.estimators.unseen_missing import UnseenMissingImputer
from ml_platform.estimators.xgboost_model import XGBoostClassifier
from ml_platform.evaluation.metrics import classification_metrics
from ml_platform.specs import holdout
from ml_platform.training import search_state, tpe
from ml_platform.training.candidates import candidates, pipeline
from ml_platform.training.fold_fits import fit_fold
from ml_platform.training.pruning import cannot_win
from ml_platform.training.race import Race
from ml_platform.training.search import evaluate
from ml_platform.training.search_plan import SearchPlan
from ml_platform.training.search_space import search_space
from ml_platform.training.search_state import HASHED_FILES, LIBRARY, code_version, search_id
from ml_platform.training.split import Split, split
from tests.ml_platform.training.trainings import ONE, make_dataset, make_frame, make_training_set, searched_by

TRAINING_SET = make_training_set()
PLAN = SearchPlan.of(TRAINING_SET.dataset, attempt_id="first")


@pytest.fixture(autouse=True)
def _hash_again():
    """Each test hashes the files as a new process does, which hashes them once."""
    code_version.cache_clear()
    yield
    code_version.cache_clear()


def with_spec(**parts):
    """Return the training set with another spec."""
    return replace(TRAINING_SET, dataset=TRAINING_SET.dataset.model_validate(TRAINING_SET.dataset.model_dump() | parts))


def test_all_hashed_files_exist():
    assert [name for name in HASHED_FILES if not (LIBRARY / name).is_file()] == []
    assert len(set(HASHED_FILES)) == len(HASHED_FILES)


@pytest.mark.parametrize(
    "code",
    [
        pipeline, candidates, table, table.one_hot_encoder, boosters, XGBoostClassifier, LightGBMClassifier,
        UnseenMissingImputer, SnapshotEnsembleClassifier, descend, classification_metrics, evaluate, split, Split.folds,
        fit_fold, search_space, Race, cannot_win, tpe,
        holdout.HoldoutRule, holdout.holdout_by_entity, holdout.holdout_by_time,
    ],
    ids=lambda code: code.__name__,
)  # fmt: skip
def test_the_files_that_decide_the_scores_are_hashed(code):
    assert Path(inspect.getsourcefile(code)).relative_to(LIBRARY).as_posix() in HASHED_FILES


@pytest.mark.parametrize(
    ("training_set", "plan"),
    [
        (make_training_set(frame=make_frame(seed=2)), PLAN),
        (make_training_set(make_dataset("other")), PLAN),
        (with_spec(gate={"holdout": 0.3}), PLAN),
        (with_spec(event_time="seen", gate={"holdout_by": "time"}, columns=dict(
            TRAINING_SET.dataset.model_dump()["columns"], seen="timestamp")), PLAN),
        (TRAINING_SET, replace(PLAN, folds=4)),
        (TRAINING_SET, replace(PLAN, scoring="roc_auc")),
        (TRAINING_SET, replace(PLAN, attempt_id="second")),
    ],
    ids=["data", "data set", "share of the hold-out", "hold-out by time", "folds", "scoring", "attempt"],
)  # fmt: skip
def test_another_input_makes_another_search(training_set, plan):
    assert search_id(training_set, plan) != search_id(TRAINING_SET, PLAN)


@pytest.mark.parametrize(
    ("training_set", "plan"),
    [
        (make_training_set(), SearchPlan.of(make_dataset(), attempt_id="first")),
        (TRAINING_SET, replace(PLAN, jobs=7)),
        (TRAINING_SET, replace(PLAN, candidates=PLAN.candidates[:1])),
        (make_training_set(make_dataset(candidates=ONE)), PLAN),
        (with_spec(description="another text"), PLAN),
        (replace(TRAINING_SET, uri="s3://elsewhere", sources=[]), PLAN),
    ],
    ids=["the same again", "jobs", "fewer candidates", "another grid", "description", "place of the file"],
)
def test_what_does_not_decide_the_results_does_not_matter(training_set, plan):
    assert search_id(training_set, plan) == search_id(TRAINING_SET, PLAN)


def adaptive_plan(**options):
    """Return the plan of an adaptive search of the same data set."""
    space = {"logistic_regression": {"C": {"low": 0.1, "high": options.pop("high", 1.0)}}}
    search = searched_by({"strategy": "tpe", "folds": 3, "candidates": space} | options)
    return SearchPlan.of(search, attempt_id="first")


def test_a_search_with_an_ensemble_is_another_one():
    ids = {search_id(TRAINING_SET, replace(PLAN, ensemble=number)) for number in (0, 2, 3)}
    assert len(ids) == 3
    assert search_id(TRAINING_SET, PLAN) in ids


def test_an_adaptive_search_depends_on_its_space_and_on_the_version_of_optuna(monkeypatch):
    before = search_id(TRAINING_SET, adaptive_plan())
    assert before != search_id(TRAINING_SET, PLAN)
    assert search_id(TRAINING_SET, adaptive_plan(high=2.0)) != before
    assert search_id(TRAINING_SET, adaptive_plan(trials=7, timeout="1m", jobs=5)) == before
    monkeypatch.setattr("importlib.metadata.version", lambda _: "99.0")
    assert search_id(TRAINING_SET, adaptive_plan()) != before


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A copy of the library that a test may change."""
    shutil.copytree(LIBRARY, tmp_path / "ml_platform", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(search_state, "LIBRARY", tmp_path / "ml_platform")
    return tmp_path / "ml_platform"


@pytest.mark.parametrize("name", HASHED_FILES)
def test_a_change_of_the_code_makes_another_search(library, name):
    before = search_id(TRAINING_SET, PLAN)
    (library / name).write_text((library / name).read_text() + "\nCHANGED = True\n")
    code_version.cache_clear()
    assert search_id(TRAINING_SET, PLAN) != before


def test_the_same_code_elsewhere_and_other_modules_do_not_matter(library, monkeypatch):
    (library / "training" / "tracking.py").write_text("CHANGED = True\n")
    moved = search_id(TRAINING_SET, PLAN)
    code_version.cache_clear()
    monkeypatch.setattr(search_state, "LIBRARY", LIBRARY)
    assert search_id(TRAINING_SET, PLAN) == moved


def test_another_version_of_a_package_makes_another_search(monkeypatch):
    before = search_id(TRAINING_SET, PLAN)
    monkeypatch.setattr(search_state, "package_versions", lambda: {"scikit-learn": "99.0"})
    code_version.cache_clear()
    assert search_id(TRAINING_SET, PLAN) != before
