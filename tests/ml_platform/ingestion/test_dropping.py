"""The name of a file says where it belongs; else data set and kind do; and no name leads anywhere else."""

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.ingestion.dropping import drop, kind_of, place_of
from ml_platform.specs.spec import Dataset, FeatureTable, Table
from ml_platform.storage import object_store
from tests.ml_platform.ingestion.upload_cases import make_dataset, new_name


def feature_table() -> FeatureTable:
    declared = {
        "kind": "table", "name": "weather", "description": "by place and day",
        "entity": {"name": "place", "key": "ID"}, "event_time": "AT",
        "columns": {"ID": "integer", "AT": "timestamp", "RAIN": "number"},
    }  # fmt: skip
    return FeatureTable.model_validate(declared)


def tables() -> list[Table]:
    return [make_dataset("auto"), make_dataset("keyless", entity={"name": "row"}), feature_table()]


@pytest.mark.parametrize(
    ("name", "kind", "dataset", "place"),
    [
        ("train_auto.csv", None, None, ("auto", "train", "train", "train_auto.csv")),
        ("test_auto_may.csv.gz", None, None, ("auto", "test", "test", "test_auto_may.csv.gz")),
        ("label_auto.2026.csv", None, None, ("auto", "answer", "label", "label_auto.2026.csv")),
        ("weather_may.csv", None, None, ("weather", "train", "train", "weather_may.csv")),
        ("train_auto.csv", "train", "auto", ("auto", "train", "train", "train_auto.csv")),
        ("may.csv", "train", "auto", ("auto", "train", "train", "train_auto_may.csv")),
        ("may.csv", "test", "auto", ("auto", "test", "test", "test_auto_may.csv")),
        ("may.csv", "label", "auto", ("auto", "label", "train", "labels/auto_may.csv")),
        ("may.csv", "answer", "auto", ("auto", "answer", "label", "label_auto_may.csv")),
        ("may.csv", None, "weather", ("weather", "train", "train", "weather_may.csv")),
        ("Größe (2).csv", "train", "auto", ("auto", "train", "train", "train_auto_Größe (2).csv")),
    ],
)
def test_a_file_has_one_place(name, kind, dataset, place):  # type: ignore[no-untyped-def]
    found = place_of(name, tables(), kind, dataset)
    assert (found.table.name, found.kind, found.bucket, found.key) == place
    assert kind_of(found.bucket, found.key) == found.kind


@pytest.mark.parametrize(
    ("name", "kind", "dataset", "text"),
    [
        ("may.csv", None, None, "does not say what it is for"),
        ("may.csv", None, "auto", "does not say what it is for"),
        ("may.csv", "train", "nobody", "there is no 'nobody'; there are: auto, keyless, weather"),
        ("train_auto.csv", "test", None, "its name says train of auto, not test of auto"),
        ("train_auto.csv", None, "weather", "its name says train of auto, not train of weather"),
        ("may.csv", "label", "keyless", "keyless takes no label files; it takes: train, test, answer"),
        ("may.csv", "test", "weather", "weather takes no test files"),
    ],
)
def test_what_is_missing_or_contradicts_is_said(name, kind, dataset, text):  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigurationError, match=text):
        place_of(name, tables(), kind, dataset)


@pytest.mark.parametrize(
    "name", ["../train_auto.csv", "/train_auto.csv", "a/b.csv", "a\\b.csv", ".hidden", "", "a\nb", "a\x00b", "<b>.csv",
             "train_auto.csv\n", "a" * 201, "..", "labels/auto.csv", "%2e%2e.csv", "a'b.csv"],
)  # fmt: skip
def test_a_name_is_no_path_and_no_markup(name: str) -> None:
    with pytest.raises(ConfigurationError, match="is no name for a file here"):
        place_of(name, tables(), "train", "auto")


@pytest.mark.servers
@pytest.mark.usefixtures("servers")
def test_a_file_that_waits_is_not_replaced() -> None:
    dataset: Dataset = make_dataset(new_name())
    place = place_of(f"train_{dataset.name}.csv", [dataset])
    etag = drop(place, [b"a,", b"b\n"])
    version = object_store.head("train", place.key)
    assert version is not None
    assert version.etag == etag
    assert drop(place, [b"other"]) is None
    assert object_store.get("train", place.key) == b"a,b\n"
