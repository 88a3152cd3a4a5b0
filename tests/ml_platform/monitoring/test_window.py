"""Windows: their event times, and the values that are compared; the rows themselves: test_drift_check.py."""

from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.evaluation.binary import Binary
from ml_platform.evaluation.multiclass import Multiclass
from ml_platform.evaluation.tasks import task_of
from ml_platform.monitoring.window import Counts, compared_values, event_times
from tests.ml_platform.training.trainings import make_dataset, make_houses

DAY = datetime(2026, 6, 15, tzinfo=UTC)


def test_event_times_are_widened_to_the_time_between_two_checks() -> None:
    assert event_times(Counts(9, DAY, DAY), timedelta(weeks=2)) == (DAY - timedelta(weeks=2), DAY)
    early = DAY - timedelta(weeks=5)
    assert event_times(Counts(9, early, DAY), timedelta(weeks=2)) == (early, DAY)
    with pytest.raises(ValueError, match="no event times"):
        event_times(Counts(0, None, None), timedelta(weeks=2))


def test_probabilities_and_numbers_are_compared_as_numbers_and_classes_as_texts() -> None:
    binary, numbers = task_of(make_dataset(), ("0", "1")), task_of(make_houses(), ())
    assert isinstance(binary, Binary)
    assert binary.drift_column == "probability"
    assert compared_values(binary, [0.5]).dtype == "float64"
    assert compared_values(numbers, ["12.5"]).tolist() == [12.5]
    assert compared_values(Multiclass(("1", "2")), ["1", "2"]).tolist() == ["1", "2"]
