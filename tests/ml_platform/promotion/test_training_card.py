"""The card of a training: made from its parts, and read back from its run on a real MLflow."""

import json

import pytest

from ml_platform.promotion import steps
from ml_platform.promotion.decision import Decision
from ml_platform.promotion.training_card import FILE, log_card, read_card, training_card
from ml_platform.storage import mlflow_client
from tests.ml_platform.promotion.champions import refit

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server", "essentials")]


@pytest.fixture(scope="module")
def training(mlflow_server):
    return refit("card")


def test_the_card_joins_training_set_search_and_decision(training):
    training_set, challenger = training
    decision = Decision("kept", "version 1 is not better", 1, None, 0.0, 0.9, 200, 0.6)
    card = training_card(training_set, challenger, decision)
    assert (card.model, card.version, card.promoted, card.reason) == ("card", 1, False, "version 1 is not better")
    assert (card.training_set, card.training_set_sha256) == (training_set.uri, training_set.sha256)
    assert (card.candidates_tried, card.candidates_failed, card.scoring) == (1, 0, "f1")
    assert card.best_candidate.startswith("logistic_regression")
    assert (card.threshold, card.run_id) == (challenger.threshold, challenger.run_id)
    assert card.run_id in card.url


def test_a_card_is_read_back_as_it_was_logged(training):
    card = steps.promote(*training, by="alice")
    assert card.promoted
    assert read_card(card.run_id) == card


def test_a_card_that_is_logged_again_replaces_the_first(training):
    training_set, challenger = training
    for reason in ("first", "second"):
        log_card(training_card(training_set, challenger, Decision("refused", reason, 1)))
    assert read_card(challenger.run_id).reason == "second"
    artifacts = mlflow_client.connect().list_artifacts(challenger.run_id)
    assert [item.path for item in artifacts if item.path.endswith(".json")].count(FILE) == 1


def test_the_file_is_plain_json_for_other_programs(training, tmp_path):
    _, challenger = training
    path = mlflow_client.connect().download_artifacts(challenger.run_id, FILE, str(tmp_path))
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 – MLflow gives a text
        assert json.load(file)["model"] == "card"
