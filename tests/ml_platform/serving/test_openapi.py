"""The OpenAPI description: its examples are answered, and its schemas are those of the models' rows."""

import json

import pytest

from ml_platform.serving import answers, openapi
from ml_platform.specs.catalog import datasets
from ml_platform.specs.spec import Dataset
from tests.ml_platform.ingestion.upload_cases import make_dataset
from tests.ml_platform.keyless import without_key
from tests.ml_platform.serving.models import SHOP, WEEKS, Registry, follow, make_model, service, stored

LIMITED = make_dataset(
    columns={
        "COUNT": {"type": "integer", "min": 0.5, "max": 1.5},
        "RATIO": {"type": "number", "min": 0.5},
        "PRICE": {"type": "money", "max": -0.25},
        "SEEN": {"type": "timestamp", "format": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin"},
        "KIND": {"type": "category", "values": ["a", True]},
        "MORE": {"type": "number", "decimal": ",", "values": [1.5]},
    }
)


@pytest.mark.parametrize(
    "dataset", [*datasets(), LIMITED, without_key(LIMITED, name="keyless")], ids=lambda dataset: str(dataset.name)
)
def test_the_example_of_a_row_is_accepted(dataset: Dataset) -> None:
    body = json.dumps({"rows": [openapi.row_example(dataset)]}).encode()
    assert answers.typed_rows(dataset, answers.parse_request(body)).num_rows == 1


def test_required_columns_and_bounds_are_in_the_schema() -> None:
    schema = openapi.row_schema(LIMITED)
    assert {"ID", "COUNT", "RATIO"} <= set(schema["required"])
    assert not {"LABEL", "COST"} & set(schema["properties"])
    assert schema["properties"]["ID"] == {"type": "integer", "minimum": -(2**53), "maximum": 2**53}
    count, null = schema["properties"]["COUNT"]["anyOf"]
    assert (count["minimum"], count["maximum"], null) == (0.5, 1.5, {"type": "null"})
    assert schema["properties"]["KIND"]["anyOf"][0] == {"type": "string", "enum": ["a", "true"]}


def test_each_live_model_has_a_path_of_its_own() -> None:
    live = follow(Registry(make_model(SHOP), make_model(WEEKS)))
    document = service(live).get("/openapi.json").json()
    assert {"/v1/shop/predict", "/v1/weeks/predict", "/v1/shop/model", "/v1/{dataset}/predict"} <= set(
        document["paths"]
    )
    predict = document["paths"]["/v1/shop/predict"]["post"]
    assert [(one["name"], one["in"], one["required"]) for one in predict["parameters"]] == [("explain", "query", False)]
    assert "parameters" not in document["paths"]["/v1/shop/model"]["get"]
    assert SHOP.description in predict["description"]
    identifiers = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(identifiers) == len(set(identifiers))


def test_a_data_set_without_stored_columns_or_without_a_key_takes_rows_only() -> None:
    bare = SHOP.model_copy(update={"columns": {name: SHOP.columns[name] for name in ("id", "buys")}})
    assert set(openapi._forms(bare)) == {"rows"}
    assert set(openapi._forms(SHOP)) == {"rows", "entities"}
    assert set(openapi._forms(without_key(SHOP))) == {"rows"}


def test_the_examples_of_the_description_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_platform.feature_store.online_rows.newest_rows", stored)
    client = service(follow(Registry(make_model(SHOP), make_model(WEEKS))))
    paths = client.get("/openapi.json").json()["paths"]
    for name in ("shop", "weeks"):
        content = paths[f"/v1/{name}/predict"]["post"]["requestBody"]["content"]["application/json"]
        for form in content["schema"]["oneOf"]:
            ((kind, listed),) = form["properties"].items()
            example = content["examples"][kind]["value"]
            assert client.post(f"/v1/{name}/predict", content=json.dumps(example)).status_code == 200
            row = listed["items"]
            assert set(row["required"]) <= set(row["properties"]) == set(example[kind][0])
