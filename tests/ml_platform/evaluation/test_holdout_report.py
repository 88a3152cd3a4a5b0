"""The report on the hold-out: metrics, charts and predictions of a model, with two classes and with more."""

import numpy as np
import pandas as pd
import pytest

from ml_platform.estimators.model_parts import uncalibrated
from ml_platform.evaluation.calibration import calibration_metrics
from ml_platform.evaluation.holdout_report import HoldoutRows, holdout_report, outputs_in
from ml_platform.evaluation.metrics import classification_metrics
from ml_platform.training.calibrating import calibrate
from ml_platform.training.candidates import Candidate
from ml_platform.training.fitting import fit
from ml_platform.training.split import Split, split
from tests.ml_platform.training.trainings import make_training_set, make_weeks, make_weeks_frame

LINEAR = Candidate("logistic_regression", {"class_weight": "balanced"})


@pytest.fixture(scope="module")
def shop():
    return reported(split(make_training_set(), 3))


@pytest.fixture(scope="module")
def weeks():
    return reported(split(make_training_set(make_weeks(), make_weeks_frame()), 3))


def reported(parts: Split):
    """Return model, rows of the hold-out, and report."""
    calibration = calibrate(LINEAR, parts, 3)
    model, rows = fit(LINEAR, parts, 3, calibration=calibration), parts.holdout_rows()
    below = uncalibrated(model) if calibration.method else None
    return model, rows, holdout_report(model, rows, calibration, below)


def test_with_two_classes_the_metrics_are_those_at_the_threshold(shop):
    model, rows, report = shop
    positive = model.predict_proba(rows.features)[:, 1]
    predictions = (positive >= model.threshold).astype(int)
    assert report.metrics.items() >= classification_metrics(rows.labels, positive, predictions).items()
    assert report.task.facts() == {"threshold": model.threshold}


def test_with_more_classes_the_metrics_are_those_of_the_most_probable_class(weeks):
    model, rows, report = weeks
    probabilities = model.predict_proba(rows.features)
    expected = classification_metrics(rows.labels, probabilities, probabilities.argmax(axis=1))
    assert report.metrics.items() >= expected.items()
    assert report.task.facts() == {"threshold": None}


def test_brier_score_and_calibration_error_are_measured_before_and_after(shop):
    """Balanced class weights make probabilities of a rare class far too high."""
    model, rows, report = shop
    before, after = (one.predict_proba(rows.features)[:, 1] for one in (uncalibrated(model), model))
    assert report.metrics.items() >= calibration_metrics(rows.labels, after).items()
    assert report.metrics["brier_uncalibrated"] == calibration_metrics(rows.labels, before)["brier"]
    for metrics in (report.metrics, report.out_of_fold):
        assert metrics["brier"] < metrics["brier_uncalibrated"]
    lines = [line.get_label().split(",")[0] for line in report.charts["calibration"].axes[0].lines]
    assert lines == ["perfect", "before", "model"]


def test_the_charts_are_those_of_the_kind_of_problem(shop, weeks):
    both = {"calibration", "confusion_matrix", "feature_importance", "partial_dependence"}
    assert set(shop[2].charts) == both | {"precision_recall", "roc", "f1_over_threshold"}
    assert set(weeks[2].charts) == both | {"per_class"}
    labels = [report.charts["feature_importance"].axes[0].get_xlabel() for _, _, report in (shop, weeks)]
    assert labels == ["Loss in average precision when shuffled", "Loss in F1 when shuffled"]


def test_the_predictions_hold_key_time_label_and_probabilities_of_each_row(shop, weeks):
    _, rows, report = shop
    assert list(report.predictions) == ["key", "event_timestamp", "label", "probability"]
    assert report.predictions["key"].tolist() == rows.ids.tolist()
    assert report.predictions["label"].tolist() == rows.labels.tolist()
    assert list(weeks[2].predictions)[3:] == ["probability poor", "probability fair", "probability good"]


def test_the_probabilities_are_read_back_in_the_shape_of_the_model(shop, weeks, tmp_path):
    for model, rows, report in (shop, weeks):
        report.predictions.to_parquet(tmp_path / "predictions.parquet")
        probabilities = outputs_in(pd.read_parquet(tmp_path / "predictions.parquet"))
        expected = model.predict_proba(rows.features)
        assert np.array_equal(probabilities, expected[:, 1] if expected.shape[1] == 2 else expected)


def test_a_mask_keeps_all_parts_of_a_row_together(shop):
    _, rows, _ = shop
    mask = rows.labels == 1
    kept = rows.where(mask)
    assert isinstance(kept, HoldoutRows)
    assert (kept.labels == 1).all()
    assert len(kept.ids) == len(kept.times) == len(kept.features) == mask.sum()
    assert kept.ids.index.equals(kept.features.index)
    assert kept.task == rows.task
    assert len(rows.where(np.zeros(len(mask), dtype=bool)).labels) == 0
