"""The groups of a calibration; on a real Postgres: test_predictions.py."""

import numpy as np
import pytest

from ml_platform.records.calibration import _compared, _share_interval


def test_few_rows_are_one_group() -> None:
    found = _compared(9, np.array([0.1, 0.2, 0.3]), np.array([0.0, 1.0, 0.0]), None, is_number=False)
    (group,) = found.groups
    assert (found.considered, found.judged, group.rows) == (9, 3, 3)
    assert group.predicted == pytest.approx(0.2)
    assert group.actual == pytest.approx(1 / 3)


def test_an_interval_of_a_rate_is_within_0_and_1() -> None:
    assert _share_interval(0, 20)[0] == 0.0
    assert _share_interval(20, 20)[1] == 1.0
    low, high = _share_interval(10, 20)
    assert low == pytest.approx(0.3020, abs=1e-3)
    assert high == pytest.approx(0.6980, abs=1e-3)


def test_one_number_has_no_width() -> None:
    (group,) = _compared(1, np.array([2.0]), np.array([3.0]), 0.0, is_number=True).groups
    assert (group.low, group.high) == (3.0, 3.0)
