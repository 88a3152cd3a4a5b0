"""A version in words."""

from dataclasses import replace

from ml_platform.home.models.words import described, gate, score, state
from tests.ml_platform.home.models.model_cases import KEPT, LIVE, OLD, REFUSED


def test_a_version_says_its_state() -> None:
    assert [state(one) for one in (LIVE, OLD, KEPT)] == ["live", "was live", "never live"]
    assert [gate(one) for one in (LIVE, KEPT, REFUSED, replace(KEPT, decision=None))] == [
        "passed", "not better", "refused", "not decided yet"
    ]  # fmt: skip


def test_a_score_has_its_interval_if_it_was_recorded() -> None:
    assert (score(LIVE), score(OLD)) == ("F1 0.6 (0.55 to 0.65)", "F1 0.5")
    assert score(replace(OLD, metric=None, score=None)) == "score not known"


def test_a_version_in_one_line() -> None:
    assert described(OLD) == "Version 1: F1 0.5; last live on 2026-01-01 00:00 UTC; gate: passed"
    assert described(KEPT) == "Version 3: F1 0.5; never live; gate: not better"
