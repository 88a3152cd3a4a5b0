"""A file's good rows go to the tables, with their timestamps, and each bad row gets a reason."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from ml_platform.exceptions import ContractError
from ml_platform.ingestion import staging, uploads
from ml_platform.ingestion.ledger import Claim
from ml_platform.ingestion.staging import Counts
from ml_platform.ingestion.upload_report import Reason
from ml_platform.parsing.batches import arrow_schema, read_batches
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch, rows, transaction
from ml_platform.storage.object_store import ObjectVersion
from ml_platform.storage.tables import ensure_tables
from tests.ml_platform.ingestion.upload_cases import (
    assert_accounted,
    csv_bytes,
    drop,
    ingest,
    make_dataset,
    many,
    new_name,
    rows_in,
    timed_dataset,
    upload_later,
)


def on_servers(test: Any) -> Any:
    return pytest.mark.servers(pytest.mark.usefixtures("servers")(test))


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


@pytest.mark.parametrize(("rejected", "is_allowed"), [(0, True), (2, True), (3, False), (5, False)])
def test_the_share_of_bad_rows_is_limited(rejected: int, is_allowed: bool) -> None:
    dataset = make_dataset(max_bad_rows=0.4)
    reason = staging.rejection_reason(dataset, Counts(5, 5 - rejected, rejected))
    assert (reason is None) is is_allowed
    if reason:
        limit = "datasets/sample.yaml allows a share of 0.4 (max_bad_rows)"
        assert reason == f"{rejected} of 5 rows are bad; {limit}"


def test_reject_file_needs_only_one_bad_row() -> None:
    dataset = make_dataset(on_bad_row="reject_file", max_bad_rows=1.0)
    assert staging.rejection_reason(dataset, Counts(1000, 1000, 0)) is None
    reason = staging.rejection_reason(dataset, Counts(1000, 999, 1))
    assert reason == "1 of 1,000 rows are bad, and datasets/sample.yaml says on_bad_row: reject_file"


def test_an_empty_file_has_no_bad_rows() -> None:
    assert staging.rejection_reason(make_dataset(max_bad_rows=0.0), Counts(0, 0, 0)) is None


def test_rows_are_loaded_rejected_or_present() -> None:
    assert Counts(read=10, loaded=5, rejected=3).present == 2


def test_a_rejected_file_keeps_its_counts_and_reasons() -> None:
    reasons = [Reason(line=2, column="AGE", value="x", reason="not a whole number")]
    error = staging.FileRejectedError("2 of 3 rows are bad", Counts(3, 1, 2), reasons)
    assert isinstance(error, ContractError)
    assert (str(error), error.counts.rejected, error.reasons) == ("2 of 3 rows are bad", 2, reasons)


@on_servers
def test_an_error_in_the_middle_of_a_file_is_not_lost(sample: Dataset) -> None:
    """The rows are read from C code, which would turn it into an error of another kind."""

    def batches() -> Any:
        yield from read_batches(io.BytesIO(many(3)), sample, "train", "a.csv")
        raise ContractError("line 5: a quote opens here")

    with pytest.raises(ContractError, match="line 5"), transaction() as cursor:
        staging.stage(cursor, sample, "train", batches())


@on_servers
def test_staged_rows_are_counted_and_typed(sample: Dataset) -> None:
    data = csv_bytes({"ID": "1"}, {"ID": "2", "RATIO": "x", "COUNT": "y"}, {"ID": "3"})
    with transaction() as cursor:
        assert staging.stage(cursor, sample, "train", read_batches(io.BytesIO(data), sample, "train", "a")) == 3
        names = ", ".join(f'"{name}"' for name in arrow_schema(sample, "train").names)
        assert [row[:2] for row in rows(cursor, f"SELECT {names} FROM {staging.INCOMING}")] == [(2, 1), (4, 3)]
        assert staging.count_rejected(cursor) == 1
        reasons = [(reason["line"], reason["column"]) for reason in staging.first_reasons(cursor)]
        assert reasons == [(3, "COUNT"), (3, "RATIO")]


@on_servers
def test_a_report_has_only_the_first_reasons(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MAX_REASONS", 2)
    report = ingest(sample, csv_bytes(*({"ID": str(i), "RATIO": "x" if i < 4 else "1"} for i in range(8))))
    assert [reason["line"] for reason in report["reasons"]] == [2, 3]
    recorded = "SELECT count(*) FROM uploads.rejected_rows WHERE dataset = $1"
    assert fetch(recorded, sample.name) == [(4,)]


@on_servers
def test_a_row_that_repeats_a_rejected_one_is_loaded(sample: Dataset) -> None:
    report = ingest(sample, csv_bytes({"ID": "1", "RATIO": "x"}, {"ID": "1"}))
    assert_accounted(sample, report)
    assert (report["rows_loaded"], report["rows_rejected"]) == (1, 1)


@on_servers
def test_labels_of_a_rejected_file_are_not_inserted(sample: Dataset) -> None:
    ensure_tables(sample)
    data = csv_bytes({"ID": "1"}, {"ID": "2", "RATIO": "x"}, {"ID": "3", "RATIO": "y"})
    version = ObjectVersion("train", "a", "", datetime(2026, 1, 1, tzinfo=UTC), len(data))
    with pytest.raises(staging.FileRejectedError) as error, transaction() as cursor:
        staging.load(cursor, sample, version, Claim("ab" * 32), read_batches(io.BytesIO(data), sample, "train", "a"))
    assert error.value.counts == Counts(3, 1, 2)
    assert rows_in("features", sample) == rows_in("labels", sample) == 0


@on_servers
def test_without_an_event_time_that_of_the_upload_is_both_timestamps(sample: Dataset) -> None:
    report = ingest(sample, many(3))
    uploaded = datetime.fromisoformat(report["last_modified"])
    assert fetch("SELECT uploaded_at FROM uploads.ledger WHERE dataset = $1", sample.name) == [(uploaded,)]
    for schema in ("features", "labels"):
        assert rows_in(schema, sample, "DISTINCT event_timestamp, created_timestamp") == [(uploaded, uploaded)]


@on_servers
@pytest.mark.parametrize(("known_at", "known"), [("event_time", "AT"), ("load", "claim"), ("SEEN", "SEEN")])
def test_timestamps_come_from_the_file(known_at: str, known: str) -> None:
    dataset = timed_dataset(new_name(), known_at=known_at, columns={"SEEN": "timestamp"})
    ingest(dataset, csv_bytes({"AT": "2026-01-01", "SEEN": "2026-01-02T03:04:05+01:00"}))
    claim = fetch("SELECT claimed_at FROM uploads.ledger WHERE dataset = $1", dataset.name)[0][0].isoformat()
    expected = {"AT": "2026-01-01T00:00:00+00:00", "SEEN": "2026-01-02T02:04:05+00:00", "claim": claim}
    for schema in ("features", "labels"):
        timestamps = rows_in(schema, dataset, "event_timestamp, created_timestamp")
        assert [[time.isoformat() for time in row] for row in timestamps] == [[expected["AT"], expected[known]]]


@on_servers
def test_a_rejected_row_of_a_timed_file_names_the_time() -> None:
    dataset = timed_dataset(new_name())
    rows = [{"AT": "2026-01-01"}, {"AT": "2026-01-02"}, {"AT": "2026-01-01"}]
    report = ingest(dataset, csv_bytes(*rows))
    assert_accounted(dataset, report)
    assert report["reasons"][0]["reason"] == "key 1 at 2026-01-01 00:00:00.000000 is already on line 2"


@on_servers
def test_rows_that_an_earlier_file_brought_are_already_there() -> None:
    dataset = timed_dataset(new_name())
    ingest(dataset, csv_bytes({"ID": "1", "AT": "2026-01-01"}, {"ID": "2", "AT": "2026-01-01"}))
    changed = {"ID": "2", "AT": "2026-01-01", "LABEL": "1"}
    report = ingest(dataset, csv_bytes({"ID": "1", "AT": "2026-01-01"}, changed, {"ID": "3", "AT": "2026-01-01"}))
    assert_accounted(dataset, report)
    assert (report["rows_loaded"], report["rows_present"], report["rows_rejected"]) == (1, 1, 1)
    assert "same time but other values on line 3 of an earlier file" in report["reasons"][0]["reason"]
    assert rows_in("labels", dataset, 'count(*), sum("LABEL")::bigint') == [(3, 0)]


@on_servers
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


@on_servers
def test_hostile_cells_are_only_data(sample: Dataset) -> None:
    ingest(sample, csv_bytes(*({"ID": str(i), "NOTE": cell, "KIND": cell} for i, cell in enumerate(CELLS))))
    assert rows_in("features", sample, '"NOTE", "KIND"') == [(cell, cell) for cell in CELLS]
    mixed = [{"ID": str(i)} for i in range(9)] + [{"ID": cell, "RATIO": cell} for cell in CELLS]
    report = ingest(sample, csv_bytes(*mixed))
    assert_accounted(sample, report)
    assert [r["value"] for r in report["reasons"] if r["column"] == "RATIO"] == CELLS


@on_servers
def test_a_correction_known_later_is_a_new_version() -> None:
    dataset = timed_dataset(new_name(), known_at="SEEN", columns={"SEEN": "timestamp"})
    ingest(dataset, csv_bytes({"AT": "2026-01-01", "SEEN": "2026-01-01"}))
    report = ingest(dataset, csv_bytes({"AT": "2026-01-01", "SEEN": "2026-02-01", "RATIO": "0.7"}))
    assert report["rows_loaded"] == 1
    assert rows_in("features", dataset) == 2


@on_servers
def test_an_entity_uploaded_again_is_a_new_version(sample: Dataset) -> None:
    ingest(sample, csv_bytes({"ID": "1", "RATIO": "0.1"}))
    ingest(sample, csv_bytes({"ID": "1", "RATIO": "0.2"}))
    assert rows_in("features", sample, 'count(*), count(DISTINCT event_timestamp), count(DISTINCT "RATIO")') == [
        (2, 2, 2)
    ]


EXPORTS = {
    "line ends": lambda data: data.replace(b"\r\n", b"\n"),
    "semicolons": lambda data: data.replace(b",", b";").replace(b'"$67;349"', b'"$67,349"'),
    "trailing blanks": lambda data: data.replace(b"any text", b"any text  "),
    "other order": lambda data: b"".join([*data.splitlines(True)[:1], *data.splitlines(True)[:0:-1]]),
}


@on_servers
@pytest.mark.parametrize("export", EXPORTS)
def test_the_same_data_exported_again_are_already_there(sample: Dataset, export: str) -> None:
    data = csv_bytes(*({"ID": str(i), "LABEL": str(i % 2), "RATIO": "" if i == 3 else "0.5"} for i in range(9)))
    first = ingest(sample, data)
    assert [first[name] for name in KEYS] == [0, 0, 0]
    again = ingest(sample, EXPORTS[export](data), "_again")
    assert_accounted(sample, again)
    assert again["sha256"] != first["sha256"]
    assert (again["outcome"], again["rows_loaded"], again["rows_present"]) == ("loaded", 0, 9)
    assert [again[name] for name in KEYS] == [9, 9, 0]
    assert rows_in("labels", sample) == rows_in("features", sample) == 9


KEYS = ("keys_known", "keys_unchanged", "keys_changed")


@on_servers
@pytest.mark.parametrize("change", [{"RATIO": "0.7"}, {"LABEL": "1"}, {"COST": "5"}, {"NOTE": ""}, {"COUNT": ""}])
def test_a_row_that_differs_in_any_value_is_a_new_version(sample: Dataset, change: dict[str, str]) -> None:
    ingest(sample, many(3))
    report = ingest(sample, csv_bytes({"ID": "0"}, {"ID": "1"} | change, {"ID": "7"}), "_2")
    assert_accounted(sample, report)
    assert (report["rows_loaded"], report["rows_present"]) == (2, 1)
    assert [report[name] for name in KEYS] == [2, 1, 1]
    assert rows_in("features", sample) == 5


@on_servers
def test_a_row_that_is_what_it_was_before_the_current_version_is_loaded(sample: Dataset) -> None:
    for number, ratio in enumerate(("0.1", "0.2", "0.10", "0.100")):
        report = ingest(sample, csv_bytes({"ID": "1", "RATIO": ratio}), f"_{number}")
        assert report["rows_loaded"] == (number < 3)
    in_order = "array_to_string(array_agg(\"RATIO\" ORDER BY event_timestamp), ' ')"
    assert rows_in("features", sample, in_order) == [("0.1 0.2 0.1",)]


@on_servers
def test_a_known_time_of_its_own_counts_as_a_value() -> None:
    dataset = make_dataset(new_name(), known_at="SEEN", columns={"SEEN": "timestamp"})
    ingest(dataset, csv_bytes({"SEEN": "2026-01-01"}))
    assert ingest(dataset, csv_bytes({"SEEN": "2026-01-01 "}), "_2")["rows_present"] == 1
    assert ingest(dataset, csv_bytes({"SEEN": "2026-01-02"}), "_3")["rows_loaded"] == 1


@on_servers
def test_known_keys_of_a_timed_file_are_counted_too() -> None:
    dataset = timed_dataset(new_name())
    ingest(dataset, csv_bytes(*({"ID": str(i), "AT": "2026-01-01"} for i in range(3))))
    rows = [{"ID": "0", "AT": "2026-01-01"}, {"ID": "1", "AT": "2026-01-01"}, {"ID": "1", "AT": "2026-01-02"}]
    report = ingest(dataset, csv_bytes(*rows, {"ID": "9", "AT": "2026-01-01"}), "_2")
    assert (report["rows_loaded"], report["rows_present"]) == (2, 2)
    assert [report[name] for name in KEYS] == [2, 1, 1]


@on_servers
def test_two_exports_of_the_same_data_at_once_are_loaded_once(sample: Dataset) -> None:
    ensure_tables(sample)
    for number in range(4):
        data = many(3_000, NOTE=f"number {number}")
        keys = [drop(sample, export, f"_{number}_{i}") for i, export in enumerate((data, EXPORTS["line ends"](data)))]
        with ThreadPoolExecutor(2) as pool:
            reports = list(pool.map(lambda key: uploads.ingest(sample, key), keys))
        assert sorted(report["rows_loaded"] for report in reports) == [0, 3_000]
        assert rows_in("features", sample) == 3_000 * (number + 1)


@on_servers
def test_each_upload_has_a_time_of_its_own(sample: Dataset) -> None:
    """The store's times are whole seconds: of files in the same second, the one that is loaded last is the newest."""
    ensure_tables(sample)
    keys = [drop(sample, many(2_000, NOTE=note), f"_{note}") for note in "abcd"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: uploads.ingest(sample, key), keys))
    versions = 'count(*), count(DISTINCT "NOTE"), count(DISTINCT event_timestamp)'
    assert rows_in("features", sample, versions) == [(8_000, 4, 4)]


