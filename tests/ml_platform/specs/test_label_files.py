"""The spec of label files is derived from that of their data set."""

from typing import Any

import pytest

from ml_platform.parsing.layout import needed_columns, required_columns
from ml_platform.specs.answer_files import spec_of_file
from ml_platform.specs.catalog import dataset
from ml_platform.specs.label_files import LabelFiles, has_labels_alone, label_files, without_label
from ml_platform.specs.spec import Dataset, FeatureTable
from tests.ml_platform.ingestion.upload_cases import make_dataset, timed_dataset

LATE = {"column": "LABEL", "positive": 1, "late": True}


def test_a_label_file_has_key_time_label_and_leaks() -> None:
    timed = timed_dataset(known_at="SEEN", columns={"SEEN": "timestamp"})
    spec = label_files(timed)
    assert list(spec.columns) == ["ID", "LABEL", "COST", "AT"]
    assert spec.own_features == {}
    assert needed_columns(spec, "train") == required_columns(spec, "train") == {"ID", "AT", "LABEL"}
    assert spec.inbox_pattern("train") == "labels/sample*"
    assert spec.name == timed.name


def test_the_key_of_a_file_tells_its_spec() -> None:
    auto = dataset("auto")
    assert isinstance(spec_of_file(auto, "labels/auto_2026.csv"), LabelFiles)
    assert spec_of_file(auto, "train_auto.csv") is auto
    assert auto.owns("labels/auto_2026.csv", "train")
    assert not auto.owns("labels/auto/", "train")
    assert not auto.owns("labels/auto_2026.csv", "test")
    assert auto.inbox_prefixes("train") == ("train_auto", "labels/auto")


def test_rows_without_a_key_have_no_label_files() -> None:
    keyless = make_dataset(entity={"name": "row"})
    assert keyless.owns("labels/sample.csv", "train"), "it is rejected with a reason"
    assert spec_of_file(keyless, "labels/sample.csv") is keyless
    with pytest.raises(ValueError, match="has no key, so it has no label files"):
        label_files(keyless)
    with pytest.raises(ValueError, match=r"label.late: without `entity.key` no later row"):
        make_dataset(entity={"name": "row"}, label=LATE)


def test_only_the_label_of_a_training_file_may_be_late() -> None:
    late = make_dataset(label=LATE)
    assert required_columns(late, "train") == {"ID"}
    assert needed_columns(late, "train") == set(late.columns) - {"LABEL", "COST"}
    assert required_columns(label_files(late), "train") == {"ID", "LABEL"}
    assert has_labels_alone(late)
    assert has_labels_alone(label_files(make_dataset()))
    assert not has_labels_alone(make_dataset())


def test_without_the_label_the_rows_are_those_of_a_table() -> None:
    table = without_label(make_dataset(label=LATE))
    assert not isinstance(table, Dataset)
    assert table.label_columns == ()
    assert set(make_dataset().columns) - set(table.columns) == {"LABEL", "COST"}


@pytest.mark.parametrize("name", ["l", "label", "labels"])
def test_no_feature_table_takes_the_label_files(name: str) -> None:
    declared: dict[str, Any] = {"kind": "table", "name": name, "description": "", "entity": {"name": "x", "key": "ID"}}
    with pytest.raises(ValueError, match="the objects under labels/ in the bucket would belong to this table"):
        FeatureTable.model_validate(declared | {"columns": {"ID": "integer", "RATE": "number"}})
