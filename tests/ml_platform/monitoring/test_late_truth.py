"""The join of predictions with late truth, as text; on real servers: test_performance_check.py."""

import pandas as pd
import pytest

from ml_platform.monitoring.late_truth import _statement, _values
from ml_platform.specs.catalog import dataset
from tests.ml_platform.monitoring.test_performance import BINARY, NUMBER


@pytest.mark.parametrize(
    ("name", "condition"),
    [("auto", "l.event_timestamp >= p.event_time"), ("flights", "l.event_timestamp = p.event_time")],
)
def test_with_an_event_time_the_truth_is_about_that_time_else_it_is_the_next_one(name: str, condition: str) -> None:
    assert condition in _statement(dataset(name), {})


def test_a_key_of_several_columns_is_compared_by_its_types() -> None:
    flights = dataset("flights")
    statement = _statement(flights, {"distance": flights.columns["distance"]})
    assert 't.claimed_at, v."distance"' in statement
    for key, kind in {"carrier": "text", "flight": "bigint", "origin": "text"}.items():
        assert f"""l."{key}" = (p.entity_key ->> '{key}')::{kind}""" in statement


def test_classes_become_indices_and_unknown_ones_are_missing() -> None:
    assert _values(BINARY, ["yes", "no", "perhaps", None]).tolist()[:2] == [1.0, 0.0]
    assert _values(BINARY, ["perhaps", None]).isna().all()
    pd.testing.assert_series_equal(_values(NUMBER, ["1.5", None]), pd.Series([1.5, None]))