def older_and_newer(dataset: Dataset, older: bytes, newer: bytes) -> tuple[str, str]:
    """Drop two files, and return their keys."""
    first = drop(dataset, older, "_older")
    modified = head(first).last_modified.isoformat()
    second = f"train_{dataset.name}_newer.csv"
    upload_later({"bucket": "train", "key": second, "last_modified": modified}, newer)  # type: ignore[typeddict-item]
    return first, second


def head(key: str) -> ObjectVersion:
    version = object_store.head("train", key)
    assert version
    return version


NEWEST = 'DISTINCT ON ("ID") "ID", "RATIO"'
BY_TIME = ' ORDER BY "ID", event_timestamp DESC'


@on_servers
def test_the_newest_upload_is_the_current_version_whatever_was_loaded_last(sample: Dataset) -> None:
    older, newer = older_and_newer(sample, csv_bytes({"RATIO": "0.1"}), csv_bytes({"RATIO": "0.2"}))
    for key in (newer, older):  # a file that is large, or is tried again, is loaded after smaller ones
        assert uploads.ingest(sample, key)["rows_loaded"] == 1
    current = fetch(f'SELECT {NEWEST} FROM features."{sample.name}"{BY_TIME}')
    assert current == [(1, 0.2)]


@on_servers
def test_an_older_export_that_is_loaded_later_is_already_there(sample: Dataset) -> None:
    older, newer = older_and_newer(sample, many(5), EXPORTS["line ends"](many(5)))
    assert uploads.ingest(sample, newer)["rows_loaded"] == 5
    late = uploads.ingest(sample, older)
    assert (late["rows_loaded"], late["rows_present"], late["warnings"]) == (0, 5, [])


