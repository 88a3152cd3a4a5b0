"""The model card: one page with data, metrics, importance, limits and the way back."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ml_platform.evaluation.holdout_report import holdout_report, outputs_in
from ml_platform.evaluation.metric_intervals import metric_intervals
from ml_platform.training.calibrating import calibrate
from ml_platform.training.candidates import Candidate
from ml_platform.training.fitting import fit
from ml_platform.training.model_card import ModelCard
from ml_platform.training.results import SearchResult
from ml_platform.training.split import split
from tests.ml_platform.training.test_group_reports import CLEAR, made
from tests.ml_platform.training.trainings import make_houses, make_houses_frame, make_training_set

HEADINGS = ["Data", "Metrics", "Groups", "What it relies on", "Limits", "How it was chosen", "How to roll back"]


def card_of(training_set, candidate, scoring):
    parts = split(training_set, 3)
    calibration = calibrate(candidate, parts, 3)
    rows = parts.holdout_rows()
    report = holdout_report(fit(candidate, parts, 3, calibration=calibration), rows, calibration)
    search = SearchResult(
        "run", "url", "id", (candidate.estimator, {}), 0.6, 0.02, scoring, 3, 1, 10, 1, suspected_leaks={"COST": 0.99}
    )
    return ModelCard(
        training_set, parts, candidate, search, report,
        metric_intervals(report.task, rows.labels, outputs_in(report.predictions)),
        "http://mlflow/#/run", datetime(2026, 2, 3, 4, 5, tzinfo=UTC),
    )  # fmt: skip


@pytest.fixture(scope="module")
def shop():
    return card_of(make_training_set(), Candidate("logistic_regression", {"C": 1.0}), "f1")


def test_it_has_every_section_in_their_order(shop):
    text = shop.markdown()
    assert text.startswith("# shop: model of 2026-02-03 04:05 UTC\n\nWho buys?")
    assert re.findall("^## (.*)$", text, re.MULTILINE) == HEADINGS


def test_the_figures_are_those_of_the_report(shop):
    text, f1 = shop.markdown(), shop.report.metrics["f1"]
    low, high = shop.intervals["f1"].low, shop.intervals["f1"].high
    assert f"| F1 | {f1:.4g} ({low:.4g} to {high:.4g}) |" in text
    assert f"at threshold {shop.report.task.threshold:.3f}" in text
    assert f"| {shop.report.importance.names[0]} |" in text
    assert "`train_shop.csv`, 600 rows" in text
    assert "| candidate | logistic_regression C=1.0 |" in text
    assert "10 candidates, 1 failed" in text


def test_groups_are_shown_if_the_spec_asks_for_them(shop):
    assert "None are asked for. `sensitive: [COLUMN]` in `datasets/shop.yaml`" in shop.markdown()
    text = replace(shop, report=replace(shop.report, groups=(made(CLEAR),))).markdown()
    assert "## Groups\n\n- By SEX, recall differs by" in text


def test_the_limits_name_empty_features_ranges_and_suspected_leaks(shop):
    text = shop.markdown()
    assert "Without any value in the training: `empty`, `blank`." in text
    assert re.search(r"Ranges of its training: `age` [\d.]+ to [\d.]+, `income`", text)
    assert "make it look better than it is: `COST`." in text


def test_the_page_holds_its_pictures_and_runs_nothing(shop):
    html = shop.html()
    assert html.count("<img ") == 4
    assert "<script" not in html
    assert 'src="data:image/png;base64,' in html
    assert "<table>" in html


def test_names_are_only_text(shop):
    hostile = shop.training_set.dataset.model_copy(update={"description": "<script>alert(1)</script> | a\n# b"})
    html = replace(shop, training_set=replace(shop.training_set, dataset=hostile)).html()
    assert "<script" not in html


def test_a_card_of_numbers_has_errors_and_the_interval():
    houses = make_training_set(make_houses(), make_houses_frame())
    text = card_of(houses, Candidate("ridge", {}), "mae").markdown()
    assert "| mean absolute error |" in text
    assert re.search(r"In short: mean absolute error .*90% interval .* holds", text)
    assert "| label | `price`: from " in text
