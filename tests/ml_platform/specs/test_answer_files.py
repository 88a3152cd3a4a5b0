"""The spec of answer files is derived from that of their data set."""

import pytest

from ml_platform.parsing.layout import needed_columns, required_columns
from ml_platform.specs.answer_files import AnswerFiles, answer_files, spec_of_file
from ml_platform.specs.catalog import catalog, dataset
from ml_platform.specs.label_files import LabelFiles
from tests.ml_platform.ingestion.upload_cases import make_dataset
from tests.ml_platform.keyless import without_key


@pytest.mark.parametrize("is_keyless", [False, True])
def test_only_id_label_and_labeller_are_read(*, is_keyless: bool) -> None:
    spec = answer_files(without_key(make_dataset()) if is_keyless else make_dataset())
    assert list(spec.columns) == ["ask_id", "LABEL", "labelled_by"]
    assert spec.own_features == {}
    assert required_columns(spec, "train") == {"ask_id"}, "a row may have no label yet"
    assert needed_columns(spec, "train") == {"ask_id", "labelled_by"}
    assert {"PRICE", "model: probability"} <= set(spec.ignore)


def test_the_key_of_a_file_tells_its_spec() -> None:
    auto = dataset("auto")
    assert isinstance(spec_of_file(auto, "label_auto.20260101T000000Z.csv"), AnswerFiles)
    label_file = spec_of_file(auto, "labels/auto.csv")
    assert isinstance(label_file, LabelFiles)
    assert not isinstance(label_file, AnswerFiles)
    assert spec_of_file(auto, "train_auto.csv") is auto


def test_answers_wait_in_a_bucket_of_their_own() -> None:
    auto = dataset("auto")
    assert auto.inboxes("train") == (("train", "train_auto"), ("train", "labels/auto"), ("label", "label_auto"))
    assert auto.inboxes("test") == (("test", "test_auto"),)
    assert [auto.bucket_of(key, "train") for key in ("label_auto.csv", "labels/auto.csv")] == ["label", "train"]
    (weather,) = (table for table in catalog().tables if table.name == "weather")
    assert weather.inboxes("train") == (("train", "weather"),)
