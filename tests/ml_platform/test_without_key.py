"""Rows without a key, the whole way on real servers: loaded, trained on, scored, answered over HTTP, taken back."""

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest

from ml_platform import ROOT
from ml_platform.exceptions import ConfigurationError
from ml_platform.feature_store import online_rows
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.parsing.row_ids import value_digests
from ml_platform.promotion import steps as promotion_steps
from ml_platform.registry import registry
from ml_platform.removal import forget_entity
from ml_platform.removal.withdraw_upload import withdraw
from ml_platform.scoring import batch, prediction_log
from ml_platform.scoring.result_keys import card_key
from ml_platform.specs.catalog import dataset as committed
from ml_platform.specs.spec import Dataset
from ml_platform.storage import database, object_store
from ml_platform.training import build_training_set, steps
from ml_platform.training.split import split
from ml_platform.training.training_set import TrainingSet
from ml_platform.training.training_set import load as load_training_set
from tests.ml_platform.ingestion.upload_cases import assert_accounted, drop, ingest, make_dataset, new_name, rows_in
from tests.ml_platform.keyless import csv_of, without_key
from tests.ml_platform.serving.models import Registry, ask, follow, service
from tests.ml_platform.training.trainings import ONE, essentials, make_frame, searched_with
from tests.ml_platform.training.trainings import make_dataset as make_shop

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]

SAMPLES = ROOT / "minio" / "samples"


@dataclass(frozen=True)
class Journey:
    """A data set without a key that has gone the whole way to a champion."""

    dataset: Dataset
    train_file: bytes
    test_file: bytes
    training_set: TrainingSet
    promoted: bool


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def trained(dataset: Dataset, train_file: bytes, test_file: bytes) -> Journey:
    report = ingest(dataset, train_file)
    assert (report["outcome"], report["rows_rejected"]) == ("loaded", 0)
    assert_accounted(dataset, report)
    training_set = load_training_set(dataset, build_training_set.freeze(dataset))
    with essentials():
        refitted = steps.refit(training_set, searched_with(training_set, attempt_id="1"))
        card = promotion_steps.promote(training_set, refitted)
    return Journey(dataset, train_file, test_file, training_set, card.promoted)


def shop_file(seed: int, rows: int, copies: int) -> bytes:
    """Return rows of the data set `shop` without their key, the first `copies` of them twice."""
    frame = make_frame(rows, seed).drop(columns=["id", "event_timestamp"])
    whole = pd.concat([frame, frame[:copies]])
    member = whole["member"].map({0.0: "no", 1.0: "yes"})
    whole = whole.assign(member=member, income=whole["income"].astype(int), age=whole["age"].round().astype("Int64"))
    return whole.to_csv(index=False).encode()


@pytest.fixture(scope="module")
def shop(mlflow_server: Any) -> Journey:
    """A data set with neither key nor time; 60 of its 400 rows are there twice."""
    return trained(without_key(make_shop("keyless_shop", ONE)), shop_file(1, 340, 60), shop_file(1, 30, 10))


@pytest.fixture(scope="module")
def penguins(mlflow_server: Any) -> Journey:
    """A sample with a time, without its key."""
    search = {"folds": 3, "jobs": 1, "candidates": ONE}
    dataset = without_key(committed("penguins"), name="keyless_penguins", search=search)
    files = ((SAMPLES / f"{purpose}_penguins.csv").read_bytes() for purpose in ("train", "test"))
    return trained(dataset, *files)


@pytest.fixture(params=["shop", "penguins"])
def journey(request: pytest.FixtureRequest) -> Journey:
    found: Journey = request.getfixturevalue(request.param)
    return found


def test_every_row_is_loaded_and_trained_on_also_equal_ones(journey: Journey) -> None:
    count = len(rows_of(journey.train_file))
    assert rows_in("features", journey.dataset) == rows_in("labels", journey.dataset) == count
    frame = journey.training_set.frame
    assert (len(frame), frame["row_id"].nunique()) == (count, count)
    assert "row_id" not in split(journey.training_set, 3).features
    assert journey.promoted


