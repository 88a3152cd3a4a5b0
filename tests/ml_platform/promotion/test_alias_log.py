"""What goes live, on real servers: decisions, movements, history and rollback, also of who was killed in between."""

import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep

import numpy as np
import pytest
from typer.testing import CliRunner

from ml_platform.commands.main import app
from ml_platform.exceptions import RegistryError, ServiceError
from ml_platform.promotion import alias_log, gate, smoke_test
from ml_platform.promotion import steps as promotion_steps
from ml_platform.promotion.history import history
from ml_platform.promotion.results import LiveVersions
from ml_platform.promotion.rollback import rollback
from ml_platform.registry import registry
from ml_platform.specs.holdout import holdout_by_entity
from ml_platform.storage import database, mlflow_client
from ml_platform.training import steps
from tests.ml_platform.training.trainings import make_dataset, make_frame, make_training_set, searched_with

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]

ONE = {"logistic_regression": {"C": [1.0]}}


def refitted(name, share=1.0, attempt_id=""):
    """Register a version that was misled in the other part of its rows; the hold-out is always the same."""
    frame, random = make_frame(2000), np.random.default_rng(0)
    misled = ~holdout_by_entity(frame["id"], name, 0.2) & (random.random(len(frame)) > share)
    frame.loc[misled, "buys"] = random.permutation(frame.loc[misled, "buys"])
    training_set = make_training_set(make_dataset(name, ONE), frame)
    return training_set, steps.refit(training_set, searched_with(training_set, attempt_id=attempt_id))


def train(name, share=1.0, attempt_id=""):
    return promotion_steps.promote(*refitted(name, share, attempt_id), by="alice")


def aliases(name):
    found = [registry.alias_version(name, alias) for alias in ("champion", "previous")]
    return LiveVersions(*(version and int(version.version) for version in found))


def moves(name):
    return database.fetch(
        "SELECT from_version, to_version, moved_by, why, is_done FROM models.movements WHERE model = $1"
        " ORDER BY movement_id",
        name,
    )


def roll_back(name, **asked):
    return rollback(name, reason="it was worse", by="bob", **asked)


@pytest.fixture(scope="module")
def kiosk(mlflow_server):
    """A bad model, a good one that took its place, and a bad one that did not; the cards, and the last training."""
    cards = [train("kiosk", 0.0), train("kiosk")]
    late = refitted("kiosk", 0.0, "late")
    return *cards, promotion_steps.promote(*late, by="alice"), late


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    """Spare the fresh process, which takes its time; the trainings of `kiosk` have it."""
    monkeypatch.setattr(smoke_test, "check", lambda *_: None)


def test_every_decision_is_on_record_with_its_figures(kiosk):
    rows = database.fetch(
        "SELECT version, decision, reason, champion_before, challenger_f1, champion_f1, gain_low, gain_high, rows,"
        " min_gain, confidence, training_set_sha256, run_id, decided_by FROM models.decisions WHERE model = 'kiosk'"
        " ORDER BY decision_id"
    )
    fields = ("version", "decision", "reason", "champion_before", "challenger_f1", "champion_f1", "gain_low",
              "gain_high", "rows", "min_gain", "confidence", "training_set_sha256", "run_id")  # fmt: skip
    assert rows == [(*(getattr(card, field) for field in fields), "alice") for card in kiosk[:3]]
    assert [row[1] for row in rows] == ["promoted", "promoted", "kept"]
    assert rows[0][5:8] == (None, None, None)
    low, high, gain = rows[1][6], rows[1][7], rows[1][4] - rows[1][5]
    assert 0 < low < gain < high


def test_tags_and_a_card_with_pictures_tell_it_too(kiosk):
    _, good, late, _ = kiosk
    tags = registry.get_version("kiosk", good.version).tags
    assert (tags["decision"], tags["decision_reason"]) == ("promoted", good.reason)
    assert float(tags["decision_gain_low"]) == good.gain_low
    api = mlflow_client.connect()
    found = {item.path for item in api.list_artifacts(late.run_id, "gate")}
    assert found == {"gate/card.md", "gate/f1.png", "gate/gain.png"}
    with tempfile.TemporaryDirectory() as folder:
        text = Path(api.download_artifacts(late.run_id, "gate/card.md", folder)).read_text("utf-8")
    for part in ("# kiosk: kept", late.reason, f"{late.challenger_f1:.4f}", "90% interval", "](gain.png)"):
        assert part in text


def test_decided_twice_it_is_the_same_world(kiosk):
    *_, late, again = kiosk
    before = moves("kiosk"), aliases("kiosk")
    assert promotion_steps.promote(*again, by="carol") == late
    assert (moves("kiosk"), aliases("kiosk")) == before
    assert database.fetch("SELECT count(*) FROM models.decisions WHERE model = 'kiosk'") == [(3,)]


