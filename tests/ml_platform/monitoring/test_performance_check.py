"""The truth that comes later is joined once, and says whether the live model keeps its promise: on real servers."""

import json
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from ml_platform.ingestion import uploads
from ml_platform.monitoring import performance_check
from ml_platform.monitoring.checks import BROKEN, KEPT, Check
from ml_platform.monitoring.drift_check import Plan, Skipped
from ml_platform.scoring import batch
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
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


@pytest.fixture(scope="module")
def shop(mlflow_server: Any) -> Dataset:
    """A data set with a live model, whose training set is frozen. Its name draws the hold-out, so it is fixed."""
    dataset = make_dataset("promised_shop", ONE)
    train_live(dataset, make_training_set(dataset, make_frame(2000)))
    return dataset


def customers(first: int, rows: int, seed: int) -> pd.DataFrame:
    """Return new customers as in files, with the label that they will turn out to have."""
    frame = make_frame(rows, seed)
    member = frame["member"].map({1.0: "yes", 0.0: "no"})
    frame = frame.assign(id=range(first, first + rows), member=member, age=frame["age"].round().astype("Int64"))
    return frame.drop(columns="event_timestamp")


def score(dataset: Dataset, rows: pd.DataFrame) -> None:
    body = rows.drop(columns="buys").to_csv(index=False).encode()
    batch.answer(dataset, drop(dataset, body, f"_{new_name()}", "test"))


def tell(dataset: Dataset, rows: pd.DataFrame) -> str:
    """Load the truth as an ordinary training file; return the SHA-256 of the file."""
    return uploads.ingest(dataset, drop(dataset, rows.to_csv(index=False).encode(), f"_{new_name()}"))["sha256"]


def checked(dataset: Dataset) -> Check | Skipped:
    return performance_check.check(dataset, Plan(datetime.now(UTC)), by="ann")


def found(dataset: Dataset) -> Check:
    result = checked(dataset)
    assert isinstance(result, Check), result
    return result


def test_an_estimate_comes_first_then_the_truth_and_a_change_is_found(shop: Dataset) -> None:
    none = checked(shop)
    assert isinstance(none, Skipped)
    assert "there are 0" in none.reason

    before = customers(100_000, 400, seed=7)
    score(shop, before)
    estimate = found(shop)
    assert (estimate.kind, estimate.verdict, estimate.rows) == ("estimated performance", KEPT, 400)
    assert "Probably as promised" in estimate.figures["sentence"]

    tell(shop, before)
    truth = found(shop)
    assert (truth.kind, truth.verdict, truth.rows) == ("performance", KEPT, 400), truth.figures["sentence"]
    expected, seen = truth.figures["expected"], truth.figures["seen"]
    assert expected["low"] - 0.05 < seen["value"] < expected["high"] + 0.05
    assert checked(shop) == Skipped("nothing is new since the last check of version 1")
    score(shop, before)  # their truth is known already
    assert isinstance(checked(shop), Skipped)

    after = customers(200_000, 400, seed=8)
    score(shop, after)
    tell(shop, after.assign(buys=after["buys"].map({0: 1, 1: 0}).fillna(after["buys"])))
    broken = found(shop)
    assert (broken.verdict, broken.rows) == (BROKEN, 800)
    [missed, *_] = [one for one in broken.figures["mistakes"] if one["is_broken"]]
    assert missed["since"] is not None
    assert [(one["version"], one["predictions"], one["labels"]) for one in broken.figures["versions"]] == [
        (1, 1200, 800)
    ]
    assert {one["column"] for one in broken.figures["segments"]} >= {"age", "member"}
    assert any(one["is_worse"] for one in broken.figures["segments"])
    page = object_store.get("reports", str(broken.report_key)).decode()
    assert page.index("Below the promise") < page.index("<img")
    rows = fetch(
        "SELECT kind, verdict, rows, figures::text FROM monitoring.checks WHERE dataset = $1 ORDER BY check_id",
        shop.name,
    )
    assert [row[:3] for row in rows] == [
        ("estimated performance", KEPT, 400), ("performance", KEPT, 400), ("performance", BROKEN, 800),
    ]  # fmt: skip
    assert json.loads(rows[-1][3])["labels"] == 800


def test_a_label_that_was_corrected_counts_once_and_as_it_is_now(shop: Dataset) -> None:
    rows = customers(300_000, 40, seed=9)
    score(shop, rows)
    tell(shop, rows.head(10))
    before = found(shop).rows
    tell(shop, rows.head(20))
    assert found(shop).rows == before + 10
    told = tell(shop, rows.tail(10))
    with transaction() as cursor:  # as if these labels had been asked for: their rows are no sample of all
        cursor.execute(
            "INSERT INTO labelling.asked (dataset, ask_id, entity_key, event_time, scored_values, model_version,"
            " uncertainty, file_key, asked_by) VALUES ($1, 'x', '{}', now(), '{}', 1, 0, 'x', 'ann')",
            (shop.name,),
        )
        cursor.execute(
            "INSERT INTO labelling.answers (dataset, upload_sha256, line, ask_id, labelled_by)"
            " VALUES ($1, $2, 1, 'x', 'ann')",
            (shop.name, told),
        )
    assert checked(shop) == Skipped("nothing is new since the last check of version 1")
