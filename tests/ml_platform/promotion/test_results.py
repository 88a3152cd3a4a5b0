"""The values between the last steps: as JSON and back they are the same, and a bad value is named."""

import json
from dataclasses import fields

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.promotion.decision import Decision
from ml_platform.promotion.results import GateResult, LiveVersions, TrainingCard
from ml_platform.storage.json_values import from_json, to_json
from ml_platform.training.results import Challenger, Source

CARD = TrainingCard(
    model="shop", version=2, promoted=False, decision="kept", reason="version 2 is not better", champion_before=1,
    min_gain=0.0, confidence=0.9, rows=200, challenger_score=0.6, champion_score=0.61, gain_low=-0.03, gain_high=0.02,
    metric="f1", metrics={"f1": 0.6, "log_loss": 0.4}, threshold=None, best_candidate="random_forest (n_estimators=10)",
    candidate=("random_forest", {"n_estimators": 10, "class_weight": None}), candidates_tried=12, candidates_failed=1,
    scoring="f1", cv_score=0.6, cv_score_sd=0.01, suspected_leaks={"arr_delay": 0.99},
    training_set="s3://mlflow/a.parquet", training_set_sha256="00", sources=[Source("train_shop.csv", "00", 300)],
    run_id="1", url="http://mlflow.test/#/runs/1",
)  # fmt: skip
VALUES = [
    CARD,
    LiveVersions(2, None),
    GateResult(Decision("promoted", "it is better", 2, 1, 0.0, 0.9, 200, 0.6, 0.5, 0.02, 0.2), "may it?", "| a |"),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_survives_the_way_between_two_tasks(value) -> None:
    assert from_json(type(value), json.loads(json.dumps(to_json(value)))) == value


def test_the_card_has_every_figure_of_the_decision() -> None:
    assert {field.name for field in fields(Decision)} <= {field.name for field in fields(TrainingCard)}


@pytest.mark.parametrize(("field", "value"), [("decision", "won"), ("version", "two"), ("scoring", "f2")])
def test_a_bad_value_is_named(field, value) -> None:
    with pytest.raises(ConfigurationError, match=rf"\b{field}\b"):
        from_json(TrainingCard, to_json(CARD) | {field: value})


SEARCHED_BEFORE = {
    "run_id": "a", "url": "http://mlflow/#/a", "search_id": "b",
    "candidate": ["random_forest", {"min_samples_leaf": 5}],
    "score": 0.6, "score_sd": 0.01, "scoring": "f1", "folds": 5, "jobs": 2, "total": 12, "failed": 0,
    "suspected_leaks": {"TARGET_AMT": 1.0},
}  # fmt: skip
GATE_BEFORE = {
    "decision": {
        "decision": "promoted", "reason": "version 2 is better", "version": 2, "champion_before": 1, "min_gain": 0.0,
        "confidence": 0.9, "rows": 200, "challenger_f1": 0.6, "champion_f1": 0.5, "gain_low": 0.02, "gain_high": 0.2,
    },
    "subject": "auto: may version 2 go live?", "body": "# auto",
}  # fmt: skip


def test_a_training_that_waited_for_an_approval_during_an_upgrade_goes_on() -> None:
    refitted = {"run_id": "a", "url": "http://mlflow/#/a", "name": "auto", "version": 2, "threshold": 0.3,
                "metrics": {"f1": 0.6}, "search": SEARCHED_BEFORE}  # fmt: skip
    challenger = from_json(Challenger, refitted)
    assert challenger.search.candidate == ("random_forest", {"min_samples_leaf": 5})
    assert from_json(GateResult, GATE_BEFORE).decision.gain == pytest.approx(0.1)
    now = GATE_BEFORE["decision"] | {"challenger_score": 0.6, "champion_score": 0.5, "metric": "f1"}
    now = {field: value for field, value in now.items() if not field.endswith("_f1")}
    assert to_json(from_json(GateResult, GATE_BEFORE)) == GATE_BEFORE | {"decision": now}
    assert to_json(challenger) == refitted | {"search": SEARCHED_BEFORE | {"compare_url": "", "pruned": 0}}
