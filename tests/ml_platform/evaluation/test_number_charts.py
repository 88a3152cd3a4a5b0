"""The charts of predicted numbers say how often the interval holds."""

import numpy as np

from ml_platform.estimators.interval_regressor import Interval
from ml_platform.evaluation.number_charts import coverage, predicted_actual, residuals

RANDOM = np.random.default_rng(0)
PREDICTIONS = RANDOM.normal(0, 5, 400)
LABELS = PREDICTIONS + RANDOM.uniform(-1, 1, 400)
HALF = Interval(-0.5, 0.5, 0.5)


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_predicted_and_actual_values_have_the_band_and_its_share():
    axes = predicted_actual(LABELS, PREDICTIONS, HALF).axes[0]
    inside = np.mean(np.abs(LABELS - PREDICTIONS) <= 0.5)
    assert texts(axes) == ["perfect", f"interval made for 50%, holds {inside:.1%}"]
    assert len(axes.collections[0].get_offsets()) == 400


def test_residuals_count_every_row():
    axes = residuals(LABELS, PREDICTIONS, HALF).axes[0]
    assert sum(bar.get_height() for bar in axes.patches[:40]) == 400
    assert texts(axes)[0] == "50% interval"


def test_the_share_inside_is_drawn_for_ten_bins():
    line, stated = coverage(LABELS, PREDICTIONS, HALF).axes[0].lines
    assert len(line.get_xdata()) == 10
    assert np.mean(line.get_ydata()) == np.mean(np.abs(LABELS - PREDICTIONS) <= 0.5)
    assert set(stated.get_ydata()) == {0.5}


def test_few_rows_are_drawn_too():
    for chart in (predicted_actual, residuals, coverage):
        assert chart(LABELS[:3], PREDICTIONS[:3], HALF).axes
