from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_platform.conversion import KINDS, convert
from ml_platform.spec import Column


def read(kind: str, text: str, **options: Any) -> Any:
    values, reasons = convert(pa.array([text], pa.string()), Column(type=kind, **options))  # type: ignore[arg-type]
    assert values.type == KINDS[kind].arrow  # type: ignore[index]
    if reasons:
        raise ValueError(reasons[0])
    return values[0].as_py()


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", " 12 ", 12),
        ("integer", "3.0", 3),
        ("integer", "+7", 7),
        ("integer", "-0", 0),
        ("integer", "9223372036854775807", 2**63 - 1),
        ("integer", "-9223372036854775808", -(2**63)),
        ("number", "3", 3.0),
        ("number", ".5", 0.5),
        ("number", "5.", 5.0),
        ("number", "-1e-3", -0.001),
        ("number", "9007199254740992", 2.0**53),
        ("money", "$67,349", 67349.0),
        ("money", "$0", 0.0),
        ("money", "-$1,234.50", -1234.5),
        ("money", "$-5", -5.0),
        ("money", "($1,234)", -1234.0),
        ("money", " € 1,234,567.89 ", 1234567.89),
        ("money", "1,234 €", 1234.0),
        ("money", "67349", 67349.0),
        ("money", "0.125", 0.125),
        ("category", " NA ", "NA"),
        ("category", "007", "007"),
        ("text", "a\nb", "a\nb"),
        ("boolean", "YES", True),
        ("boolean", "n", False),
        ("boolean", "1", True),
        ("timestamp", "2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("timestamp", "2026-01-31 23:59:01.25", datetime(2026, 1, 31, 23, 59, 1, 250000, tzinfo=UTC)),
        ("timestamp", "2026-01-31T23:00:00+02:00", datetime(2026, 1, 31, 21, tzinfo=UTC)),
        ("timestamp", "20260131T230000Z", datetime(2026, 1, 31, 23, tzinfo=UTC)),
    ],
)
def test_a_cell_becomes_its_value(kind: str, text: str, value: Any) -> None:
    assert read(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("integer", "007", "leading zeros"),
        ("integer", "3.5", "not a whole number"),
        ("integer", "1e3", "not a whole number"),
        ("integer", "NA", "leave the cell empty"),
        ("integer", "9223372036854775808", "outside the range"),
        ("integer", "9" * 5000, "outside the range"),
        ("integer", "1_000", "not a whole number"),
        ("integer", "１２", "not a whole number"),
        ("number", "NaN", "leave the cell empty"),
        ("number", "inf", "not a number"),
        ("number", "1e999", "too large"),
        ("number", "1e-999", "too small"),
        ("number", "9007199254740993", "more digits"),
        ("number", "1,5", "not a number"),
        ("number", "00.5", "leading zeros"),
        ("number", ".", "not a number"),
        ("number", "", "required"),
        ("money", "$1,23", "not an amount"),
        ("money", "12,34,567", "not an amount"),
        ("money", "$1.234", "ambiguous"),
        ("money", "1.234,50 €", "not an amount"),
        ("money", "($5", "not an amount"),
        ("money", "-(5)", "not an amount"),
        ("money", "-$-5", "two signs"),
        ("money", "€5$", "not an amount"),
        ("money", "$null", "not an amount"),
        ("boolean", "maybe", "allowed are"),
        ("timestamp", "2026-02-30", "ISO 8601"),
        ("timestamp", "31/01/2026", "ISO 8601"),
        ("timestamp", "2026-01-31T00:00:00.1234567", "finer"),
        ("category", "a\0b", "NUL"),
        ("text", "\0", "NUL"),
    ],
)
def test_a_cell_that_would_change_has_a_reason(kind: str, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(kind, text, required=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", "  ", "\t"])
def test_only_the_empty_cell_is_missing(kind: str, text: str) -> None:
    assert read(kind, text) is None


def test_prefixes_are_stripped() -> None:
    assert read("category", " z_No ", strip_prefix="z_") == "No"
    assert read("category", "No", strip_prefix="z_") == "No"
    assert read("category", "z_", strip_prefix="z_") is None


@pytest.mark.parametrize(
    ("kind", "text", "options", "reason"),
    [
        ("integer", "-1", {"min": 0}, "less than 0, the least allowed"),
        ("integer", "9223372036854775807", {"max": 10.5}, "more than 10.5, the most allowed"),
        ("money", "$11", {"max": 10}, "more than 10"),
        ("category", "c", {"values": ["a", "b"]}, "allowed are a, b"),
    ],
)
def test_what_is_allowed_is_named(kind: str, text: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(kind, text, **options)


def test_a_missing_value_breaks_no_limit() -> None:
    assert read("integer", "", min=5) is None
    assert read("category", "", values=["a"]) is None


INTEGERS = st.integers(-(2**63), 2**63 - 1)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
CENTS = st.integers(-(10**14), 10**14)
MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 3),
    max_value=datetime(9999, 12, 29),
    timezones=st.builds(timezone, st.integers(-720, 720).map(lambda minutes: timedelta(minutes=minutes))),
)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])).map(str.strip)


@given(INTEGERS)
def test_integers_survive(value: int) -> None:
    assert read("integer", str(value)) == value
    assert read("integer", f"{value}.00") == value


@given(NUMBERS)
def test_numbers_survive_or_are_refused(value: float) -> None:
    try:
        assert read("number", repr(value)) == value
    except ValueError as reason:
        assert "more digits" in str(reason)  # noqa: PT017
        assert abs(value) > 2**53


@given(CENTS)
def test_money_survives(cents: int) -> None:
    sign, (whole, part) = "-" if cents < 0 else "", divmod(abs(cents), 100)
    for text in (f"{sign}${whole:,}.{part:02}", f"{sign}{whole}.{part:02}", f"{sign}€ {whole:,}.{part:02}"):
        assert read("money", text) == cents / 100


@given(MOMENTS)
def test_moments_survive(moment: datetime) -> None:
    assert read("timestamp", moment.isoformat()) == moment
    naive = moment.astimezone(UTC).replace(tzinfo=None)
    assert read("timestamp", naive.isoformat(" ")) == moment


@given(st.booleans(), st.sampled_from([("yes", "no"), ("TRUE", "FALSE"), ("1", "0"), ("Y", "N"), ("t", "f")]))
def test_booleans_survive(value: bool, words: tuple[str, str]) -> None:
    assert read("boolean", words[not value]) is value


@given(TEXTS)
def test_texts_survive(text: str) -> None:
    assert (read("text", text) or "") == text


@pytest.mark.parametrize("kind", ["integer", "number", "money", "boolean", "timestamp"])
@given(text=st.one_of(st.text(alphabet="0123456789.,-+$€()eE TZ:yn", max_size=20), st.text(max_size=8)))
def test_the_quick_way_never_takes_what_the_careful_way_refuses(kind: str, text: str) -> None:
    stripped = text.strip()
    if not stripped or "\0" in stripped:
        return
    try:
        careful = KINDS[kind].single(stripped)  # type: ignore[index]
    except ValueError:
        with pytest.raises(ValueError):
            read(kind, stripped)
    else:
        assert read(kind, stripped) == careful
