import gzip
import json

import pyarrow as pa
import pytest

from ml_platform.drafts.file_profile import column_names, profile_file
from ml_platform.exceptions import ConfigurationError, ContractError
from ml_platform.specs.parts import Column


def profile_of_bytes(tmp_path, content, name="made.csv", **options):
    file = tmp_path / name
    file.write_bytes(content)
    return profile_file(file, **options)


def test_a_profile_has_the_cells_and_a_guess_per_column(tmp_path):
    profile = profile_of_bytes(tmp_path, b"id,Town name\n1,Bonn\n2,\n")
    assert (profile.file, profile.rows, profile.is_cut, profile.encoding) == ("made.csv", 2, False, None)
    assert profile.cells == {"id": ["1", "2"], "town_name": ["Bonn", ""]}
    assert profile.guesses["town_name"].header == "Town name"
    assert profile.guesses["id"].column.type == "integer"
    assert profile.notes == ()


def test_typed_values_are_null_where_missing_or_invalid(tmp_path):
    lines = ["id,x", *(f"{i},{i}.5" for i in range(98)), "98,NA", "99,old"]
    values = profile_of_bytes(tmp_path, "\n".join(lines).encode()).values("x")
    assert values.type == pa.float64()
    assert values.to_pylist() == [*(i + 0.5 for i in range(98)), None, None]


@pytest.mark.parametrize(
    ("encoding", "expected"), [("utf-8", None), ("utf-8-sig", None), ("utf-16", None), ("cp1252", "cp1252")]
)
def test_the_encoding_is_declared_only_if_it_must_be(tmp_path, encoding, expected):
    profile = profile_of_bytes(tmp_path, "id,town\n1,Köln €\n".encode(encoding))
    assert profile.encoding == expected
    assert profile.cells["town"] == ["Köln €"]
    assert any("is a guess" in note for note in profile.notes) == (expected is not None)


def test_bytes_that_cp1252_lacks_are_read_as_latin_1(tmp_path):
    assert profile_of_bytes(tmp_path, b"id,town\n1,\xe4\x81\n").encoding == "latin-1"


def test_a_semicolon_file_is_read_with_decimal_commas(tmp_path):
    profile = profile_of_bytes(tmp_path, b"id;x\n1;1.234\n2;5.678\n")
    assert profile.guesses["x"].column == Column(type="money", decimal=",")


def test_gzip_and_json_lines_are_read_too(tmp_path):
    lines = "\n".join(json.dumps({"id": i, "x": f"{i}.5"}) for i in range(3)).encode()
    profile = profile_of_bytes(tmp_path, gzip.compress(lines), "made.jsonl.gz")
    assert profile.cells == {"id": ["0", "1", "2"], "x": ["0.5", "1.5", "2.5"]}


def test_half_a_surrogate_pair_in_json_is_replaced(tmp_path):
    profile = profile_of_bytes(tmp_path, b'{"id": 1, "town": "\\ud800"}\n', "made.jsonl")
    assert profile.cells["town"] == ["?"]
    assert profile.encoding is None


@pytest.mark.parametrize(("limit", "is_cut"), [(2, True), (3, False)])
def test_only_the_first_rows_are_read(tmp_path, limit, is_cut):
    profile = profile_of_bytes(tmp_path, b"id\n1\n2\n3\n", most=limit)
    assert (profile.rows, profile.is_cut) == (limit, is_cut)


def test_rows_with_too_many_or_too_few_cells_are_left_out(tmp_path):
    assert profile_of_bytes(tmp_path, b"id,x\n1,2\n1,2,3\n1\n3,4\n").cells == {"id": ["1", "3"], "x": ["2", "4"]}


def test_a_column_without_a_header_is_noted_and_left_out(tmp_path):
    profile = profile_of_bytes(tmp_path, b"id,,y\n1,2,3\n")
    assert list(profile.cells) == ["id", "y"]
    assert profile.notes == ("a column without a header is not read",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"id,y\n", "made.csv: no rows follow the header"),
        (b"id,y,id\n1,2,3\n", 'names a column twice: "id"'),
        (b'id,y\n1,"2\n', "made.csv"),
        (b"PK\x03\x04 an archive", "made.csv"),
    ],
)
def test_a_file_that_cannot_be_profiled_says_why(tmp_path, content, reason):
    with pytest.raises((ConfigurationError, ContractError), match=reason):
        profile_of_bytes(tmp_path, content)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigurationError, match=r"none\.csv: No such file or directory"):
        profile_file(tmp_path / "none.csv")


def test_headers_become_valid_column_names():
    headers = ["a", "A b", "a_b", "1st", "Größe", "event_timestamp", "x__y", "$", "%", "n" * 80]
    names = column_names(headers)
    assert list(names.values()) == [
        "a", "a_b", "a_b_2", "c_1st", "groesse", "c_event_timestamp", "x_y", "column", "column_2", "n" * 58,
    ]  # fmt: skip
    short = column_names(["n" * 30, "n" * 31, "n" * 32, "A nice name"], longest=20)
    assert list(short.values()) == ["n" * 16, f"{'n' * 16}_2", f"{'n' * 16}_3", "a_nice_name"]


def test_column_names_are_unique_and_a_valid_header_stays():
    names = column_names(["A b", "a_b", "a b", "A_B"])
    assert names["a_b"] != names["A b"]
    assert len(set(names.values())) == 4
