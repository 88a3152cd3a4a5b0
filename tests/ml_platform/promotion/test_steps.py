"""From judgement to alias, with a person in between, on real servers: yes, no, no answer, a kill, another champion."""

import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.promotion import smoke_test, steps
from ml_platform.promotion.approval import Answer
from ml_platform.promotion.history import history
from ml_platform.promotion.results import LiveVersions
from ml_platform.promotion.rollback import rollback
from ml_platform.registry import registry
from ml_platform.specs.parts import Gate
from ml_platform.storage import database, mlflow_client
from tests.ml_platform.promotion.test_alias_log import aliases, dying, moves, refitted, train

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
YES, NO, SILENCE = Answer(True, "bob", AT), Answer(False, "bob", AT), Answer(False, None, AT)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    """Spare the fresh process, which takes its time."""
    monkeypatch.setattr(smoke_test, "check", lambda *_: None)


def challenger(name, share=1.0, attempt_id=""):
    """A training whose spec asks for an approval, up to the gate, which `alice` started; and the gate's result."""
    training_set, found = refitted(name, share, attempt_id)
    spec = training_set.dataset.model_copy(update={"gate": Gate(approval=True)})
    asking = replace(training_set, dataset=spec)
    return (asking, found), steps.run_gate(asking, found, by="alice")


def promote(training, passed, answer):
    return steps.promote(*training, by="alice", passed=passed, answer=answer)


def record(name):
    return database.fetch(
        "SELECT version, decision, champion_before, decided_by, approval, answered_by, answered_at"
        " FROM models.decisions WHERE model = $1 ORDER BY version",
        name,
    )


def text_of_card(run_id):
    with tempfile.TemporaryDirectory() as folder:
        return Path(mlflow_client.connect().download_artifacts(run_id, "gate/card.md", folder)).read_text("utf-8")


def test_until_it_is_approved_the_old_one_is_live(mlflow_server):
    train("asked", 0.0)
    training, passed = challenger("asked")
    assert (aliases("asked"), len(moves("asked")), len(record("asked"))) == (
        LiveVersions(1, None), 1, 1,
    )  # fmt: skip
    run_id = training[1].run_id
    assert "# asked: waits for approval" in text_of_card(run_id)
    assert passed.subject == "asked: may version 2 go live?"
    assert f"runs/{run_id}" in passed.body

    card = promote(training, passed, YES)
    assert (card.promoted, aliases("asked")) == (True, LiveVersions(2, 1))
    assert record("asked")[1] == (2, "promoted", 1, "alice", "approved", "bob", AT)
    last = history("asked")[-1]
    assert (last.version, last.moved_by, last.approved_by, last.approved_at) == (2, "alice", "bob", AT)
    told = text_of_card(run_id)
    for part in ("# asked: promoted", "approved by bob", "](f1.png)", "](gain.png)"):
        assert part in told
    assert steps.run_gate(*training, by="alice") is None  # cleared, it asks nobody again
    assert promote(training, passed, NO) == card
    assert len(moves("asked")) == 2


@pytest.mark.parametrize(("answer", "said"), [(NO, "rejected by bob"), (SILENCE, "no answer within 3d")])
def test_without_a_yes_the_old_one_stays(mlflow_server, answer, said):
    name = "a_" + said.replace(" ", "_")
    train(name, 0.0)
    training, passed = challenger(name)
    card = promote(training, passed, answer)
    assert (card.decision, card.promoted, aliases(name).champion) == ("kept", False, 1)
    assert card.reason.startswith(f"{said}, though version 2 is better")
    assert record(name)[1] == (2, "kept", 1, "alice", answer.said, answer.by, AT)
    assert steps.run_gate(*training, by="alice") is None
    assert promote(training, passed, YES) == card  # an answer is final
    assert rollback(name, reason="it is good after all", by="bob", to=2).champion == 2


def test_who_has_lost_is_not_asked_about(mlflow_server):
    train("lost")
    training, passed = challenger("lost", 0.0)
    assert passed is None
    assert record("lost")[1] == (2, "kept", 1, "alice", None, None, None)
    assert "# lost: kept" in text_of_card(training[1].run_id)
    assert registry.get_version("lost", 2).tags["decision"] == "kept"
    assert mlflow_client.connect().get_run(training[1].run_id).data.tags["decision"] == "kept"


def test_nothing_goes_live_unasked(mlflow_server):
    training, passed = challenger("unasked")
    for given in (passed, None):
        with pytest.raises(ConfigurationError, match=r"gate\.approval"):
            promote(training, given, None)
    assert (aliases("unasked").champion, record("unasked")) == (None, [])


def test_if_another_went_live_meanwhile_it_is_judged_again(mlflow_server):
    train("meanwhile", 0.0)
    first, second = challenger("meanwhile"), challenger("meanwhile", attempt_id="again")
    third = challenger("meanwhile", attempt_id="third")
    assert [passed.decision.champion_before for _, passed in (first, second, third)] == [1, 1, 1]
    assert promote(*first, YES).promoted
    late = promote(*second, YES)
    assert (late.decision, late.champion_before) == ("kept", 2)  # as good as the champion of now
    assert promote(*third, NO).reason.startswith("rejected by bob")
    assert [row[1:] for row in record("meanwhile")[2:]] == [
        ("kept", 2, "alice", "approved", "bob", AT),
        ("kept", 1, "alice", "rejected", "bob", AT),
    ]
    rollback("meanwhile", reason="too many alarms", by="carol")
    assert aliases("meanwhile") == LiveVersions(1, 2)
    fourth, passed = challenger("meanwhile", attempt_id="fourth")
    rollback("meanwhile", reason="it was not the model", by="carol")
    assert promote(fourth, passed, YES).champion_before == 2


@pytest.mark.parametrize("moment", ["before the alias", "after the alias"])
def test_the_answer_survives_a_kill(mlflow_server, monkeypatch, moment):
    name = "answered_" + moment.replace(" ", "_")
    train(name, 0.0)
    training, passed = challenger(name)
    with dying(monkeypatch, moment):
        promote(training, passed, YES)
    assert promote(training, passed, YES).promoted
    assert (aliases(name), len(moves(name))) == (LiveVersions(2, 1), 2)
    assert record(name)[1] == (2, "promoted", 1, "alice", "approved", "bob", AT)
    assert history(name)[-1].approved_by == "bob"


def test_without_an_approval_gate_and_alias_are_two_steps_too(mlflow_server):
    training = refitted("plain")
    passed = steps.run_gate(*training, by="alice")
    assert aliases("plain").champion is None
    assert steps.promote(*training, by="alice", passed=passed).promoted
    assert (aliases("plain").champion, record("plain")[0][4:]) == (1, (None, None, None))
