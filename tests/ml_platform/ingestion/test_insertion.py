"""Only what earlier files did not bring is inserted, and a row with other values is a new version."""

import pytest

from ml_platform.specs.spec import Dataset
from tests.ml_platform.ingestion.upload_cases import (
    EXPORTS,
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


def test_rows_that_an_earlier_file_brought_are_already_there() -> None:
    dataset = timed_dataset(new_name())
    ingest(dataset, csv_bytes({"ID": "1", "AT": "2026-01-01"}, {"ID": "2", "AT": "2026-01-01"}))
    changed = {"ID": "2", "AT": "2026-01-01", "LABEL": "1"}
    report = ingest(dataset, csv_bytes({"ID": "1", "AT": "2026-01-01"}, changed, {"ID": "3", "AT": "2026-01-01"}))
    assert_accounted(dataset, report)
    assert (report["rows_loaded"], report["rows_present"], report["rows_rejected"]) == (1, 1, 1)
    assert "same time but other values on line 3 of an earlier file" in report["reasons"][0]["reason"]
    assert rows_in("labels", dataset, 'count(*), sum("LABEL")::bigint') == [(3, 0)]


def test_a_correction_known_later_is_a_new_version() -> None:
    dataset = timed_dataset(new_name(), known_at="SEEN", columns={"SEEN": "timestamp"})
    ingest(dataset, csv_bytes({"AT": "2026-01-01", "SEEN": "2026-01-01"}))
    report = ingest(dataset, csv_bytes({"AT": "2026-01-01", "SEEN": "2026-02-01", "RATIO": "0.7"}))
    assert report["rows_loaded"] == 1
    assert rows_in("features", dataset) == 2


def test_an_entity_uploaded_again_is_a_new_version(sample: Dataset) -> None:
    ingest(sample, csv_bytes({"ID": "1", "RATIO": "0.1"}))
    ingest(sample, csv_bytes({"ID": "1", "RATIO": "0.2"}))
    assert rows_in("features", sample, 'count(*), count(DISTINCT event_timestamp), count(DISTINCT "RATIO")') == [
        (2, 2, 2)
    ]


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


@pytest.mark.parametrize("change", [{"RATIO": "0.7"}, {"LABEL": "1"}, {"COST": "5"}, {"NOTE": ""}, {"COUNT": ""}])
def test_a_row_that_differs_in_any_value_is_a_new_version(sample: Dataset, change: dict[str, str]) -> None:
    ingest(sample, many(3))
    report = ingest(sample, csv_bytes({"ID": "0"}, {"ID": "1"} | change, {"ID": "7"}), "_2")
    assert_accounted(sample, report)
    assert (report["rows_loaded"], report["rows_present"]) == (2, 1)
    assert [report[name] for name in KEYS] == [2, 1, 1]
    assert rows_in("features", sample) == 5


def test_a_row_that_is_what_it_was_before_the_current_version_is_loaded(sample: Dataset) -> None:
    for number, ratio in enumerate(("0.1", "0.2", "0.10", "0.100")):
        report = ingest(sample, csv_bytes({"ID": "1", "RATIO": ratio}), f"_{number}")
        assert report["rows_loaded"] == (number < 3)
    in_order = "array_to_string(array_agg(\"RATIO\" ORDER BY event_timestamp), ' ')"
    assert rows_in("features", sample, in_order) == [("0.1 0.2 0.1",)]


def test_a_known_time_of_its_own_counts_as_a_value() -> None:
    dataset = make_dataset(new_name(), known_at="SEEN", columns={"SEEN": "timestamp"})
    ingest(dataset, csv_bytes({"SEEN": "2026-01-01"}))
    assert ingest(dataset, csv_bytes({"SEEN": "2026-01-01 "}), "_2")["rows_present"] == 1
    assert ingest(dataset, csv_bytes({"SEEN": "2026-01-02"}), "_3")["rows_loaded"] == 1


def test_known_keys_of_a_timed_file_are_counted_too() -> None:
    dataset = timed_dataset(new_name())
    ingest(dataset, csv_bytes(*({"ID": str(i), "AT": "2026-01-01"} for i in range(3))))
    rows = [{"ID": "0", "AT": "2026-01-01"}, {"ID": "1", "AT": "2026-01-01"}, {"ID": "1", "AT": "2026-01-02"}]
    report = ingest(dataset, csv_bytes(*rows, {"ID": "9", "AT": "2026-01-01"}), "_2")
    assert (report["rows_loaded"], report["rows_present"]) == (2, 2)
    assert [report[name] for name in KEYS] == [2, 1, 1]


def test_the_same_export_is_already_there_where_the_known_time_is_that_of_the_load() -> None:
    dataset = timed_dataset(new_name(), known_at="load")
    data = csv_bytes({"AT": "2026-01-01", "RATIO": "0.1"}, {"AT": "2026-01-02", "RATIO": "0.2"})
    ingest(dataset, data)
    again = ingest(dataset, EXPORTS["line ends"](data), "_again")
    assert (again["rows_loaded"], again["rows_present"]) == (0, 2)
    corrected = ingest(dataset, data.replace(b"0.2", b"0.3"), "_corrected")
    assert (corrected["rows_loaded"], corrected["rows_present"], corrected["keys_changed"]) == (1, 1, 1)
    assert rows_in("features", dataset) == rows_in("labels", dataset) == 3