def test_equal_rows_are_on_one_side_of_the_holdout_and_of_each_fold(shop: Journey) -> None:
    parts = split(shop.training_set, 3)
    digests = value_digests(shop.training_set.frame["row_id"])
    assert digests.duplicated().sum() == 60
    sides = pd.Series(parts.in_holdout).groupby(digests.to_numpy()).nunique()
    assert (sides == 1).all()
    assert 0.1 < parts.in_holdout.mean() < 0.3
    units = digests[~parts.in_holdout]
    for fitted, scored in parts.folds(3):
        assert not set(units.iloc[fitted]) & set(units.iloc[scored])


def test_with_a_time_the_latest_rows_are_held_out(penguins: Journey) -> None:
    parts = split(penguins.training_set, 3)
    assert parts.rule.by == "time"
    assert parts.times[~parts.in_holdout].max() < parts.times[parts.in_holdout].min()


def answered(journey: Journey, data: bytes) -> tuple[Any, list[dict[str, str]]]:
    report = batch.answer(journey.dataset, drop(journey.dataset, data, f"_{new_name()}", "test"))
    assert report["outcome"] == "scored"
    return report, rows_of(object_store.get("result", report["result_key"]))


def logged(dataset: Dataset, result_key: str) -> list[str]:
    found = database.fetch("SELECT entity_key->>'row_id' FROM predictions.log WHERE result_key = $1", result_key)
    return [row_id for (row_id,) in found]


def test_a_result_names_rows_by_their_number_in_the_order_of_the_file(journey: Journey) -> None:
    report, rows = answered(journey, journey.test_file)
    count = len(rows_of(journey.test_file))
    assert next(iter(rows[0])) == "row"
    assert [row["row"] for row in rows] == [str(number) for number in range(1, count + 1)]
    card = json.loads(object_store.get("result", card_key(report["result_key"])))
    assert (card["identified_by"], card["rows_out"]) == (["row"], count)
    ids = logged(journey.dataset, report["result_key"])
    assert {row_id.rpartition(":")[0] for row_id in ids} == {
        f"{report['sha256'][:16]}:{i}" for i in range(1, count + 1)
    }
    assert len(ids) == count


def test_equal_rows_have_equal_predictions_and_known_ones_are_warned_about(shop: Journey) -> None:
    report, rows = answered(shop, shop.train_file)
    assert [row["probability"] for row in rows[:60]] == [row["probability"] for row in rows[340:]]
    count = (~split(shop.training_set, 3).in_holdout).sum()
    said = f"{count} of 400 rows have the features of rows that the model was trained on"
    assert [text for text in report["warnings"] if text.startswith(said)]


def test_the_same_bytes_are_predicted_once(shop: Journey) -> None:
    key = drop(shop.dataset, shop.test_file, f"_{new_name()}", "test")
    first = batch.score(shop.dataset, key)
    assert batch.score(shop.dataset, key) == first
    assert len(logged(shop.dataset, first["result_key"])) == 40


def test_rejected_rows_keep_their_number(shop: Journey) -> None:
    lines = shop.test_file.decode().splitlines()
    lines[3] = lines[3].replace(lines[3].split(",")[0], "old", 1)
    data = "\n".join(lines[:30]).encode()
    report, rows = answered(shop, data)
    assert [row["row"] for row in rows] == [str(i) for i in range(1, 30) if i != 3]
    rejected = rows_of(object_store.get("test", report["rejected_key"]))
    assert [(row["rejected: line"], row["rejected: row"], row["age"]) for row in rejected] == [("4", "3", "old")]
    fixed = object_store.get("test", report["rejected_key"]).decode().replace(",old,", ",33,")
    again, rows = answered(shop, fixed.encode())
    assert ([row["row"] for row in rows], again["rows_rejected"]) == (["1"], 0)


@pytest.fixture
def client(journey: Journey) -> tuple[Any, list[Any]]:
    entries: list[Any] = []
    return service(follow(Registry(registry.load_champion(journey.dataset.name))), entries), entries


