"""The hold-out of a version; that of a real one: see test_searches.py."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from ml_platform.exceptions import RegistryError
from ml_platform.records import holdout
from ml_platform.records.version_details import VersionDetails
from ml_platform.training import tracking

VERSION = VersionDetails("shop", 1, "run", datetime(2026, 1, 1, tzinfo=UTC), task="multiclass", classes=("a", "b", "c"))


def test_outputs_of_several_classes_have_a_column_each(monkeypatch: pytest.MonkeyPatch) -> None:
    probabilities = {"probability a": [0.7, 0.1], "probability b": [0.2, 0.1], "probability c": [0.1, 0.8]}
    frame = pd.DataFrame({"key": ["x", "y"], "event_timestamp": [0, 0], "label": [0, 2], **probabilities})
    monkeypatch.setattr(tracking, "holdout_predictions", lambda run_id: frame)
    found = holdout.holdout(VERSION)
    assert found.outputs.tolist() == [[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]
    assert (found.labels.tolist(), found.classes, found.threshold) == ([0, 2], ("a", "b", "c"), None)


def test_a_version_of_another_platform_has_none_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "holdout_predictions", lambda run_id: None)
    with pytest.raises(RegistryError, match="a version of another platform has none here"):
        holdout.holdout(VERSION)
