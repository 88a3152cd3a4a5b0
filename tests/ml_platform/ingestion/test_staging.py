"""The rows of a file come to the temporary tables typed, and each bad row gets a reason."""

import io
from typing import Any

import pytest

from ml_platform.exceptions import ContractError
from ml_platform.ingestion import staging
from ml_platform.parsing.batches import arrow_schema, read_batches
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import fetch, rows, transaction
from tests.ml_platform.ingestion.upload_cases import (
    assert_accounted,
    csv_bytes,
    ingest,
    make_dataset,
    many,
    new_name,
    rows_in,
    timed_dataset,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


def test_an_error_in_the_middle_of_a_file_is_not_lost(sample: Dataset) -> None:
    """The rows are read from C code, which would turn it into an error of another kind."""

    def batches() -> Any:
        yield from read_batches(io.BytesIO(many(3)), sample, "train", "a.csv")
        raise ContractError("line 5: a quote opens here")

    with pytest.raises(ContractError, match="line 5"), transaction() as cursor:
        staging.stage(cursor, sample, "train", batches())


def test_staged_rows_are_counted_and_typed(sample: Dataset) -> None:
    data = csv_bytes({"ID": "1"}, {"ID": "2", "RATIO": "x", "COUNT": "y"}, {"ID": "3"})
    with transaction() as cursor:
        assert staging.stage(cursor, sample, "train", read_batches(io.BytesIO(data), sample, "train", "a")) == 3
        names = ", ".join(f'"{name}"' for name in arrow_schema(sample, "train").names)
        assert [row[:2] for row in rows(cursor, f"SELECT {names} FROM {staging.INCOMING}")] == [(2, 1), (4, 3)]
        assert staging.count_rejected(cursor) == 1
        reasons = [(reason["line"], reason["column"]) for reason in staging.first_reasons(cursor)]
        assert reasons == [(3, "COUNT"), (3, "RATIO")]


def test_a_report_has_only_the_first_reasons(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MAX_REASONS", 2)
    report = ingest(sample, csv_bytes(*({"ID": str(i), "RATIO": "x" if i < 4 else "1"} for i in range(8))))
    assert [reason["line"] for reason in report["reasons"]] == [2, 3]
    recorded = "SELECT count(*) FROM uploads.rejected_rows WHERE dataset = $1"
    assert fetch(recorded, sample.name) == [(4,)]


def test_a_rejected_row_of_a_timed_file_names_the_time() -> None:
    dataset = timed_dataset(new_name())
    rows = [{"AT": "2026-01-01"}, {"AT": "2026-01-02"}, {"AT": "2026-01-01"}]
    report = ingest(dataset, csv_bytes(*rows))
    assert_accounted(dataset, report)
    assert report["reasons"][0]["reason"] == "key 1 at 2026-01-01 00:00:00.000000 is already on line 2"


def test_column_names_are_only_names() -> None:
    words = ("event", "known", "key", "first", "same", "other", "at", "Select", "a b-c.d", "i", "f", "_value")
    dataset = timed_dataset(
        new_name(), event_time="event", columns=dict.fromkeys(words, "text") | {"event": "timestamp"}
    )
    row = {"AT": "2026-01-01", "event": "2026-01-01"} | {word: word for word in words if word != "event"}
    assert ingest(dataset, csv_bytes(row))["rows_loaded"] == 1
    report = ingest(dataset, csv_bytes(row, row | {"ID": "2"}, row | {"ID": "2"}))
    assert_accounted(dataset, report)
    assert (report["rows_present"], report["rows_loaded"], report["rows_rejected"]) == (1, 1, 1)
    assert rows_in("features", dataset, 'DISTINCT "a b-c.d", "Select"') == [("a b-c.d", "Select")]


CELLS = [
    "=cmd|' /C calc'!A0",
    "'; DROP TABLE features.x; --",
    "{{ 7*7 }}",
    "%s %(x)s",
    "$1",
    "<script>",
    "\\N",
    "../..",
    "漢字",
]


def test_hostile_cells_are_only_data(sample: Dataset) -> None:
    ingest(sample, csv_bytes(*({"ID": str(i), "NOTE": cell, "KIND": cell} for i, cell in enumerate(CELLS))))
    assert rows_in("features", sample, '"NOTE", "KIND"') == [(cell, cell) for cell in CELLS]
    mixed = [{"ID": str(i)} for i in range(9)] + [{"ID": cell, "RATIO": cell} for cell in CELLS]
    report = ingest(sample, csv_bytes(*mixed))
    assert_accounted(sample, report)
    assert [r["value"] for r in report["reasons"] if r["column"] == "RATIO"] == CELLS
