"""The reason why a header is wrong: first what the file seems to be, then what it lacks."""

import io
from typing import Any

import pytest

from ml_platform.exceptions import ContractError
from ml_platform.parsing.batches import read_batches
from tests.ml_platform.ingestion.upload_cases import GOOD, csv_bytes, json_lines, make_dataset
from tests.ml_platform.parsing.table_cases import HEADER, ROW, parse, text

UNLABELLED = tuple(name for name in GOOD if name not in ("LABEL", "COST"))


def refusal(data: bytes, of: Any = None) -> ContractError:
    with pytest.raises(ContractError) as error:
        list(read_batches(io.BytesIO(data), of or make_dataset(), "train", "a.csv"))
    return error.value


@pytest.mark.parametrize(
    ("data", "line", "beginning"),
    [
        (text(ROW)[len(HEADER) + 1 :], 1, "this line seems to hold values: the file has no header line"),
        (b"Sales of 2026\n\n" + text(ROW), 3, "the header is on this line; lines 1 to 2 are not part"),
        (b"Sales of 2026\n" + b"\xef\xbb\xbf" + text(ROW), 2, "the header is on this line; line 1 is not part"),
        (b"sep=;\n" + csv_bytes({}, delimiter=";"), 2, "the header is on this line; line 1 is not part"),
        (b"Sales\n" + csv_bytes({}, columns=UNLABELLED), 2, "the header is on this line"),
        (text(ROW).replace(b"COUNT", b"RATIO"), 1, "the header names a column twice: RATIO; the header lacks COUNT;"),
        (text(ROW).replace(b"NOTE", b"NOTE,NOTE"), 1, "the header names a column twice: NOTE"),
        (csv_bytes({}, columns=UNLABELLED), 1, "only what a file to be scored does not need is missing, so this looks "
            "like one: put it into the bucket test, named test_sample*"),
        (b"ID,probability,prediction,model_version,threshold\n1,.5,1,3,.4\n", 1, "the file is a result"),
        (b"ID LABEL COST\n1 0 2\n", 1, "this line is one cell; cells must be separated by commas, semicolons, tabs"),
        (b"\n\n" + text(ROW).replace(b"COUNT", b"count"), 3, r"the header lacks COUNT (count is there: case counts); "),
        (text(ROW).replace(b"LABEL", b"Label"), 1, "the header lacks LABEL (Label is there: case counts); "),
        (text(ROW).replace(b"COUNT", b"The count"), 1, "the header lacks COUNT; it names ID, LABEL"),
        (text(ROW).replace(b"COST", b" Co-st "), 1, "the header lacks COST (Co-st is there: write it the same way); "),
    ],
    ids=range(14),
)  # fmt: skip
def test_the_reason_says_what_the_file_seems_to_be(data: bytes, line: int, beginning: str) -> None:
    error = refusal(data)
    assert str(error).startswith(f"a.csv: line {line}: {beginning}")
    assert error.line == line


@pytest.mark.parametrize("on_missing_column", ["reject_file", "missing_values"])
def test_labels_alone_belong_into_the_folder_labels(on_missing_column: str) -> None:
    late = make_dataset(on_missing_column=on_missing_column, label={"column": "LABEL", "positive": 1, "late": True})
    said = str(refusal(b"ID,LABEL\n1,1\n", late))
    assert "put it into the folder labels of the bucket train, named sample*" in said


def test_a_file_to_be_scored_lacks_sensitive_columns_too() -> None:
    given = csv_bytes({}, columns=tuple(name for name in UNLABELLED if name != "KIND"))
    assert "so this looks like one: put it into the bucket test" in str(
        refusal(given, make_dataset(sensitive=["KIND"]))
    )


def test_rows_of_json_have_no_header_line() -> None:
    error = refusal(json_lines([{name: GOOD[name] for name in UNLABELLED}]))
    assert str(error).startswith("a.csv: only what a file to be scored does not need is missing")
    assert "; the rows lack LABEL, COST; they name ID, " in str(error)
    assert error.line is None


def test_a_header_of_other_names_is_no_row_of_values() -> None:
    data = b"name,2019,2020 (est.),city,street\nx,1,2,3,4\n"
    assert str(refusal(data)).startswith("a.csv: line 1: the header lacks ID, LABEL")


def test_only_a_row_with_all_names_is_a_later_header() -> None:
    data = b"Sales\n" + text(ROW).replace(b"ID,LABEL,COST,COUNT", b"ID,a,b,c")
    assert refusal(data).line == 1


def test_a_broken_row_is_no_reason_to_stop_looking_for_the_reason() -> None:
    assert str(refusal(b'Sales\n"open\n')).startswith("a.csv: line 1: this line is one cell")


def test_of_many_names_the_first_are_listed() -> None:
    names = ",".join(f"c{i}" for i in range(1000))
    assert str(refusal(f"{names}\n".encode())).endswith("c49 and 950 more")


def test_a_file_for_scoring_may_be_scored() -> None:
    assert parse(csv_bytes({}, columns=UNLABELLED), purpose="test")[0].num_rows == 1
