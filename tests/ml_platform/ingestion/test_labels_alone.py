"""Labels that come on their own, in label files or in later rows, through the load and the join. On real servers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ml_platform.exceptions import DegenerateDataError
from ml_platform.ingestion import uploads
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.removal import withdraw_upload
from ml_platform.specs.spec import Dataset, FeatureTable
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch, identifier
from ml_platform.training import build_training_set
from tests.ml_platform.ingestion.upload_cases import (
    csv_bytes,
    drop,
    make_dataset,
    new_name,
    timed_dataset,
    upload_later,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

START = datetime(2026, 1, 1, tzinfo=UTC)
LATE = {"column": "LABEL", "positive": 1, "negative": 0, "late": True}
FEATURES = ("ID", "COUNT", "RATIO", "PRICE", "KIND", "FLAG", "NOTE")


def day(number: float) -> str:
    return (START + timedelta(days=number)).isoformat()


def load(data_set: Dataset, *rows: dict[str, str], columns: tuple[str, ...] = (), suffix: str = "") -> UploadReport:
    """Load a training file of such rows."""
    return uploads.ingest(data_set, drop(data_set, csv_bytes(*rows, columns=columns), suffix))


def label(data_set: Dataset, *lines: str, suffix: str = "", header: str = "ID,LABEL") -> UploadReport:
    """Load a label file with such lines."""
    key = f"labels/{data_set.name}{suffix}.csv"
    body = "\n".join([header, *lines]) + "\n"
    object_store.client().put_object(Bucket="train", Key=key, Body=body.encode())
    return uploads.ingest(data_set, key)


def label_at(data_set: Dataset, *lines: str, suffix: str = "") -> UploadReport:
    return label(data_set, *lines, suffix=suffix, header="ID,AT,LABEL")


def counts(report: UploadReport) -> tuple[int, int, int, int]:
    """Return the rows read, loaded, rejected and present."""
    return report["rows_read"], report["rows_loaded"], report["rows_rejected"], report["rows_present"]


def joined(data_set: Dataset) -> list[tuple[int, float, int]]:
    """Return key, count and label of each row of the training set."""
    build_training_set.freeze(data_set)
    frame, *_ = build_training_set.build(data_set)
    return [(int(row.ID), float(row.COUNT), int(row.LABEL)) for row in frame.itertuples()]


def stored(data_set: Dataset, schema: str) -> int:
    return int(fetch(f"SELECT count(*) FROM {schema}.{identifier(data_set.name)}")[0][0])


@pytest.fixture
def late() -> Dataset:
    """A data set whose files name no time and no label."""
    return make_dataset(new_name(), label=LATE)


@pytest.fixture
def timed() -> Dataset:
    return timed_dataset(new_name(), label=LATE)


@pytest.mark.parametrize("columns", [FEATURES, (*FEATURES, "LABEL", "COST")], ids=["no column", "empty cells"])
def test_features_first_and_a_label_file_later(late: Dataset, columns: tuple[str, ...]) -> None:
    cells = {"LABEL": "", "COST": ""}
    report = load(late, {"ID": "1", "COUNT": "4"} | cells, {"ID": "2", "COUNT": "5"} | cells, columns=columns)
    assert counts(report) == (2, 2, 0, 0), report["reasons"]
    with pytest.raises(DegenerateDataError, match=rf"no labelled rows are loaded; drop labels/{late.name}\* or train_"):
        build_training_set.freeze(late)
    report = label(late, "1,1", "2,0")
    assert counts(report) == (2, 2, 0, 0), report["reasons"]
    assert report["archived_key"].startswith(f"processed/labels/{late.name}.")
    assert object_store.head("train", report["archived_key"])
    assert not report["warnings"]
    assert joined(late) == [(1, 4.0, 1), (2, 5.0, 0)]


def test_a_label_is_joined_as_of_its_time(timed: Dataset) -> None:
    columns = (*FEATURES, "AT")
    load(timed, *({"ID": "1", "AT": day(number), "COUNT": f"{number}"} for number in (1, 3, 5)), columns=columns)
    assert counts(label_at(timed, f"1,{day(3.5)},1", f"1,{day(1)},0")) == (2, 2, 0, 0)
    assert joined(timed) == [(1, 1.0, 0), (1, 3.0, 1)]


def test_labels_that_come_before_their_features_wait_for_them(timed: Dataset) -> None:
    report = label_at(timed, f"1,{day(2)},1", f"2,{day(2)},0")
    assert report["warnings"] == [
        "2 labels wait for features: no row with the same ID that was known at the time of the label is loaded: "
        "1 (line 2), 2 (line 3)"
    ]
    with pytest.raises(DegenerateDataError, match="all 2 labels wait for features as of their time; drop train_"):
        build_training_set.freeze(timed)
    load(timed, {"ID": "1", "AT": day(1)}, {"ID": "2", "AT": day(3)}, columns=(*FEATURES, "AT"))
    assert joined(timed) == [(1, 3.0, 1)]  # the features of 2 are later than its label


def test_without_a_time_the_order_of_two_uploads_does_not_matter(late: Dataset) -> None:
    label(late, "1,1")
    load(late, {"ID": "1", "COUNT": "4"}, columns=FEATURES)
    assert joined(late) == [(1, 4.0, 1)]


def test_a_later_row_brings_the_label(late: Dataset, timed: Dataset) -> None:
    for data_set, cells in ((late, {}), (timed, {"AT": day(1)})):
        without, labelled = {"ID": "1", "LABEL": ""} | cells, {"ID": "1", "LABEL": "1"} | cells
        load(data_set, without, without | {"ID": "2"})
        report = load(data_set, labelled, without | {"ID": "2"}, suffix="_2")
        assert counts(report) == (2, 1, 0, 1), report["reasons"]
        assert (report["keys_known"], report["keys_changed"]) == (2, 1)
        assert (stored(data_set, "features"), stored(data_set, "labels")) == (2, 1)
        assert joined(data_set) == [(1, 3.0, 1)]


def test_a_label_file_corrects_a_label(timed: Dataset) -> None:
    ordinary = timed_dataset(new_name(), label=LATE | {"late": False})
    for data_set in (timed, ordinary):
        load(data_set, {"ID": "1", "AT": day(1), "LABEL": "0"}, {"ID": "2", "AT": day(1), "LABEL": "0"})
        assert counts(label_at(data_set, f"1,{day(1)},1", f"2,{day(1)},0")) == (2, 1, 0, 1)
        assert joined(data_set) == [(1, 3.0, 1), (2, 3.0, 0)]


def test_without_a_time_a_label_file_corrects_the_label_of_the_newest_row() -> None:
    ordinary = make_dataset(new_name())
    load(ordinary, {"ID": "1", "LABEL": "0", "COUNT": "4"})
    assert counts(label(ordinary, "1,1")) == (1, 1, 0, 0)
    assert counts(label(ordinary, "1,1", "9,0", suffix="_2")) == (2, 1, 0, 1)
    assert joined(ordinary) == [(1, 4.0, 1)]
    load(ordinary, {"ID": "1", "LABEL": "1", "COUNT": "5"}, suffix="_3")
    assert joined(ordinary) == [(1, 4.0, 1), (1, 5.0, 1)]


def test_the_same_label_is_new_once_the_features_are(late: Dataset) -> None:
    load(late, {"ID": "1", "COUNT": "4"}, columns=FEATURES)
    first = label(late, "1,1")
    load(late, {"ID": "1", "COUNT": "5"}, columns=FEATURES, suffix="_2")
    upload_later(first, b"ID,LABEL\n1,1\n\n")
    assert counts(uploads.ingest(late, first["key"])) == (1, 1, 0, 0)
    assert joined(late) == [(1, 4.0, 1), (1, 5.0, 1)]


def test_another_label_with_the_same_time_is_a_conflict(timed: Dataset) -> None:
    load(timed, {"ID": "1", "AT": day(1), "LABEL": "0"}, {"ID": "2", "AT": day(1), "LABEL": ""})
    rows = {"ID": "1", "AT": day(1), "LABEL": "1"}, {"ID": "2", "AT": day(1), "LABEL": "", "COUNT": "9"}
    report = load(timed, *rows, {"ID": "3", "AT": day(1), "LABEL": "1"}, suffix="_2")
    assert counts(report)[1:] == (0, 2, 0), "two of three are more bad rows than the spec allows"
    first, second = (reason["reason"] for reason in report["reasons"][1:])
    assert first == (
        "the label of key 1 came with the same time but other values on line 2 of an earlier file; "
        "a label file corrects it"
    )
    assert "key 2 came with the same time but other values" in second


def test_bad_labels_come_back_with_what_is_allowed(timed: Dataset) -> None:
    lines = (f"1,{day(1)},1", f"2,{day(1)},", "3,yesterday,0", f",{day(1)},0", f"1,{day(1)},1", f"4,{day(1)},0")
    report = label_at(timed, *lines, *(f"{key},{day(1)},0" for key in range(5, 9)))
    assert counts(report) == (10, 6, 4, 0)
    assert [(reason["line"], reason["column"]) for reason in report["reasons"]] == [
        (3, "LABEL"), (4, "AT"), (5, "ID"), (6, "ID"),
    ]  # fmt: skip
    report = label(timed, "1,1", suffix="_2")
    assert report["outcome"] == "rejected"
    assert "the header lacks AT" in report["reasons"][0]["reason"]
    assert [text.partition(":")[0] for text in report["allowed"]] == ["ID", "LABEL", "COST", "AT"]
    assert report["template"] == f"reports/templates/labels/{timed.name}.csv"
    template = object_store.get("reports", f"templates/labels/{timed.name}.csv")
    assert template.splitlines()[0] == b"ID,LABEL,COST,AT"


def test_a_file_in_the_wrong_place_is_told_the_right_one(timed: Dataset) -> None:
    report = uploads.ingest(timed, drop(timed, f"ID,AT,LABEL\n1,{day(1)},1\n".encode()))
    assert f"put it into the folder labels of the bucket train, named {timed.name}*" in report["reasons"][0]["reason"]
    report = label_at(timed, f"1,{day(1)},1", suffix="_2")
    assert report["outcome"] == "loaded"


def test_a_label_file_that_was_overtaken_changes_nothing_that_came_later(timed: Dataset) -> None:
    """Loaded in another order than uploaded, the files give the labels that they would have given in order."""
    load(timed, {"ID": "1", "AT": day(1)}, columns=(*FEATURES, "AT"))
    label_at(timed, f"1,{day(1)},0", suffix="_1")
    second = f"labels/{timed.name}_2.csv"
    body = f"ID,AT,LABEL\n1,{day(1)},1\n".encode()
    object_store.client().put_object(Bucket="train", Key=second, Body=body)
    overtaken = object_store.head("train", second)
    assert overtaken is not None
    third: Any = {"bucket": "train", "key": f"labels/{timed.name}_3.csv"}
    upload_later(
        third | {"last_modified": overtaken.last_modified.isoformat()}, f"ID,AT,LABEL\n1,{day(1)},0\n\n".encode()
    )
    assert counts(uploads.ingest(timed, third["key"])) == (1, 0, 0, 1)
    uploads.ingest(timed, second)
    assert joined(timed) == [(1, 3.0, 0)]


def test_a_training_starts_once_labels_have_features(timed: Dataset) -> None:
    label_at(timed, f"1,{day(2)},1", f"2,{day(2)},0")
    assert uploads.announce(timed, "one") == 0
    load(timed, {"ID": "1", "AT": day(1)}, {"ID": "3", "AT": day(1)}, columns=(*FEATURES, "AT"))
    assert uploads.announce(timed, "two") == 1
    load(timed, {"ID": "4", "AT": day(1)}, columns=(*FEATURES, "AT"), suffix="_2")
    assert uploads.announce(timed, "three") == 0
    label_at(timed, f"3,{day(2)},1", f"9,{day(2)},1", suffix="_2")
    assert uploads.announce(timed, "four") == uploads.announce(timed, "four") == 1


def test_a_label_file_is_taken_back(timed: Dataset) -> None:
    load(timed, {"ID": "1", "AT": day(1)}, {"ID": "2", "AT": day(1)}, columns=(*FEATURES, "AT"))
    label_at(timed, f"1,{day(1)},1", f"2,{day(1)},0")
    wrong = label_at(timed, f"1,{day(1)},0", suffix="_2")
    done = withdraw_upload.withdraw(timed, wrong["sha256"], reason="wrong", by="anna")
    assert (done.rows, done.entities) == (1, 1)
    assert joined(timed) == [(1, 3.0, 1), (2, 3.0, 0)]


def test_the_sources_name_the_files_of_labels_and_features(timed: Dataset) -> None:
    brought = load(timed, {"ID": "1", "AT": day(1)}, columns=(*FEATURES, "AT"))
    labels = label_at(timed, f"1,{day(1)},1")
    reference = build_training_set.freeze(timed)
    load(timed, {"ID": "2", "AT": day(1)}, columns=(*FEATURES, "AT"), suffix="_2")
    assert build_training_set.freeze(timed) == reference
    assert [source.sha256 for source in reference.sources] == [brought["sha256"], labels["sha256"]]
    recorded = fetch("SELECT upload_sha256 FROM uploads.training_sets WHERE dataset = $1", timed.name)
    assert {sha256 for (sha256,) in recorded} == {brought["sha256"], labels["sha256"]}


def test_a_dump_with_the_same_label_labels_the_newer_features(late: Dataset) -> None:
    for number, count in enumerate(("4", "5")):
        report = load(late, {"ID": "1", "COUNT": count, "LABEL": "0"}, suffix=f"_{number}")
        assert counts(report) == (1, 1, 0, 0)
    assert joined(late) == [(1, 4.0, 0), (1, 5.0, 0)]


@pytest.mark.parametrize("is_late", [True, False], ids=["late", "ordinary"])
@pytest.mark.parametrize("has_time", [True, False], ids=["timed", "without a time"])
def test_a_row_with_its_corrected_label_is_already_there(*, is_late: bool, has_time: bool) -> None:
    make = timed_dataset if has_time else make_dataset
    data_set, at = make(new_name(), label=LATE | {"late": is_late}), {"AT": day(1)} if has_time else {}
    load(data_set, {"ID": "1", "LABEL": "0"} | at)
    (label_at if has_time else label)(data_set, f"1,{day(1)},1" if has_time else "1,1")
    rows = {"ID": "1", "LABEL": "1"} | at, {"ID": "2", "LABEL": "0"} | at
    assert counts(load(data_set, *rows, suffix="_2"))[2:] == (0, 1)
    report = load(data_set, {"ID": "1", "LABEL": "0"} | at, rows[1], suffix="_3")
    assert counts(report)[2:] == (0, 2 if has_time else 1), "without a time the newest upload counts"
    labels = [label for key, _, label in joined(data_set) if key == 1]
    assert labels == ([1] if has_time else [0] if is_late else [1, 0])


def test_features_that_were_not_known_yet_are_not_those_of_a_label() -> None:
    seen = timed_dataset(new_name(), label=LATE, known_at="SEEN", columns={"SEEN": "timestamp"})
    columns = (*FEATURES, "AT", "SEEN")
    rows = {"AT": day(1), "SEEN": day(1), "COUNT": "4"}, {"AT": day(2), "SEEN": day(9), "COUNT": "5"}
    load(seen, *({"ID": "1"} | row for row in rows), {"ID": "2", "AT": day(1), "SEEN": day(9)}, columns=columns)
    report = label_at(seen, f"1,{day(3)},1", f"2,{day(3)},0")
    assert report["warnings"] == [
        "1 label waits for features: no row with the same ID that was known at the time of the label is loaded: "
        "2 (line 3)"
    ]
    assert joined(seen) == [(1, 4.0, 1)]


def test_labels_without_features_are_compared_in_the_order_of_their_uploads(timed: Dataset) -> None:
    label_at(timed, f"1,{day(1)},0", suffix="_1")
    second = f"labels/{timed.name}_2.csv"
    object_store.client().put_object(Bucket="train", Key=second, Body=f"ID,AT,LABEL\n1,{day(1)},1\n".encode())
    overtaken = object_store.head("train", second)
    assert overtaken is not None
    third: Any = {"bucket": "train", "key": f"labels/{timed.name}_3.csv", "last_modified": ""}
    upload_later(
        third | {"last_modified": overtaken.last_modified.isoformat()}, f"ID,AT,LABEL\n1,{day(1)},0\n\n".encode()
    )
    assert counts(uploads.ingest(timed, third["key"])) == (1, 0, 0, 1)
    uploads.ingest(timed, second)
    load(timed, {"ID": "1", "AT": day(1)}, columns=(*FEATURES, "AT"))
    assert joined(timed) == [(1, 3.0, 0)]


def test_a_file_of_which_only_the_labels_were_new_comes_again_after_a_withdrawal(timed: Dataset) -> None:
    features = load(timed, {"ID": "1", "AT": day(1), "LABEL": ""}, {"ID": "2", "AT": day(1), "LABEL": ""})
    data = csv_bytes({"ID": "1", "AT": day(1), "LABEL": "1"}, {"ID": "2", "AT": day(1), "LABEL": "0"})
    assert counts(uploads.ingest(timed, drop(timed, data, "_2"))) == (2, 2, 0, 0)
    done = withdraw_upload.withdraw(timed, features["sha256"], reason="wrong", by="anna")
    assert done.reopened == (f"train_{timed.name}_2.csv",)
    for number in (3, 4):
        report = uploads.ingest(timed, drop(timed, data, f"_{number}"))
    assert report["outcome"] == "duplicate"
    loaded = fetch("SELECT rows_read, rows_loaded FROM uploads.ledger WHERE dataset = $1", timed.name)
    assert loaded == [(2, 4)], "labels the first time, features the second"
    assert joined(timed) == [(1, 3.0, 1), (2, 3.0, 0)]


def test_a_label_file_of_rows_without_a_key_is_rejected_with_the_reason() -> None:
    keyless = make_dataset(new_name(), entity={"name": "row"}, columns={"ID": "text"})
    report = label(keyless, "1,1")
    assert report["outcome"] == "rejected"
    assert "has no key by which a label could find its row" in report["reasons"][0]["reason"]


def test_joined_tables_and_composite_keys_with_numbers_to_predict() -> None:
    rates = FeatureTable.model_validate({
        "kind": "table", "name": new_name(), "description": "", "entity": {"name": "kind_of_rate", "key": "KIND"},
        "event_time": "AT", "columns": {"KIND": "category", "AT": "timestamp", "RATE": "number"},
    })  # fmt: skip
    body = f"KIND,AT,RATE\na,{day(0)},7\na,{day(2)},8\nb,{day(0)},9\n"
    object_store.client().put_object(Bucket="train", Key=f"{rates.name}.csv", Body=body.encode())
    uploads.ingest(rates, f"{rates.name}.csv")
    priced = timed_dataset(
        new_name(), entity={"name": "two", "key": ["ID", "NOTE"]}, features_from=[rates.name], tables=[rates],
        label={"column": "LABEL", "kind": "number", "late": True}, leaks=[], columns={"COST": "number"},
    )  # fmt: skip
    columns = (*FEATURES, "AT", "COST")
    load(priced, *({"ID": "1", "NOTE": kind, "KIND": kind, "AT": day(1)} for kind in "ab"), columns=columns)
    label(priced, f"1,a,{day(3)},5", f"1,b,{day(1)},6", header="ID,NOTE,AT,LABEL")
    build_training_set.freeze(priced)
    frame, *_ = build_training_set.build(priced)
    assert frame[["NOTE", f"{rates.name}__RATE", "LABEL"]].to_numpy().tolist() == [["a", 8.0, 5.0], ["b", 9.0, 6.0]]
