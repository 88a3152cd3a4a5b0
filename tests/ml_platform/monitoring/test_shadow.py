"""A winner of the gate in shadow: what ends it, without servers; and on real servers until it goes live."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from ml_platform.exceptions import RegistryError
from ml_platform.monitoring import shadow, shadow_records, shadow_scoring
from ml_platform.monitoring.shadow_records import Shadow
from ml_platform.promotion import steps as promotion_steps
from ml_platform.promotion.decision import Decision
from ml_platform.promotion.results import GateResult
from ml_platform.registry import registry
from ml_platform.specs.shadow import Shadow as Rule
from ml_platform.storage.database import fetch
from tests.ml_platform.ingestion.upload_cases import new_name
from tests.ml_platform.monitoring.test_performance_check import customers, score, tell
from tests.ml_platform.promotion.champions import refit, train
from tests.ml_platform.training.trainings import essentials, make_dataset

WON = Decision("promoted", "version 2 is better", 2, 1, 0.0, 0.9, 200, 0.7, 0.6, 0.01, 0.2)
TRIED = Shadow(1, 2, 1, datetime(2026, 6, 1, tzinfo=UTC), None)
VERSION: Any = SimpleNamespace(name="shop", version="2", run_id="r")


@pytest.mark.parametrize(
    ("tried", "live", "verdict", "reason"),
    [
        (None, 1, "kept", "another version was in shadow when version 2 had won the gate"),
        (replace(TRIED, problem="no column age"), 1, "refused", "version 2 was dropped in shadow: no column age"),
        (TRIED, 3, "kept", "version 3 became live while version 2 was in shadow"),
    ],
)
def test_what_ends_a_shadow_without_a_comparison(monkeypatch, tried, live, verdict, reason) -> None:
    monkeypatch.setattr(registry, "live_version", lambda _: SimpleNamespace(version=str(live)))
    decision = shadow._decide(make_dataset(), VERSION, tried, WON)
    assert (decision.decision, decision.reason) == (verdict, reason)


def test_without_a_champion_that_can_score_nothing_is_tried_in_shadow() -> None:
    first = GateResult(Decision("promoted", "the first", 1), "", "")
    assert not shadow.is_needed(first)
    assert shadow.look(make_dataset(), Rule(), SimpleNamespace(), first)  # type: ignore[arg-type]
    assert shadow.compare(SimpleNamespace(), SimpleNamespace(), first, by="ann") is first  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def won(mlflow_server: Any) -> Any:
    """A weak champion, and a challenger that has won the gate: training set, challenger, result of the gate."""
    with essentials():
        assert train("shadow_shop", share=0.1).promoted
        training_set, challenger = refit("shadow_shop", attempt_id="second")
        result = promotion_steps.run_gate(training_set, challenger, by="ann")
    assert result is not None
    return training_set, challenger, result


@pytest.mark.servers
def test_a_challenger_scores_the_files_of_the_champion_and_goes_live_when_the_truth_says_so(won, monkeypatch) -> None:
    training_set, challenger, result = won
    dataset, rule = training_set.dataset, Rule(rows=400)

    def look() -> bool:
        return shadow.look(dataset, rule, challenger, result)

    rows = customers(100_000, 600, seed=7)
    score(dataset, rows.head(50))  # before the shadow
    assert not look()
    assert registry.alias_number(dataset.name, "shadow") == challenger.version
    score(dataset, rows)
    assert not look()
    logged = "SELECT count(*), count(DISTINCT model_version), max(model_version) FROM predictions.{} WHERE model = $1"
    assert fetch(logged.format("shadow"), dataset.name) == [(600, 1, challenger.version)]
    assert fetch(logged.format("log"), dataset.name) == [(650, 1, 1)]  # no result has its predictions

    tell(dataset, rows)
    monkeypatch.setattr(registry, "load", lambda _: pytest.fail("nothing is new, so no model is loaded"))
    assert look()
    monkeypatch.undo()
    approved = shadow.compare(training_set, challenger, result, by="ann")
    assert approved is not None
    assert approved.decision.is_promoted
    assert approved.decision.rows == 600
    assert approved.decision.reason.startswith("in shadow, version 2 is better")
    assert approved.decision.reason in approved.body
    assert registry.alias_number(dataset.name, "shadow") is None
    with essentials():
        assert promotion_steps.promote(training_set, challenger, by="ann", gate_result=approved).promoted
    assert fetch("SELECT reason FROM models.decisions WHERE model = $1 AND version = 2", dataset.name) == [
        (approved.decision.reason,)
    ]


@pytest.mark.servers
@pytest.mark.prove
def test_without_any_truth_in_time_the_champion_stays_and_that_is_on_record(won) -> None:
    with essentials():
        training_set, challenger = refit("shadow_shop", attempt_id="third")
    dataset, live = training_set.dataset, registry.alias_number("shadow_shop")
    result = GateResult(replace(WON, version=challenger.version, champion_before=live), "May it?", "")
    rule = Rule(within="1s")
    assert not shadow.look(dataset, rule, challenger, result)
    fetch("UPDATE models.shadows SET began_at = now() - interval '2 s' WHERE model = $1 RETURNING 1", dataset.name)
    assert shadow.look(dataset, rule, challenger, result)
    for _ in range(2):  # a task that is run again records nothing twice
        assert shadow.compare(training_set, challenger, result, by="ann") is None
    assert fetch(
        "SELECT decision, reason LIKE 'in shadow, %: no truth has come about rows that both have scored', decided_by"
        " FROM models.decisions WHERE model = $1 AND version = $2::int",
        *(dataset.name, challenger.version),
    ) == [("kept", True, "ann")]
    assert registry.alias_number(dataset.name) == live
    assert shadow_records.current(dataset.name) is None


@pytest.mark.servers
def test_a_challenger_that_cannot_score_is_dropped_and_there_is_one_at_a_time(servers, monkeypatch) -> None:
    name, kept, aliases = new_name(), [], []
    dataset, challenger = make_dataset(name), SimpleNamespace(name=name, version=2)
    version: Any = SimpleNamespace(name=name, version="2", run_id="r")
    monkeypatch.setattr(registry, "get_version", lambda *_: version)
    monkeypatch.setattr(registry, "live_version", lambda _: SimpleNamespace(version="1"))
    monkeypatch.setattr(registry, "set_alias", lambda *alias: aliases.append(alias))
    monkeypatch.setattr(registry, "remove_alias", lambda *alias: aliases.append(alias))
    monkeypatch.setattr(promotion_steps, "keep", lambda *args, by: kept.append(args[2]))

    def look() -> bool:
        return shadow.look(dataset, Rule(), challenger, GateResult(WON, "May it?", ""))  # type: ignore[arg-type]

    def fail(*_: Any) -> int:
        raise RegistryError("version 2 cannot score: no memory")

    assert not look()
    later: Any = SimpleNamespace(name=name, version="3", run_id="s")
    assert shadow_records.begin(later, 1, timedelta(days=1)) is None
    monkeypatch.setattr(shadow_scoring, "score_new", fail)
    assert look()
    assert look()
    training_set: Any = SimpleNamespace(dataset=dataset)
    assert shadow.compare(training_set, challenger, GateResult(WON, "", ""), by="ann") is None  # type: ignore[arg-type]
    assert [(one.decision, one.reason) for one in kept] == [
        ("refused", "version 2 was dropped in shadow: version 2 cannot score: no memory")
    ]
    assert (aliases[0], aliases[-1]) == ((name, "shadow", 2), (name, "shadow"))
    assert shadow_records.current(name) is None
    assert shadow_records.begin(later, 1, timedelta(days=1)) is not None
