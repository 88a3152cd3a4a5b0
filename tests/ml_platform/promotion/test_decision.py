"""The decision that follows from the figures of two models."""

import math
import re

import hypothesis
import pytest
from hypothesis import strategies as st

from ml_platform.promotion.decision import Comparison, decide
from ml_platform.specs.parts import Gate


def facts(ours, theirs=None, champion=3, low=None, high=None, min_gain=0.0, problem=None):
    unskilled = "F1 0.0 on the hold-out" if ours == 0 else None
    compared = Comparison(4, champion, 200, ours, theirs, low, high, champion_problem=problem, unskilled=unskilled)
    return compared, Gate(min_gain=min_gain, confidence=0.9)


@pytest.mark.parametrize(
    ("given", "decision", "text"),
    [
        (facts(0.6, 0.5, low=0.02, high=0.2), "promoted", "better: F1 0.6000 against 0.5000 of champion 3 on the same"),
        (facts(0.6, 0.5, low=0.02, high=0.2), "promoted", r"a gain of \+0.0200 to \+0.2000 at 90% confidence"),
        (facts(0.6, 0.5, low=-0.01, high=0.2), "kept", "not significantly better by more than 0"),
        (facts(0.6, 0.5, low=0.0, high=0.2), "kept", "not significantly better by more than 0"),
        (facts(0.6, 0.5, low=math.nan, high=math.nan), "kept", "not significantly better by more than 0"),
        (facts(0.6, 0.5), "kept", "not significantly better by more than 0"),
        (facts(0.6, 0.6, low=0.0, high=0.0), "kept", "not better by more than 0"),
        (facts(0.5, 0.6, low=-0.2, high=-0.1), "kept", "not better"),
        (facts(0.61, 0.6, low=0.005, high=0.02, min_gain=0.02), "kept", "not better by more than 0.02"),
        (facts(0.63, 0.6, low=0.01, high=0.04, min_gain=0.02), "kept", "not significantly better by more than 0.02"),
        (facts(0.63, 0.6, low=0.025, high=0.04, min_gain=0.02), "promoted", "better"),
        (facts(math.nan, 0.1), "refused", "not a working model: F1 nan"),
        (facts(None, 0.1), "refused", "not a working model"),
        (facts(0.0, champion=None), "refused", "not a working model: F1 0.0"),
        (facts(math.nan, champion=None), "refused", "not a working model: F1 nan"),
        (facts(0.4, champion=None), "promoted", "first to go live"),
        (facts(0.4, problem="files are gone"), "promoted", r"champion 3 cannot be used \(files are gone\)"),
        (facts(math.nan, problem="files are gone"), "refused", "not a working model: F1 nan"),
        (facts(0.6, math.nan), "kept", "version 4 cannot be compared with champion 3: its F1 is no number"),
    ],
)
def test_decisions(given, decision, text):
    decided = decide(*given)
    assert decided.decision == decision
    assert re.search(text, decided.reason)
    assert decided.challenger_score is None or math.isfinite(decided.challenger_score)


SCORES = st.one_of(st.none(), st.just(math.nan), st.sampled_from([0.0, 1e-12, 0.5, 0.5 + 1e-12, 0.51, 1.0]))
GAINS = st.one_of(st.none(), st.just(math.nan), st.floats(-1, 1))


@hypothesis.given(SCORES, SCORES, GAINS, GAINS, st.sampled_from([None, 3]), st.sampled_from([0.0, 0.02, 0.5]))
def test_only_a_significant_gain_replaces_the_champion(ours, theirs, low, high, champion, min_gain):
    given = facts(ours, theirs if champion else None, champion, low, high, min_gain)
    decided = decide(*given)
    works = ours is not None and ours > 0
    has_rival = champion is not None and theirs is not None and not math.isnan(theirs)
    sure = low is not None and high is not None and low > min_gain and has_rival and works and ours - theirs > min_gain
    assert (decided.decision == "refused") == (not works)
    assert (decided.decision == "promoted") == (works and (champion is None or sure))


def test_a_challenger_that_is_not_fit_is_refused_with_the_reason():
    decided = decide(Comparison(4, 3, challenger_problem="its files are gone"), Gate())
    assert (decided.decision, decided.reason) == ("refused", "version 4 is not fit to go live: its files are gone")


def test_a_champion_that_cannot_be_compared_stays():
    decided = decide(Comparison(4, 3, rows=7, not_comparable="too few rows"), Gate())
    assert (decided.decision, decided.rows) == ("kept", 7)
    assert decided.reason == "version 4 cannot be compared with champion 3: too few rows"


def test_a_decision_repeats_the_rule_that_it_was_made_by():
    decided = decide(Comparison(4, None, 200, 0.6), Gate(min_gain=0.02, confidence=0.8))
    assert (decided.min_gain, decided.confidence, decided.gain) == (0.02, 0.8, None)


@pytest.mark.parametrize(
    ("ours", "theirs", "low", "decision", "text"),
    [
        (80.0, 100.0, 0.1, "promoted", "mean absolute error 80 against 100 of champion 3 on the same rows"),
        (120.0, 100.0, -0.3, "kept", "not better by more than 0.05"),
        (96.0, 100.0, 0.01, "kept", "not better by more than 0.05"),
        (80.0, 100.0, 0.04, "kept", "not significantly better by more than 0.05"),
        (1.0, 0.0, 0.0, "kept", "not better"),
    ],
)
def test_of_an_error_less_is_better(ours, theirs, low, decision, text):
    compared = Comparison(4, 3, 200, ours, theirs, low, 0.5, metric="mae")
    decided = decide(compared, Gate(min_gain=0.05))
    assert decided.decision == decision
    assert text in decided.reason


def test_a_model_of_numbers_without_skill_never_goes_live():
    given = Comparison(4, None, 200, 12.0, unskilled="mean absolute error 12, and the median gives 11", metric="mae")
    decided = decide(given, Gate())
    assert (decided.decision, decided.metric) == ("refused", "mae")
    assert decided.reason.endswith("not a working model: mean absolute error 12, and the median gives 11")
