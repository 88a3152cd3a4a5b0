"""What is unusual in the columns of a valid file is said in a sentence, and rejects nothing."""

import io
from typing import Any

import pytest

from ml_platform.parsing.batches import open_table, typed_batches
from ml_platform.parsing.column_warnings import ColumnWarnings, listed
from ml_platform.specs.parts import Purpose
from tests.ml_platform.ingestion.upload_cases import csv_bytes, make_dataset

VARIED: dict[str, Any] = {"COUNT": range(10), "RATIO": range(10), "PRICE": range(10), "KIND": "abcdefghij"}


def warnings_of(data: bytes, of: Any = None, purpose: Purpose = "train") -> list[str]:
    of = of or make_dataset()
    rows = open_table(io.BytesIO(data), of, purpose, "a.csv")
    watched = ColumnWarnings(rows, of)
    assert sum(batch.rows.num_rows for batch in watched.watch(typed_batches(rows, of, purpose))) > 0
    return watched.texts()


def file_of(count: int = 10, **cells: str) -> bytes:
    """Return a file in whose rows every column varies, but those that are given."""
    varied = ({name: str(values[i % 10]) for name, values in VARIED.items()} for i in range(count))
    flags = ({"ID": str(i), "LABEL": str(i % 2), "FLAG": "yn"[i % 2]} for i in range(count))
    return csv_bytes(*(row | flag | cells for row, flag in zip(varied, flags, strict=True)))


def test_a_usual_file_has_no_warnings() -> None:
    assert warnings_of(file_of()) == []


def test_columns_that_are_ignored_are_named() -> None:
    more = {"MORE": "1", "": "2"}
    (text,) = warnings_of(file_of(**more))
    assert text == "2 columns are ignored, which datasets/sample.yaml does not list: MORE, (no name)"
    assert warnings_of(file_of(MORE="1"), make_dataset(ignore=["MORE"])) == []
    (text,) = warnings_of(file_of(1, MORE="1"))
    assert text == "1 column is ignored, which datasets/sample.yaml does not list: MORE"


def test_label_and_leaks_of_a_file_to_score_are_no_extra_columns() -> None:
    assert warnings_of(file_of(LABEL="?", COST="?"), purpose="test") == []


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        ({"RATIO": ""}, "RATIO has no value in any of the 10 rows"),
        ({"RATIO": "0.50"}, "RATIO is 0.5 in all 10 rows"),
        ({"KIND": "z_b"}, "KIND is b in all 10 rows"),
        ({"FLAG": "yes"}, "FLAG is True in all 10 rows"),
        ({"LABEL": "0"}, "the label LABEL has a single class: it is 0 in all 10 rows"),
    ],
)
def test_an_empty_or_constant_column_is_named_with_its_value(cells: dict[str, str], text: str) -> None:
    assert warnings_of(file_of(**cells)) == [text]


def test_a_remark_may_be_constant_and_a_value_may_be_missing_sometimes() -> None:
    assert warnings_of(file_of(NOTE="x")) == []
    assert warnings_of(csv_bytes(*({"ID": str(i)} for i in range(9)))) == []  # too few rows
    half = file_of(RATIO="1").replace(b",1,", b",,", 1)
    assert warnings_of(half) == []


def test_batches_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_platform.parsing.batches.BATCH_ROWS", 3)
    assert warnings_of(file_of(30)) == []
    assert warnings_of(file_of(30, PRICE="$5")) == ["PRICE is 5.0 in all 30 rows"]


def test_of_many_names_the_first_are_listed() -> None:
    assert listed([f"c{i}" for i in range(30)]).endswith("c19 and 10 more")
