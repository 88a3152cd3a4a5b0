"""The metrics count requests, rows and lost predictions; no text of a caller becomes a label."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from ml_platform.exceptions import ServiceError
from ml_platform.serving.metrics import Metrics, MetricsMiddleware
from ml_platform.sources.ranges import Status
from tests.ml_platform.serving.models import ROW, SHOP, WEEKS, Registry, ask, follow, make_model, service

MODELS = [make_model(SHOP), make_model(SHOP, 2), make_model(WEEKS)]


@pytest.fixture
def registry() -> Registry:
    registry = Registry(*MODELS)
    registry.live["shop"] = 1
    return registry


@pytest.fixture
def client(registry: Registry) -> TestClient:
    return service(follow(registry))


def samples(text: str, name: str) -> dict[tuple[str, ...], float]:
    """Return the value of each sample of a name, by the values of its labels in the order of their names."""
    families = text_string_to_metric_families(text)
    found = [sample for family in families for sample in family.samples if sample.name == name]
    return {tuple(value for _, value in sorted(sample.labels.items())): sample.value for sample in found}


def test_requests_and_rows_are_counted(client: TestClient) -> None:
    ask(client, ROW, ROW)
    ask(client, ROW)
    ask(client, {"id": "x"})
    text = client.get("/metrics").text
    route = "/v1/{dataset}/predict"
    assert samples(text, "serving_rows_total") == {("shop", "1"): 3}
    assert samples(text, "serving_requests_total") == {("shop", route, "200"): 2, ("shop", route, "422"): 1}
    assert samples(text, "serving_seconds_count") == {(route,): 3}
    assert samples(text, "serving_predictions_lost_total") == {(): 0}


@pytest.mark.parametrize("path", ["/v1/made-up/model", "/made-up", "/v1/shop%0Amade-up/model"])
def test_what_a_caller_writes_is_not_a_label(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
    text = client.get("/metrics").text
    assert "made-up" not in text
    assert [key[0] for key in samples(text, "serving_requests_total")] == [""]


def test_a_refused_caller_is_counted(client: TestClient) -> None:
    client.get("/v1/shop/model", headers={"Authorization": "Bearer wrong"})
    assert samples(client.get("/metrics").text, "serving_requests_total") == {("shop", "/v1/{dataset}/model", "401"): 1}


def test_the_version_that_answers_and_its_state_are_shown(registry: Registry) -> None:
    live = follow(registry)
    metrics = Metrics(live)
    assert samples(metrics.text().decode(), "serving_model_version") == {("shop",): 1, ("weeks",): 1}
    assert samples(metrics.text().decode(), "serving_model_degraded") == {("shop",): 0, ("weeks",): 0}
    registry.live["shop"], registry.broken = 2, {2: "its files are missing"}
    live.refresh()
    assert samples(metrics.text().decode(), "serving_model_version")["shop",] == 1
    assert samples(metrics.text().decode(), "serving_model_degraded") == {("shop",): 1, ("weeks",): 0}


def test_a_model_that_cannot_answer_has_no_version(registry: Registry) -> None:
    registry.broken = {1: "its files are missing"}
    text = Metrics(follow(registry)).text().decode()
    assert samples(text, "serving_model_version") == {}
    assert samples(text, "serving_model_degraded") == {("shop",): 1, ("weeks",): 1}


def test_two_services_in_one_process_count_apart(registry: Registry) -> None:
    first, second = Metrics(follow(registry)), Metrics(follow(registry))
    first.lost.inc(3)
    assert samples(first.text().decode(), "serving_predictions_lost_total") == {(): 3}
    assert samples(second.text().decode(), "serving_predictions_lost_total") == {(): 0}


def test_an_application_that_fails_is_counted_as_500(registry: Registry) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("a fault of the application")

    live = follow(registry)
    metrics = Metrics(live)
    middleware = MetricsMiddleware(broken, metrics, live)
    with pytest.raises(RuntimeError):
        asyncio.run(middleware({"type": "http"}, None, None))  # type: ignore[arg-type]
    assert samples(metrics.text().decode(), "serving_requests_total") == {("", "", "500"): 1}


def test_only_requests_are_counted(registry: Registry) -> None:
    passed: list[str] = []

    async def application(scope: Any, *_: Any) -> None:
        passed.append(scope["type"])

    live = follow(registry)
    metrics = Metrics(live)
    asyncio.run(MetricsMiddleware(application, metrics, live)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert passed == ["lifespan"]
    assert samples(metrics.text().decode(), "serving_requests_total") == {}


def test_the_sources_of_rows_are_shown(registry: Registry) -> None:
    seen = datetime(2026, 1, 1, tzinfo=UTC)
    known = [
        Status("claims", "train", "kafka:kafka/claims", "0: 7", "0: 9", 2, seen, None, rows=7, files=1, waiting=0),
        Status("claims", "test", "sql:dwh/claims by id", "", "", None, None, "it is away", rows=0, files=0, waiting=0),
    ]
    text = Metrics(follow(registry), lambda: known).text().decode()
    assert samples(text, "source_lag") == {("claims", "train"): 2}
    assert samples(text, "source_rows") == {("claims", "train"): 7, ("claims", "test"): 0}
    assert samples(text, "source_problem") == {("claims", "train"): 0, ("claims", "test"): 1}
    assert samples(text, "source_seen_timestamp_seconds") == {("claims", "train"): seen.timestamp()}


def test_without_postgres_the_other_metrics_are_shown(registry: Registry) -> None:
    def away() -> list[Status]:
        raise ServiceError("Postgres: connection refused")

    text = Metrics(follow(registry), away).text().decode()
    assert samples(text, "source_lag") == {}
    assert samples(text, "serving_model_version") == {("shop",): 1, ("weeks",): 1}
