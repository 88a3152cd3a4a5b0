"""JSON objects, one per line of a file or in a list: keys, digits, and the faults of single rows."""

import io
import json
from typing import Any

import pytest

from ml_platform.exceptions import ContractError
from ml_platform.files.formats import Fault, Native, display_text
from ml_platform.files.json_rows import MOST_LEVELS, ListRows, decode_json
from ml_platform.files.reading import open_rows
from tests.ml_platform.files.file_cases import faults_of, json_lines, opened

ROWS: list[Any] = [
    {"a": 1, "b": 0.10},
    {"b": None, "c": True},
    {"a": "x", "c": {"d": [1]}},
    {"d": 12345678901234567890},
]


def read(rows: Any) -> tuple[Any, ...]:
    cells = [(rows.line, cells, rows.faults) for cells in rows]
    return rows.header, rows.nested, cells


def test_a_list_has_the_same_rows_as_lines() -> None:
    lines = "\n".join(json.dumps(row) for row in ROWS)
    from_file = open_rows(io.BytesIO(lines.encode()), "x", wanted=("c",))
    assert read(ListRows(decode_json(json.dumps(ROWS)), "x", ("c",))) == read(from_file)


def test_numbers_of_lines_keep_their_digits() -> None:
    data = b'{"id": 9223372036854775807, "x": 0.10, "y": 1E400, "z": -0}\n{"id": "007", "x": null, "y": true, "w": ""}'
    rows = opened(data)
    assert rows.header == ["id", "x", "y", "z", "w"]
    cells = list(rows)
    assert cells == [["9223372036854775807", "0.10", "1E400", "-0", ""], ["007", "", "true", "", ""]]
    assert [cell for row in cells for cell in row if isinstance(cell, Native)] == ["0.10", "1E400"]


def test_numbers_of_a_list_keep_their_digits() -> None:
    header, _, [(_, cells, _)] = read(ListRows(decode_json('[{"a": 1.10, "b": 1e400, "c": 7e0, "d": "1.1"}]'), "x", ()))
    assert (header, cells) == (["a", "b", "c", "d"], ["1.10", "1e400", "7e0", "1.1"])
    assert [isinstance(cell, Native) for cell in cells] == [True, True, True, False]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1]", "not a JSON object"),
        ("1", "not a JSON object"),
        ('{"a": 1', "not valid JSON: .* at character"),
        ('{"a": 1} {"a": 2}', "not valid JSON: Extra data at character 10"),
        ('{"a": 1, "b": 2, "a": 3}', "names a key twice: a"),
        ('{"a": NaN}', "NaN is no number in JSON"),
        ('{"a": -Infinity}', "-Infinity is no number in JSON"),
        ('{"a": ' + "[" * 100_000, "nested too deeply"),
        ("a,b", "not valid JSON"),
    ],
)
def test_a_broken_line_of_json_is_a_bad_row(line: str, reason: str) -> None:
    found = faults_of(f'{{"a": 1}}\n\n{line}\n{{"a": 2}}'.encode())
    [(number, fault)] = found
    assert (number, fault.column, fault.value) == (3, "", display_text(line))
    with pytest.raises(ValueError, match=reason):
        raise ValueError(fault.reason)


def test_lines_are_counted_with_blank_ones() -> None:
    rows = opened(b'\n{"a": 1}\r\n \r\n{"a": 2}')
    assert [(rows.line, cells) for cells in rows] == [(2, ["1"]), (4, ["2"])]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"a": 1', "no line holds a JSON object .*: not valid JSON"),
        (b"{}\n{}", "no line holds a JSON object with values"),
    ],
)
def test_a_file_without_any_value_says_why(data: bytes, problem: str) -> None:
    with pytest.raises(ContractError, match=f"^a.file: {problem}"):
        opened(data)


@pytest.mark.parametrize("row", ["1", '"a"', "[]", "null"])
def test_a_list_item_that_is_no_object_is_a_fault_of_its_row(row: str) -> None:
    _, _, cells = read(ListRows(decode_json(f'[{{"a": 1}}, {row}]'), "x", ()))
    assert [(line, bool(faults)) for line, _, faults in cells] == [(1, False), (2, True)]


@pytest.mark.parametrize("rows", ["[]", "[{}]", "[1]"])
def test_rows_without_any_value_are_rejected(rows: str) -> None:
    with pytest.raises(ContractError, match="no row holds a JSON object with values"):
        ListRows(decode_json(rows), "the request", ())


def test_a_list_or_object_is_no_single_value() -> None:
    data = json_lines({"a": 1, "b": [1]}, {"a": {"c": 2}, "b": 3})
    assert opened(data).nested == {"a", "b"}
    assert faults_of(data, wanted=["a"]) == [(2, Fault("a", '{"c": "2"}', "not a single value"))]
    assert not faults_of(data)


def test_a_value_that_is_nested_too_deeply_is_a_bad_row() -> None:
    deep = range(900, 1001)
    lines = [f'{{"a": {"[" * levels}{"]" * levels}}}' for levels in deep]
    found = faults_of("\n".join(['{"a": 1}', *lines]).encode(), wanted=["a"])
    assert [line for line, _ in found] == list(range(2, 2 + len(deep)))
    assert all("nested too deeply" in fault.reason for _, fault in found)


def test_a_long_line_of_json_rejects_the_file() -> None:
    with pytest.raises(ContractError, match="line 2: the row is longer than"):
        opened(b'{"a": 1}\n{"a": "' + b"x" * 5_000_000)


def test_too_many_keys_reject_the_file() -> None:
    with pytest.raises(ContractError, match="line 2: the rows have more than 10,000 different keys"):
        opened(json_lines({"a": 1}, {f"k{i}": i for i in range(10_000)}))


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{", "not valid JSON"), ("[" * 100_000, "nested too deeply"), ('{"a": NaN}', "NaN is no number"),
     ('{"a": 1, "a": 2}', "names a key twice: a"), ("", "not valid JSON")],
)  # fmt: skip
def test_invalid_json_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode_json(text)


def test_many_duplicate_keys_are_found_quickly_and_listed_in_short() -> None:
    keys = ", ".join(
        f'"k{i % 100_000}": 1' for i in range(200_000)
    )  # takes minutes if each key is compared with all others
    with pytest.raises(ValueError, match=r"^names a key twice: k0, k1, k10, .{100,200}… \([0-9,]+ characters\)$"):
        decode_json(f"{{{keys}}}")


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a": ', "}")])
def test_the_number_of_levels_is_limited(opening: str, closing: str) -> None:
    assert decode_json(opening * MOST_LEVELS + "1" + closing * MOST_LEVELS)
    for levels in (MOST_LEVELS + 1, *range(900, 1001)):  # Python's own limit depends on where it is called
        with pytest.raises(ValueError, match="nested too deeply; allowed are 100 levels"):
            decode_json(opening * levels + "1" + closing * levels)


def test_an_entry_of_a_source_that_is_no_row_is_a_fault_with_its_own_reason() -> None:
    fault = {"_position": "offset 7", "_fault": "not valid JSON", "_value": "{"}
    lines = json_lines(fault, {"_position": "p", "a": 1})
    assert [(cells, rows.faults) for rows in [opened(lines)] for cells in rows] == [
        (["offset 7", "not valid JSON", "{", ""], (Fault("", "{", "not valid JSON"),)),
        (["p", "", "", "1"], ()),
    ]


def test_a_column_of_that_name_in_another_file_is_a_column() -> None:
    rows = opened(json_lines({"_fault": "yes", "a": 1}))
    assert [(cells, rows.faults) for cells in rows] == [(["yes", "1"], ())]
