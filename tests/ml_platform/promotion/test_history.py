"""The history on real servers: which version was live at any time."""

from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.promotion.history import history, recorded_history
from tests.ml_platform.promotion.champions import roll_back, train

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server", "essentials")]


@pytest.fixture(scope="module")
def stand(mlflow_server, essentials):
    """Two versions that went live, and a rollback; the cards."""
    cards = [train("stand", 0.0), train("stand")]
    roll_back("stand")
    return cards


def test_every_period_says_who_made_it_live_and_why(stand):
    bad, good = stand
    periods = history("stand")
    assert [(one.version, one.version_before, one.moved_by, one.why) for one in periods] == [
        (bad.version, None, "alice", "gate"),
        (good.version, bad.version, "alice", "gate"),
        (bad.version, good.version, "bob", "rollback"),
    ]
    assert (periods[1].reason, periods[1].training_set_sha256) == (good.reason, good.training_set_sha256)
    assert [one.decision_id is None for one in periods] == [False, False, True]
    assert periods[2].reason == "it was worse"
    assert recorded_history("stand") == periods


def test_the_periods_follow_each_other_without_a_gap(stand):
    periods = history("stand")
    assert [one.valid_to for one in periods] == [one.valid_from for one in periods[1:]] + [None]


def test_at_any_moment_one_version_was_live(stand):
    periods = history("stand")
    for one in periods:
        assert history("stand", one.valid_from) == [one]
    assert history("stand", periods[0].valid_from - timedelta(seconds=1)) == []
    assert history("stand", datetime.now(UTC) + timedelta(hours=1)) == periods[-1:]


def test_a_challenger_that_lost_is_not_in_the_history(stand):
    late = train("stand", 0.0, "late")
    assert not late.promoted
    assert late.version not in [one.version for one in history("stand")]


def test_a_model_that_does_not_exist_has_no_history(mlflow_server):
    assert history("nobody") == []
