"""The page of a check of the performance: the verdict first, then a picture and all figures."""

from dataclasses import replace
from datetime import timedelta

import numpy as np

from ml_platform.evaluation.multiclass import Multiclass
from ml_platform.monitoring.checks import BROKEN
from ml_platform.monitoring.performance import Predicted, mistake_tests
from ml_platform.monitoring.performance_page import render_page
from ml_platform.monitoring.performance_verdict import VersionScore, sentence, verdict
from ml_platform.monitoring.segments import Segment
from tests.ml_platform.monitoring.test_performance import binary
from tests.ml_platform.monitoring.test_performance_verdict import BAD, GOOD, START, performance


def test_a_broken_promise_is_said_first_with_the_mistake_that_breaks_it() -> None:
    found = performance(BAD, BAD, binary(600, 1, missed=0.6))
    assert verdict(found) == BROKEN
    html = render_page(found)
    first = "Below the promise: version 3 of auto makes more mistakes than promised: false"
    order = (first, "false negatives (", "<img", "<table")
    assert [html.index(part) for part in order] == sorted(html.index(part) for part in order)
    assert "more than promised" in html
    since = replace(found, since={"false negatives": START + timedelta(weeks=2)})
    assert "promised at most 27.4%, more since 2026-05-18 00:00)" in sentence(since), sentence(since)
    assert "<td>more than promised since 2026-05-18 00:00</td>" in render_page(since)
    assert "F1 0.6 (0.5 to 0.7) by 240 labels; on the hold-out it was 0.8 (0.75 to 0.85)" in html


def test_of_several_classes_the_accuracy_is_estimated_and_f1_measured() -> None:
    labels = np.arange(300) % 3
    task = Multiclass(names=("a", "b", "c"))
    tests = tuple(mistake_tests(task, Predicted(labels, labels), Predicted(labels, labels)))
    found = performance(GOOD, GOOD, task=task)
    html = render_page(replace(found, tests=tests))
    assert "accuracy expected" in html
    assert "other classes" in html


def test_segments_and_versions_are_tables_and_their_names_stay_text() -> None:
    segments = (Segment("<b>", "a & b", 40, GOOD, BAD, 5.0, is_worse=True),)
    versions = (VersionScore(3, 400, 240, BAD), VersionScore(2, 1200, 0, None))
    html = render_page(replace(performance(BAD, BAD), segments=segments, versions=versions))
    assert '<tr class="strong"><td>&lt;b&gt;</td><td>a &amp; b</td><td>40</td>' in html
    assert "<td>2</td><td>1,200</td><td>0</td><td>–</td>" in html
