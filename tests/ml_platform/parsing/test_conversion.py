from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ml_platform.exceptions import ConfigurationError
from ml_platform.parsing.conversion import CONVERTERS, FEW, convert, converter_of
from ml_platform.specs.parts import Column


def read(kind: str, text: str, **options: Any) -> Any:
    column = Column(type=kind, **options)  # type: ignore[arg-type]
    values, reasons = convert(pa.array([text], pa.string()), column)
    many, why = convert(pa.array([text] * (FEW + 1), pa.string()), column)
    assert (many[FEW], why.get(FEW)) == (values[0], reasons.get(0))  # column-wise as one by one
    assert values.type == CONVERTERS[kind].arrow_type  # type: ignore[index]
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
        ("timestamp", "20260131", datetime(2026, 1, 31, tzinfo=UTC)),
        ("timestamp", "2026W05", datetime(2026, 1, 26, tzinfo=UTC)),
        ("timestamp", "2026-W05-2 10:00", datetime(2026, 1, 27, 10, tzinfo=UTC)),
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
        ("boolean", "ye\u017f", "allowed are"),
        ("boolean", "FAL\u017fE", "allowed are"),
        ("timestamp", "2026-02-30", "ISO 8601"),
        ("timestamp", "31/01/2026", "ISO 8601"),
        ("timestamp", "1712120812345", "ISO 8601"),
        ("timestamp", "1712120812345678", "ISO 8601"),
        ("timestamp", "2026-01-3112345", "ISO 8601"),
        ("timestamp", "2026W0511234", "ISO 8601"),
        ("timestamp", "2026-01-31+02:00", "ISO 8601"),
        ("timestamp", "2026-01-31T00:00:00.1234567", "finer"),
        ("category", "a\0b", "NUL"),
        ("text", "\0", "NUL"),
    ],
)
def test_a_cell_that_would_change_has_a_reason(kind: str, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(kind, text, required=True)


@pytest.mark.parametrize("kind", CONVERTERS)
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
        ("integer", "3", {"values": [1, 2]}, "allowed are 1, 2"),
        ("number", "0,7", {"values": [0.5, 2], "decimal": ","}, "allowed are 0,5, 2"),
        ("boolean", "no", {"values": [True]}, "allowed are true"),
    ],
)
def test_what_is_allowed_is_named(kind: str, text: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(kind, text, **options)


@pytest.mark.parametrize(
    ("kind", "text", "values"),
    [
        ("integer", "1.0", [1]),
        ("number", "0.50", [0.5]),
        ("boolean", "YES", [True]),
        ("text", "007", ["007"]),
        ("category", "z_a", ["a"]),
        ("category", "true", [True]),
    ],
)
def test_what_is_allowed_is_compared_as_a_value(kind: str, text: str, values: list[Any]) -> None:
    options = {"strip_prefix": "z_"} if kind == "category" else {}
    assert read(kind, text, values=values, **options) is not None


def test_allowed_values_must_be_of_the_type() -> None:
    with pytest.raises(ConfigurationError, match=r"values: 'a' is no integer: not a whole number"):
        read("integer", "1", values=["a"])


@pytest.mark.parametrize(
    ("kind", "text", "options"),
    [
        ("integer", " -999 ", {"missing": [-999]}),
        ("number", "NA", {"missing": ["NA"]}),
        ("number", "-9,5", {"missing": [-9.5], "decimal": ","}),
        ("category", "z_?", {"missing": ["z_?"], "strip_prefix": "z_"}),
        ("category", "true", {"missing": [1, True]}),
        ("timestamp", "0000-00-00", {"missing": ["0000-00-00"]}),
        ("integer", "-999", {"missing": [-999], "min": 0, "values": [1]}),
    ],
)
def test_words_for_a_missing_value(kind: str, text: str, options: dict[str, Any]) -> None:
    assert read(kind, text, **options) is None
    with pytest.raises(ValueError, match="the value is missing, but a value is required"):
        read(kind, text, **options, required=True)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("number", "1234,5", 1234.5),
        ("number", "-0,25", -0.25),
        ("number", "1.234,5", 1234.5),
        ("number", "1.234.567", 1234567.0),
        ("number", "1,234", 1.234),
        ("number", "1,5e3", 1500.0),
        ("number", "12", 12.0),
        ("money", "1.234,50 €", 1234.5),
        ("money", "€ 1.234", 1234.0),
        ("money", "1234,5", 1234.5),
        ("money", "(1.234,5)", -1234.5),
    ],
)
def test_a_decimal_comma(kind: str, text: str, value: float) -> None:
    assert read(kind, text, decimal=",") == value


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("number", "1.234", "ambiguous: write 1234 for thousands or 1,234 for decimals"),
        ("number", "0.5", "not a number with a decimal comma"),
        ("number", "1234.5", "not a number with a decimal comma"),
        ("number", "1,234.5", "not a number with a decimal comma"),
        ("number", "12.34,5", "not a number with a decimal comma"),
        ("number", "1,2,3", "not a number with a decimal comma"),
        ("number", "NA", "leave the cell empty"),
        ("money", "1,234 €", "ambiguous: write 1.234 for thousands or 1,2340 for decimals"),
        ("money", "$1,234.50", r"not an amount of money such as \$1.234,50"),
    ],
)
def test_a_decimal_comma_is_no_guess(kind: str, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(kind, text, decimal=",")


@pytest.mark.parametrize(
    ("text", "options", "moment"),
    [
        ("31.01.2026", {"format": "%d.%m.%Y"}, datetime(2026, 1, 31, tzinfo=UTC)),
        ("1.2.2026", {"format": "%d.%m.%Y"}, datetime(2026, 2, 1, tzinfo=UTC)),
        ("01/31/26 11:30 PM", {"format": "%m/%d/%y %I:%M %p"}, datetime(2026, 1, 31, 23, 30, tzinfo=UTC)),
        ("31.01.2026 23:59:01,25", {"format": "%d.%m.%Y %H:%M:%S,%f"}, datetime(2026, 1, 31, 23, 59, 1, 250000, UTC)),
        ("2026031 1200 +0200", {"format": "%Y%j %H%M %z", "zone": "Asia/Tokyo"}, datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-07-01 12:00", {"zone": "Europe/Berlin"}, datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2050-07-01 12:00", {"zone": "Europe/Berlin"}, datetime(2050, 7, 1, 10, tzinfo=UTC)),
        ("2026-07-01T12:00Z", {"zone": "Europe/Berlin"}, datetime(2026, 7, 1, 12, tzinfo=UTC)),
        ("2026-07-01T12:00-01:00", {"zone": "Europe/Berlin"}, datetime(2026, 7, 1, 13, tzinfo=UTC)),
        (
            "01.07.2026 12:00",
            {"zone": "Europe/Berlin", "format": "%d.%m.%Y %H:%M"},
            datetime(2026, 7, 1, 10, tzinfo=UTC),
        ),
        ("2026-10-25T02:30+01:00", {"zone": "Europe/Berlin"}, datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
def test_formats_and_zones(text: str, options: dict[str, Any], moment: datetime) -> None:
    assert read("timestamp", text, **options) == moment


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        (
            "2026-03-29 02:30",
            {"zone": "Europe/Berlin"},
            "does not exist in Europe/Berlin, where the clocks are set forward then",
        ),
        (
            "2026-10-25 02:30",
            {"zone": "Europe/Berlin"},
            "exists twice in Europe/Berlin, where the clocks are set back then",
        ),
        ("2050-10-30 02:30", {"zone": "Europe/Berlin"}, "exists twice"),
        ("30.02.2026", {"format": "%d.%m.%Y"}, "not a time of the form %d.%m.%Y"),
        ("2026-01-31", {"format": "%d.%m.%Y"}, "not a time of the form"),
        ("31.01.2026 00:00:00.1234567", {"format": "%d.%m.%Y %H:%M:%S.%f"}, "finer"),
        ("?", {"format": "%d.%m.%Y"}, "leave the cell empty"),
    ],
)
def test_a_time_that_is_none_there(text: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read("timestamp", text, **options)


@pytest.mark.parametrize("form", ["%d.%m.", "%H:%M", "%d.%m.%Y %I:%M", "%Y-%m-%d %Z", "%Q", "day", "%"])
def test_a_format_that_leaves_the_day_open_is_refused(form: str) -> None:
    with pytest.raises(ValidationError, match="format"):
        Column(type="timestamp", format=form)


def test_a_missing_value_breaks_no_limit() -> None:
    assert read("integer", "", min=5) is None
    assert read("category", "", values=["a"]) is None


OPTIONS: list[tuple[Any, dict[str, Any]]] = [
    ("integer", {}),
    ("number", {}),
    ("money", {}),
    ("boolean", {}),
    ("timestamp", {}),
    ("number", {"decimal": ","}),
    ("money", {"decimal": ","}),
    ("timestamp", {"format": "%d.%m.%Y %H:%M"}),
    ("timestamp", {"format": "%d %b %Y %I:%M %p"}),
    ("timestamp", {"zone": "Europe/Berlin"}),
]


LONG = [
    start + unit * (100_000 // len(unit)) + "x"
    for start in ("+", "(", "$", "1", "1.", "1 Jan")
    for unit in (" ", "1", "0", "1,", "1.", "1,234", "1.234", "-", ".", "1 ", "1e", "($")
]


@pytest.mark.parametrize(("kind", "options"), OPTIONS)
def test_a_long_text_is_refused_at_once(kind: Any, options: dict[str, Any]) -> None:
    for text in LONG:  # for minutes each, if the time grew with the square of the length
        _, reasons = convert(pa.array([text]), Column(type=kind, **options))
        assert list(reasons) == [0]


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


@given(CENTS)
def test_a_decimal_comma_survives(cents: int) -> None:
    sign, (whole, part) = "-" if cents < 0 else "", divmod(abs(cents), 100)
    thousands = f"{whole:,}".replace(",", ".")
    for kind, text in (("money", f"{sign}{thousands},{part:02} €"), ("number", f"{sign}{thousands},{part:02}")):
        assert read(kind, text, decimal=",") == cents / 100
    assert read("number", f"{sign}{whole},{part:02}", decimal=",") == cents / 100


FORMS = ("%d.%m.%Y %H:%M:%S.%f", "%m/%d/%Y, %H:%M:%S.%f", "%Y%m%d%H%M%S%f", "%d %b %Y %I:%M:%S.%f %p")


@given(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 1)), st.sampled_from(FORMS))
def test_moments_in_a_format_survive(moment: datetime, form: str) -> None:
    assert read("timestamp", moment.strftime(form), format=form) == moment.replace(tzinfo=UTC)


ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca")


@given(st.datetimes(datetime(1900, 1, 3), datetime(2100, 1, 1)), st.sampled_from(ZONES))
def test_moments_in_a_zone_survive_or_are_refused(moment: datetime, zone: str) -> None:
    local = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    twice = local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()
    try:
        assert read("timestamp", local.replace(tzinfo=None).isoformat(" "), zone=zone) == local
        assert not twice
    except ValueError as reason:
        assert twice, reason  # noqa: PT017


@given(st.booleans(), st.sampled_from([("yes", "no"), ("TRUE", "FALSE"), ("1", "0"), ("Y", "N"), ("t", "f")]))
def test_booleans_survive(value: bool, words: tuple[str, str]) -> None:
    assert read("boolean", words[not value]) is value


@given(TEXTS)
def test_texts_survive(text: str) -> None:
    assert (read("text", text) or "") == text


@pytest.mark.parametrize(("kind", "options"), OPTIONS)
@given(text=st.one_of(st.text(alphabet="0123456789.,-+$€()eE TZ:yn", max_size=20), st.text(max_size=8)))
def test_the_quick_way_never_takes_what_the_careful_way_refuses(kind: Any, options: dict[str, Any], text: str) -> None:
    stripped = text.strip()
    if not stripped or "\0" in stripped:
        return
    try:
        careful = converter_of(Column(type=kind, **options)).convert_text(stripped)
    except ValueError:
        with pytest.raises(ValueError):
            read(kind, stripped, **options)
    else:
        assert read(kind, stripped, **options) == careful
