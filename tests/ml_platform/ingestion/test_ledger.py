"""The ledger: bytes are claimed once, an arrival keeps its first report, and rejected rows are there to look up."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ml_platform.exceptions import ContractError
from ml_platform.ingestion import ledger
from ml_platform.ingestion.upload_report import UploadReport, new_report
from ml_platform.parsing.batches import BadValue
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import fetch, transaction
from ml_platform.storage.object_store import ObjectVersion
from tests.ml_platform.ingestion.upload_cases import make_dataset, new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

SHA256 = "ab" * 32
MOMENT = datetime(2026, 1, 31, 12, 0, 5, tzinfo=UTC)


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


def version_of(dataset: Dataset, **changes: Any) -> ObjectVersion:
    return replace(ObjectVersion("train", f"train_{dataset.name}.csv", '"e"', MOMENT, 9), **changes)


def report_on(dataset: Dataset, purpose: Purpose = "train", **fields: Any) -> UploadReport:
    sha256, version = fields.pop("sha256", SHA256), fields.pop("version", version_of(dataset))
    return new_report(dataset, purpose, version, sha256, fields.pop("outcome", "loaded"), **fields)


def claim(report: UploadReport) -> bool:
    with transaction() as cursor:
        return ledger.claim(cursor, report) is not None


def record(report: UploadReport) -> UploadReport:
    with transaction() as cursor:
        return ledger.record_arrival(cursor, report)


def test_bytes_are_claimed_once_for_each_data_set_and_purpose(sample: Dataset) -> None:
    report = report_on(sample)
    other_key = report_on(sample, version=version_of(sample, key="other.csv"))
    assert [claim(report), claim(report), claim(other_key)] == [True, False, False]
    assert claim(report_on(sample, "test"))
    assert claim(report_on(sample, sha256="cd" * 32))
    assert claim(report_on(make_dataset(new_name())))


def test_the_first_claim_is_named_with_key_and_time(sample: Dataset) -> None:
    claim(report_on(sample))
    with transaction() as cursor:
        text = ledger.first_claim(cursor, report_on(sample, version=version_of(sample, key="other.csv")))
    (claimed_at,) = fetch("SELECT claimed_at FROM uploads.ledger WHERE dataset = $1", sample.name)[0]
    assert text == (f"the same bytes were loaded from 'train_{sample.name}.csv' at {claimed_at:%Y-%m-%d %H:%M:%S} UTC")


def roll_back() -> None:
    raise ContractError("the file is empty")


@pytest.mark.parametrize(("end", "is_won"), [(roll_back, True), (lambda: None, False)], ids=["undone", "committed"])
def test_a_second_claim_depends_on_how_the_first_ends(sample: Dataset, end: Callable[[], None], is_won: bool) -> None:
    report = report_on(sample)
    with ThreadPoolExecutor(1) as pool:
        with suppress(ContractError), transaction() as cursor:
            assert ledger.claim(cursor, report)
            second = pool.submit(claim, report)
            end()
        assert second.result() is is_won


def test_counts_and_the_report_are_written_into_the_claim(sample: Dataset) -> None:
    report = report_on(sample, rows_read=5, rows_loaded=3, rows_rejected=1, rows_present=1)
    with transaction() as cursor:
        ledger.claim(cursor, report)
        ledger.record_counts(cursor, report)
    statement = "SELECT rows_read, rows_loaded, rows_rejected, report ->> 'rows_present' FROM uploads.ledger"
    assert fetch(f"{statement} WHERE dataset = $1", sample.name) == [(5, 3, 1, "1")]


def test_an_arrival_keeps_its_first_report(sample: Dataset) -> None:
    first = record(report_on(sample, rows_read=5))
    assert record(report_on(sample, outcome="duplicate")) == first
    assert fetch("SELECT outcome FROM uploads.arrivals WHERE dataset = $1", sample.name) == [("loaded",)]
    with transaction() as cursor:
        assert ledger.recorded_report(cursor, version_of(sample)) == first


@pytest.mark.parametrize(
    "change", [{"etag": '"f"'}, {"last_modified": MOMENT + timedelta(seconds=1)}, {"key": "another.csv"}]
)
def test_another_version_of_an_object_is_another_arrival(sample: Dataset, change: dict[str, Any]) -> None:
    other = version_of(sample, **change)
    record(report_on(sample))
    with transaction() as cursor:
        assert ledger.recorded_report(cursor, other) is None
    assert record(report_on(sample, version=other, outcome="duplicate"))["outcome"] == "duplicate"


def test_a_time_in_another_zone_is_the_same_arrival(sample: Dataset) -> None:
    local = MOMENT.astimezone(datetime.strptime("+0530", "%z").tzinfo)
    report = record(report_on(sample))
    with transaction() as cursor:
        assert ledger.recorded_report(cursor, version_of(sample, last_modified=local)) == report


def test_the_latest_report_under_a_key_is_found(sample: Dataset) -> None:
    version = version_of(sample)
    record(report_on(sample))
    latest = record(report_on(sample, version=replace(version, etag='"f"'), outcome="rejected"))
    record(report_on(sample, version=replace(version, key="other.csv")))
    with transaction() as cursor:
        assert ledger.latest_report(cursor, sample.name, "train", version.key) == latest
        assert ledger.latest_report(cursor, sample.name, "test", version.key) is None
        assert ledger.latest_report(cursor, new_name(), "train", version.key) is None


def test_the_archived_key_belongs_to_one_arrival(sample: Dataset) -> None:
    report = record(report_on(sample))
    record(report_on(sample, version=version_of(sample, etag='"f"')))
    with transaction() as cursor:
        ledger.mark_archived(cursor, report)
    keys = "SELECT archived_key FROM uploads.arrivals WHERE dataset = $1 ORDER BY etag"
    assert fetch(keys, sample.name) == [(report["archived_key"],), (None,)]


def test_rejected_rows_are_replaced_and_come_back_by_line(sample: Dataset) -> None:
    report = report_on(sample, "test")
    bad = [
        BadValue(9, "AGE", "x", "not a whole number"),
        BadValue(2, "", "1,2", "2 cells"),
        BadValue(9, "A", "'; --", "bad"),
    ]
    with transaction() as cursor:
        ledger.claim(cursor, report)
        ledger.record_rejected(cursor, report, [BadValue(1, "OLD", "", "of an interrupted attempt")])
        ledger.record_rejected(cursor, report, bad)
        assert list(ledger.rejected_lines(cursor, report)) == [
            (2, "2 cells"), (9, "A: bad"), (9, "AGE: not a whole number")
        ]  # fmt: skip
    values = "SELECT value FROM uploads.rejected_rows WHERE dataset = $1 AND line = 9 ORDER BY column_name"
    assert fetch(values, sample.name) == [("'; --",), ("x",)]
    with transaction() as cursor:
        ledger.record_rejected(cursor, report, [])
        assert list(ledger.rejected_lines(cursor, report)) == []