def test_back_and_forth_the_predictions_are_the_same_bytes(kiosk):
    bad, good, *_ = kiosk
    features = make_frame()
    before = registry.load(registry.get_version("kiosk", bad.version)).predict(features)[0].tobytes()
    now = registry.load_champion("kiosk").predict(features)[0].tobytes()
    assert roll_back("kiosk") == LiveVersions(bad.version, good.version)
    assert registry.load_champion("kiosk").predict(features)[0].tobytes() == before
    assert roll_back("kiosk", to=good.version) == LiveVersions(good.version, bad.version)
    assert registry.load_champion("kiosk").predict(features)[0].tobytes() == now != before
    count = len(moves("kiosk"))
    assert roll_back("kiosk", to=good.version) == LiveVersions(good.version, bad.version)
    assert len(moves("kiosk")) == count  # it was live already


def test_the_history_says_what_was_live_at_any_time(kiosk):
    bad, good, late, _ = kiosk
    periods = history("kiosk")
    assert [(one.version, one.why) for one in periods[:2]] == [(bad.version, "gate"), (good.version, "gate")]
    assert [one.valid_to for one in periods] == [one.valid_from for one in periods[1:]] + [None]
    assert periods[1].training_set_sha256 == good.training_set_sha256
    assert (periods[1].moved_by, periods[1].reason) == ("alice", good.reason)
    for one in periods:
        assert history("kiosk", one.valid_from) == [one]
    assert history("kiosk", periods[0].valid_from - timedelta(seconds=1)) == []
    assert history("kiosk", datetime.now(UTC) + timedelta(hours=1)) == periods[-1:]
    assert late.version not in [one.version for one in periods]


def test_a_repeated_request_moves_nothing_twice(mlflow_server):
    first, second = train("repeat", 0.0), train("repeat")
    for _ in range(2):
        assert roll_back("repeat", request="run 1") == LiveVersions(first.version, second.version)
    assert roll_back("repeat", request="run 2") == LiveVersions(second.version, first.version)
    assert [move[3] for move in moves("repeat")] == ["gate", "gate", "rollback", "rollback"]


class KilledError(Exception):
    """Stands for the kill of a process."""


def killed(*_, **__):
    raise KilledError


def set_alias_and_die(name, alias, version):
    mlflow_client.connect().set_registered_model_alias(name, alias, str(version))
    raise KilledError


@contextmanager
def dying(monkeypatch, moment):
    """Let the process inside die before or after the alias moves."""
    with monkeypatch.context() as patch:
        patch.setattr(registry, "set_alias", killed if moment == "before the alias" else set_alias_and_die)
        with pytest.raises(KilledError):
            yield


@pytest.mark.parametrize("moment", ["before the alias", "after the alias"])
def test_a_killed_gate_is_made_good(mlflow_server, monkeypatch, moment):
    name = "killed_" + moment.replace(" ", "_")
    first = train(name, 0.0)
    challenger = refitted(name)
    with dying(monkeypatch, moment):
        promotion_steps.promote(*challenger, by="alice")
    assert moves(name)[-1] == (first.version, 2, "alice", "gate", False)
    card = promotion_steps.promote(*challenger, by="alice")
    assert card.promoted
    assert aliases(name) == LiveVersions(2, first.version)
    assert moves(name) == [(None, 1, "alice", "gate", True), (1, 2, "alice", "gate", True)]
    assert database.fetch("SELECT count(*) FROM models.decisions WHERE model = $1", name) == [(2,)]


@pytest.mark.parametrize("moment", ["before the alias", "after the alias"])
def test_a_killed_rollback_is_made_good(mlflow_server, monkeypatch, moment):
    name = "undone_" + moment.replace(" ", "_")
    train(name, 0.0)
    train(name)
    with dying(monkeypatch, moment):
        roll_back(name, request="run 1")
    assert roll_back(name, request="run 1") == LiveVersions(1, 2)
    assert moves(name)[-1] == (2, 1, "bob", "rollback", True)
    assert len(moves(name)) == 3


def test_a_rollback_is_not_undone_by_a_gate_that_was_killed_after_the_move(mlflow_server, monkeypatch):
    train("restart", 0.0)
    challenger = refitted("restart")
    with dying(monkeypatch, "after the alias"):
        promotion_steps.promote(*challenger, by="alice")
    assert roll_back("restart") == LiveVersions(1, 2)
    assert promotion_steps.promote(*challenger, by="alice").promoted  # what it decided, not what it did
    assert aliases("restart") == LiveVersions(1, 2)


