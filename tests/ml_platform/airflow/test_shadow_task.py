"""The tasks between gate and alias; their place in the DAG: tests/dags."""

from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.execution_time.context import set_current_context

from ml_platform.airflow import shadow_task, wiring
from ml_platform.monitoring import shadow
from ml_platform.promotion.decision import Decision
from ml_platform.promotion.results import GateResult
from ml_platform.specs.catalog import Catalog, dataset
from ml_platform.specs.shadow import Shadow
from ml_platform.storage import json_values
from ml_platform.training import training_set
from tests.ml_platform.lineage.test_events import CHALLENGER, REFERENCE

ROOT = Path(__file__).resolve().parents[3]
WON = GateResult(Decision("promoted", "better", 4), "May it?", "| figures |")


@pytest.fixture
def train(monkeypatch) -> Any:
    """`train_auto` with a shadow."""
    tried = dataset("auto").model_copy(update={"shadow": Shadow(rows=70)})
    monkeypatch.setattr("ml_platform.specs.catalog.catalog", lambda: Catalog((tried,), (), ()))
    return DagBag(ROOT / "dags" / "train.py").dags["train_auto"]


def test_without_the_option_the_gate_decides() -> None:
    assert shadow_task.follow(dataset("auto"), None, None, "the output of the gate") == "the output of the gate"


def test_the_library_gets_rule_and_result_and_the_sensor_waits_until_it_can_be_decided(train, monkeypatch) -> None:
    looks = []

    def look(spec, rule, challenger, result):
        looks.append((spec.name, rule.rows, challenger, result))
        return len(looks) > 1

    monkeypatch.setattr(shadow, "look", look)
    task = train.get_task("shadow")
    passed = json_values.to_json(CHALLENGER), json_values.to_json(WON)
    assert [task.python_callable(*passed) for _ in range(2)] == [False, True]
    assert looks == [("auto", 70, CHALLENGER, WON)] * 2


@pytest.mark.parametrize("decided", [WON, None])
def test_the_decision_on_the_truth_is_passed_on(train, monkeypatch, decided) -> None:
    monkeypatch.setattr(training_set, "load", lambda spec, reference: (spec.name, reference))
    monkeypatch.setattr(wiring, "started_by", lambda: "ann")
    monkeypatch.setattr(
        shadow, "compare", lambda rows, _, __, by: decided if (rows, by) == (("auto", REFERENCE), "ann") else 0
    )
    with set_current_context({}):
        passed = map(json_values.to_json, (REFERENCE, CHALLENGER, WON))
        result = train.get_task("compare").python_callable(*passed)
    assert result == json_values.to_json(decided)
