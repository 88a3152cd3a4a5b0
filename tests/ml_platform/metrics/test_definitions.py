"""Names and units follow Prometheus' conventions, and the page of the documents lists the same metrics."""

import re

import pytest

from ml_platform import ROOT
from ml_platform.metrics.definitions import METRICS, OWN

ALL = (*METRICS, *OWN)
ROW = re.compile(r"^\| `(ml_platform_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|$", re.MULTILINE)


def test_the_document_lists_every_metric_with_its_kind_labels_and_help():
    listed = {row[0]: row[1:] for row in ROW.findall((ROOT / "docs" / "metrics.md").read_text(encoding="utf-8"))}
    written = {one.full_name: (one.kind, " ".join(f"`{label}`" for label in one.labels), one.help) for one in ALL}
    assert listed == written


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_a_name_says_its_unit_in_full(metric):
    assert re.fullmatch("[a-z]+(_[a-z]+)*", metric.name)
    assert not re.search("(_ms|_minutes|_hours|_days|_percent|_total)$", metric.name)
    assert metric.help
    if metric.kind == "summary":
        assert metric.name.endswith("_seconds")


def test_no_label_can_come_from_a_file():
    known = {
        *("dataset", "purpose", "outcome", "source", "decision", "why", "metric", "kind", "test", "feature"),
        *("verdict", "of", "event", "channel", "bucket", "state", "dag", "task", "component", "server", "database"),
    }
    assert {label for metric in ALL for label in metric.labels} <= known


def test_a_query_of_a_counter_is_about_a_time_and_that_of_a_gauge_about_now():
    for metric in METRICS:
        assert ("%(after)s" in metric.sql and "%(before)s" in metric.sql) == (metric.kind != "gauge"), metric.name
