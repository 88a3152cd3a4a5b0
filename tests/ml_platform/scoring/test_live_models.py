"""The models follow the alias, and a valid one is never replaced by an invalid one."""

import threading
import time

import pytest

from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring import live_models
from ml_platform.scoring.live_models import LiveModels
from tests.ml_platform.serving.models import SHOP, Registry, follow, make_model

MODELS = [make_model(SHOP, version) for version in (1, 2)]


@pytest.fixture
def registry() -> Registry:
    registry = Registry(*MODELS)
    registry.live["shop"] = 1
    return registry


def version(live: LiveModels) -> int | None:
    model = live.model("shop")
    return model.version if model else None


def test_it_follows_the_alias_forward_and_back(registry: Registry) -> None:
    live = follow(registry)
    for live_version in (2, 1, 2):
        registry.live["shop"] = live_version
        live.refresh()
        assert (version(live), live.all()["shop"].status) == (live_version, "ok")


def test_what_is_live_is_loaded_once(registry: Registry) -> None:
    live = follow(registry)
    live.refresh()
    assert registry.loads == 1


def test_a_version_that_cannot_be_loaded_is_tried_again_after_a_while(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = follow(registry)
    registry.live["shop"], registry.broken = 2, {2: "its files are missing"}
    for _ in range(3):
        live.refresh()
        assert (version(live), live.all()["shop"].status) == (1, "degraded")
    assert registry.loads == 2
    monkeypatch.setattr(live_models, "RETRY", 0.0)
    registry.broken = {}
    live.refresh()
    assert (version(live), live.all()["shop"].problem) == (2, None)


def test_a_service_that_starts_with_a_wrong_alias_answers_with_the_version_that_was_live_last(
    registry: Registry,
) -> None:
    registry.live["shop"], registry.broken, registry.last = 2, {2: "the platform never made it live"}, 1
    live = follow(registry)
    served = live.all()["shop"]
    assert (version(live), served.live_version, served.status) == (1, 2, "degraded")
    assert served.problem == "version 2 is not used: the platform never made it live"
    registry.live["shop"] = 1
    live.refresh()
    assert (version(live), live.all()["shop"].status, registry.loads) == (1, "ok", 2)


@pytest.mark.parametrize("last", [None, 2])
def test_without_another_version_that_was_live_the_service_is_unavailable(registry: Registry, last: int | None) -> None:
    registry.live["shop"], registry.broken, registry.last = 2, {2: "its files have changed"}, last
    live = follow(registry)
    assert (version(live), live.all()["shop"].status, registry.loads) == (None, "unavailable", 1)


def test_an_error_in_one_model_does_not_stop_the_others(registry: Registry) -> None:
    def load(name: str, version: int) -> LoadedModel:
        if version == 2:
            raise ImportError("no module named sklearn.of_another_version")
        return registry.load(name, version)

    registry.live["apparel"] = 2
    live = LiveModels(registry.champions, load, registry.last_live)
    for _ in range(2):
        live.refresh()
    assert (version(live), live.all()["shop"].status) == (1, "ok")
    assert "sklearn.of_another_version" in str(live.all()["apparel"].problem)


def test_a_model_that_was_registered_again_under_the_same_number_is_loaded(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_models, "RETRY", 0.0)
    live = follow(registry)
    registry.live.clear()
    live.refresh()
    registry.models["shop", 1], registry.live["shop"], registry.broken = make_model(SHOP, 1), 1, {1: "no files yet"}
    for _ in range(2):
        live.refresh()
        assert live.all()["shop"].status == "degraded"
    registry.broken = {}
    live.refresh()
    assert live.model("shop") is registry.models["shop", 1]
    assert live.all()["shop"].status == "ok"


def test_while_the_registry_is_not_available_the_model_answers_and_is_degraded(registry: Registry) -> None:
    live = follow(registry)
    registry.outage = ConnectionError("refused")
    live.refresh()
    assert version(live) == 1
    assert live.all()["shop"].problem == "MLflow cannot be read, so the live version is unknown: refused"
    registry.outage = None
    live.refresh()
    assert live.all()["shop"].status == "ok"


def test_a_model_that_lost_its_alias_still_answers(registry: Registry) -> None:
    live = follow(registry)
    registry.live.clear()
    live.refresh()
    assert (version(live), live.all()["shop"].status) == (1, "degraded")


def test_a_model_that_gives_no_number_is_not_taken_over(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    live = follow(registry)
    broken = make_model(SHOP, 2)
    broken.estimator.estimator_[-1].coef_[:] = float("nan")
    registry.models["shop", 2], registry.live["shop"] = broken, 2
    live.refresh()
    assert version(live) == 1
    assert "not finite numbers" in str(live.all()["shop"].problem)


def test_no_request_meets_a_half_loaded_model(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_models, "INTERVAL", 0.001)
    live, met = LiveModels(registry.champions, registry.load, registry.last_live), set()
    live.start()
    try:
        deadline = time.monotonic() + 10
        while version(live) is None and time.monotonic() < deadline:
            time.sleep(0.001)
        for live_version in (2, 1) * 20:
            registry.live["shop"] = live_version
            while (found := version(live)) != live_version and time.monotonic() < deadline:
                met.add(found)
        assert met <= {1, 2}
        assert live.is_following
    finally:
        live.stop()
    assert not live.is_following
    assert "live-models" not in {thread.name for thread in threading.enumerate()}
