"""The verdict on a model: by the truth, or by an estimate until it comes."""

from datetime import UTC, datetime, timedelta

from ml_platform.evaluation.bootstrap import Interval
from ml_platform.evaluation.task import Task
from ml_platform.monitoring.checks import BROKEN, KEPT
from ml_platform.monitoring.performance import Predicted, Score, mistake_tests
from ml_platform.monitoring.performance_verdict import Performance, Period, sentence, verdict
from tests.ml_platform.monitoring.test_checks import WINDOW
from tests.ml_platform.monitoring.test_performance import BINARY, NUMBER, binary

GOOD, BAD = Score(0.8, Interval(0.75, 0.85)), Score(0.6, Interval(0.5, 0.7))
START = datetime(2026, 5, 4, tzinfo=UTC)


def performance(
    seen: Score | None, expected: Score | None, later: Predicted | None = None, task: Task = BINARY
) -> Performance:
    tests = tuple(mistake_tests(task, binary(1000, 0), later)) if later else ()
    periods = tuple(
        Period(START + timedelta(weeks=week), 100, 60 if seen else 0, seen, expected, 0.7 if seen else None)
        for week in range(4)
    )
    return Performance(WINDOW, task, 400, 240 if seen else 3, GOOD, 0.8, seen, expected, expected, tests, {}, periods)


def test_a_promise_that_is_kept_is_said() -> None:
    found = performance(GOOD, GOOD, binary(600, 1))
    assert verdict(found) == KEPT
    assert sentence(found).startswith("As promised: version 3 of auto")
    assert sentence(found).endswith(" For 160 predictions without a truth, F1 0.8 (0.75 to 0.85) is expected.")


def test_before_the_truth_the_estimate_decides() -> None:
    assert (verdict(performance(None, GOOD)), verdict(performance(None, BAD))) == (KEPT, BROKEN)
    assert sentence(performance(None, BAD)).startswith("Probably below the promise: the probabilities of 400")
    assert "The truth of 3 is known, too few to measure." in sentence(performance(None, GOOD))


def test_without_probabilities_and_labels_nothing_is_known() -> None:
    found = performance(None, None, task=NUMBER)
    assert verdict(found) == KEPT
    assert sentence(found).startswith("Not known")
