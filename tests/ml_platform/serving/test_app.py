"""The routes: what needs the token, and the status and the body of each answer."""

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from scipy.special import logit

from ml_platform.estimators import reference_row
from ml_platform.estimators.model_parts import uncalibrated
from ml_platform.exceptions import ServiceError
from ml_platform.records import models
from ml_platform.records.models import ModelVersion
from ml_platform.scoring import scored_rows
from ml_platform.serving import answers
from ml_platform.serving.settings import MOST_BYTES
from tests.ml_platform.serving.models import (
    DAY,
    ROW,
    SHOP,
    TOKEN,
    WEEKS,
    Registry,
    ask,
    expected,
    follow,
    make_model,
    service,
    stored,
)

MODELS = [make_model(SHOP), make_model(SHOP, 2), make_model(WEEKS)]


@pytest.fixture
def registry() -> Registry:
    registry = Registry(*MODELS)
    registry.live["shop"] = 1
    return registry


@pytest.fixture
def client(registry: Registry) -> TestClient:
    return service(follow(registry))


@pytest.fixture
def every_entity_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the online store: each entity has the row `ROW` or `DAY`, except the number 0."""
    monkeypatch.setattr("ml_platform.feature_store.online_rows.newest_rows", stored)


def test_a_row_is_answered_with_the_models_version(client: TestClient) -> None:
    model = MODELS[0]
    status, answer = ask(client, ROW)
    probability = expected(model, age=40, income=1000, member=1, town="Ulm")
    assert status == 200
    assert answer == {
        "model": "shop", "model_version": 1, "threshold": model.task.threshold,
        "predictions": [{"key": {"id": 7}, "probability": probability, "probabilities": None,
                         "prediction": str(int(probability >= model.task.threshold))}],
    }  # fmt: skip


def test_versions_of_a_model_are_listed_where_records_are_read(
    registry: Registry, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = ModelVersion("shop", 1, "run", datetime(2026, 1, 1, tzinfo=UTC), "training", metrics={"f1": math.nan})
    monkeypatch.setattr(models, "versions", lambda name, limit, offset: [version] * (name == "shop"))
    both = service(follow(registry), files=SecretStr("the-token-of-files"))
    (listed,) = both.get("/v1/shop/models").json()["models"]
    assert (listed["version"], listed["registered_at"], listed["metrics"]) == (1, "2026-01-01T00:00:00Z", {"f1": None})
    assert client.get("/v1/shop/models").status_code == 404


def test_several_classes_have_a_probability_each(client: TestClient) -> None:
    status, answer = ask(client, DAY, DAY | {"heat": 1, "town": "Kiel"}, dataset="weeks")
    assert (status, answer["threshold"]) == (200, None)
    for one in answer["predictions"]:
        assert one["key"] == {"town": one["key"]["town"], "number": 3}
        assert list(one["probabilities"]) == ["poor", "fair", "good"]
        assert one["probability"] == max(one["probabilities"].values()) == one["probabilities"][one["prediction"]]
    assert [one["prediction"] for one in answer["predictions"]] == ["good", "poor"]


def explain(client: TestClient, query: str, *rows: Any, dataset: str = "shop") -> tuple[int, dict[str, Any]]:
    response = client.post(f"/v1/{dataset}/predict?{query}", content=json.dumps({"rows": rows or [ROW]}))
    return response.status_code, response.json()


def test_reasons_are_given_if_they_are_asked_for(client: TestClient) -> None:
    status, answer = explain(client, "explain=2", ROW, ROW | {"age": None})
    assert (status, answer["reasons_scale"]) == (200, "log odds of the positive class (1)")
    for one in answer["predictions"]:
        assert {reason["feature"] for reason in one["reasons"]} == {"age", "town"}
        total = one["base"] + sum(reason["effect"] for reason in one["reasons"]) + one["rest"]
        assert total == pytest.approx(logit(one["probability"]), abs=1e-9)
    values = [{reason["feature"]: reason["value"] for reason in one["reasons"]} for one in answer["predictions"]]
    assert values == [{"age": 40, "town": "Ulm"}, {"age": None, "town": "Ulm"}]
    plain = ask(client, ROW)[1]
    assert plain == explain(client, "explain=0")[1]
    explained = explain(client, "explain=20")[1]
    assert len(explained["predictions"][0]["reasons"]) == 6
    added = {"base", "reasons", "rest"}
    assert plain["predictions"] == [
        {name: value for name, value in one.items() if name not in added} for one in explained["predictions"]
    ]


def test_reasons_of_several_classes_are_of_the_predicted_one(client: TestClient) -> None:
    answer = explain(client, "explain=1", DAY, DAY | {"heat": 1, "town": "Kiel"}, dataset="weeks")[1]
    good, poor = answer["predictions"]
    assert (good["prediction"], poor["prediction"]) == ("good", "poor")
    assert good["base"] != poor["base"]
    assert [one["reasons"][0]["effect"] > 0 for one in (good, poor)] == [True, True]


@pytest.mark.parametrize("value", ["21", "-1", "3.0", "", "three", "true", "9" * 5000, "003", "0" * 9 + "9", "%C2%B2"])
def test_a_number_of_reasons_that_is_not_allowed_is_a_400(client: TestClient, value: str) -> None:
    status, answer = explain(client, f"explain={value}")
    assert (status, answer["detail"].endswith("allowed are whole numbers from 0 to 20")) == (400, True)
    assert answer["detail"].startswith("explain is '")


def test_a_version_that_gives_no_reasons_says_so_and_still_predicts(registry: Registry) -> None:
    older = make_model(SHOP, 3)
    delattr(uncalibrated(older.estimator)[0], reference_row.NAME)
    registry.models["shop", 3], registry.live["shop"] = older, 3
    client = service(follow(registry))
    status, answer = explain(client, "explain=3")
    assert (status, answer["detail"][:32]) == (503, "shop version 3 gives no reasons:")
    assert answer["detail"].endswith("train it again")
    assert ask(client, ROW)[0] == 200


def test_texts_are_read_as_in_files(client: TestClient) -> None:
    as_texts = {name: "" if value is None else str(value) for name, value in ROW.items()}
    assert ask(client, as_texts) == ask(client, ROW)


def ask_for(client: TestClient, *entities: Any, dataset: str = "shop") -> tuple[int, dict[str, Any]]:
    response = client.post(f"/v1/{dataset}/predict", content=json.dumps({"entities": entities}))
    return response.status_code, response.json()


def test_an_entity_is_answered_as_its_row(client: TestClient, every_entity_is_known: None) -> None:
    assert ask_for(client, {"id": 7}) == ask_for(client, {"id": "7"}) == ask(client, ROW)
    key = {"town": "Ulm", "number": 3}
    assert ask_for(client, key, dataset="weeks") == ask(client, DAY, dataset="weeks")


def test_an_invalid_body_is_a_422_with_its_problem(client: TestClient) -> None:
    response = client.post("/v1/shop/predict", content=b"[]")
    assert response.status_code == 422
    assert response.json() == {"detail": f"{answers.REQUEST}: {answers.NOT_A_REQUEST}", "errors": []}


def test_each_bad_value_of_a_request_is_in_the_answer(client: TestClient) -> None:
    status, answer = ask(client, ROW, ROW | {"age": "old"}, ROW | {"id": None})
    assert (status, answer["detail"]) == (422, "the request: 2 of 3 rows are bad")
    assert answer["errors"] == [
        {"row": 2, "field": "age", "value": "old", "reason": "not a whole number"},
        {"row": 3, "field": "id", "value": "", "reason": "the value is missing, but a value is required"},
    ]


def test_an_unknown_entity_is_a_422_and_says_what_to_send(client: TestClient, every_entity_is_known: None) -> None:
    status, answer = ask_for(client, {"id": 7}, {"id": 0})
    assert status == 422
    assert [(error["row"], error["value"]) for error in answer["errors"]] == [(2, "0")]
    assert "send its row" in answer["errors"][0]["reason"]


def test_a_body_that_is_too_large_is_not_read(client: TestClient) -> None:
    assert client.post("/v1/shop/predict", content=b" " * (MOST_BYTES + 1)).status_code == 413
    assert client.post("/v1/shop/predict", content=iter([b" " * 2**16] * 17)).status_code == 413


CLOSED = [("GET", "/v1/shop/model"), ("POST", "/v1/shop/predict"), ("GET", "/metrics"), ("GET", "/openapi.json")]


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xe9"])
def test_without_the_token_nothing_is_told(client: TestClient, method: str, path: str, shown: str) -> None:
    answer = client.request(method, path, headers={"Authorization": shown.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_health_needs_no_token(client: TestClient) -> None:
    del client.headers["Authorization"]
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer.json()["models"]["shop"] == {"status": "ok", "version": 1, "reason": None}


def test_it_is_alive_while_it_follows_the_registry(registry: Registry) -> None:
    client = service(follow(registry))
    assert client.get("/live").status_code == 503
    with client:
        assert (client.get("/live").status_code, client.get("/live").json()) == (200, {"status": "ok"})


def test_health_is_503_until_a_model_can_answer(registry: Registry) -> None:
    registry.broken = {1: "its digest is different"}
    live = follow(registry)
    client = service(live)
    assert client.get("/health").status_code == 503
    assert ask(client, ROW)[0] == 503
    registry.broken = {}
    live._failed_at.clear()
    live.refresh()
    assert (client.get("/health").status_code, ask(client, ROW)[0]) == (200, 200)


def test_a_version_that_cannot_be_used_leaves_the_verified_one(registry: Registry) -> None:
    live = follow(registry)
    client = service(live)
    registry.live["shop"], registry.broken = 2, {2: "its digest is different"}
    live.refresh()
    answer = client.get("/v1/shop/model").json()
    assert (answer["status"], answer["version"], answer["live_version"]) == ("degraded", 1, 2)
    assert "version 2 is not used: its digest is different" in answer["reason"]
    assert client.get("/health").json()["status"] == "degraded"
    assert ask(client, ROW)[1]["model_version"] == 1
    assert 'serving_model_degraded{dataset="shop"} 1.0' in client.get("/metrics").text


def test_the_model_is_described_with_its_origin(client: TestClient) -> None:
    answer = client.get("/v1/weeks/model").json()
    assert {name: answer[name] for name in ("model", "classes", "key", "run_id", "spec_sha256")} == {
        "model": "weeks", "classes": ["poor", "fair", "good"], "key": ["town", "number"], "run_id": "run",
        "spec_sha256": WEEKS.sha256,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["nobody", "%00", "a%2Fb", "SHOP"])
def test_a_data_set_without_a_model_is_not_found(client: TestClient, name: str) -> None:
    for answer in (client.get(f"/v1/{name}/model"), client.post(f"/v1/{name}/predict", content=b"{}")):
        assert answer.status_code == 404


def test_a_server_that_is_not_available_is_a_503_without_its_address(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: Any) -> Any:
        raise ServiceError("Postgres: connection to postgresql://platform:secret@host refused")

    monkeypatch.setattr(scored_rows, "model_rows", unavailable)
    status, answer = ask(client, ROW)
    assert (status, answer["detail"]) == (503, "a server that the answer needs is not available")
