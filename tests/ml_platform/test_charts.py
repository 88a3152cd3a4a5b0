from types import SimpleNamespace

import numpy as np
import pytest

from ml_platform import charts

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 2, 80)
PROBABILITIES = np.clip(LABELS * 0.3 + RANDOM.random(80) * 0.7, 0, 1)


def test_every_chart_has_a_title_and_is_drawn(tmp_path):
    results = {"thresholds": np.linspace(0, 1, 20), "scores": RANDOM.random(20)}
    importance = SimpleNamespace(importances_mean=RANDOM.random(30), importances_std=RANDOM.random(30))
    names = [f"column {i}" for i in range(30)]
    drawn = charts.holdout_charts(LABELS, PROBABILITIES, 0.5)
    drawn |= charts.training_charts(results, 0.5, names, importance)
    drawn["candidates"] = charts.candidates(["a", "b", "c"], [0.6, 0.5, 0.4], [0.1, 0.1, 0.1], "f1")
    assert len(drawn) == 7
    for name, figure in drawn.items():
        figure.savefig(tmp_path / f"{name}.png")
        assert figure.axes[0].get_title(loc="left")
        assert figure.axes[0].get_xlabel()


@pytest.mark.parametrize("threshold", [0.0, 2.0])
def test_a_threshold_that_splits_nothing_is_drawn_too(threshold):
    assert len(charts.holdout_charts(LABELS, PROBABILITIES, threshold)) == 4
