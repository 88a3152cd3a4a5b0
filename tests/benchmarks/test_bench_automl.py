"""The parts of the comparison with AutoGluon that need neither its environment nor servers."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from benchmarks import bench_automl
from benchmarks.bench_automl import FOLDS, SCORES, Predicted, compare, holdouts, load, rows, search_of
from ml_platform.specs.parts import Search
from ml_platform.training.search_plan import SearchPlan
from tests.ml_platform.training.trainings import make_training_set, make_weeks, make_weeks_frame

LABELS = np.arange(300) % 2


def predicted(wrong: int) -> Predicted:
    """Return a side that is wrong in so many rows."""
    predictions = LABELS.copy()
    predictions[:wrong] = 1 - predictions[:wrong]
    return Predicted(LABELS, predictions, np.eye(2)[predictions] * 0.8 + 0.1, 40.0, "model")


def test_hold_outs_share_no_row_and_keep_the_rows_of_a_day_together() -> None:
    found = list(holdouts(make_training_set(make_weeks(), make_weeks_frame()), 3))
    assert np.sum([parts.in_holdout for parts in found], axis=0).max() == 1
    for parts in found:
        days = parts.times.dt.floor("D")
        assert not set(days[parts.in_holdout]) & set(days[~parts.in_holdout])


@pytest.mark.parametrize(("wrong", "verdict"), [(10, "better"), (60, "no worse"), (150, "worse")])
def test_a_side_is_worse_only_if_the_interval_of_the_difference_says_so(
    wrong: int, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_automl, "RESAMPLES", 100)  # the interval need not be narrow
    line = next(iter(rows("made", "binary", [(predicted(wrong), predicted(60))] * 2)))
    assert line.startswith(f"| made | F1 | {f1_score(LABELS, predicted(wrong).predictions):.4g} | ")
    assert line.endswith(f" | {verdict} | 40 s | 40 s |\n")


def test_less_of_an_error_is_a_positive_difference() -> None:
    numbers = np.arange(100.0)
    good, bad = (Predicted(numbers, numbers + error, numbers + error, 1.0, "model") for error in (1.0, 3.0))
    found = {name: difference for name, _, _, difference, _ in compare([(good, bad)], SCORES["regression"])}
    assert found == {"mean absolute error": pytest.approx(2.0), "root mean squared error": pytest.approx(2.0)}


@pytest.mark.parametrize(("name", "classes"), [("wine", 3), ("diabetes", 0)])
def test_a_data_set_of_scikit_learn_can_be_searched_by_the_setting_in_the_documents(name: str, classes: int) -> None:
    data = load(name)
    (parts,) = holdouts(data, 1)
    assert len(parts.task.classes) == classes
    search = Search.model_validate(search_of(parts.task.estimator_type, 40))
    plan = SearchPlan.of(data.dataset.model_copy(update={"search": search}))
    assert (plan.ensemble, plan.timeout, plan.folds) == (5, 20.0, FOLDS)
