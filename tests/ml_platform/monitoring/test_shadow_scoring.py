"""What a challenger must give to be logged; the log itself: test_shadow.py."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ml_platform.exceptions import RegistryError
from ml_platform.monitoring import shadow_scoring
from ml_platform.storage import object_store
from tests.ml_platform.training.trainings import make_dataset

REPORT: Any = {"last_modified": "2026-06-01T00:00:00+00:00", "key": "test_shop.csv"}


def test_an_output_that_is_no_finite_number_ends_the_scoring(monkeypatch) -> None:
    batch = SimpleNamespace(rows=pa.RecordBatch.from_pydict({"id": [1]}))
    monkeypatch.setattr(object_store, "local_copy", lambda _: nullcontext(SimpleNamespace(file=None)))
    monkeypatch.setattr(shadow_scoring, "read_batches", lambda *_: [batch])
    model: Any = SimpleNamespace(
        version=2, dataset=make_dataset(), predict=lambda _: (np.array([np.nan]), np.array([0]))
    )
    with pytest.raises(RegistryError, match="version 2 gives outputs that are not finite numbers"):
        list(shadow_scoring._entries(model, make_dataset(), object(), REPORT))  # type: ignore[arg-type]
