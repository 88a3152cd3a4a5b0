"""A label that is a number, the whole way on real servers: file, training, gate, result, answer over HTTP, log."""

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_platform.eda.data_report import report_data
from ml_platform.eda.page import render_page
from ml_platform.estimators.interval_regressor import IntervalRegressor
from ml_platform.exceptions import DegenerateDataError
from ml_platform.ingestion import uploads
from ml_platform.promotion import steps as promotion_steps
from ml_platform.promotion.results import TrainingCard
from ml_platform.registry import registry
from ml_platform.serving import answers
from ml_platform.specs.spec import Dataset
from ml_platform.storage import mlflow_client
from ml_platform.storage.database import fetch
from ml_platform.training import build_training_set, steps
from ml_platform.training.training_set import load as load_training_set
from tests.ml_platform.ingestion.upload_cases import drop
from tests.ml_platform.scoring.test_batch import scored
from tests.ml_platform.training.trainings import (
    make_houses,
    make_houses_frame,
    searched_with,
    smoke_test_here,
    without_pictures,
)

# The hold-out is drawn by the name of the data set. So the names are fixed: with others the figures would differ.
pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]


def csv_of(frame: pd.DataFrame, *, labelled: bool = True) -> bytes:
    columns = ["id", "area", "rooms", "town", *(["price"] if labelled else [])]
    return frame.astype({"rooms": int})[columns].to_csv(index=False).encode()


def train(houses: Dataset, attempt_id: str) -> TrainingCard:
    frozen = load_training_set(houses, build_training_set.freeze(houses))
    with smoke_test_here():
        challenger = steps.refit(frozen, searched_with(frozen, attempt_id=attempt_id))
        return promotion_steps.promote(frozen, challenger)


@pytest.fixture(scope="module")
def houses(mlflow_server: Any) -> Dataset:
    """A data set whose first file is loaded, and whose first model is live."""
    dataset = make_houses("numbers_houses")
    uploads.ingest(dataset, drop(dataset, csv_of(make_houses_frame(400))))
    card = train(dataset, "1")
    assert (card.decision, card.metric) == ("promoted", "mae"), card.reason
    return dataset


def test_the_metrics_and_the_charts_are_those_of_numbers(houses: Dataset) -> None:
    model = registry.load_champion(houses.name)
    client = mlflow_client.connect()
    metrics = client.get_run(model.run_id).data.metrics
    assert metrics["holdout_r2"] > 0.8
    assert 0.8 < metrics["holdout_coverage"] <= 1
    assert metrics["interval_upper"] == model.task.facts()["interval"]["upper"]
    charts = {item.path.split("/")[-1] for item in client.list_artifacts(model.run_id, "charts")}
    assert charts >= {f"{name}.png" for name in ("predicted_actual", "residuals", "coverage", "feature_importance")}
    assert isinstance(model.estimator, IntervalRegressor)


def test_a_file_and_a_request_have_the_same_numbers_with_their_interval(houses: Dataset) -> None:
    new = make_houses_frame(200, seed=7).assign(id=lambda frame: frame["id"] + 10_000)
    report, rows, card = scored(houses, csv_of(new, labelled=False))
    result = pd.DataFrame(rows)
    assert list(result) == ["id", "prediction", "low", "high", "model_version", "coverage"]
    assert result["id"].astype(int).tolist() == new["id"].tolist()
    low, high = result["low"].astype(float), result["high"].astype(float)
    assert 0.8 < np.mean((low <= new["price"]) & (new["price"] <= high)) <= 1
    assert card["interval"]["coverage"] == 0.9
    assert "nearly all predictions" not in str(report["warnings"])

    model = registry.load_champion(houses.name)
    request = answers.PredictRequest("rows", pd.read_csv(io.BytesIO(csv_of(new, labelled=False)), dtype=str)
                                     .where(lambda frame: frame.notna(), None).to_dict("records"))  # fmt: skip
    answer = answers.score(model, answers.typed_rows(houses, request), pd.Timestamp.now("UTC").to_pydatetime())
    assert [repr(one["prediction"]) for one in answer.by_row()] == result["prediction"].tolist()

    logged = fetch(
        "SELECT prediction, probability, low, high FROM predictions.log WHERE model = $1 AND result_key = $2",
        houses.name, str(report["result_key"]),
    )  # fmt: skip
    assert sorted(row[0] for row in logged) == sorted(result["prediction"])
    assert {row[1] for row in logged} == {None}
    assert sorted(row[2] for row in logged) == sorted(low)


def test_a_worse_model_does_not_replace_the_champion_and_a_better_one_does(houses: Dataset) -> None:
    live = registry.load_champion(houses.name).version
    with without_pictures():
        again = train(houses, "again")
    assert (again.decision, again.champion_before) == ("kept", live)
    assert "mean absolute error" in again.reason
    frame = make_houses_frame(1200)
    # the town decides more than anything else, and the first model never saw what it decides
    changed = frame.assign(price=frame["price"] + 300 * (frame["town"] == "Kiel"), id=frame["id"] + 20_000)
    uploads.ingest(houses, drop(houses, csv_of(changed), "_2"))
    with without_pictures():
        better = train(houses, "better")
    assert (better.decision, better.metric) == ("promoted", "mae"), better.reason
    assert better.gain_low > 0
    assert better.challenger_score < better.champion_score
    decided = fetch("SELECT metric, challenger_score FROM models.decisions WHERE model = $1 AND version = $2::int",
                    houses.name, better.version)  # fmt: skip
    assert decided == [("mae", better.challenger_score)]


def test_the_data_report_shows_the_number_in_quarters(houses: Dataset) -> None:
    html = render_page(report_data(houses))
    assert "The label price" in html
    assert html.count(" 25.0%") >= 2


def test_labels_that_do_not_vary_train_nothing(mlflow_server: Any) -> None:
    constant = make_houses("numbers_constant")
    uploads.ingest(constant, drop(constant, csv_of(make_houses_frame(100).assign(price=5.0))))
    with pytest.raises(DegenerateDataError, match="the label is 5 in all of"):
        train(constant, "1")


def test_numbers_without_a_signal_never_go_live(mlflow_server: Any) -> None:
    noise = make_houses("numbers_noise")
    frame = make_houses_frame(400).assign(price=np.random.default_rng(3).lognormal(0, 2, 400))
    uploads.ingest(noise, drop(noise, csv_of(frame)))
    with without_pictures():
        card = train(noise, "1")
    assert card.decision == "refused"
    assert "always the median gives" in card.reason
