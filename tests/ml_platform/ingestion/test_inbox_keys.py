"""A file's own name is kept in the key of the inbox, and cannot lead out of it."""

import pytest

from ml_platform.ingestion import dropping, inbox_keys
from ml_platform.specs.catalog import DATASETS_DIR, find_table
from ml_platform.storage import object_store
from tests.ml_platform.ingestion.upload_cases import csv_bytes, make_dataset, new_name

AUTO = make_dataset("auto")
HOSTILE = [
    "../../result/auto/x.csv", "..\\..\\x.csv", "<script>alert(1)</script>.csv", "[x](http://evil).csv", "a\nb\r.csv",
    "x" * 300 + ".csv", "données été.csv", "данные.parquet", "\u202efdp.csv", "", ".", "..", ".csv.gz", "a\x00b.csv",
    "kafka-abcdef.x.csv", "labels/auto.csv", "🙂.jsonl.gz",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", ["train", "test", "label"])
def test_any_name_stays_in_the_inbox_of_its_data_set(name: str, kind: inbox_keys.DropKind) -> None:
    place = inbox_keys.new_place(AUTO, kind, name)
    prefix = {"train": "train_auto", "test": "test_auto", "label": "labels/auto"}[kind]
    assert place.bucket == ("test" if kind == "test" else "train")
    assert AUTO.owns(place.key, inbox_keys.purpose_of(kind))
    assert place.key.startswith(f"{prefix}.")
    assert "/" not in place.key.removeprefix(prefix)
    assert place.key.isprintable()
    assert len(place.key.encode()) < 500
    assert not AUTO.is_made_of_rows(place.key)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("customers of may.csv", "customers_of_may.csv"),
        ("train_auto_2026.csv.gz", "2026.csv.gz"),
        ("train_auto.csv", "csv"),
        ("C:\\files\\été.parquet", "été.parquet"),
    ],
)
def test_the_own_name_is_kept_and_the_key_is_new_each_time(name: str, kept: str) -> None:
    keys = {inbox_keys.new_place(AUTO, "train", name).key for _ in range(3)}
    assert len(keys) == 3
    assert all(key.endswith(f".{kept}") for key in keys)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("test_auto.csv", "test"), ("may-TEST.csv", "test"), ("to score.csv", "test"), ("labels_may.csv", "label"),
        ("train_auto.csv", "train"), ("latest.csv", "train"), ("", "train"),
    ],
)  # fmt: skip
def test_what_a_file_is_for_is_guessed_by_its_name(name: str, kind: str) -> None:
    assert inbox_keys.guessed_kind(AUTO, name) == kind


def test_a_feature_table_has_training_files_only_and_without_a_key_there_are_no_label_files() -> None:
    weather = find_table("weather", DATASETS_DIR)
    assert inbox_keys.kinds(weather) == ("train",)
    assert inbox_keys.guessed_kind(weather, "test.csv") == "train"
    assert inbox_keys.kinds(make_dataset("auto", entity={"name": "row"})) == ("train", "test")


@pytest.mark.servers
@pytest.mark.usefixtures("servers")
def test_a_file_is_written_whole_and_never_over_another_one() -> None:
    data_set = make_dataset(new_name())
    place = inbox_keys.new_place(data_set, "test", "été <b>.csv")
    data = csv_bytes({"ID": "1"})
    assert dropping.drop(place, [data])
    assert object_store.get(place.bucket, place.key) == data
    assert dropping.drop(place, [b"other"]) is None
    version = object_store.head(place.bucket, place.key)
    assert version
    object_store.remove(version)
