"""A list of JSON objects is read as the same objects are from the lines of a file."""

import io
import json
from typing import Any

import pytest

from ml_platform.exceptions import ContractError
from ml_platform.files.formats import Native
from ml_platform.files.json_rows import MOST_LEVELS, ListRows, decode_json
from ml_platform.files.reading import open_rows

ROWS: list[Any] = [
    {"a": 1, "b": 0.10},
    {"b": None, "c": True},
    {"a": "x", "c": {"d": [1]}},
    {"d": 12345678901234567890},
]


def read(rows: Any) -> tuple[Any, ...]:
    cells = [(rows.line, cells, rows.faults) for cells in rows]
    return rows.header, rows.nested, cells


def test_a_list_gives_what_lines_give() -> None:
    lines = "\n".join(json.dumps(row) for row in ROWS)
    from_file = open_rows(io.BytesIO(lines.encode()), "x", wanted=("c",))
    assert read(ListRows(decode_json(json.dumps(ROWS)), "x", ("c",))) == read(from_file)


def test_numbers_keep_their_digits() -> None:
    header, _, [(_, cells, _)] = read(ListRows(decode_json('[{"a": 1.10, "b": 1e400, "c": 7e0, "d": "1.1"}]'), "x", ()))
    assert (header, cells) == (["a", "b", "c", "d"], ["1.10", "1e400", "7e0", "1.1"])
    assert [isinstance(cell, Native) for cell in cells] == [True, True, True, False]


@pytest.mark.parametrize("row", ["1", '"a"', "[]", "null"])
def test_what_is_no_object_is_a_fault_of_its_row(row: str) -> None:
    _, _, cells = read(ListRows(decode_json(f'[{{"a": 1}}, {row}]'), "x", ()))
    assert [(line, bool(faults)) for line, _, faults in cells] == [(1, False), (2, True)]


@pytest.mark.parametrize("rows", ["[]", "[{}]", "[1]"])
def test_rows_without_any_value_are_refused(rows: str) -> None:
    with pytest.raises(ContractError, match="no row holds a JSON object with values"):
        ListRows(decode_json(rows), "the request", ())


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{", "not valid JSON"), ("[" * 100_000, "nested too deeply"), ('{"a": NaN}', "NaN is no number"),
     ('{"a": 1, "a": 2}', "names a key twice: a"), ("", "not valid JSON")],
)  # fmt: skip
def test_what_is_no_json_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode_json(text)


def test_many_keys_that_are_there_twice_are_named_at_once_and_in_short() -> None:
    keys = ", ".join(f'"k{i % 100_000}": 1' for i in range(200_000))  # for minutes, if each were sought among all
    with pytest.raises(ValueError, match=r"^names a key twice: k0, k1, k10, .{100,200}… \([0-9,]+ characters\)$"):
        decode_json(f"{{{keys}}}")


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a": ', "}")])
def test_so_many_levels_are_read_and_no_more(opening: str, closing: str) -> None:
    assert decode_json(opening * MOST_LEVELS + "1" + closing * MOST_LEVELS)
    for levels in (MOST_LEVELS + 1, *range(900, 1001)):  # Python's own limit depends on where it is called
        with pytest.raises(ValueError, match="nested too deeply; allowed are 100 levels"):
            decode_json(opening * levels + "1" + closing * levels)