@on_servers
def test_a_newer_file_that_was_compared_too_early_is_compared_again(sample: Dataset) -> None:
    """The older file changes a row, and the newer one takes the change back, but is loaded first."""
    ingest(sample, csv_bytes({"RATIO": "0.1"}))
    older, newer = older_and_newer(sample, csv_bytes({"RATIO": "0.2"}), csv_bytes({"RATIO": "0.1"}, {"ID": "2"}))
    first = uploads.ingest(sample, newer)
    assert (first["rows_loaded"], first["rows_present"]) == (1, 1)
    late = uploads.ingest(sample, older)
    assert (late["rows_loaded"], late["keys_changed"], late["warnings"]) == (1, 1, [])
    assert sorted(fetch(f'SELECT {NEWEST} FROM features."{sample.name}"{BY_TIME}')) == [(1, 0.1), (2, 0.5)]
    assert rows_in("labels", sample) == 4
    recorded = "SELECT rows_loaded, is_reopened, object_key FROM uploads.ledger WHERE dataset = $1 AND sha256 = $2"
    assert fetch(recorded, sample.name, first["sha256"]) == [(2, False, newer)]


@on_servers
def test_a_file_that_cannot_be_compared_again_is_named(sample: Dataset) -> None:
    ingest(sample, csv_bytes({"RATIO": "0.1"}, {"ID": "2"}))
    older, newer = older_and_newer(sample, csv_bytes({"RATIO": "0.2"}), csv_bytes({"RATIO": "0.1"}))
    first = uploads.ingest(sample, newer)
    object_store.client().delete_object(Bucket="train", Key=first["archived_key"])
    assert uploads.ingest(sample, older)["warnings"] == [
        f"uploaded before '{newer}', but loaded later: rows there that seemed to be already there may differ now;"
        " drop the same again, and they are compared again"
    ]
    upload_later(first, csv_bytes({"RATIO": "0.1"}))
    again = uploads.ingest(sample, newer)
    assert (again["outcome"], again["rows_loaded"], again["rows_present"]) == ("loaded", 1, 0)
    assert fetch(f'SELECT {NEWEST} FROM features."{sample.name}"{BY_TIME}') == [(1, 0.1), (2, 0.5)]


@on_servers
def test_the_same_export_is_already_there_where_the_known_time_is_that_of_the_load() -> None:
    dataset = timed_dataset(new_name(), known_at="load")
    data = csv_bytes({"AT": "2026-01-01", "RATIO": "0.1"}, {"AT": "2026-01-02", "RATIO": "0.2"})
    ingest(dataset, data)
    again = ingest(dataset, EXPORTS["line ends"](data), "_again")
    assert (again["rows_loaded"], again["rows_present"]) == (0, 2)
    corrected = ingest(dataset, data.replace(b"0.2", b"0.3"), "_corrected")
    assert (corrected["rows_loaded"], corrected["rows_present"], corrected["keys_changed"]) == (1, 1, 1)
    assert rows_in("features", dataset) == rows_in("labels", dataset) == 3


@on_servers
def test_reject_file_allows_no_bad_row() -> None:
    dataset = make_dataset(new_name(), on_bad_row="reject_file")
    report = ingest(dataset, many(50) + b"x,0,0,3,0.5,1,k,yes,t\n")
    assert report["outcome"] == "rejected"
    assert [reason["line"] for reason in report["reasons"]] == [None, 52]
