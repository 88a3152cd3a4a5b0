import subprocess
import sys

import numpy as np
import pytest

from ml_platform.evaluation import charts
from ml_platform.evaluation.calibration import calibration_error
from ml_platform.evaluation.importance import Dependence, Importance
from stack.config import ROOT

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 2, 80)
PROBABILITIES = np.clip(LABELS * 0.3 + RANDOM.random(80) * 0.7, 0, 1)


@pytest.mark.slow
def test_every_chart_has_a_title_and_is_drawn(tmp_path):
    curve = np.linspace(0, 1, 20), RANDOM.random(20)
    names = [f"column {i}" for i in range(30)]
    drawn = charts.binary_charts(LABELS, PROBABILITIES, 0.5, curve)
    drawn["feature_importance"] = charts.feature_importance(ranked(names, np.linspace(1, 0, 30)))
    drawn["candidates"] = charts.candidates(["a", "b", "c"], [0.6, 0.5, 0.4], [0.1, 0.1, 0.1], "f1")
    drawn["calibration"] = charts.calibration(LABELS, {"before": PROBABILITIES**2, "model": PROBABILITIES})
    assert len(drawn) == 7
    for name, figure in drawn.items():
        figure.savefig(tmp_path / f"{name}.png")
        assert figure.axes[0].get_title(loc="left")
        assert figure.axes[0].get_xlabel()


@pytest.mark.slow
def test_a_model_is_loaded_and_scored_without_the_library_that_draws():
    code = "import sys, ml_platform.registry.registry; print('matplotlib' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "plugins", capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


@pytest.mark.parametrize("threshold", [0.0, 2.0])
def test_a_threshold_that_splits_nothing_is_drawn_too(threshold):
    curve = np.array([threshold]), np.array([0.0])
    assert len(charts.binary_charts(LABELS, PROBABILITIES, threshold, curve)) == 4


def test_the_reliability_curve_names_the_calibration_error():
    lines = charts.calibration(LABELS, {"before": PROBABILITIES**2, "model": PROBABILITIES}).axes[0].lines
    expected = [f"{calibration_error(LABELS, one):.3f}" for one in (PROBABILITIES**2, PROBABILITIES)]
    assert [line.get_label() for line in lines[1:]] == [
        f"before, calibration error {expected[0]}", f"model, calibration error {expected[1]}"
    ]  # fmt: skip


def test_the_reliability_curve_of_several_classes_compares_each_with_the_rest():
    probabilities = RANDOM.dirichlet([1, 1, 1], 80)
    (line,) = charts.calibration(RANDOM.integers(0, 3, 80), {"model": probabilities}).axes[0].lines[1:]
    assert np.mean(line.get_xdata()) == pytest.approx(1 / 3)


def test_several_classes_are_drawn_with_their_names(tmp_path):
    names = ("Adelie", "Chinstrap", "Gentoo")
    drawn = charts.multiclass_charts(RANDOM.integers(0, 3, 80), RANDOM.integers(0, 2, 80), names)
    for name, figure in drawn.items():
        figure.savefig(tmp_path / f"{name}.png")
    confusion, per_class = (drawn[name].axes[0] for name in ("confusion_matrix", "per_class"))
    assert [tick.get_text() for tick in confusion.get_xticklabels()] == list(names)
    assert [tick.get_text().split(" (")[0] for tick in per_class.get_yticklabels()] == list(names)


def test_the_confusion_matrix_shows_rows_and_shares_of_the_true_class():
    figure = charts.confusion(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), ("no", "yes"), "title")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["2\n66.7%", "1\n33.3%", "0\n0.0%", "1\n100.0%"]


def ranked(names, means):
    return Importance("F1", tuple(names), means, means - 0.1, means + 0.1)


def test_the_chart_of_importance_shows_the_20_most_important_features():
    axes = charts.feature_importance(ranked([f"f{i}" for i in range(30)], np.linspace(1, 0, 30))).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [f"f{i}" for i in range(20)]
    assert axes.yaxis_inverted()  # the first one is on top
    assert axes.get_xlabel() == "Loss in F1 when shuffled"


def test_a_partial_dependence_has_a_panel_per_feature():
    number = Dependence("age", np.arange(5.0), np.arange(5.0))
    category = Dependence("town", np.array(["Ulm", "Kiel"], dtype=object), np.array([0.1, 0.2]))
    figure = charts.partial_dependence([number, category], "prediction")
    assert [axes.get_title() for axes in figure.axes] == ["age", "town"]
    assert [tick.get_text() for tick in figure.axes[1].get_xticklabels()] == ["Ulm", "Kiel"]
    several = charts.partial_dependence([Dependence("age", np.arange(2.0), np.eye(2))], "probability", ["a", "b"])
    assert [text.get_text() for text in several.legends[0].get_texts()] == ["a", "b"]


def test_the_best_candidate_is_on_top():
    axes = charts.candidates(["best", "second"], [0.6, 0.5], [0.1, 0.2], "roc_auc").axes[0]
    rows = dict(zip((tick.get_text() for tick in axes.get_yticklabels()), axes.get_yticks(), strict=True))
    assert rows["best"] > rows["second"]
    assert axes.get_xlabel() == "roc_auc, mean ± sd over the folds"


def test_the_chosen_candidate_has_a_color_of_its_own():
    axes = charts.candidates(["best", "chosen", "third"], [0.6, 0.5, 0.4], [0.1, 0.2, 0.1], "f1", chosen=1).axes[0]
    best, chosen, third = map(tuple, axes.collections[-1].get_facecolors())
    assert chosen != best == third


def test_the_points_of_precision_recall_and_roc_are_those_of_the_threshold():
    positive = PROBABILITIES >= 0.5
    recall, precision = positive[LABELS == 1].mean(), LABELS[positive].mean()
    for figure, expected in (
        (charts.precision_recall(LABELS, PROBABILITIES, 0.5), (recall, precision)),
        (charts.roc(LABELS, PROBABILITIES, 0.5), (positive[LABELS == 0].mean(), recall)),
    ):
        (point,) = (line for line in figure.axes[0].lines if line.get_label() == "threshold 0.500")
        assert (point.get_xdata()[0], point.get_ydata()[0]) == pytest.approx(expected)
