import math
import re
from types import SimpleNamespace

import hypothesis
import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier

from ml_platform.exceptions import RegistryError
from ml_platform.promotion import gate
from ml_platform.promotion.gate import MIN_ROWS, Decision, Holdout, decide
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.specs.holdout import HoldoutRule
from ml_platform.specs.parts import Gate
from tests.ml_platform.training.trainings import make_dataset, make_weeks


def facts(ours, theirs=None, champion=3, low=None, high=None, min_gain=0.0):
    return Decision("refused", "", 4, champion, min_gain, 0.9, 200, ours, theirs, low, high)


@pytest.mark.parametrize(
    ("given", "decision", "text"),
    [
        (facts(0.6, 0.5, low=0.02, high=0.2), "promoted", "better: F1 0.6000 against 0.5000 of champion 3 on the same"),
        (facts(0.6, 0.5, low=0.02, high=0.2), "promoted", r"a gain of \+0.0200 to \+0.2000 at 90% confidence"),
        (facts(0.6, 0.5, low=-0.01, high=0.2), "kept", "may be better by chance"),
        (facts(0.6, 0.5, low=0.0, high=0.2), "kept", "may be better by chance"),
        (facts(0.6, 0.5, low=math.nan, high=math.nan), "kept", "may be better by chance"),
        (facts(0.6, 0.5), "kept", "may be better by chance"),
        (facts(0.6, 0.6, low=0.0, high=0.0), "kept", "not better by more than 0"),
        (facts(0.5, 0.6, low=-0.2, high=-0.1), "kept", "not better"),
        (facts(0.61, 0.6, low=0.005, high=0.02, min_gain=0.02), "kept", "not better by more than 0.02"),
        (facts(0.63, 0.6, low=0.01, high=0.04, min_gain=0.02), "kept", "by chance, by no more than 0.02"),
        (facts(0.63, 0.6, low=0.025, high=0.04, min_gain=0.02), "promoted", "better"),
        (facts(math.nan, 0.1), "refused", "has F1 nan"),
        (facts(None, 0.1), "refused", "not a working model"),
        (facts(0.0, champion=None), "refused", "has F1 0.0"),
        (facts(math.nan, champion=None), "refused", "has F1 nan"),
        (facts(0.4, champion=None), "promoted", "first to go live"),
        (facts(0.4), "promoted", r"champion 3 cannot be used \(files are gone\)"),
        (facts(math.nan), "refused", "has F1 nan"),
        (facts(0.6, math.nan), "kept", "version 4 cannot be compared with champion 3: its F1 is no number"),
    ],
)
def test_decisions(given, decision, text):
    decided = decide(given, "files are gone")
    assert decided.decision == decision
    assert re.search(text, decided.reason)
    assert decided.challenger_f1 is None or math.isfinite(decided.challenger_f1)


SCORES = st.one_of(st.none(), st.just(math.nan), st.sampled_from([0.0, 1e-12, 0.5, 0.5 + 1e-12, 0.51, 1.0]))
GAINS = st.one_of(st.none(), st.just(math.nan), st.floats(-1, 1))


@hypothesis.given(SCORES, SCORES, GAINS, GAINS, st.sampled_from([None, 3]), st.sampled_from([0.0, 0.02, 0.5]))
def test_the_champion_gives_way_to_a_sure_win_only(ours, theirs, low, high, champion, min_gain):
    given = facts(ours, theirs if champion else None, champion, low, high, min_gain)
    decided = decide(given)
    works = ours is not None and ours > 0
    has_rival = champion is not None and theirs is not None and not math.isnan(theirs)
    sure = low is not None and high is not None and low > min_gain and has_rival and works and ours - theirs > min_gain
    assert (decided.decision == "refused") == (not works)
    assert (decided.decision == "promoted") == (works and (champion is None or sure))
    assert decide(decided).decision == decided.decision


HOURS = pd.Series(pd.date_range("2026-01-01", periods=48, freq="h", tz="UTC"))


def constant(version, dataset, said, rule):
    """Return a model of three classes that always says the same."""
    features = pd.DataFrame({"heat": np.zeros(3)})
    estimator = DummyClassifier(strategy="constant", constant=said).fit(features, [0, 1, 2])
    columns = {"heat": "double"}
    return LoadedModel("weeks", version, None, estimator, columns, ("0", "1", "2"), dataset, rule, "", "")


@pytest.fixture
def judged(monkeypatch):
    """Let challenger 2 (always 0) meet champion 1 (always 1) on the rows of 48 hours; return the decision."""

    def judge(champion_rule, dataset=None):
        spec, rule = make_weeks(), HoldoutRule("weeks", "time", 0.2, HOURS[0])
        loaded = {"1": constant(1, dataset or spec, 1, champion_rule), "2": constant(2, spec, 0, rule)}
        monkeypatch.setattr(gate.registry, "load", lambda version: loaded[version.version])
        monkeypatch.setattr(gate.smoke_test, "check", lambda *_: None)
        features = pd.DataFrame({"heat": np.zeros(48)})
        labels = np.where(HOURS[24] > HOURS, 1, np.arange(48) % 3)  # on the first day the champion is always right
        rows = Holdout(HOURS.astype(str), HOURS, features, labels, loaded["2"].predict(features)[0])
        champion, challenger = (SimpleNamespace(name="weeks", version=version) for version in "12")
        return gate.judge(challenger, champion, rows, Gate()).decision

    return judge


def test_rows_that_the_champion_was_trained_on_do_not_count(judged):
    everything = judged(HoldoutRule("weeks", "time", 0.2, HOURS[0]))
    assert (everything.decision, everything.champion_f1 > everything.challenger_f1) == ("kept", True)
    fewer = judged(HoldoutRule("weeks", "time", 0.2, HOURS[48 - 3 * MIN_ROWS]))
    assert fewer.challenger_f1 == fewer.champion_f1


@pytest.mark.parametrize("rule", [
    HoldoutRule("weeks", "time", 0.2, HOURS[48 - 3 * MIN_ROWS + 1]),
    HoldoutRule("weeks", "time", 0.2, HOURS[47] + pd.Timedelta("1h")),
    HoldoutRule("weeks", "entity", 1e-9),
])  # fmt: skip
def test_with_too_few_rows_in_both_hold_outs_the_champion_stays(judged, rule):
    decided = judged(rule)
    assert decided.decision == "kept"
    assert re.search(rf"cannot be compared with champion 1: .* \d of '0', .* and {MIN_ROWS} of each", decided.reason)
    assert (decided.challenger_f1, decided.champion_f1) == (None, None)


def test_a_champion_that_loads_but_cannot_score_stays(judged, monkeypatch):
    predict = LoadedModel.predict

    def failing(model, rows):
        if model.version == 1:
            raise RegistryError("weeks version 1 cannot score: Input X contains infinity")
        return predict(model, rows)

    monkeypatch.setattr(LoadedModel, "predict", failing)
    decided = judged(HoldoutRule("weeks", "time", 0.2, HOURS[0]))
    told = "version 2 cannot be compared with champion 1: weeks version 1 cannot score: Input X contains infinity"
    assert (decided.decision, decided.reason) == ("kept", told)


def test_a_champion_that_was_asked_another_question_gives_way(judged):
    decided = judged(HoldoutRule("weeks", "time", 0.2, HOURS[0]), make_dataset())
    assert decided.decision == "promoted"
    assert "cannot be used (it was trained for another label and key and event time)" in decided.reason
