"""The kind of problem of a version; the records of real ones: see test_searches.py."""

import pytest

from ml_platform.exceptions import RegistryError
from ml_platform.records import version_details


def recorded(monkeypatch: pytest.MonkeyPatch, tags: str) -> version_details.VersionDetails:
    monkeypatch.setattr(version_details, "fetch", lambda *_: [("run", None, tags)])
    return version_details.details("shop", 1)


def test_a_version_from_before_intervals_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    found = recorded(
        monkeypatch, '{"threshold": "0.4", "classes": "[\\"no\\", \\"yes\\"]", "holdout_metrics": "{\\"f1\\": 0.5}"}'
    )
    assert (found.task, found.classes, found.threshold) == ("binary", ("no", "yes"), 0.4)
    assert (found.metrics, found.intervals, found.git_commit) == ({"f1": 0.5}, {}, "unknown")


def test_a_version_of_a_number_has_neither_classes_nor_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    found = recorded(monkeypatch, '{"holdout_intervals": "{\\"mae\\": [1, 2]}"}')
    assert (found.task, found.classes, found.threshold, found.intervals) == ("regression", (), None, {"mae": (1, 2)})


def test_an_invalid_record_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RegistryError, match="threshold"):
        recorded(monkeypatch, '{"threshold": "high"}')
