"""The names by which OpenLineage knows our files, tables and model versions."""

import pytest

from ml_platform.lineage import datasets
from ml_platform.specs.catalog import dataset
from tests.ml_platform.lineage.test_events import servers_elsewhere

__all__ = ["servers_elsewhere"]  # a fixture


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (lambda: datasets.file("train", "processed/a.csv"), ("s3://train", "processed/a.csv")),
        (lambda: datasets.table("labels", "auto"), ("postgres://db:5432", "platform.labels.auto")),
        (lambda: datasets.model_version("auto", 3), ("http://mlflow:5000", "models/auto/3")),
    ],
)
def test_names_follow_the_rules_of_openlineage(name, expected) -> None:
    assert name()[:2] == expected


def test_what_is_not_known_is_left_out() -> None:
    name = datasets.file("train", "a.csv")
    assert set(name[2]) == {"dataSource"}
    assert datasets.as_input(name).inputFacets == {}
    assert datasets.as_output(name).outputFacets == {}
    counted = datasets.as_output(name, 0).outputFacets
    assert counted is not None
    assert counted["outputStatistics"].rowCount == 0


def test_a_training_set_has_the_features_of_joined_tables_and_neither_leak_nor_withheld_column() -> None:
    flights, auto = dataset("flights"), dataset("auto")
    assert set(flights.features) <= set(datasets.training_columns(flights))
    assert "TARGET_AMT" not in datasets.training_columns(auto)
