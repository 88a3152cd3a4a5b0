"""How the monitor starts a training, and what a training does that was started so."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.execution_time.context import OutletEventAccessors, set_current_context

from ml_platform.airflow import retrainings, wiring
from ml_platform.monitoring import retraining
from ml_platform.monitoring.retraining import Decision
from ml_platform.promotion import decisions
from ml_platform.promotion.decision import Decision as GateDecision
from ml_platform.promotion.results import GateResult
from ml_platform.specs.catalog import dataset
from ml_platform.specs.monitoring import Monitor
from ml_platform.specs.parts import Gate

AUTO = dataset("auto")
RETRAINED = AUTO.model_copy(update={"monitor": Monitor(on_drift="retrain")})
ASKING = AUTO.model_copy(update={"monitor": Monitor(on_drift="retrain_with_approval")})
END = datetime(2026, 6, 1, tzinfo=UTC)
BEGAN = Decision("drift", 3, True, "drift; 40 rows")


def started(runs: int = 0, *, is_dry: bool = False) -> tuple[str, Any]:
    """Run the task of the monitor, while so many trainings are running; return its result and the event."""
    outlets = OutletEventAccessors()
    context = {
        "params": {"dry_run": is_dry}, "outlet_events": outlets, "ti": SimpleNamespace(get_dr_count=lambda **_: runs),
        "dag_run": SimpleNamespace(run_after=END, triggering_user_name=None, dag_id="monitor_auto", conf=None),
    }  # fmt: skip
    with set_current_context(context):
        return retrainings.start(RETRAINED), outlets[retrainings.retraining(RETRAINED)].extra


@pytest.mark.parametrize("runs", [0, 1])
def test_the_event_says_why_a_training_begins(monkeypatch, runs) -> None:
    def decide(spec, end, *, is_training, by):
        assert (spec.name, end, is_training, by) == ("auto", END, bool(runs), "monitor_auto")
        return BEGAN

    monkeypatch.setattr(retraining, "decide", decide)
    reason, extra = started(runs)
    assert reason == extra["reason"] == "drift; 40 rows"
    assert (extra["model_version"], extra["is_first"]) == (3, False)


def test_without_a_retraining_and_in_a_dry_run_the_task_is_skipped(monkeypatch) -> None:
    monkeypatch.setattr(retraining, "decide", lambda *_, **__: Decision("drift", 3, False, "the cool-down lasts"))
    with pytest.raises(AirflowSkipException, match=r"No retraining begins: the cool-down lasts\."):
        started()
    with pytest.raises(AirflowSkipException, match="dry run"):
        started(is_dry=True)


def test_either_each_load_or_the_monitor_starts_trainings() -> None:
    assert retrainings.starts_training(AUTO) == wiring.training_data(AUTO)
    assert retrainings.starts_training(RETRAINED) == retrainings.retraining(AUTO)
    assert "ingest_auto" in retrainings.starts_when(AUTO)
    assert "monitor_auto" in retrainings.starts_when(RETRAINED)


def run_of(spec, *, by_monitor: bool, is_first: bool = False):
    """The context of a training of a data set."""
    event = SimpleNamespace(extra={"reason": "drift; 40 rows", "is_first": is_first})
    events = {retrainings.retraining(spec): [event]} if by_monitor else {}
    return set_current_context({"triggering_asset_events": events})


@pytest.mark.parametrize(
    ("spec", "by_monitor", "is_first", "asks"),
    [
        (RETRAINED, True, False, False),
        (ASKING, True, False, True),
        (ASKING, True, True, False),  # there is no champion to replace
        (ASKING, False, False, False),  # by hand
        (ASKING.model_copy(update={"gate": Gate(approval=True)}), False, False, True),
    ],
)
def test_a_person_is_asked_before_a_retraining_replaces_a_champion(spec, by_monitor, is_first, asks) -> None:
    with run_of(spec, by_monitor=by_monitor, is_first=is_first):
        assert retrainings.needs_approval(spec) is retrainings.of_run(spec).gate.approval is asks
    assert retrainings.can_ask(spec) is (spec is not RETRAINED)


def test_the_question_says_why_it_was_trained_again() -> None:
    result = GateResult(GateDecision("promoted", "better", 4), "May it?", "| figures |")
    with run_of(ASKING, by_monitor=True):
        told = retrainings.with_reason(ASKING, result)
        assert told is not None
        assert told.body == "**Why it was retrained**: drift; 40 rows.\n\n| figures |"
        assert retrainings.with_reason(ASKING, None) is None
    with run_of(ASKING, by_monitor=False):
        assert retrainings.with_reason(ASKING, result) is result


def test_a_retraining_on_a_known_training_set_ends_at_once_and_another_training_does_not(monkeypatch) -> None:
    known = SimpleNamespace(dataset="auto", sha256="0f")
    monkeypatch.setattr(decisions, "version_trained_on", lambda name, sha256: {("auto", "0f"): 3}.get((name, sha256)))
    freeze = retrainings.skipped_if_known(RETRAINED)(lambda: known)
    with run_of(RETRAINED, by_monitor=True), pytest.raises(AirflowSkipException, match="that of version 3"):
        freeze()
    with run_of(RETRAINED, by_monitor=False):
        assert freeze() is known
    assert retrainings.skipped_if_known(AUTO)(lambda: known)() is known  # asks nothing of Airflow
