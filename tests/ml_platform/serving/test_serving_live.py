"""The service as a process with a real registry: it predicts what result files say, and follows the alias."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from ml_platform.estimators.model_parts import uncalibrated
from ml_platform.feature_store import online_rows
from ml_platform.ingestion import uploads
from ml_platform.parsing.conversion import value_text
from ml_platform.registry import registry
from ml_platform.specs import catalog
from ml_platform.specs.parts import Result
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch
from ml_platform.training import build_training_set, steps
from ml_platform.training.training_set import load as load_training_set
from tests.conftest import write_env_file
from tests.ml_platform.ingestion.upload_cases import drop, new_name
from tests.ml_platform.scoring.test_batch import NAMES, ONE, file_of, make_champion, scored, train
from tests.ml_platform.serving.models import DAY, TOKEN
from tests.ml_platform.training.trainings import (
    artifact_store,
    essentials,
    files_of,
    make_dataset,
    make_frame,
    make_training_set,
    make_weeks,
    make_weeks_frame,
    searched_with,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]

TIMEOUT = 300  # seconds; only a service that hangs takes so long


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def shop(mlflow_server: Any) -> Dataset:
    dataset = make_dataset(new_name(), ONE)
    assert [train(dataset, seed).version for seed in (1, 2)] == [1, 2]
    return dataset


@pytest.fixture(scope="module")
def weeks(mlflow_server: Any) -> Dataset:

    dataset = make_weeks(new_name(), ONE)
    training_set = make_training_set(dataset, make_weeks_frame(300))
    with essentials():
        refitted = steps.refit(training_set, searched_with(training_set, attempt_id="1"))
    make_champion(dataset, refitted.version)
    return dataset


BOOSTED = ("xgboost", "lightgbm")


@pytest.fixture(scope="module")
def boosted(mlflow_server: Any) -> dict[str, Dataset]:
    """By library of boosted trees, a data set with a champion of it."""
    grid = {"n_estimators": [40], "class_weight": ["balanced"]}
    datasets = {name: make_dataset(new_name(), {name: grid}) for name in BOOSTED}
    for name, dataset in datasets.items():
        assert name in str(type(uncalibrated(train(dataset).estimator)[-1])).lower()
    return datasets


VISITS = [
    {"ID": number, "WHEN": f"2026-01-{1 + number % 9:02}T12:00:00Z", "P": "ab"[number % 2]} for number in range(200)
]


@pytest.fixture(scope="module")
def visits(mlflow_server: Any, tmp_path_factory: Any) -> Dataset:
    """A data set of visits to places, with the heat there as of the visit; a model of it, and all of it online."""

    name, table, folder = new_name(), new_name(), tmp_path_factory.mktemp("datasets")
    places = {"kind": "table", "name": table, "description": "readings", "entity": {"name": f"e{table}", "key": "P"},
              "event_time": "AT", "ttl": "1d",
              "columns": {"P": "text", "AT": "timestamp", "HEAT": "number"}}  # fmt: skip
    own = {"name": name, "description": "visits", "entity": {"name": f"e{name}", "key": "ID"}, "event_time": "WHEN",
           "label": {"column": "LABEL", "positive": "yes", "negative": "no"}, "features_from": [table],
           "columns": {"ID": "integer", "LABEL": "category", "WHEN": "timestamp", "P": "text"},
           "search": {"candidates": ONE, "folds": 2, "jobs": 1}, "gate": {"holdout_by": "entity"}}  # fmt: skip
    for document in (places, own):
        (folder / f"{document['name']}.yaml").write_text(json.dumps(document))
    dataset = catalog.dataset(name, folder)
    readings = [{"P": place, "AT": f"2026-01-{day:02}T0{hour}:00:00Z", "HEAT": day + hour / 3 + (place == "a") / 7}
                for place in "ab" for day in range(1, 20) for hour in (1, 2)]  # fmt: skip
    labelled = [one | {"LABEL": "yes" if number % 3 else "no"} for number, one in enumerate(VISITS)]
    for one, rows in ((dataset.tables[0], readings), (dataset, labelled)):
        key = f"{one.inbox_prefix('train')}.csv"
        object_store.client().put_object(Bucket="train", Key=key, Body=file_of(*rows, columns=tuple(rows[0])))
        assert uploads.ingest(one, key)["rows_loaded"] == len(rows)
        online_rows.materialize(one)
    training_set = load_training_set(dataset, build_training_set.freeze(dataset))
    with essentials():
        refitted = steps.refit(training_set, searched_with(training_set, attempt_id="1"))
    make_champion(dataset, refitted.version)
    return dataset


@pytest.fixture(scope="module")
def client(
    mlflow_server: Any,
    shop: Dataset,
    weeks: Dataset,
    visits: Dataset,
    boosted: dict[str, Dataset],
    tmp_path_factory: Any,
) -> Iterator[httpx.Client]:
    """A client of the service, which runs as `make up` runs it but for its port and token."""
    from stack.servers import serving

    folder: Path = tmp_path_factory.mktemp("serving")
    port = int(next(line for line in write_env_file(folder).read_text().splitlines() if "SERVING_PORT" in line)[13:])
    own = {"SERVING_PORT": str(port), "SERVING_TOKEN": TOKEN}
    with (folder / "log").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ml_platform.serving"], env={**serving.server(mlflow_server).environment, **own},
            stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as client:
        try:
            until(lambda: status(client, "/health") in (200, 503))
            names = {dataset.name for dataset in (shop, weeks, visits, *boosted.values())}
            until(lambda: names <= set(client.get("/health").json()["models"]))
            yield client
        finally:
            process.terminate()
            # uvicorn answers the requests in progress, then ends by the signal that it got
            assert process.wait(30) == -signal.SIGTERM, (folder / "log").read_text()


def status(client: httpx.Client, path: str) -> int | None:
    try:
        return client.get(path).status_code
    except httpx.TransportError:
        return None


def predict(
    client: httpx.Client, dataset: Dataset, rows: list[Any], kind: str = "rows", **parameters: int
) -> dict[str, Any]:
    answer = client.post(f"/v1/{dataset.name}/predict", params=parameters, content=json.dumps({kind: rows}))
    assert answer.status_code == 200, answer.text
    answer_body: dict[str, Any] = answer.json()
    return answer_body


def version(client: httpx.Client, dataset: Dataset) -> int:
    return int(predict(client, dataset, [cells(1)])["model_version"])


def cells(number: int) -> dict[str, Any]:
    row = make_frame(200, seed=9).iloc[number].to_dict()
    member = {1.0: "yes", 0.0: "no"}.get(row["member"], "")
    clean = {name: "" if value != value else value for name, value in row.items()}
    age = "" if clean["age"] == "" else round(clean["age"])
    return {name: clean[name] for name in ("id", "income", "empty", "town", "blank")} | {"age": age, "member": member}


def test_a_row_has_the_probability_of_the_result_file_to_the_bit(client: httpx.Client, shop: Dataset) -> None:
    make_champion(shop, 2)
    until(lambda: version(client, shop) == 2)
    assert_rows_have_the_bits_of_the_file(client, shop, [cells(number) for number in range(200)])


@pytest.mark.parametrize("library", BOOSTED)
def test_rows_of_boosted_trees_have_the_probability_of_the_result_file(
    client: httpx.Client, boosted: dict[str, Dataset], library: str
) -> None:
    rows = [cells(number) for number in range(60)] + [cells(60) | {"town": "Atlantis"}, cells(61) | {"blank": "new"}]
    assert_rows_have_the_bits_of_the_file(client, boosted[library], rows)


def assert_rows_have_the_bits_of_the_file(client: httpx.Client, dataset: Dataset, rows: list[Any]) -> None:
    in_file = scored(asking(dataset), file_of(*rows))[1]
    together = predict(client, dataset, rows, explain=3)["predictions"]
    alone = [predict(client, dataset, [row], explain=3)["predictions"][0] for row in rows]
    assert alone == together
    assert [as_in_file(one) for one in alone] == [predicted(row) for row in in_file]


def asking(dataset: Dataset) -> Dataset:
    """Return a data set whose results have three reasons."""
    return dataset.model_copy(update={"result": Result(explain=3)})


def predicted(row: dict[str, str]) -> dict[str, str]:
    """Return what a row of a result says about its prediction."""
    return {name: row[name] for name in row if name not in ("id", "ID", "model_version", "threshold")}


def as_in_file(answer: dict[str, Any]) -> dict[str, str]:
    """Return an answer with reasons as the texts of a result file."""
    cells = {"probability": repr(answer["probability"]), "prediction": answer["prediction"]}
    for number, reason in enumerate(answer["reasons"], start=1):
        name = f"reason_{number}"
        value = "missing" if reason["value"] is None else value_text(reason["value"])
        cells |= {name: reason["feature"], f"{name}_value": value, f"{name}_effect": repr(reason["effect"])}
    return cells | {"reason_base": repr(answer["base"]), "reason_rest": repr(answer["rest"])}


def test_several_classes_have_the_probabilities_of_the_result_file(client: httpx.Client, weeks: Dataset) -> None:
    rows = [DAY | {"number": number, "heat": 10.5 + number / 3} for number in range(60)]
    in_file = scored(weeks, file_of(*rows, columns=tuple(DAY)))[1]
    by_request = (predict(client, weeks, [row])["predictions"][0] for row in rows)
    for row, one in zip(in_file, by_request, strict=True):
        assert {name: row[f"probability_{name}"] for name in one["probabilities"]} == {
            name: repr(value) for name, value in one["probabilities"].items()
        }


def test_an_entity_has_the_probability_of_its_newest_row_to_the_bit(client: httpx.Client, shop: Dataset) -> None:
    make_champion(shop, 2)
    until(lambda: version(client, shop) == 2)
    for turn in (1, 2):  # the second file brings newer rows of the same entities
        ages = {number: 20 + (number + 7 * turn) % 60 for number in range(100)}
        rows = [cells(number) | {"age": age, "id": number, "buys": 0} for number, age in ages.items()]
        uploads.ingest(shop, drop(shop, file_of(*rows, columns=(*NAMES, "buys")), f"_{turn}"))
        assert online_rows.materialize(shop) == 100
        by_row = predict(client, shop, rows)["predictions"]
        keys = [{"id": row["id"]} for row in rows]
        assert predict(client, shop, keys, "entities")["predictions"] == by_row
        assert [predict(client, shop, [key], "entities")["predictions"][0] for key in keys[:20]] == by_row[:20]
    answer = client.post(f"/v1/{shop.name}/predict", json={"entities": [{"id": 1}, {"id": 12345}]})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"row": 2, "field": "id", "value": "12345",
         "reason": "no customer with this key is in the online store; send its row"}
    ]  # fmt: skip


def test_an_entity_takes_other_tables_as_of_its_newest_row(client: httpx.Client, visits: Dataset) -> None:
    """The probability and reasons of a result file, though the readings have gone on since."""
    keys = [{"ID": number} for number in range(200)]
    in_file = scored(asking(visits), file_of(*VISITS, columns=("ID", "WHEN", "P")))[1]
    answer_body = [predict(client, visits, [key], "entities", explain=3)["predictions"][0] for key in keys]
    assert [as_in_file(one) for one in answer_body] == [predicted(row) for row in in_file]
    assert len({one["probability"] for one in answer_body}) > 10
    assert {one["reasons"][0]["feature"] for one in answer_body} == {f"{visits.tables[0].name}__HEAT"}
    assert predict(client, visits, VISITS, explain=3)["predictions"] == answer_body


def test_a_prediction_is_in_the_database_soon(client: httpx.Client, weeks: Dataset) -> None:
    answer_body = predict(client, weeks, [DAY | {"number": 4711}])
    (one,) = answer_body["predictions"]
    sql = (
        "SELECT model_version, entity_key::text, event_time, probability, prediction, source FROM predictions.log"
        " WHERE model = $1 AND (entity_key ->> 'number')::int = 4711"
    )
    until(lambda: bool(fetch(sql, weeks.name)))
    assert fetch(sql, weeks.name) == [
        (1, '{"town": "Ulm", "number": 4711}', datetime(2026, 2, 1, 6, tzinfo=UTC),
         one["probability"], one["prediction"], "http")
    ]  # fmt: skip


def test_the_alias_is_followed_and_no_request_fails(client: httpx.Client, shop: Dataset) -> None:
    counts: Counter[tuple[int, Any]] = Counter()
    stop = threading.Event()

    def keep_asking() -> None:
        with httpx.Client(base_url=client.base_url, headers=client.headers, trust_env=False) as own:
            while not stop.is_set():
                answer = own.post(f"/v1/{shop.name}/predict", content=json.dumps({"rows": [cells(3)]}))
                answer_body = answer.json()
                counts[
                    answer.status_code, (answer_body.get("model_version"), answer_body["predictions"][0]["probability"])
                ] += 1

    callers = [threading.Thread(target=keep_asking) for _ in range(2)]
    for caller in callers:
        caller.start()
    try:
        for wanted in (1, 2, 1):  # a promotion and two rollbacks
            make_champion(shop, wanted)
            until(lambda wanted=wanted: version(client, shop) == wanted)
    finally:
        stop.set()
        for caller in callers:
            caller.join()
    assert {code for code, _ in counts} == {200}
    assert len(counts) == 2  # a version always gives the same probability
    assert sum(counts.values()) > 20


def tamper_with(dataset: Dataset, number: str) -> Callable[[], None]:
    """Change a byte of a version's files, and return a function that undoes it."""
    (key,) = [one for one in files_of(registry.get_version(dataset.name, int(number))) if one.endswith("skops")]
    body = artifact_store().get_object(Bucket="mlflow", Key=key)["Body"].read()
    put = artifact_store().put_object
    put(Bucket="mlflow", Key=key, Body=body[:-1] + bytes([body[-1] ^ 1]))
    return lambda: put(Bucket="mlflow", Key=key, Body=body)