def test_a_move_by_hand_is_noticed(mlflow_server):
    train("hand", 0.0)
    train("hand")
    registry.set_alias("hand", "champion", 1)
    last = history("hand")[-1]
    assert (last.version, last.version_before, last.moved_by, last.why) == (1, 2, "unknown", "by hand")
    assert aliases("hand") == LiveVersions(1, 2)
    mlflow_client.connect().delete_registered_model_alias("hand", "champion")
    assert history("hand")[-1].version is None
    assert roll_back("hand") == LiveVersions(1, 1)
    mlflow_client.connect().delete_model_version("hand", "1")
    assert history("hand")[-1].version is None


def by_hand(monkeypatch, module, function, name, version):
    """Let somebody move the alias in MLflow just after a function has done its work."""
    work = getattr(module, function)

    def worked(*given):
        done = work(*given)
        registry.set_alias(name, "champion", version)
        return done

    monkeypatch.setattr(module, function, worked)


def test_who_moves_the_alias_by_hand_at_the_same_moment_is_not_overrun(mlflow_server, monkeypatch):
    train("crowded", 0.0)
    challenger = refitted("crowded")
    with monkeypatch.context() as patch:
        by_hand(patch, gate, "evaluate", "crowded", 2)
        with pytest.raises(ServiceError, match="crowded: version 2 went live meanwhile, not 1; nothing has moved"):
            promotion_steps.promote(*challenger, by="alice")
    assert aliases("crowded") == LiveVersions(2, None)
    assert database.fetch("SELECT count(*) FROM models.decisions WHERE model = 'crowded'") == [(1,)]
    with monkeypatch.context() as patch:
        by_hand(patch, registry, "load", "crowded", 1)
        with pytest.raises(ServiceError, match="crowded: version 1 went live meanwhile, not 2; nothing has moved"):
            roll_back("crowded", to=1)
    alias_log.reconcile("crowded")
    assert [(before, after, why) for before, after, _, why, _ in moves("crowded")] == [
        *((None, 1, "gate"), (1, 2, "by hand"), (2, 1, "by hand")),
    ]
    assert aliases("crowded") == LiveVersions(1, 2)


def test_a_movement_that_was_struck_out_is_not_done(mlflow_server):
    train("struck", 0.0)
    with pytest.raises(ServiceError, match="struck: the move to version 1 is not written down any more"):
        alias_log.apply(alias_log.AliasChange("struck", None, 1, "bob", "rollback", "it was worse"))


def test_a_model_that_was_deleted_and_trained_anew_begins_anew(mlflow_server):
    train("anew")
    mlflow_client.connect().delete_registered_model("anew")
    card = train("anew", attempt_id="again")
    assert (card.version, card.promoted, card.champion_before) == (1, True, None)
    assert [one.why for one in history("anew")] == ["gate", "by hand", "gate"]


@pytest.mark.parametrize(
    ("asked", "text"),
    [({"to": 99}, "no version 99"), ({}, "no previous champion"), ({"reason": " "}, "needs a reason")],
)
def test_a_rollback_into_nothing_moves_nothing(mlflow_server, asked, text):
    if registry.alias_version("only", "champion") is None:
        train("only")
    before = moves("only"), aliases("only")
    with pytest.raises(RegistryError, match=text):
        rollback("only", **{"reason": "it was worse", "by": "bob"} | asked)
    assert (moves("only"), aliases("only")) == before


def test_the_program_shows_the_history_and_rolls_back(mlflow_server):
    train("shell", 0.0)
    train("shell")
    run = CliRunner()
    done = run.invoke(app, ["models", "rollback", "shell", "--reason", "too many alarms"])
    assert (done.exit_code, done.stdout) == (0, "shell: version 1 is live, 2 is the previous champion\n")
    shown = run.invoke(app, ["models", "history", "shell"])
    assert shown.exit_code == 0
    assert [line.split()[0] for line in shown.stdout.splitlines()] == ["version", "1", "2", "1"]
    assert "too many alarms" in shown.stdout
    sleep(1)
    now = datetime.now().astimezone().strftime("%Y-%m-%dT%H:%M:%S")
    assert len(run.invoke(app, ["models", "history", "shell", "--at", now]).stdout.splitlines()) == 2
    assert run.invoke(app, ["models", "history", "shell", "--at", "2020-01-01"]).exit_code == 1
    refused = run.invoke(app, ["models", "rollback", "shell", "--reason", "x", "--to", "9"])
    assert (refused.exit_code, refused.stderr) == (1, "shell: there is no version 9\n")
