"""Every value of Avro becomes JSON with all its digits; what no text can hold is an object, which columns reject."""

import json
import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_platform.sources.avro_values import READERS, is_valid_decimal, json_text, object_text

EPOCH = datetime.fromtimestamp(0, UTC)


def read(kind: str, logical: str, value: Any, **schema: Any) -> Any:
    return READERS[kind, logical](value, schema, None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"), (True, "true"), (False, "false"), (2**63 - 1, "9223372036854775807"), (0.1, "0.1"),
        (1e-7, "1e-07"),
        (float("nan"), '"NaN"'), (float("inf"), '"Infinity"'), (float("-inf"), '"-Infinity"'), (-0.0, "-0.0"),
        (Decimal("1.50"), "1.50"), ('a"\n\u2028ä\0', '"a\\"\\n\u2028ä\\u0000"'), (b"\x00\xff", r'"\\x00ff"'),
        ([1, [None]], "[1,[null]]"), ({"a": {"b": b""}}, '{"a":{"b":"\\\\x"}}'),
    ],
)  # fmt: skip
def test_each_type_has_a_text(value: Any, text: str) -> None:
    assert json_text(value) == text


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


@given(st.dictionaries(st.text(), values, max_size=4))
def test_a_row_is_read_back_from_its_text(row: dict[str, Any]) -> None:
    assert object_text(row) == json.dumps(row, ensure_ascii=False, separators=(",", ":"))


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_single_precision_number_has_the_shortest_text_that_gives_it_again(value: float) -> None:
    text = json_text(read("float", "shortest", value))
    assert struct.pack("<f", float(text)) == struct.pack("<f", value)
    digits = len(text.split("e")[0].strip("-").replace(".", "").strip("0"))
    assert digits <= len(f"{value:.9g}".split("e")[0].strip("-").replace(".", "").strip("0"))


def test_a_tenth_stays_a_tenth() -> None:
    (single,) = struct.unpack("<f", struct.pack("<f", 0.1))
    assert json_text(read("float", "shortest", single)) == "0.1"


@given(st.integers(-(10**60), 10**60), st.integers(0, 60))
def test_a_decimal_keeps_all_digits(unscaled: int, scale: int) -> None:
    content = unscaled.to_bytes(26, signed=True)
    found = Decimal(json_text(read("bytes", "decimal", content, precision=60, scale=scale)))
    assert found.as_tuple() == Decimal((int(unscaled < 0), tuple(map(int, str(abs(unscaled)))), -scale)).as_tuple()


@given(st.datetimes(), st.sampled_from([(3, "millis"), (6, "micros"), (9, "nanos")]), st.integers(0, 999))
def test_a_timestamp_is_that_of_its_unit(moment: datetime, unit: tuple[int, str], rest: int) -> None:
    digits, name = unit
    micros = (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
    value = micros * 1000 + rest if name == "nanos" else micros if name == "micros" else micros // 1000
    text = read("long", f"timestamp-{name}", value)
    whole, fraction = text.removesuffix("Z").split(".")
    assert datetime.fromisoformat(whole) == moment.replace(microsecond=0)
    assert (len(fraction), int(fraction)) == (digits, value % 10**digits)
    assert read("long", f"local-timestamp-{name}", value) == text.removesuffix("Z")


@given(st.dates())
def test_a_date_is_counted_in_days(day: date) -> None:
    assert read("int", "date", (day - date(1970, 1, 1)).days) == day.isoformat()


@pytest.mark.parametrize(
    ("kind", "logical", "value", "found"),
    [
        ("int", "date", 2**31 - 1, {"date": "2147483647 days since 1970, outside of the years 1 to 9999"}),
        ("int", "date", -(2**31), {"date": "-2147483648 days since 1970, outside of the years 1 to 9999"}),
        ("long", "timestamp-millis", 2**63 - 1,
         {"timestamp": "9223372036854775807 millis since 1970, outside of the years 1 to 9999"}),
        ("long", "timestamp-micros", -(2**63),
         {"timestamp": "-9223372036854775808 micros since 1970, outside of the years 1 to 9999"}),
        ("int", "time-millis", 11_045_006, "03:04:05.006"), ("long", "time-micros", 86_399_999_999, "23:59:59.999999"),
        ("fixed", "uuid", bytes(range(16)), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        ("fixed", "duration", b"\1\0\0\0\2\0\0\0\xb8\x0b\0\0", "P1M2DT3.000S"),
    ],
)  # fmt: skip
def test_other_logical_types_are_texts(kind: str, logical: str, value: Any, found: Any) -> None:
    assert read(kind, logical, value) == found


@pytest.mark.parametrize(
    ("schema", "valid"),
    [
        ({"precision": 4, "scale": 2}, True),
        ({"precision": 4}, True),
        ({}, False),
        ({"precision": 2, "scale": 3}, False),
        ({"precision": 2, "scale": -1}, False),
        ({"precision": "4"}, False),
        ({"precision": 10**9, "scale": 10**9}, False),
    ],
)
def test_a_decimal_needs_a_precision_and_a_scale(schema: dict[str, Any], valid: bool) -> None:
    check: Callable[[dict[str, Any]], bool] = is_valid_decimal
    assert check(schema) is valid