def test_a_model_of_another_digest_is_not_taken_over(client: httpx.Client, shop: Dataset) -> None:
    make_champion(shop, 1)
    until(lambda: version(client, shop) == 1)
    third = train(shop, 3)
    until(lambda: version(client, shop) == third.version)
    make_champion(shop, 1)
    until(lambda: version(client, shop) == 1)
    restore = tamper_with(shop, str(third.version))
    make_champion(shop, third.version)
    until(lambda: client.get(f"/v1/{shop.name}/model").json()["status"] == "degraded")
    answer_body = client.get(f"/v1/{shop.name}/model").json()
    assert (answer_body["version"], answer_body["live_version"]) == (1, third.version)
    assert "the model's files have digest" in answer_body["reason"]
    assert version(client, shop) == 1
    restore()
    until(lambda: version(client, shop) == third.version)
    assert client.get(f"/v1/{shop.name}/model").json()["status"] == "ok"


def test_an_alias_that_was_moved_to_a_version_that_nobody_judged_is_not_followed(
    client: httpx.Client, shop: Dataset
) -> None:
    make_champion(shop, 1)
    until(lambda: version(client, shop) == 1)
    training_set = make_training_set(shop, make_frame(300, 11))
    with essentials():
        stranger = steps.refit(training_set, searched_with(training_set, attempt_id="stranger")).version
    registry.set_alias(shop.name, registry.CHAMPION, stranger)
    until(lambda: client.get(f"/v1/{shop.name}/model").json()["status"] == "degraded")
    answer_body = client.get(f"/v1/{shop.name}/model").json()
    assert (answer_body["version"], answer_body["live_version"]) == (1, stranger)
    assert "the platform never made it live" in answer_body["reason"]
    assert version(client, shop) == 1
    registry.set_alias(shop.name, registry.CHAMPION, 1)
    until(lambda: client.get(f"/v1/{shop.name}/model").json()["status"] == "ok")
