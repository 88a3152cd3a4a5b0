"""The chart of a search: how the best score grows with time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ml_platform.evaluation.charts import BLUE, GREY, ORANGE, labelled_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def best_over_time(seconds: Sequence[float], means: Sequence[float], best: Sequence[float], scoring: str) -> "Figure":
    """Draw each candidate at the time at which it was done, and the best so far.

    Args:
        seconds: of the search until a candidate was done, ascending.
        means: of the metric over the folds, one per candidate.
        best: the mean of the best candidate until then.
        scoring: the metric.
    """
    figure, axes = labelled_axes("Best score over time", "Seconds of search", f"{scoring}, mean over the folds")
    axes.scatter(seconds, means, color=GREY, s=18, label="a candidate")
    axes.step(seconds, best, where="post", color=BLUE, label="best so far")
    axes.plot(seconds[-1:], best[-1:], "o", color=ORANGE, label=f"best: {best[-1]:.3f}")
    axes.set_xlim(left=0)
    axes.legend(frameon=False, loc="lower right")
    return figure
