"""The rows of a result, written without servers."""

import io
from datetime import UTC, datetime

import numpy as np
import pytest

from ml_platform.exceptions import RegistryError
from ml_platform.parsing.batches import Batch
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring import prediction_log
from ml_platform.scoring.batch import ResultWriter
from ml_platform.scoring.result_files import open_result, result_schema
from ml_platform.scoring.training_comparison import TrainingComparison
from ml_platform.serving.answers import PredictRequest, typed_rows
from tests.ml_platform.serving.models import DAY, ROW, SHOP, WEEKS, make_model


@pytest.mark.parametrize(
    ("dataset", "row", "probabilities"),
    [(SHOP, ROW, [0.5, np.nan]), (WEEKS, DAY, [[0.2, 0.3, 0.5], [0.5, np.inf, 0.5]])],
)
def test_a_probability_that_is_not_finite_is_never_written(monkeypatch, dataset, row, probabilities) -> None:
    predictions = np.array(probabilities), np.array([1, 1])
    monkeypatch.setattr(LoadedModel, "predict", lambda *_: predictions)
    batch = Batch(typed_rows(dataset, PredictRequest("rows", [row, row])), (), 2)
    model = make_model(dataset)
    result = open_result(io.BytesIO(), "csv", result_schema(model))
    with (
        prediction_log.open_buffer() as log_buffer,
        pytest.raises(RegistryError, match="that are not finite numbers: nothing is written"),
    ):
        ResultWriter(model, datetime.now(UTC), result, log_buffer, TrainingComparison(model, None)).write(iter([batch]))
