"""What the library's tests share."""

from collections.abc import Iterator

import pytest

from ml_platform.evaluation import importance, metric_intervals


@pytest.fixture(scope="module", autouse=True)
def rough_explanations(request: pytest.FixtureRequest) -> Iterator[None]:
    """Explain models roughly in tests on servers: 200 resamples of a hold-out take longer than a small training.

    The unit tests of intervals and importance, and the whole stack, have all of them.
    """
    if request.node.get_closest_marker("servers") is None:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metric_intervals, "MOST_RESAMPLES", 10)
        patch.setattr(importance, "REPEATS", 2)
        patch.setattr(importance, "GRID", 4)
        yield
