"""Logged predictions become outputs that the gate can compare; the join itself: test_shadow.py."""

from datetime import UTC, datetime

import pytest

from ml_platform.evaluation.binary import Binary
from ml_platform.evaluation.multiclass import Multiclass
from ml_platform.evaluation.regression import Regression
from ml_platform.evaluation.task import Task
from ml_platform.monitoring import shadow_truth
from ml_platform.monitoring.shadow_records import Shadow
from tests.ml_platform.training.trainings import make_dataset

TRIED = Shadow(1, 2, 1, datetime(2026, 6, 1, tzinfo=UTC), None)


@pytest.mark.parametrize(
    ("task", "logged", "labels", "ours", "theirs"),
    [
        (
            Binary(("0", "1"), 0.4),
            [(0.9, "1", 0.2, "0", 1), (0.1, "0", 0.45, "1", 0), (0.5, "1", 0.5, "1", 7)],  # no such class
            [1, 0], [0.9, 0.1], [0.2, 0.45],
        ),
        (
            Multiclass(("a", "b", "c")),
            [(0.6, "c", 0.4, "a", "c"), (0.5, "b", 0.7, "b", "a")],
            [2, 0], [[0, 0, 1], [0, 1, 0]], [[1, 0, 0], [0, 1, 0]],
        ),
        (Regression(0.9), [(None, "2.5", None, "3.5", 3)], [3.0], [2.5], [3.5]),
    ],
)  # fmt: skip
def test_what_was_logged_is_read_back_as_outputs(monkeypatch, task: Task, logged, labels, ours, theirs) -> None:
    monkeypatch.setattr(shadow_truth, "_rows", lambda *_: logged)
    found = shadow_truth.pairs(make_dataset(), TRIED, task)
    assert [part.tolist() for part in found] == [labels, ours, theirs]
    assert found.labels.dtype == task.label_type
