"""Scored rows are compared with the training of the live model, once, and only if there are enough: on real servers."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from mlflow.entities import Metric

from ml_platform.monitoring import drift_check, metric_series
from ml_platform.monitoring.checks import Check
from ml_platform.monitoring.drift_check import Plan, Skipped
from ml_platform.scoring import batch
from ml_platform.specs.spec import Dataset
from ml_platform.storage import mlflow_client, object_store
from ml_platform.storage.database import fetch, transaction
from tests.ml_platform.ingestion.upload_cases import drop, new_name
from tests.ml_platform.promotion.champions import train_live
from tests.ml_platform.training.trainings import (
    ONE,
    make_dataset,
    make_frame,
    make_training_set,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]

ROWS = 1200


@pytest.fixture(scope="module")
def shop(mlflow_server: Any) -> Dataset:
    """A data set with a live model, whose training set is frozen."""
    dataset = make_dataset(new_name(), ONE)
    train_live(dataset, make_training_set(dataset, in_years(make_frame(ROWS))))
    return dataset


def in_years(frame: pd.DataFrame) -> pd.DataFrame:
    """Round the age, as in files: a classifier would tell rows with other digits apart."""
    return frame.assign(age=frame["age"].round())


def score(dataset: Dataset, rows: int, seed: int, **columns: Any) -> None:
    """Score a file of rows of the training's distribution, but for some columns."""
    frame = in_years(make_frame(rows, seed)).assign(**columns)
    member = frame["member"].map({1.0: "yes", 0.0: "no"})
    text = frame.assign(member=member, age=frame["age"].astype("Int64")).drop(columns=["event_timestamp", "buys"])
    batch.answer(dataset, drop(dataset, text.to_csv(index=False).encode(), f"_{new_name()}", "test"))


def log_over_http(dataset: Dataset, rows: int) -> None:
    """Log predictions as the HTTP service does."""
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO predictions.log (model, model_version, entity_key, event_time, probability, prediction,"
            " requested_at, source) SELECT $1, 1, '{}', now(), 0.5, '0', now(), 'http'"
            " FROM generate_series(1, $2::int)",
            (dataset.name, rows),
        )


def checked(dataset: Dataset, **plan: Any) -> Check:
    result = drift_check.check(dataset, Plan(datetime.now(UTC), **plan), by="ann")
    assert isinstance(result, Check), result
    return result


def rows_of(dataset: Dataset) -> list[tuple[Any, ...]]:
    return fetch(
        "SELECT kind, verdict, reference, rows, report_key, checked_by FROM monitoring.checks WHERE dataset = $1"
        " ORDER BY window_end",
        dataset.name,
    )


def points(dataset: Dataset, name: str) -> list[Metric]:
    client = mlflow_client.connect()
    experiment = mlflow_client.experiment_id(client, metric_series.EXPERIMENT)
    (run,) = client.search_runs([experiment], f"tags.dataset = '{dataset.name}'")
    found: list[Metric] = client.get_metric_history(run.info.run_id, name)
    return found


def test_scored_rows_are_checked_once_and_drift_is_found_in_those_that_come_later(shop: Dataset) -> None:
    too_few = drift_check.check(shop, Plan(datetime.now(UTC)), by="ann")
    assert isinstance(too_few, Skipped)
    assert "0 rows were scored by version 1" in too_few.reason

    score(shop, 400, seed=7)
    plan = Plan(datetime.now(UTC))
    calm = [drift_check.check(shop, plan, by="ann") for _ in range(2)]
    assert isinstance(calm[0], Check)
    assert calm[0] == calm[1]
    assert calm[0].verdict == "no drift", calm[0].figures["sentence"]
    assert rows_of(shop) == [("drift", "no drift", "training set", 400, calm[0].report_key, "ann")]
    assert [point.value for point in points(shop, "drift")] == [0.0]

    assert isinstance(drift_check.check(shop, Plan(datetime.now(UTC)), by="ann"), Skipped), "no new rows"
    log_over_http(shop, 50)
    score(shop, 300, seed=8, town="Rome", age=60.0)
    dry = checked(shop, is_dry=True)
    assert len(rows_of(shop)) == 1
    drifted = checked(shop)
    assert (drifted.rows, drifted.figures["rows_of_files"]) == (350, 300)
    assert drifted.verdict == dry.verdict == "drift"
    drift = {one["subject"] for one in drifted.figures["findings"] if one["verdict"] == "drift"}
    assert {"the values of town", "the values of age", "all features together", "the predictions"} <= drift
    assert "the values of income" not in drift
    assert drifted.window.start == calm[0].window.end
    assert [point.value for point in points(shop, "drift")] == [0.0, 1.0]
    page = object_store.get("reports", str(drifted.report_key)).decode()
    assert page.index("Drift: the 350 rows") < page.index("<img")
    assert "only their predictions are compared" in page
    figures = json.loads(fetch("SELECT max(figures::text) FROM monitoring.checks WHERE dataset = $1", shop.name)[0][0])
    assert set(figures) == set(drifted.figures)

    whole = checked(shop, length=timedelta(days=1), is_dry=True)
    assert whole.rows == 750


def test_with_a_season_only_training_rows_of_the_same_time_are_compared(shop: Dataset) -> None:
    log_over_http(shop, 200)

    def compared(season: str) -> Check | Skipped:
        seasonal = shop.model_copy(update={"monitor": shop.monitor.model_copy(update={"season": season})})
        return drift_check.check(seasonal, Plan(datetime.now(UTC), timedelta(days=1), is_dry=True), by="ann")

    fortnights = compared("2w")  # the window has the length of `every`, 2w: every training row is in one of them
    assert isinstance(fortnights, Check)
    assert fortnights.reference == "same season"
    assert fortnights.figures["reference_rows"] > 900
    never = compared("1040w")
    assert isinstance(never, Skipped)
    assert "has no rows of this season to compare with" in never.reason


def test_a_training_set_that_is_not_here_is_named(shop: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    log_over_http(shop, 200)
    monkeypatch.setattr(drift_check, "reference_rows", lambda *_: None)
    result = drift_check.check(shop, Plan(datetime.now(UTC), timedelta(days=1)), by="ann")
    assert isinstance(result, Skipped)
    assert result.reason.startswith("the training set of version 1 has no rows to compare with; a check needs 200")
