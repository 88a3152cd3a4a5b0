"""How far a search is, and when it may end."""

from datetime import UTC, datetime, timedelta

import pytest
from mlflow.entities import Metric

from ml_platform.storage import mlflow_client
from ml_platform.training import search_progress, tracking
from ml_platform.training.search_progress import remaining
from tests.ml_platform.training.test_tracking import FAILED, PRUNED, RESULT, make_parent


def counts(**done_at: int) -> list[Metric]:
    """Return counts: how many candidates were done after how many seconds."""
    return [Metric("candidates_done", int(done[1:]), second * 1000, 0) for done, second in done_at.items()]


@pytest.mark.parametrize(
    ("history", "seconds"),
    [
        ([], None),
        (counts(n0=100), None),
        (counts(n0=100, n1=104), 36),
        (counts(n0=100, n1=104, n3=106), 14),  # 2 s each, and 7 are left
        (counts(n0=100, n5=101), None),  # the first four were fitted by an earlier attempt
        (counts(n0=100, n5=101, n6=106), 20),
        (counts(n0=100, n1=101, n10=110), 0),
    ],
)
def test_what_is_left_is_estimated_by_the_pace_of_this_attempt(history: list[Metric], seconds: int | None) -> None:
    now = datetime.fromtimestamp(history[-1].timestamp / 1000 if history else 0, UTC)
    assert remaining(history, 10, now) == (None if seconds is None else timedelta(seconds=seconds))


def test_the_time_since_the_last_candidate_counts_and_never_below_nothing() -> None:
    history = counts(n0=100, n1=104)
    assert remaining(history, 10, datetime.fromtimestamp(114, UTC)) == timedelta(seconds=26)
    assert remaining(history, 10, datetime.fromtimestamp(9_999, UTC)) == timedelta()


@pytest.mark.servers
def test_only_a_running_search_has_progress(mlflow_server: object, request: pytest.FixtureRequest) -> None:
    client, name = mlflow_client.connect(), request.node.name
    assert search_progress.progress(name) is None
    parent = make_parent(client, name)
    with mlflow_client.running(client, parent.info.run_id):
        assert search_progress.progress(name) is None
        for results in ([RESULT, FAILED], [], [RESULT], [RESULT, FAILED, PRUNED]):  # the second attempt begins at 0
            tracking.log_counts(client, parent.info.run_id, 12, results)
        found = search_progress.progress(name)
    assert found is not None
    assert (found.done, found.total) == (3, 12)
    assert found.remaining is not None
    assert parent.info.run_id in found.url
    assert search_progress.progress(name) is None
