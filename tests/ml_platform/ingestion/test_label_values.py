"""A label beyond the two values of a data set is a bad row, also where the spec names only the positive one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ml_platform.drafts import spec_check
from ml_platform.ingestion import label_values, uploads
from ml_platform.specs.spec import Dataset
from ml_platform.training import build_training_set
from tests.ml_platform.ingestion.upload_cases import (
    assert_accounted,
    csv_bytes,
    drop,
    ingest,
    make_dataset,
    new_name,
    rows_in,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


def labelled(*labels: str, first: int = 1) -> bytes:
    return csv_bytes(*({"ID": str(first + i), "LABEL": label} for i, label in enumerate(labels)))


def loaded_labels(data_set: Dataset) -> set[Any]:
    return {label for (label,) in rows_in("labels", data_set, '"LABEL"')}


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


def test_a_third_label_value_is_a_bad_row_that_says_what_is_allowed(sample: Dataset) -> None:
    report = ingest(sample, labelled("2", "0", "1", "0", "3"))
    assert_accounted(sample, report)
    assert (report["outcome"], report["rows_loaded"], report["rows_rejected"]) == ("loaded", 3, 2)
    assert [(bad["line"], bad["column"], bad["value"]) for bad in report["reasons"]] == [
        (2, "LABEL", "2"),
        (6, "LABEL", "3"),
    ]
    assert {bad["reason"] for bad in report["reasons"]} == {
        f"not allowed; allowed are 0, 1: datasets/{sample.name}.yaml names 1, and 0 is the other value so far;"
        " if the label has more than two, name all `classes` there"
    }
    assert loaded_labels(sample) == {0, 1}


def test_a_file_is_tried_against_the_label_values_already_loaded(sample: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "next.csv"
    file.write_bytes(labelled("2", "1", "2", first=10))
    assert spec_check.loaded_label(sample) is None
    assert spec_check.try_file(sample, file, "train").rows_rejected == 0
    ingest(sample, labelled("0", "1", "0"))
    other = spec_check.loaded_label(sample)
    assert other == "0"
    trial = spec_check.try_file(sample, file, "train", other_label=other)
    assert (trial.rows_read, trial.rows_rejected) == (3, 2)
    assert trial.bad_values[0].reason == "not allowed, in 2 rows; allowed are 0, 1"


def test_after_a_file_with_a_third_label_value_the_training_set_is_built(sample: Dataset) -> None:
    ingest(sample, labelled("0", "1", "0"))
    ingest(sample, labelled("2", "1", "0", first=10), "_2")
    ingest(sample, labelled("1", "0", first=20), "_3")
    reference = build_training_set.freeze(sample)
    assert (reference.rows, reference.classes, reference.class_rows) == (7, ["0", "1"], [4, 3])


def test_the_other_value_is_the_one_of_the_rows_already_loaded(sample: Dataset) -> None:
    ingest(sample, labelled("0", "1"))
    report = ingest(sample, labelled("2", "2", "2", "1", first=10), "_2")
    assert (report["outcome"], report["rows_rejected"]) == ("rejected", 3)
    assert loaded_labels(sample) == {0, 1}


def test_a_first_file_may_have_only_the_positive_value(sample: Dataset) -> None:
    assert ingest(sample, labelled("1", "1"))["rows_loaded"] == 2
    assert ingest(sample, labelled("0", "1", first=10), "_2")["rows_loaded"] == 2
    assert ingest(sample, labelled("2", "1", first=20), "_3")["rows_rejected"] == 1


@pytest.mark.parametrize(("column", "positive", "labels"), [
    ("text", "yes", ("no", "yes", "maybe", "no")),
    ("number", 1.5, ("0", "1.5", "2.25", "0")),
    ("category", "z_yes", ("z_no", "z_yes", "maybe", "z_no")),
])  # fmt: skip
def test_a_label_of_any_type_has_two_values(column: str, positive: Any, labels: tuple[str, ...]) -> None:
    label = {"type": column, "strip_prefix": "z_"} if column == "category" else column
    data_set = make_dataset(
        new_name(), columns={"LABEL": label}, label={"column": "LABEL", "positive": positive}
    )  # fmt: skip
    report = ingest(data_set, labelled(*labels))
    assert [(bad["line"], bad["value"]) for bad in report["reasons"]] == [(4, labels[2])]


def test_a_bad_label_is_named_by_the_header_of_its_column() -> None:
    columns = {"LABEL": {"type": "integer", "header": "Bought it?"}}
    data = labelled("0", "1", "2", "0").replace(b"LABEL", b"Bought it?")
    (bad,) = ingest(make_dataset(new_name(), columns=columns), data)["reasons"]
    assert (bad["line"], bad["column"], bad["value"]) == (4, "Bought it?", "2")


def test_two_first_files_at_once_agree_on_the_other_value(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each finds no label loaded, and their rows have different other values."""
    both_have_looked = threading.Barrier(2)
    most_frequent = label_values.rows

    def look(cursor: Any, statement: str, *values: Any) -> Any:
        if "pg_advisory_xact_lock" in statement:
            both_have_looked.wait(timeout=30)
        return most_frequent(cursor, statement, *values)

    monkeypatch.setattr(label_values, "rows", look)
    keys = [drop(sample, labelled("0", "1"), "_a"), drop(sample, labelled("2", "1", first=10), "_b")]
    with ThreadPoolExecutor() as pool:
        reports = list(pool.map(lambda key: uploads.ingest(sample, key), keys))
    assert sorted(report["rows_rejected"] for report in reports) == [0, 1]
    assert len(loaded_labels(sample)) == 2
