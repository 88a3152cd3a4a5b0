"""Rollback on real servers: there and back, repeated requests, and what cannot be rolled back to."""

import pytest

from ml_platform.exceptions import RegistryError
from ml_platform.promotion import steps
from ml_platform.promotion.results import LiveVersions
from ml_platform.promotion.rollback import rollback
from ml_platform.registry import registry
from tests.ml_platform.promotion.champions import aliases, killed, movements, refit, roll_back, train
from tests.ml_platform.training.trainings import make_frame

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server", "essentials")]


def test_after_a_rollback_and_back_the_predictions_are_the_same_bytes(mlflow_server):
    bad, good = train("swing", 0.0), train("swing")
    features = make_frame()
    before = registry.load(registry.get_version("swing", bad.version)).predict(features)[0].tobytes()
    now = registry.load_champion("swing").predict(features)[0].tobytes()
    assert roll_back("swing") == LiveVersions(bad.version, good.version)
    assert registry.load_champion("swing").predict(features)[0].tobytes() == before
    assert roll_back("swing", to=good.version) == LiveVersions(good.version, bad.version)
    assert registry.load_champion("swing").predict(features)[0].tobytes() == now != before
    count = len(movements("swing"))
    assert roll_back("swing", to=good.version) == LiveVersions(good.version, bad.version)
    assert len(movements("swing")) == count  # it was live already


def test_a_repeated_request_moves_no_alias_again(mlflow_server):
    first, second = train("repeat", 0.0), train("repeat")
    for _ in range(2):
        assert roll_back("repeat", request="run 1") == LiveVersions(first.version, second.version)
    assert roll_back("repeat", request="run 2") == LiveVersions(second.version, first.version)
    assert [move[3] for move in movements("repeat")] == ["gate", "gate", "rollback", "rollback"]


def test_a_rollback_is_not_undone_by_a_gate_that_was_killed_after_the_move(mlflow_server, monkeypatch):
    train("restart", 0.0)
    challenger = refit("restart")
    with killed(monkeypatch, "after the alias"):
        steps.promote(*challenger, by="alice")
    assert roll_back("restart") == LiveVersions(1, 2)
    assert steps.promote(*challenger, by="alice").promoted  # the same decision; the alias stays
    assert aliases("restart") == LiveVersions(1, 2)


@pytest.mark.parametrize(
    ("options", "text"),
    [({"to": 99}, "no version 99"), ({}, "no previous champion"), ({"reason": " "}, "needs a reason")],
)
def test_a_rollback_that_is_not_possible_moves_no_alias(mlflow_server, options, text):
    if registry.alias_version("only", "champion") is None:
        train("only")
    before = movements("only"), aliases("only")
    with pytest.raises(RegistryError, match=text):
        rollback("only", **{"reason": "it was worse", "by": "bob"} | options)
    assert (movements("only"), aliases("only")) == before


def test_a_rollback_replaces_neither_the_gate_nor_an_approval(mlflow_server):
    train("open")
    waiting = refit("open", attempt_id="waiting")[1].version
    with pytest.raises(RegistryError, match=f"open version {waiting}: the gate has not decided about it yet"):
        roll_back("open", to=waiting)
    assert aliases("open") == LiveVersions(1, None)


def test_a_rollback_to_what_was_live_last_puts_a_wrong_alias_right(mlflow_server):
    train("aside")
    never = refit("aside", attempt_id="never")[1].version
    registry.set_alias("aside", "champion", never)
    count = len(movements("aside"))
    assert roll_back("aside", to=1) == LiveVersions(1, None)
    assert aliases("aside") == LiveVersions(1, None)
    assert len(movements("aside")) == count
