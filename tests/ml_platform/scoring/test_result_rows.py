"""The rows of a result as a model gives them, without servers."""

import io
from datetime import UTC, datetime

import numpy as np
import pytest

from ml_platform.exceptions import RegistryError
from ml_platform.parsing.batches import Batch
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring import prediction_log
from ml_platform.scoring.batch import Predictions
from ml_platform.serving.answers import Asked, typed_rows
from tests.ml_platform.serving.models import DAY, ROW, SHOP, WEEKS, make_model


@pytest.mark.parametrize(
    ("dataset", "row", "said"),
    [(SHOP, ROW, [0.5, np.nan]), (WEEKS, DAY, [[0.2, 0.3, 0.5], [0.5, np.inf, 0.5]])],
)
def test_a_probability_that_is_no_number_is_never_written(monkeypatch, dataset, row, said) -> None:
    predicted = np.array(said), np.array([1, 1])
    monkeypatch.setattr(LoadedModel, "predict", lambda *_: predicted)
    batch = Batch(typed_rows(dataset, Asked("rows", [row, row])), (), 2)
    with (
        prediction_log.spool() as logged,
        pytest.raises(RegistryError, match="that are no numbers: nothing is written"),
    ):
        Predictions(make_model(dataset), datetime.now(UTC), io.BytesIO(), logged).write(iter([batch]))
