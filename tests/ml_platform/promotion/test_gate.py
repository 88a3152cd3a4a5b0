"""The gate on models that always say the same: which rows count, and what keeps or replaces the champion."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from ml_platform.evaluation.holdout_report import HoldoutRows
from ml_platform.evaluation.multiclass import Multiclass
from ml_platform.exceptions import RegistryError
from ml_platform.promotion import gate
from ml_platform.promotion.gate import MIN_ROWS
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.specs.holdout import HoldoutRule
from ml_platform.specs.parts import Gate
from tests.ml_platform.training.trainings import make_dataset, make_weeks

THREE = Multiclass(("0", "1", "2"))
HOURS = pd.Series(pd.date_range("2026-01-01", periods=48, freq="h", tz="UTC"))


def constant(version, dataset, prediction, rule):
    """Return a model of three classes that always predicts the same."""
    features = pd.DataFrame({"heat": np.zeros(3)})
    estimator = DummyClassifier(strategy="constant", constant=prediction).fit(features, [0, 1, 2])
    columns = {"heat": "double"}
    return LoadedModel("weeks", version, THREE, estimator, columns, dataset, rule, "", "")


@pytest.fixture
def decide_with(monkeypatch):
    """Return the decision about challenger 2 (always 0) against champion 1 (always 1) on the rows of 48 hours."""

    def meet(champion_rule, dataset=None):
        spec, rule = make_weeks(), HoldoutRule("weeks", "time", 0.2, HOURS[0])
        loaded = {"1": constant(1, dataset or spec, 1, champion_rule), "2": constant(2, spec, 0, rule)}
        for load in ("load", "load_recorded"):
            monkeypatch.setattr(gate.registry, load, lambda version: loaded[version.version])
        monkeypatch.setattr(gate.smoke_test, "check", lambda *_: None)
        features = pd.DataFrame({"heat": np.zeros(48)})
        labels = np.where(HOURS[24] > HOURS, 1, np.arange(48) % 3)  # on the first day the champion is always right
        rows = HoldoutRows(HOURS.astype(str), HOURS, features, labels, THREE, features[[]])
        expected = loaded["2"].predict(features)[0]
        champion, challenger = (SimpleNamespace(name="weeks", version=version) for version in "12")
        return gate.evaluate(challenger, champion, rows, expected, Gate()).decision

    return meet


def test_an_older_champion_sees_the_columns_that_the_challenger_does_not():
    features, town = pd.DataFrame({"heat": [1.0, 2.0]}), pd.DataFrame({"town": ["Ulm", "Kiel"]})
    rows = HoldoutRows(HOURS[:2].astype(str), HOURS[:2], features, np.array([0, 1]), THREE, town)
    assert rows.all_columns().to_dict("list") == {"heat": [1.0, 2.0], "town": ["Ulm", "Kiel"]}
    last = rows.where(np.array([False, True]))
    assert (list(last.features), last.all_columns()["town"].tolist()) == (["heat"], ["Kiel"])


def test_rows_that_the_champion_was_trained_on_do_not_count(decide_with):
    everything = decide_with(HoldoutRule("weeks", "time", 0.2, HOURS[0]))
    assert (everything.decision, everything.champion_score > everything.challenger_score) == ("kept", True)
    fewer = decide_with(HoldoutRule("weeks", "time", 0.2, HOURS[48 - 3 * MIN_ROWS]))
    assert fewer.challenger_score == fewer.champion_score


@pytest.mark.parametrize("rule", [
    HoldoutRule("weeks", "time", 0.2, HOURS[48 - 3 * MIN_ROWS + 1]),
    HoldoutRule("weeks", "time", 0.2, HOURS[47] + pd.Timedelta(1, "h")),
    HoldoutRule("weeks", "entity", 1e-9),
])  # fmt: skip
def test_with_too_few_rows_in_both_hold_outs_the_champion_stays(decide_with, rule):
    decided = decide_with(rule)
    assert decided.decision == "kept"
    assert re.search(
        rf"cannot be compared with champion 1: .*{MIN_ROWS} rows of each class .* \d are '0', ", decided.reason
    )
    assert (decided.challenger_score, decided.champion_score) == (None, None)


def test_a_champion_that_loads_but_cannot_score_stays(decide_with, monkeypatch):
    predict = LoadedModel.predict

    def failing(model, rows):
        if model.version == 1:
            raise RegistryError("weeks version 1 cannot score: Input X contains infinity")
        return predict(model, rows)

    monkeypatch.setattr(LoadedModel, "predict", failing)
    decided = decide_with(HoldoutRule("weeks", "time", 0.2, HOURS[0]))
    reason = "version 2 cannot be compared with champion 1: weeks version 1 cannot score: Input X contains infinity"
    assert (decided.decision, decided.reason) == ("kept", reason)


def test_a_champion_with_another_label_is_replaced(decide_with):
    decided = decide_with(HoldoutRule("weeks", "time", 0.2, HOURS[0]), make_dataset())
    assert decided.decision == "promoted"
    assert "cannot be used (it was trained for another label and key and event time)" in decided.reason
