"""The report on an upload: its keys are safe whatever the file is called, and JSON brings it back unchanged."""

import json
from datetime import UTC, datetime, timedelta, timezone
from string import ascii_letters, digits

import pytest
from pydantic import TypeAdapter, ValidationError

from ml_platform.ingestion.upload_report import (
    Reason,
    UploadReport,
    archived_key,
    ending,
    new_report,
    timed_stem,
)
from ml_platform.storage.json_values import to_json
from ml_platform.storage.object_store import ObjectVersion
from tests.ml_platform.ingestion.upload_cases import make_dataset

MOMENT = datetime(2026, 1, 31, 12, 0, 5, tzinfo=UTC)
SHA256 = "ab" * 32


def version(key: str = "train_sample.csv", moment: datetime = MOMENT) -> ObjectVersion:
    return ObjectVersion("train", key, '"e"', moment, 9)


def test_keys_name_the_file_its_arrival_and_its_content() -> None:
    report = new_report(make_dataset(), "train", version(), SHA256, "loaded", rows_rejected=1)
    assert report["archived_key"] == "processed/train_sample.20260131T120005Z.abababab.csv"
    assert report["report_key"] == "processed/train_sample.20260131T120005Z.abababab.report.json"
    assert report["rejected_key"] == "processed/train_sample.20260131T120005Z.abababab.rejected.csv"


def test_a_rejected_file_has_a_folder_and_no_file_of_rejected_rows() -> None:
    report = new_report(make_dataset(), "train", version(), SHA256, "rejected", rows_rejected=3)
    assert report["archived_key"].startswith("rejected/")
    assert report["rejected_key"] is None


def test_a_file_without_bad_rows_has_no_file_of_rejected_rows() -> None:
    assert new_report(make_dataset(), "train", version(), SHA256, "loaded")["rejected_key"] is None


def test_the_time_in_a_key_is_utc() -> None:
    there = MOMENT.astimezone(timezone(timedelta(hours=9)))
    assert timed_stem(version(moment=there)) == "train_sample.20260131T120005Z"


def test_other_bytes_or_another_time_give_another_key() -> None:
    later = version(moment=MOMENT + timedelta(seconds=1))
    keys = {archived_key(version(), SHA256, "loaded"), archived_key(version(), "cd" * 32, "loaded")}
    assert len(keys | {archived_key(later, SHA256, "loaded")}) == 3


@pytest.mark.parametrize(
    "key", ["train_sample/../../etc/passwd.csv", "train_sample\n<b>'; DROP.csv", "train_sample漢" * 99]
)
def test_hostile_names_make_plain_keys(key: str) -> None:
    archived = new_report(make_dataset(), "train", version(key), SHA256, "loaded")["archived_key"]
    folder, _, name = archived.partition("/")
    assert folder == "processed"
    assert set(name) <= set(ascii_letters + digits + "_-.")
    assert ".." not in name
    assert len(name) < 200


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("train_sample.csv.gz", ".csv.gz"),
        ("train_sample.v2.parquet", ".parquet"),
        ("train_sample.XLSX", ".XLSX"),
        ("train_sample", ""),
        ("train_sample.漢", ""),
        ("train_sample.csv/..", ""),
        ("train_sample.ninechars", ""),
    ],
)
def test_an_archived_file_keeps_its_ending(key: str, expected: str) -> None:
    report = new_report(make_dataset(), "train", version(key), SHA256, "loaded", rows_rejected=1)
    assert ending(key) == expected
    assert report["archived_key"].endswith(f".abababab{expected}")
    assert report["report_key"].endswith(".abababab.report.json")
    assert str(report["rejected_key"]).endswith(".abababab.rejected.csv")
    assert set(report["archived_key"]) <= set(ascii_letters + digits + "_-./")


def test_a_new_report_has_every_field_and_what_is_not_given_is_zero_or_empty() -> None:
    report = new_report(make_dataset(delimiter=";"), "train", version(), SHA256, "duplicate")
    assert set(report) == set(UploadReport.__annotations__)
    counts = ("rows_read", "rows_loaded", "rows_rejected", "rows_present")
    assert [report[name] for name in counts] == [0, 0, 0, 0]  # type: ignore[literal-required]
    assert (report["format"], report["delimiter"], report["reasons"], report["result_key"]) == ("", ";", [], None)
    assert (report["warnings"], report["allowed"], report["template"]) == ([], [], None)
    assert datetime.fromisoformat(report["last_modified"]) == MOMENT
    assert (report["bucket"], report["key"], report["etag"], report["bytes"]) == ("train", "train_sample.csv", '"e"', 9)


def test_tasks_can_pass_a_report_on_as_json() -> None:
    reasons = [Reason(line=None, column="", value="", reason="3 of 3 rows are bad")]
    report = new_report(make_dataset(), "train", version(), SHA256, "rejected", reasons=reasons, rows_read=3)
    assert to_json(report) == json.loads(json.dumps(report)) == report
    assert TypeAdapter(UploadReport).validate_python(report) == report
    with pytest.raises(ValidationError, match="outcome"):
        TypeAdapter(UploadReport).validate_python(report | {"outcome": "lost"})
