"""Positions are texts that stand for exactly one value of a watermark."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_platform.sources.sql_watermark import DATE, NUMBER, TEXT, UNZONED, ZONED, kind_of

WATERMARKS = st.one_of(
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=200),
)


@given(WATERMARKS)
def test_a_text_stands_for_one_value(value: Any) -> None:
    kind = kind_of(value)
    assert kind is not None
    again = kind.parse(kind.text(value))
    assert again == value
    assert kind_of(again) is kind
    assert kind.text(again) == kind.text(value)


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        True,
        b"a",
        {"a": 1},
        [1],
        None,
        time(1),
        timedelta(1),
        Decimal("NaN"),
        Decimal("Infinity"),
        "a\nb",
        "x" * 201,
    ],
)
def test_other_types_are_no_watermarks(value: Any) -> None:
    assert kind_of(value) is None


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (NUMBER, "x"),
        (NUMBER, "1_000"),
        (NUMBER, "NaN"),
        (NUMBER, ""),
        (DATE, "2026-02-30"),
        (ZONED, "yesterday"),
        (UNZONED, "2026-01-02T03:04:05+00:00"),
    ],
)
def test_a_text_that_stands_for_no_value(kind: Any, text: str) -> None:
    with pytest.raises(ValueError):
        kind.parse(text)


def test_people_may_write_less() -> None:
    assert ZONED.text(ZONED.parse("2026-01-02")) == "2026-01-02T00:00:00+00:00"
    assert UNZONED.text(UNZONED.parse("2026-01-02 03:04")) == "2026-01-02T03:04:00"
    assert DATE.parse("2026-01-02") == date(2026, 1, 2)
    assert TEXT.parse("a") == "a"
    assert isinstance(kind_of(datetime.now(UTC)), type(ZONED))
