"""Options that are tested one by one elsewhere, together: no key, sensitive columns, an ensemble, and reasons."""

import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ml_platform.promotion import steps as promotion_steps
from ml_platform.promotion.results import TrainingCard
from ml_platform.scoring import batch
from ml_platform.scoring.result_keys import card_key
from ml_platform.specs.spec import Dataset
from ml_platform.storage import mlflow_client, object_store
from ml_platform.training import build_training_set, steps
from ml_platform.training.candidates import Candidate
from ml_platform.training.training_set import load as load_training_set
from tests.ml_platform.ingestion.upload_cases import drop, ingest
from tests.ml_platform.keyless import without_key
from tests.ml_platform.test_sensitive_columns import file_of
from tests.ml_platform.training.trainings import ONE, make_dataset, searched_with, smoke_test_here

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]

BOOSTED = Candidate("hist_gradient_boosting", {"max_iter": 10})


def csv_of(rows: int, seed: int, *without: str) -> bytes:
    return file_of(rows, seed).drop(columns=["id", *without]).to_csv(index=False).encode()


@dataclass(frozen=True)
class Trained:
    """A data set without a key, and its model: an ensemble, judged by town."""

    dataset: Dataset
    card: TrainingCard


@pytest.fixture(scope="module")
def trained(mlflow_server: Any) -> Trained:
    made = without_key(
        make_dataset("options_shop", ONE),
        sensitive=["town"],
        result={"explain": 2},
    )
    assert ingest(made, csv_of(900, 1))["outcome"] == "loaded"
    training_set = load_training_set(made, build_training_set.freeze(made))
    searched = searched_with(training_set)
    ensemble = Candidate.ensemble([(0.75, Candidate(*searched.candidate)), (0.25, BOOSTED)])
    with smoke_test_here():
        refitted = steps.refit(training_set, replace(searched, candidate=(ensemble.estimator, ensemble.params)))
        return Trained(made, promotion_steps.promote(training_set, refitted))


def test_the_ensemble_is_judged_by_groups_and_goes_live(trained: Trained, tmp_path: Path) -> None:
    assert (trained.card.promoted, trained.card.candidate[0]) == (True, "ensemble")
    path = mlflow_client.connect().download_artifacts(trained.card.run_id, "model_card.md", str(tmp_path))
    text = Path(path).read_text(encoding="utf-8")
    assert "### town: no feature of the model" in text
    assert "0.25 hist_gradient_boosting" in text


def test_rows_without_a_key_and_without_the_sensitive_column_get_reasons_that_add_up(trained: Trained) -> None:
    report = batch.answer(trained.dataset, drop(trained.dataset, csv_of(25, 2, "town", "buys"), "_alone", "test"))
    assert (report["outcome"], report["rows_rejected"]) == ("scored", 0)
    key = str(report["result_key"])
    rows = pd.read_csv(io.BytesIO(object_store.get("result", key)))
    assert rows["row"].tolist() == list(range(1, 26))
    assert not rows[["reason_1", "reason_2"]].isin(["town", "row_id"]).any(axis=None)
    total = rows[["reason_base", "reason_1_effect", "reason_2_effect", "reason_rest"]].sum(axis=1)
    assert total.to_numpy() == pytest.approx(rows["probability"].to_numpy(), abs=1e-6)
    card = json.loads(object_store.get("result", card_key(key)))
    assert card["model_card"].endswith(f"/runs/{trained.card.run_id}/artifacts/model_card.html")
    assert card["reasons"]["scale"] == "probability of the positive class (1)"
