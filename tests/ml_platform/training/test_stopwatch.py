import time

from ml_platform.training.stopwatch import Stopwatch


def test_the_time_of_earlier_attempts_counts(monkeypatch):
    now = iter([100.0, 102.5])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    assert Stopwatch(7.0).seconds() == 9.5