def test_a_request_is_answered_by_the_number_of_each_row(journey: Journey, client: tuple[Any, list[Any]]) -> None:
    app, entries = client
    _, in_file = answered(journey, journey.test_file)
    sent = [{name: cell or None for name, cell in row.items()} for row in rows_of(journey.test_file)[:3]]
    name = journey.dataset.name
    with app:
        status, body = ask(app, *sent, dataset=name)
        assert status == 200, body
        assert [row["key"] for row in body["predictions"]] == [{"row": 1}, {"row": 2}, {"row": 3}]
        assert [repr(row["probability"]) for row in body["predictions"]] == [row["probability"] for row in in_file[:3]]
        answer = app.post(f"/v1/{name}/predict", content=json.dumps({"entities": [{"row": 1}]}))
        assert answer.status_code == 422
        assert answer.json()["detail"] == (
            f"the request: {name} has no key by which entities could be looked up; send rows"
        )
        assert app.get(f"/v1/{name}/model").json()["key"] == []
        described = app.get("/openapi.json").json()["paths"][f"/v1/{name}/predict"]["post"]["requestBody"]
    assert list(described["content"]["application/json"]["examples"]) == ["rows"]
    with database.transaction() as cursor:
        prediction_log.write(cursor, entries, "http")
    keys = database.fetch(
        "SELECT entity_key->>'row_id' FROM predictions.log WHERE model = $1 AND source = 'http' ORDER BY 1", name
    )
    assert [key.split(":")[1] for (key,) in keys] == ["1", "2", "3"]


def contents(dataset: Dataset) -> list[Any]:
    rows = database.fetch(f'SELECT md5(f::text) FROM (SELECT * FROM features."{dataset.name}" ORDER BY row_id) f')
    return sorted(rows)


def test_taken_back_and_dropped_again_the_rows_have_the_same_identities() -> None:
    sample = without_key(make_dataset(new_name(), event_time="AT", columns={"AT": "timestamp"}))
    rows = [{"AT": f"2026-01-0{1 + i % 3}", "RATIO": str(i % 4)} for i in range(20)]
    data = csv_of(rows, [*sample.columns])
    first = ingest(sample, data)
    before, hash_before = contents(sample), build_training_set.freeze(sample).sha256
    assert len(before) == 20
    assert ingest(sample, data, "_again")["outcome"] == "duplicate"
    done = withdraw(sample, first["sha256"][:12], reason="a try", by="ann")
    assert (done.rows, done.entities, rows_in("features", sample)) == (20, 20, 0)
    assert ingest(sample, data, "_third")["rows_loaded"] == 20
    assert contents(sample) == before
    assert build_training_set.freeze(sample).sha256 == hash_before


def test_a_row_keeps_its_side_of_the_holdout_when_a_column_is_added() -> None:
    """The part of the id that decides it is stored, and a later row without a value of the new column shares it."""
    sample = without_key(make_dataset(new_name()))
    rows = [{"RATIO": str(i), "LABEL": str(i % 2)} for i in range(10)]
    ingest(sample, csv_of(rows))
    before = load_training_set(sample, build_training_set.freeze(sample)).frame["row_id"]
    wider = without_key(make_dataset(sample.name, columns={"MORE": "number"}))
    later = csv_of([*(row | {"MORE": ""} for row in rows), {"MORE": "7"}], [*wider.columns])
    assert ingest(wider, later, "_wider")["rows_loaded"] == 11
    after = load_training_set(wider, build_training_set.freeze(wider)).frame["row_id"]
    assert set(before) < set(after)
    sizes = value_digests(after).value_counts()
    assert sorted(sizes) == [1] + [2] * 10


def test_nothing_is_online_and_no_single_row_can_be_erased(shop: Journey) -> None:
    with pytest.raises(ConfigurationError, match="has no key by which its rows could be looked up, so none are online"):
        online_rows.materialize(shop.dataset)
    with pytest.raises(ConfigurationError, match=f"uploads withdraw {shop.dataset.name} ID --reason"):
        forget_entity.plan(shop.dataset, ["1"])


def about_an_earlier_file(report: UploadReport) -> list[str]:
    return [text for text in report["warnings"] if "at the same place" in text]


def test_a_changed_file_brings_all_its_rows_again_and_a_warning_says_so() -> None:
    sample = without_key(make_dataset(new_name()))
    rows = [{"RATIO": str(i)} for i in range(10)]
    first = ingest(sample, csv_of(rows))
    assert not about_an_earlier_file(first)
    grown = ingest(sample, csv_of([*rows, {"RATIO": "11"}]), "_grown")
    assert grown["rows_loaded"] == 11
    (warning,) = about_an_earlier_file(grown)
    assert warning.startswith(f"10 of 11 rows are as in 'train_{sample.name}.csv', at the same place; without a key")
    assert f"uploads withdraw {sample.name} {first['sha256'][:12]} --reason" in warning
    other = ingest(sample, csv_of([{"RATIO": str(100 + i)} for i in range(10)]), "_other")
    assert not about_an_earlier_file(other)
