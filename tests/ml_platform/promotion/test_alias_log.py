"""The record of alias changes, on real servers: after a kill, after a change by hand, and when two happen at once."""

import pytest

from ml_platform.exceptions import ServiceError
from ml_platform.promotion import alias_log, gate, steps
from ml_platform.promotion.history import history
from ml_platform.promotion.results import LiveVersions
from ml_platform.registry import registry
from ml_platform.storage import database, mlflow_client
from tests.ml_platform.promotion.champions import (
    MOMENTS,
    aliases,
    killed,
    make_live,
    movements,
    refit,
    roll_back,
    train,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server", "essentials")]


def test_a_change_by_hand_is_recorded(mlflow_server):
    train("hand", 0.0)
    train("hand")
    registry.set_alias("hand", "champion", 1)
    last = history("hand")[-1]
    assert (last.version, last.version_before, last.moved_by, last.why) == (1, 2, "unknown", "by hand")
    assert aliases("hand") == LiveVersions(1, 2)
    mlflow_client.connect().delete_registered_model_alias("hand", "champion")
    assert history("hand")[-1].version is None
    assert roll_back("hand") == LiveVersions(1, 1)
    mlflow_client.connect().delete_model_version("hand", "1")
    assert history("hand")[-1].version is None


def by_hand(monkeypatch, module, function, name, version):
    """Move the alias in MLflow right after a function has returned."""
    work = getattr(module, function)

    def worked(*given):
        done = work(*given)
        registry.set_alias(name, "champion", version)
        return done

    monkeypatch.setattr(module, function, worked)


def test_a_change_by_hand_at_the_same_moment_is_not_overwritten(mlflow_server, monkeypatch):
    train("crowded", 0.0)
    make_live("crowded", refit("crowded", 0.0, "second")[1].version)
    challenger = refit("crowded")
    with monkeypatch.context() as patch:
        by_hand(patch, gate, "evaluate", "crowded", 1)
        with pytest.raises(ServiceError, match="crowded: version 1 is live now, not version 2; no alias has moved"):
            steps.promote(*challenger, by="alice")
    assert aliases("crowded") == LiveVersions(1, 1)
    assert database.fetch("SELECT count(*) FROM models.decisions WHERE model = 'crowded'") == [(1,)]
    with monkeypatch.context() as patch:
        by_hand(patch, registry, "load", "crowded", 2)
        with pytest.raises(ServiceError, match="crowded: version 2 is live now, not version 1; no alias has moved"):
            roll_back("crowded", to=2)
    alias_log.reconcile("crowded")
    assert [(before, after, why) for before, after, _, why, _ in movements("crowded")] == [
        *((None, 1, "gate"), (1, 2, "rollback"), (2, 1, "by hand"), (1, 2, "by hand")),
    ]
    assert aliases("crowded") == LiveVersions(2, 1)


def test_a_change_by_hand_to_a_version_that_was_never_live_is_neither_followed_nor_recorded(mlflow_server):
    train("ignored", 0.0)
    challenger = refit("ignored")
    registry.set_alias("ignored", "champion", challenger[1].version)
    assert [one.version for one in history("ignored")] == [1]
    assert steps.promote(*challenger, by="alice").champion_before == 1
    assert [one.why for one in history("ignored")] == ["gate", "gate"]
    assert aliases("ignored") == LiveVersions(2, 1)


def test_a_change_whose_record_was_deleted_is_an_error(mlflow_server):
    train("struck", 0.0)
    with pytest.raises(ServiceError, match="struck: the change to version 1 is not recorded any more"):
        alias_log.apply(alias_log.AliasChange("struck", None, 1, "bob", "rollback", "it was worse"))


def test_a_model_that_was_deleted_and_trained_again_starts_over(mlflow_server):
    train("reborn")
    mlflow_client.connect().delete_registered_model("reborn")
    card = train("reborn", attempt_id="again")
    assert (card.version, card.promoted, card.champion_before) == (1, True, None)
    assert [one.why for one in history("reborn")] == ["gate", "by hand", "gate"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_gate_is_completed(mlflow_server, monkeypatch, moment):
    name = "killed_" + moment.replace(" ", "_")
    first = train(name, 0.0)
    challenger = refit(name)
    with killed(monkeypatch, moment):
        steps.promote(*challenger, by="alice")
    assert movements(name)[-1] == (first.version, 2, "alice", "gate", False)
    card = steps.promote(*challenger, by="alice")
    assert card.promoted
    assert aliases(name) == LiveVersions(2, first.version)
    assert movements(name) == [(None, 1, "alice", "gate", True), (1, 2, "alice", "gate", True)]
    assert database.fetch("SELECT count(*) FROM models.decisions WHERE model = $1", name) == [(2,)]


@pytest.mark.prove
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_rollback_is_completed(mlflow_server, monkeypatch, moment):
    name = "undone_" + moment.replace(" ", "_")
    train(name, 0.0)
    train(name)
    with killed(monkeypatch, moment):
        roll_back(name, request="run 1")
    assert roll_back(name, request="run 1") == LiveVersions(1, 2)
    assert movements(name)[-1] == (2, 1, "bob", "rollback", True)
    assert len(movements(name)) == 3
