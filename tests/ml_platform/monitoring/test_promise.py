"""What a model promised: its predictions for the hold-out in its frozen training set."""

from types import SimpleNamespace
from typing import Any

import pytest

from ml_platform.monitoring import promise
from ml_platform.storage import object_store


def test_without_its_training_set_a_model_has_no_known_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = SimpleNamespace(dataset=SimpleNamespace(name="auto"), training_set_sha256="0" * 64)
    monkeypatch.setattr(object_store, "head", lambda bucket, key: None)
    assert promise.holdout(model) is None
