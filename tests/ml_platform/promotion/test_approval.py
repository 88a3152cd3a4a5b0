"""The decision after a person has answered, or has not."""

from datetime import UTC, datetime

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.promotion.approval import Answer, with_answer, with_reason
from ml_platform.promotion.decision import Decision
from ml_platform.specs.parts import Gate, timedelta_of

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ASKS = Gate(approval=True, approval_within="90m")
WON = Decision("promoted", "version 4 is better", 4, 3, 0.0, 0.9, 200, 0.6, 0.5, 0.02, 0.2)


@pytest.mark.parametrize(
    ("answer", "decision", "reason"),
    [
        (Answer(True, "bob", AT), "promoted", "version 4 is better; approved by bob"),
        (Answer(False, "bob", AT), "kept", "rejected by bob, though version 4 is better"),
        (Answer(True, "ann", AT, "looked\nat it"), "promoted", "version 4 is better; approved by ann (looked at it)"),
        (Answer(False, "ann", AT, "unfair"), "kept", "rejected by ann (unfair), though version 4 is better"),
        (Answer(False, None, AT), "kept", "no answer within 90m, though version 4 is better"),
        (Answer(True, None, AT), "kept", "no answer within 90m, though version 4 is better"),
    ],
)
def test_the_answer_decides(answer, decision, reason) -> None:
    decided = with_answer(WON, answer, ASKS, "shop")
    assert (decided.decision, decided.reason) == (decision, reason)
    assert (decided.challenger_score, decided.gain_low) == (0.6, 0.02)


def test_nothing_goes_live_without_an_answer_where_an_approval_is_required() -> None:
    assert with_answer(WON, None, Gate(), "shop") == WON
    with pytest.raises(ConfigurationError, match=r"shop: version 4 may not go live: gate\.approval is true"):
        with_answer(WON, None, ASKS, "shop")


@pytest.mark.parametrize("lost", ["kept", "refused"])
@pytest.mark.parametrize("answer", [None, Answer(True, "bob", AT), Answer(False, "bob", AT)])
def test_no_answer_changes_the_decision_about_a_challenger_that_lost(lost, answer) -> None:
    decision = Decision(lost, "is not significantly better", 4, 3)
    assert with_answer(decision, answer, ASKS, "shop") == decision


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("90m", 5400), ("3d", 259_200), ("5217w", 3_155_241_600)])
def test_durations(text, seconds) -> None:
    assert timedelta_of(Gate(approval_within=text).approval_within).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "3", "3 d", "0d", "-3d", "1.5h", "3y", "5218w", "999999999d"])
def test_invalid_durations(text) -> None:
    with pytest.raises(ValueError, match="approval_within"):
        Gate(approval_within=text)


def test_the_reason_of_an_answer_follows_that_of_the_request() -> None:
    assert with_reason("spring", None) == with_reason("spring", Answer(True, "bob", AT)) == "spring"
    assert with_reason("spring", Answer(True, "bob", AT, "looked\nat it")) == "spring; bob: looked at it"
