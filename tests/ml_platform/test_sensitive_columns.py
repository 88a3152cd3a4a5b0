"""Sensitive columns the whole way on real servers: loaded, frozen, judged by, and never asked for at scoring."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ml_platform.feature_store import features, online_rows
from ml_platform.promotion import steps as promotion_steps
from ml_platform.promotion.results import TrainingCard
from ml_platform.registry import registry
from ml_platform.scoring import batch
from ml_platform.specs.spec import Dataset
from ml_platform.storage import mlflow_client, object_store
from ml_platform.training import build_training_set, steps
from ml_platform.training.training_set import TrainingSet
from ml_platform.training.training_set import load as load_training_set
from tests.ml_platform.ingestion.upload_cases import drop, ingest
from tests.ml_platform.serving.models import Registry, ask, follow, service
from tests.ml_platform.training.trainings import ONE, make_dataset, make_frame, searched_with, smoke_test_here

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]

SENSITIVE = ["town", {"column": "age", "feature": True, "cuts": [40, 50]}]


def file_of(rows: int, seed: int = 1) -> pd.DataFrame:
    frame = make_frame(rows, seed).drop(columns="event_timestamp")
    member = frame["member"].map({0.0: "no", 1.0: "yes"})
    return frame.assign(member=member, income=frame["income"].astype(int), age=frame["age"].round().astype("Int64"))


def csv_of(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def trained(dataset: Dataset) -> tuple[TrainingSet, TrainingCard]:
    training_set = load_training_set(dataset, build_training_set.freeze(dataset))
    with smoke_test_here():
        refitted = steps.refit(training_set, searched_with(training_set, attempt_id=dataset.sha256))
        return training_set, promotion_steps.promote(training_set, refitted)


@dataclass(frozen=True)
class Judged:
    """A data set that became judged by town, and its models: the first one was trained with town as a feature."""

    dataset: Dataset
    first: TrainingCard
    second: TrainingCard
    training_set: TrainingSet


@pytest.fixture(scope="module")
def judged(mlflow_server: Any) -> Judged:
    before = make_dataset("sensitive_shop", ONE)
    assert ingest(before, csv_of(file_of(1200)))["outcome"] == "loaded"
    online_rows.materialize(before)
    _, first = trained(before)
    dataset = Dataset.model_validate(before.model_dump() | {"sensitive": SENSITIVE, "gate": {"holdout": 0.4}})
    training_set, second = trained(dataset)
    return Judged(dataset, first, second, training_set)


def artifact(run_id: str, path: str, folder: Any) -> str:
    return Path(mlflow_client.connect().download_artifacts(run_id, path, str(folder))).read_text(encoding="utf-8")


def test_the_column_is_frozen_with_the_training_set_and_no_model_sees_it(judged: Judged) -> None:
    frame = judged.training_set.frame
    assert list(frame)[-2:] == ["town", "buys"]
    expected = file_of(1200)["town"]
    assert frame["town"].isna().tolist() == expected.isna().tolist()
    assert frame["town"].dropna().tolist() == expected.dropna().tolist()
    model = registry.load(registry.get_version(judged.dataset.name, judged.second.version))
    assert "town" not in model.columns
    assert "age" in model.columns


def test_feast_knows_it_as_no_feature(judged: Judged) -> None:
    fields = {field.name: field.tags for field in features.feature_view(judged.dataset).features}
    assert fields["town"] == features.WITHHELD
    assert fields["age"] == {}
    assert "town" not in {field.name for field in features.online_view(judged.dataset).features}


def test_the_card_and_the_run_show_the_groups(judged: Judged, tmp_path: Any) -> None:
    text = artifact(judged.second.run_id, "model_card.md", tmp_path)
    assert "\n- By town, " in text
    assert "### town: no feature of the model" in text
    assert "### age: a feature of the model" in text
    assert "| 40 to under 50 |" in text
    groups = pd.read_csv(io.StringIO(artifact(judged.second.run_id, "groups/groups.csv", tmp_path)))
    town = groups[(groups["column"] == "town") & (groups["measure"] == "recall")]
    assert town["group"].tolist() == ["Bonn", "Kiel", "Ulm", "(missing)"]
    assert groups.groupby("column")["rows"].sum().nunique() == 1
    differences = pd.read_csv(io.StringIO(artifact(judged.second.run_id, "groups/differences.csv", tmp_path)))
    assert set(differences["column"]) == {"town", "age"}
    assert "None are asked for" in artifact(judged.first.run_id, "model_card.md", tmp_path)


def test_the_champion_before_is_compared_with_the_values_that_it_needs(judged: Judged) -> None:
    # Town makes the label: without it, the first model would be worse than the second.
    assert judged.second.champion_before == judged.first.version
    assert judged.second.decision == "kept"
    assert judged.second.champion_score > judged.second.challenger_score


def test_the_live_model_goes_on_by_its_own_spec(judged: Judged) -> None:
    rows = file_of(20, 2)
    report = batch.answer(judged.dataset, drop(judged.dataset, csv_of(rows), "_live", "test"))
    assert (report["outcome"], report["rows_read"]) == ("scored", 20)
    report = batch.answer(judged.dataset, drop(judged.dataset, csv_of(rows.drop(columns="town")), "_without", "test"))
    assert report["outcome"] == "rejected"
    assert "the header lacks town" in report["reasons"][0]["reason"]


@pytest.fixture
def live(judged: Judged) -> Any:
    """The second model, as the one that is live."""
    version = registry.get_version(judged.dataset.name, judged.second.version)
    return registry.load(version)


def test_a_file_and_a_request_need_not_have_it(judged: Judged, live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load_champion", lambda name: live)
    rows = file_of(20, 3).drop(columns=["buys", "town"])
    report = batch.answer(judged.dataset, drop(judged.dataset, csv_of(rows), "_new", "test"))
    assert (report["outcome"], report["rows_read"], report["rows_rejected"]) == ("scored", 20, 0)
    result = object_store.get("result", report["result_key"]).decode()
    scored = pd.read_csv(io.StringIO(result), float_precision="round_trip")
    row = json.loads(rows.head(1).to_json(orient="records"))[0]
    with service(follow(Registry(live)), []) as app:
        status, body = ask(app, row, dataset=judged.dataset.name)
        assert (status, body["predictions"][0]["probability"]) == (200, scored["probability"][0])
        assert ask(app, row | {"town": "Ulm"}, dataset=judged.dataset.name)[1]["predictions"] == body["predictions"]
        described = app.get("/openapi.json").json()["paths"][f"/v1/{judged.dataset.name}/predict"]
        assert "town" not in json.dumps(described)


def test_by_its_key_a_row_is_scored_without_it(judged: Judged, live: Any) -> None:
    online_rows.materialize(judged.dataset)
    with service(follow(Registry(live)), []) as app:
        answer = app.post(f"/v1/{judged.dataset.name}/predict", content=json.dumps({"entities": [{"id": 7}]}))
        assert (answer.status_code, answer.json()["predictions"][0]["key"]) == (200, {"id": 7})
