"""The service: who may ask what, and that each mistake of a caller is told and none breaks it."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ml_platform.exceptions import ServiceError
from ml_platform.serving import answers
from ml_platform.serving.settings import MOST_BYTES, MOST_ROWS
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
    """Let the online store hold of each entity the row `ROW` or `DAY`, but of those whose number is 0."""
    monkeypatch.setattr("ml_platform.feature_store.online_rows.newest_rows", stored)


def test_a_row_is_answered_with_the_models_version(client: TestClient) -> None:
    model = MODELS[0]
    status, said = ask(client, ROW)
    probability = expected(model, age=40, income=1000, member=1, town="Ulm")
    assert status == 200
    assert said == {
        "model": "shop", "model_version": 1, "threshold": model.threshold,
        "predictions": [{"key": {"id": 7}, "probability": probability, "probabilities": None,
                         "prediction": str(int(probability >= model.threshold))}],
    }  # fmt: skip


def test_what_a_row_lacks_is_not_taken_from_the_company_it_is_in(client: TestClient) -> None:
    lacking = {name: cell for name, cell in ROW.items() if name not in ("age", "income")}
    status, said = ask(client, ROW, lacking, ROW | {"age": "x"})
    assert status == 422
    assert [(error["row"], error["field"]) for error in said["errors"]] == [(2, "age"), (2, "income"), (3, "age")]
    assert "null says that the value is missing" in said["errors"][0]["reason"]
    assert ask(client, ROW, lacking | {"age": None, "income": None})[0] == 200


def test_several_classes_have_a_probability_each(client: TestClient) -> None:
    status, said = ask(client, DAY, DAY | {"heat": 1, "town": "Kiel"}, dataset="weeks")
    assert (status, said["threshold"]) == (200, None)
    for one in said["predictions"]:
        assert one["key"] == {"town": one["key"]["town"], "number": 3}
        assert list(one["probabilities"]) == ["poor", "fair", "good"]
        assert one["probability"] == max(one["probabilities"].values()) == one["probabilities"][one["prediction"]]
    assert [one["prediction"] for one in said["predictions"]] == ["good", "poor"]


def test_texts_are_read_as_in_files(client: TestClient) -> None:
    as_texts = {name: "" if value is None else str(value) for name, value in ROW.items()}
    assert ask(client, as_texts) == ask(client, ROW)


def ask_for(client: TestClient, *entities: Any, dataset: str = "shop") -> tuple[int, dict[str, Any]]:
    answer = client.post(f"/v1/{dataset}/predict", content=json.dumps({"entities": entities}))
    return answer.status_code, answer.json()


def test_an_entity_is_answered_as_its_row(client: TestClient, every_entity_is_known: None) -> None:
    assert ask_for(client, {"id": 7}) == ask_for(client, {"id": "7"}) == ask(client, ROW)
    key = {"town": "Ulm", "number": 3}
    assert ask_for(client, key, dataset="weeks") == ask(client, DAY, dataset="weeks")


@pytest.mark.parametrize(
    ("entity", "dataset", "field", "value", "reason"),
    [
        ({"id": "x"}, "shop", "id", "x", "not a whole number"),
        ({"id": None}, "shop", "id", "", "a value is required"),
        (7, "shop", "", "7", "not a JSON object"),
        ({"id": 0}, "shop", "id", "0", "no customer of this key is in the online store"),
        ({"town": "", "number": 3}, "weeks", "town", "", "a value is required"),
        ({"town": "Ulm", "number": 0}, "weeks", "town, number", "Ulm, 0", "no stand of this key is in the online"),
    ],
)
def test_a_bad_key_comes_back_with_field_and_reason(
    client: TestClient, every_entity_is_known: None, entity: Any, dataset: str, field: str, value: str, reason: str
) -> None:
    good = {"id": 7} if dataset == "shop" else {"town": "Ulm", "number": 3}
    status, said = ask_for(client, good, entity, dataset=dataset)
    assert status == 422
    (bad,) = said["errors"]
    assert (bad["row"], bad["field"], bad["value"]) == (2, field, value)
    assert reason in bad["reason"]


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ({"age": "old"}, "age", "not a whole number"),
        ({"age": 1.5}, "age", "not a whole number"),
        ({"age": [1]}, "age", "not a single value"),
        ({"id": None}, "id", "a value is required"),
        ({"income": "1,5,0"}, "income", "not an amount of money"),
        ({"member": 2}, "member", "not a yes or no"),
        ({"town": "a\x00b"}, "town", "NUL"),
        ({"town": "\ud800"}, "town", "half of a character"),
        ({"income": 10**400}, "income", "too large"),
        ({"age": 10**400}, "age", "outside the range"),
    ],
)
def test_a_bad_row_comes_back_with_field_and_reason(client: TestClient, row: Any, field: str, reason: str) -> None:
    status, said = ask(client, ROW, ROW | row)
    assert (status, said["detail"]) == (422, "the request: 1 of 2 rows are bad")
    (bad,) = said["errors"]
    assert (bad["row"], bad["field"]) == (2, field)
    assert reason in bad["reason"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not valid JSON"),
        (b"[]", "not of the form"),
        (b'{"rows": {}}', "not of the form"),
        (b'{"rows": [], "more": 1}', "not of the form"),
        (b'{"rows": [], "entities": []}', "not of the form"),
        (b'{"entities": {"id": 1}}', "not of the form"),
        (b'{"entities": []}', "has 0 entities; allowed are 1 to 1,000"),
        (b'{"entities": [{}]}', "the objects are empty"),
        (b'{"entities": [{"id": 1, "age": 3}]}', "an entity is its key (id) and no more: age"),
        (b'{"rows": []}', "has 0 rows; allowed are 1 to 1,000"),
        (b'{"rows": [1]}', "not a JSON object"),
        (b'{"rows": [{}]}', "the objects are empty"),
        (b'{"rows": [{"id": 1}]}', "the rows lack age, income"),
        (b'{"rows": [{"id": 1, "id": 2}]}', "names a key twice: id"),
        (b'{"rows": [{"id": NaN}]}', "NaN is no number"),
        (b"\xff\xfe", "not valid UTF-8 at byte 1"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"rows": [{"age": ' + b"[" * 980 + b"]" * 980 + b"}]}", "nested too deeply"),
        (b'{"rows": [' + b",".join([b"{}"] * (MOST_ROWS + 1)) + b"]}", "has 1,001 rows"),
    ],
)
def test_a_body_that_is_none_is_refused_as_a_whole(client: TestClient, body: bytes, reason: str) -> None:
    answer = client.post("/v1/shop/predict", content=body)
    assert answer.status_code == 422
    assert reason in answer.json()["detail"]


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


def test_it_lives_while_it_follows_the_registry(registry: Registry) -> None:
    client = service(follow(registry))
    assert client.get("/live").status_code == 503
    with client:
        assert (client.get("/live").status_code, client.get("/live").json()) == (200, {"status": "ok"})


def test_health_is_bad_until_a_model_can_answer(registry: Registry) -> None:
    registry.broken = {1: "its digest is wrong"}
    live = follow(registry)
    client = service(live)
    assert client.get("/health").status_code == 503
    assert ask(client, ROW)[0] == 503
    registry.broken = {}
    live._tried.clear()
    live.refresh()
    assert (client.get("/health").status_code, ask(client, ROW)[0]) == (200, 200)


def test_a_model_that_cannot_be_taken_over_leaves_the_verified_one(registry: Registry) -> None:
    live = follow(registry)
    client = service(live)
    registry.live["shop"], registry.broken = 2, {2: "its digest is wrong"}
    live.refresh()
    said = client.get("/v1/shop/model").json()
    assert (said["status"], said["version"], said["live_version"]) == ("degraded", 1, 2)
    assert "version 2 is not taken over: its digest is wrong" in said["reason"]
    assert client.get("/health").json()["status"] == "degraded"
    assert ask(client, ROW)[1]["model_version"] == 1
    assert 'serving_model_degraded{dataset="shop"} 1.0' in client.get("/metrics").text


def test_the_model_says_where_it_comes_from(client: TestClient) -> None:
    said = client.get("/v1/weeks/model").json()
    assert {name: said[name] for name in ("model", "classes", "key", "run_id", "spec_sha256")} == {
        "model": "weeks", "classes": ["poor", "fair", "good"], "key": ["town", "number"], "run_id": "run",
        "spec_sha256": WEEKS.sha256,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["nobody", "%00", "a%2Fb", "SHOP"])
def test_a_data_set_without_a_model_is_not_found(client: TestClient, name: str) -> None:
    for answer in (client.get(f"/v1/{name}/model"), client.post(f"/v1/{name}/predict", content=b"{}")):
        assert answer.status_code == 404


def test_a_server_that_is_away_is_no_fault_of_the_caller(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> Any:
        raise ServiceError("Postgres: connection to postgresql://platform:secret@host refused")

    monkeypatch.setattr(answers, "model_rows", away)
    status, said = ask(client, ROW)
    assert (status, said["detail"]) == (503, "a server that is needed for the answer is away")


def test_metrics_count_requests_and_rows(client: TestClient) -> None:
    ask(client, ROW, ROW)
    ask(client, {"id": "x"})
    client.get("/v1/made-up/model")
    text = client.get("/metrics").text
    assert 'serving_rows_total{dataset="shop",version="1"} 2.0' in text
    assert 'serving_requests_total{dataset="shop",route="/v1/{dataset}/predict",status="422"} 1.0' in text
    assert 'serving_seconds_count{route="/v1/{dataset}/predict"} 2.0' in text
    assert "made-up" not in text


def test_the_examples_of_the_description_are_answered(client: TestClient, every_entity_is_known: None) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for name in ("shop", "weeks"):
        content = paths[f"/v1/{name}/predict"]["post"]["requestBody"]["content"]["application/json"]
        for form in content["schema"]["oneOf"]:
            ((kind, listed),) = form["properties"].items()
            example = content["examples"][kind]["value"]
            assert client.post(f"/v1/{name}/predict", content=json.dumps(example)).status_code == 200
            row = listed["items"]
            assert set(row["required"]) <= set(row["properties"]) == set(example[kind][0])
