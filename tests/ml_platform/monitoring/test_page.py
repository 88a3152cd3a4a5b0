"""The page of a check: verdict first, pictures, tests; texts of the data are only texts."""

import numpy as np
import pandas as pd

from ml_platform.monitoring.comparison import compare
from ml_platform.monitoring.page import DriftPage, render_page
from ml_platform.monitoring.reference import Reference
from ml_platform.monitoring.window import Features
from tests.ml_platform.monitoring.test_checks import WINDOW

EVIL = "<script>alert(1)</script>"


def page(rows: pd.DataFrame | None, n_rows: int = 200, files: tuple[str, ...] = ()) -> str:
    random = np.random.default_rng(0)
    training = pd.DataFrame({"age": random.normal(size=400), EVIL: pd.Series(["a", "b"] * 200, dtype=object)})
    probabilities = pd.Series(random.random(300)), pd.Series(random.random(200))
    findings = compare(training, training.head(0) if rows is None else rows, probabilities)
    features = Features(rows, 0 if rows is None else len(rows), files)
    reference = Reference(training, 400, probabilities[0])
    return render_page(DriftPage(WINDOW, "training set", n_rows, reference, features, probabilities[1], findings))


def test_the_verdict_comes_first_and_texts_are_escaped() -> None:
    rows = pd.DataFrame({"age": np.full(200, 9.0), EVIL: pd.Series([EVIL] * 200, dtype=object)})
    html = page(rows)
    assert html.index("Drift: the 200 rows that version 3 of auto scored") < html.index("<img") < html.index("<table")
    assert "<script" not in html
    assert "came in files." in html


def test_rows_without_features_have_predictions_only() -> None:
    html = page(None, files=("processed/x.csv",))
    assert "No drift: the 200 rows" in html
    assert "0 of the 200 rows came in files; the features of the others are not kept" in html
    assert "1 files are not there any more" in html


def test_a_sample_is_said() -> None:
    assert "a sample was taken" in page(None, n_rows=50_001)
    assert "a sample was taken" not in page(None)
