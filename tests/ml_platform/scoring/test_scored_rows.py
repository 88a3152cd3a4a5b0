"""Scored rows: which of them are finite, and the answer for each."""

from datetime import UTC, datetime

import numpy as np

from ml_platform.scoring.scored_rows import ScoredRows, score
from ml_platform.serving.answers import PredictRequest, typed_rows
from tests.ml_platform.serving.models import ROW, SHOP, make_model

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MODEL = make_model(SHOP)
ROWS = typed_rows(SHOP, PredictRequest("rows", [ROW, ROW | {"id": 8}]))


def test_each_row_has_its_key_and_prediction() -> None:
    found = list(score(MODEL, ROWS, NOW).by_row())
    assert [one["key"] for one in found] == [{"id": 7}, {"id": 8}]
    assert found[0]["probability"] == found[1]["probability"]


def test_rows_without_finite_outputs_are_told_and_get_no_reasons() -> None:
    scored = ScoredRows(MODEL, ROWS, np.array([0.5, np.nan]), np.array([0, 0]))
    assert scored.is_finite.tolist() == [True, False]
    assert score(MODEL, ROWS, NOW, 2).reasons is not None
    assert score(MODEL, ROWS, NOW).reasons is None
