"""A value of a document keeps all its digits in JSON, or is named by its type; a position keeps type and value."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from hypothesis import given
from hypothesis import strategies as st

from ml_platform.files.json_rows import decode_json
from ml_platform.files.text_lines import ROW_CHARACTERS
from ml_platform.sources.mongodb_values import (
    ABSENT,
    document_line,
    field_at,
    is_nan,
    json_text,
    plain_text,
    position_text,
    position_value,
    type_of,
    value_named,
)

ID = ObjectId("65f000000000000000000001")
UUID = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (7, "7"),
        (Int64(2**63 - 1), "9223372036854775807"),
        (0.1, "0.1"),
        (1e-7, "1e-07"),
        (float("nan"), '"NaN"'),
        (float("inf"), '"Infinity"'),
        (float("-inf"), '"-Infinity"'),
        (Decimal128("1.10"), "1.10"),
        (Decimal128("9.999999999999999999999999999999999E+40"), "9.999999999999999999999999999999999E+40"),
        (Decimal128("NaN"), '"NaN"'),
        (Decimal128("-Infinity"), '"-Infinity"'),
        ('a "b"\n漢', '"a \\"b\\"\\n漢"'),
        (ID, '"65f000000000000000000001"'),
        (MOMENT, '"2026-01-02T03:04:05.678Z"'),
        (Binary.from_uuid(UUID), f'"{UUID}"'),
    ],
)
def test_a_single_value_keeps_all_its_digits(value: Any, text: str) -> None:
    assert json_text(value) == text
    decode_json(text)  # is valid, with all its digits


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"\x00\xff", "Binary"),
        (Binary(b"ab", 5), "Binary"),
        (Binary(b"short", 4), "Binary"),
        (Regex("a+"), "Regex"),
        (Code("x"), "Code"),
        (Timestamp(1, 2), "Timestamp"),
        (MinKey(), "MinKey"),
        (MaxKey(), "MaxKey"),
        (DBRef("claims", ID), "DBRef"),
        (DatetimeMS(10**15), "Date"),
    ],
)
def test_what_no_column_can_hold_becomes_an_object_with_the_name_of_its_type(value: Any, name: str) -> None:
    found = json.loads(json_text(value))
    assert list(found) == [name]
    assert len(found[name]) > 0


def test_lists_and_objects_stay_such_and_are_cut() -> None:
    deep = {"a": {"b": [1]}, "c": [2], "d": "x" * 1_000, "e": ID} | {f"k{i}": i for i in range(100)}
    found = json.loads(json_text(deep))
    assert (found["a"], found["c"], len(found["d"]), found["e"], len(found)) == ("…", "…", 80, str(ID), 10)
    assert json.loads(json_text([1, [2], *range(100)]))[:2] == [1, "…"]


def test_paths_and_missing_values() -> None:
    document = {"_id": 1, "a": {"b": {"c": 5}, "n": None}, "l": [{"x": 1}], "t": "text"}
    paths = ("a.b.c", "a.n", "a.x", "l.x", "t.x", "n.x")
    assert [field_at(document, path) for path in paths] == [5, None, ABSENT, [{"x": 1}], ABSENT, ABSENT]
    line = document_line(document, "here", {"C": "a.b.c", "N": "a.n", "X": "a.x", "KEY": "_id"})
    assert json.loads(line) == {"_position": "here", "C": 5, "N": None, "KEY": 1}


def test_without_paths_each_field_at_the_top_is_a_column() -> None:
    line = document_line({"_id": ID, "a": 1, "b": {"c": 2}}, "collection claims, _id 7", {})
    assert json.loads(line) == {"_position": "collection claims, _id 7", "_id": str(ID), "a": 1, "b": {"c": 2}}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"_id": 1, "_fault": "x"}, "a name that the platform uses itself: _fault"),
        ({"_id": 1, "a": "x" * ROW_CHARACTERS}, "longer than 4,194,304 bytes"),
    ],
)
def test_a_document_that_is_no_row_is_a_fault_with_its_place(document: dict[str, Any], reason: str) -> None:
    line = document_line(document, "here", {})
    found = json.loads(line)
    assert reason in found["_fault"]
    assert (found["_position"], len(line) < 500) == ("here", True)


def test_bytes_of_a_text_that_are_no_utf_8_stay_as_they_are() -> None:
    assert b'"a":"x\xff"' in document_line({"_id": 1, "a": "x\udcff"}, "here", {})


VALUES = {
    "number": st.integers(-(2**63), 2**63 - 1).map(Int64)
    | st.integers(-(2**31), 2**31 - 1)
    | st.floats(allow_nan=False)
    | st.decimals(allow_nan=False, places=3).map(Decimal128),
    "string": st.text(st.characters(exclude_categories=("Cs",))),
    "objectId": st.binary(min_size=12, max_size=12).map(ObjectId),
    "date": st.integers(-(2**62), 2**62).map(DatetimeMS)
    | st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)),
    "binData": st.uuids().map(Binary.from_uuid) | st.binary(),
}


@given(st.sampled_from(sorted(VALUES)).flatmap(lambda kind: st.tuples(st.just(kind), VALUES[kind])))
def test_a_position_gives_the_same_value_of_the_same_type(case: tuple[str, Any]) -> None:
    kind, value = case
    again = position_value(position_text(value))
    assert type_of(again) == type_of(value) == kind
    if isinstance(value, DatetimeMS):
        again = again if isinstance(again, DatetimeMS) else DatetimeMS(again)
        assert int(again) == int(value)
    else:
        assert (again, type(again)) in ((value, type(value)), (value, int))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", Int64(7)),
        ("number", -1.5),
        ("string", "a b"),
        ("objectId", ID),
        ("date", MOMENT),
        ("binData", Binary.from_uuid(UUID)),
    ],
)
def test_a_person_names_a_value_as_it_is_shown_or_in_extended_json(kind: str, value: Any) -> None:
    assert value_named(plain_text(value), kind) == value
    assert value_named(position_text(value), kind) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [("objectId", "65f"), ("number", "x"), ("date", "yesterday"), ("binData", "1"), ("date", '{"$oid": "65f"}')],
)
def test_another_text_is_refused(kind: str, text: str) -> None:
    with pytest.raises(ValueError):
        value_named(text, kind)


def test_what_no_watermark_may_be() -> None:
    others = (None, True, [1], {"a": 1}, Timestamp(1, 2), Regex("a"), MinKey())
    assert [type_of(value) for value in others] == [""] * len(others)
    assert is_nan(float("nan"))
    assert is_nan(Decimal128("NaN"))
    assert not any(is_nan(value) for value in (1, 1.5, Decimal128("1"), "nan", None, ID))
