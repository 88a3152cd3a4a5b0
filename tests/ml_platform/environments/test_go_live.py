"""Going live in another environment, on two real MLflow servers: aliases, record, kills, conflicts."""

from dataclasses import replace

import pytest

from ml_platform.environments import go_live as go_live_module
from ml_platform.environments.copy_version import copy
from ml_platform.environments.go_live import go_live
from ml_platform.environments.values import PromotionRequest
from ml_platform.exceptions import RegistryError, ServiceError
from ml_platform.promotion.acceptance import accept
from ml_platform.promotion.history import history
from ml_platform.promotion.results import LiveVersions
from ml_platform.registry import registry
from ml_platform.storage import database, mlflow_client
from tests.ml_platform.environments.copies import REQUEST, aliases, promotions, register
from tests.ml_platform.promotion.champions import killed_at

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]


def test_the_aliases_there_move_and_both_sides_record_it(production, two_copies):
    _, live = two_copies
    assert live == [LiveVersions(1, None), LiveVersions(2, 1)]
    recorded = ("alice", "bob", "it was good for a month", True)
    assert promotions("go_live")[:2] == [(1, 1, None, *recorded), (2, 2, 1, *recorded)]
    with production.use():
        tags = registry.get_version("go_live", 2).tags
        assert (tags["promoted_by"], tags["approved_by"]) == ("alice", "bob")


def test_promoting_the_version_before_rolls_back_there(production, two_copies):
    (first, second), _ = two_copies
    # from here on this database is that of a platform there, which has accepted both
    database.fetch("DELETE FROM models.movements WHERE model = 'go_live' RETURNING movement_id")
    with production.use():
        for one in (first, second):
            accept("go_live", one.target_version, reason="it was good for a month", by="dave")
        assert aliases("go_live") == LiveVersions(2, 1)
    assert go_live(production, first, PromotionRequest("carol", "too many alarms")) == LiveVersions(1, 2)
    with production.use():
        champion = registry.load_champion("go_live")
        assert (champion.version, champion.problem) == (1, None)  # live at once, without a second acceptance
        last, tags = history("go_live")[-1], registry.get_version("go_live", 1).tags
        assert (last.version, last.moved_by, last.why, last.reason) == (1, "carol", "promotion", "too many alarms")
        assert last.valid_from.isoformat() == tags["promoted_at"]
        registry.set_alias("go_live", "champion", 2)  # by hand; the tags of the first promotion stay
        last = history("go_live")[-1]
        assert (last.version, last.moved_by, last.why) == (2, "unknown", "by hand")
        assert aliases("go_live") == LiveVersions(2, 1)
    count = len(promotions("go_live"))
    assert go_live(production, second, REQUEST) == LiveVersions(2, 1)
    assert len(promotions("go_live")) == count  # it was live already


def test_a_model_of_that_name_that_is_live_there_becomes_the_previous_one(production):
    register("taken")
    with production.use():
        api = mlflow_client.connect()
        api.create_registered_model("taken")
        run = api.create_run(mlflow_client.experiment_id(api, "taken"))
        own = [api.create_model_version("taken", run.info.artifact_uri, run.info.run_id) for _ in range(2)]
        registry.set_alias("taken", "champion", int(own[1].version))
        registry.set_alias("taken", "previous", int(own[0].version))
    copied = copy("taken", production)
    assert copied.target_version == 3
    assert go_live(production, copied, REQUEST) == LiveVersions(3, 2)


@pytest.mark.parametrize(
    ("module", "function"),
    [(registry, "set_alias"), pytest.param(go_live_module, "_mark_done", marks=pytest.mark.prove)],
)
def test_a_killed_promotion_is_completed_and_not_repeated(production, monkeypatch, module, function):
    name, request = f"killed{function}", replace(REQUEST, id="run 1")
    register(name)
    first = copy(name, production)
    assert go_live(production, first, REQUEST) == LiveVersions(1, None)
    register(name, seed=2)
    second = copy(name, production)
    with killed_at(monkeypatch, module, function):
        go_live(production, second, request)
    assert [row[-1] for row in promotions(name)] == [True, False]
    assert go_live(production, second, request) == LiveVersions(2, 1)
    assert [row[-1] for row in promotions(name)] == [True, True]
    go_live(production, first, REQUEST)
    assert go_live(production, second, request) == LiveVersions(
        1, 2
    )  # the request was done before: it does not undo the rollback


def test_a_change_there_at_the_same_moment_is_not_overwritten(production, monkeypatch):
    load = registry.load_copy

    def load_and_move(version):
        registry.set_alias("busy", "champion", 2)
        return load(version)

    register("busy")
    go_live(production, copy("busy", production), REQUEST)
    register("busy", seed=2)
    second = copy("busy", production)
    with monkeypatch.context() as patch:
        patch.setattr(registry, "load_copy", load_and_move)
        with pytest.raises(ServiceError, match="version 2 is live in production now, not version 1"):
            go_live(production, second, REQUEST)
    assert len(promotions("busy")) == 1


def test_a_promotion_needs_a_reason(production, two_copies):
    with pytest.raises(RegistryError, match="needs a reason"):
        go_live(production, two_copies[0][0], PromotionRequest("alice", " "))
