"""From the gate to the alias on real servers: the record, a person in between, a kill, another champion."""

import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.promotion import steps
from ml_platform.promotion.approval import Answer
from ml_platform.promotion.history import history
from ml_platform.promotion.results import LiveVersions
from ml_platform.promotion.rollback import rollback
from ml_platform.registry import registry
from ml_platform.specs.parts import Gate
from ml_platform.storage import database, mlflow_client
from tests.ml_platform.promotion.champions import MOMENTS, aliases, killed, movements, refit, train

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server", "essentials")]

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
APPROVED, REJECTED, NO_ANSWER = Answer(True, "bob", AT), Answer(False, "bob", AT), Answer(False, None, AT)


def challenger(name, share=1.0, attempt_id=""):
    """A training by `alice` whose spec requires an approval, up to the gate; and the gate's result."""
    training_set, refitted = refit(name, share, attempt_id)
    spec = training_set.dataset.model_copy(update={"gate": Gate(approval=True)})
    training_set = replace(training_set, dataset=spec)
    return (training_set, refitted), steps.run_gate(training_set, refitted, by="alice")


def promote(training, gate_result, answer):
    return steps.promote(*training, by="alice", gate_result=gate_result, answer=answer)


def recorded_decisions(name):
    return database.fetch(
        "SELECT version, decision, champion_before, decided_by, approval, answered_by, answered_at"
        " FROM models.decisions WHERE model = $1 ORDER BY version",
        name,
    )


def text_of_card(run_id):
    with tempfile.TemporaryDirectory() as folder:
        return Path(mlflow_client.connect().download_artifacts(run_id, "gate/card.md", folder)).read_text("utf-8")


@pytest.fixture(scope="module")
def kiosk(mlflow_server, essentials):
    """A bad model, a good one that took its place, and a bad one that did not: the cards, and the last training."""
    cards = [train("kiosk", 0.0), train("kiosk")]
    late = refit("kiosk", 0.0, "late")
    return *cards, steps.promote(*late, by="alice"), late


def test_every_decision_is_recorded_with_its_figures(kiosk):
    rows = database.fetch(
        "SELECT version, decision, reason, champion_before, challenger_score, champion_score, gain_low, gain_high,"
        " rows, min_gain, confidence, training_set_sha256, run_id, decided_by FROM models.decisions"
        " WHERE model = 'kiosk' ORDER BY decision_id"
    )
    fields = ("version", "decision", "reason", "champion_before", "challenger_score", "champion_score", "gain_low",
              "gain_high", "rows", "min_gain", "confidence", "training_set_sha256", "run_id")  # fmt: skip
    assert rows == [(*(getattr(card, field) for field in fields), "alice") for card in kiosk[:3]]
    assert [row[1] for row in rows] == ["promoted", "promoted", "kept"]
    assert rows[0][5:8] == (None, None, None)
    low, high, gain = rows[1][6], rows[1][7], rows[1][4] - rows[1][5]
    assert 0 < low < gain < high


def test_the_decision_is_in_the_tags_and_on_a_card_with_charts(kiosk):
    _, good, late, _ = kiosk
    tags = registry.get_version("kiosk", good.version).tags
    assert (tags["decision"], tags["decision_reason"]) == ("promoted", good.reason)
    assert float(tags["decision_gain_low"]) == good.gain_low
    api = mlflow_client.connect()
    found = {item.path for item in api.list_artifacts(late.run_id, "gate")}
    assert found == {"gate/card.md", "gate/gain.png", "gate/scores.png"}
    with tempfile.TemporaryDirectory() as folder:
        text = Path(api.download_artifacts(late.run_id, "gate/card.md", folder)).read_text("utf-8")
    for part in ("# kiosk: kept", late.reason, f"{late.challenger_score:.4f}", "90% interval", "](gain.png)"):
        assert part in text


def test_promoting_again_is_idempotent(kiosk):
    *_, late, again = kiosk
    before = movements("kiosk"), aliases("kiosk")
    assert steps.promote(*again, by="carol") == late
    assert (movements("kiosk"), aliases("kiosk")) == before
    assert database.fetch("SELECT count(*) FROM models.decisions WHERE model = 'kiosk'") == [(3,)]


