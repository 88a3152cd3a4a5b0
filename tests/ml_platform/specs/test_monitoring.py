"""The option `monitor` of a data set."""

import pytest
from pydantic import ValidationError

from ml_platform.specs.monitoring import Monitor
from ml_platform.specs.spec import Dataset
from tests.ml_platform.training.trainings import make_dataset


def with_monitor(**options) -> Dataset:
    return Dataset.model_validate(make_dataset().model_dump(exclude={"tables"}) | {"monitor": options})


def test_without_the_option_a_check_comes_every_two_weeks() -> None:
    assert make_dataset().monitor == Monitor(every="2w", rows=200, season=None, on_drift="report")
    assert not make_dataset().monitor.retrains
    assert Monitor(on_drift="retrain_with_approval").retrains


def test_the_option_does_not_change_the_meaning_of_the_data() -> None:
    assert with_monitor(every="1d", rows=1000, on_drift="retrain", cool_down="1d").sha256 == make_dataset().sha256


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"season": "52w"}, "monitor.season: without `event_time` the season of a row is not known"),
        ({"every": "often"}, "String should match pattern"),
        ({"rows": 10}, "greater than or equal to 50"),
        ({"on_drift": "roll_back"}, "'report', 'retrain' or 'retrain_with_approval'"),
        ({"max_retrainings": 0}, "greater than or equal to 1"),
        ({"often": True}, "Extra inputs are not permitted"),
    ],
)
def test_a_mistake_is_named(options: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        with_monitor(**options)
