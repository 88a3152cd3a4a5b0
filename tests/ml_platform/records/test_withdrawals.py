"""A preview of a withdrawal says what the withdrawal then does."""

import pytest

from ml_platform.records import withdrawals
from ml_platform.records.withdrawals import Preview
from ml_platform.removal.withdraw_upload import withdraw
from tests.ml_platform.ingestion.upload_cases import csv_bytes, ingest, make_dataset, new_name, rows_in

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


def test_rows_and_entities_are_counted_and_nothing_is_changed() -> None:
    sample = make_dataset(new_name())
    assert withdrawals.preview(sample, "0" * 64) == Preview(0, 0, ())
    ingest(sample, csv_bytes({"ID": "9"}), "_other")
    report = ingest(sample, csv_bytes({"ID": "1"}, {"ID": "2"}, {"ID": "3", "RATIO": "bad"}))
    before = rows_in("features", sample)
    assert withdrawals.preview(sample, report["sha256"]) == Preview(2, 2, ())
    assert rows_in("features", sample) == before
    done = withdraw(sample, report["sha256"], reason="a wrong export", by="ann")
    assert (done.rows, done.entities) == (2, 2)
    assert withdrawals.preview(sample, report["sha256"]) == Preview(0, 0, ())