def test_until_the_approval_the_champion_stays(mlflow_server):
    train("asked", 0.0)
    training, passed = challenger("asked")
    assert (aliases("asked"), len(movements("asked")), len(recorded_decisions("asked"))) == (
        LiveVersions(1, None), 1, 1,
    )  # fmt: skip
    run_id = training[1].run_id
    assert "# asked: waits for approval" in text_of_card(run_id)
    assert passed.subject == "asked: may version 2 go live?"
    assert f"runs/{run_id}" in passed.body

    card = promote(training, passed, APPROVED)
    assert (card.promoted, aliases("asked")) == (True, LiveVersions(2, 1))
    assert recorded_decisions("asked")[1] == (2, "promoted", 1, "alice", "approved", "bob", AT)
    last = history("asked")[-1]
    assert (last.version, last.moved_by, last.approved_by, last.approved_at) == (2, "alice", "bob", AT)
    text = text_of_card(run_id)
    for part in ("# asked: promoted", "approved by bob", "](scores.png)", "](gain.png)"):
        assert part in text
    assert steps.run_gate(*training, by="alice") is None  # cleared, it asks nobody again
    assert promote(training, passed, REJECTED) == card
    assert len(movements("asked")) == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (REJECTED, "rejected by bob"),
        pytest.param(NO_ANSWER, "no answer within 3d", marks=pytest.mark.prove),
    ],
)
def test_without_an_approval_the_champion_stays(mlflow_server, answer, reason):
    name = "a_" + reason.replace(" ", "_")
    train(name, 0.0)
    training, passed = challenger(name)
    card = promote(training, passed, answer)
    assert (card.decision, card.promoted, aliases(name).champion) == ("kept", False, 1)
    assert card.reason.startswith(f"{reason}, though version 2 is better")
    assert recorded_decisions(name)[1] == (2, "kept", 1, "alice", answer.outcome, answer.by, AT)
    assert steps.run_gate(*training, by="alice") is None
    assert promote(training, passed, APPROVED) == card  # an answer is final
    assert rollback(name, reason="it is good after all", by="bob", to=2).champion == 2


def test_nobody_is_asked_about_a_challenger_that_lost(mlflow_server):
    train("lost")
    training, passed = challenger("lost", 0.0)
    assert passed is None
    assert recorded_decisions("lost")[1] == (2, "kept", 1, "alice", None, None, None)
    assert "# lost: kept" in text_of_card(training[1].run_id)
    assert registry.get_version("lost", 2).tags["decision"] == "kept"
    assert mlflow_client.connect().get_run(training[1].run_id).data.tags["decision"] == "kept"


def test_nothing_goes_live_without_asking(mlflow_server):
    training, passed = challenger("unasked")
    for given in (passed, None):
        with pytest.raises(ConfigurationError, match=r"gate\.approval"):
            promote(training, given, None)
    assert (aliases("unasked").champion, recorded_decisions("unasked")) == (None, [])


@pytest.mark.prove
def test_with_another_champion_it_is_evaluated_again(mlflow_server):
    train("meanwhile", 0.0)
    first, second = challenger("meanwhile"), challenger("meanwhile", attempt_id="again")
    third = challenger("meanwhile", attempt_id="third")
    assert [passed.decision.champion_before for _, passed in (first, second, third)] == [1, 1, 1]
    assert promote(*first, APPROVED).promoted
    late = promote(*second, APPROVED)
    assert (late.decision, late.champion_before) == ("kept", 2)  # as good as the champion of now
    assert promote(*third, REJECTED).reason.startswith("rejected by bob")
    assert [row[1:] for row in recorded_decisions("meanwhile")[2:]] == [
        ("kept", 2, "alice", "approved", "bob", AT),
        ("kept", 1, "alice", "rejected", "bob", AT),
    ]
    rollback("meanwhile", reason="too many alarms", by="carol")
    assert aliases("meanwhile") == LiveVersions(1, 2)
    fourth, passed = challenger("meanwhile", attempt_id="fourth")
    rollback("meanwhile", reason="it was not the model", by="carol")
    assert promote(fourth, passed, APPROVED).champion_before == 2


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_answer_survives_a_kill(mlflow_server, monkeypatch, moment):
    name = "answered_" + moment.replace(" ", "_")
    train(name, 0.0)
    training, passed = challenger(name)
    with killed(monkeypatch, moment):
        promote(training, passed, APPROVED)
    assert promote(training, passed, APPROVED).promoted
    assert (aliases(name), len(movements(name))) == (LiveVersions(2, 1), 2)
    assert recorded_decisions(name)[1] == (2, "promoted", 1, "alice", "approved", "bob", AT)
    assert history(name)[-1].approved_by == "bob"


def test_gate_and_promotion_are_two_steps_without_an_approval_too(mlflow_server):
    training = refit("plain")
    passed = steps.run_gate(*training, by="alice")
    assert aliases("plain").champion is None
    assert steps.promote(*training, by="alice", gate_result=passed).promoted
    assert (aliases("plain").champion, recorded_decisions("plain")[0][4:]) == (1, (None, None, None))
