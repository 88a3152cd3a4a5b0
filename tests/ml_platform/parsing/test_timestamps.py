"""Timestamps: ISO 8601 or a format, in UTC or a zone; a local time that is ambiguous is rejected."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_platform.parsing import timestamps
from tests.ml_platform.parsing.cell_cases import convert_cell

MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 3),
    max_value=datetime(9999, 12, 29),
    timezones=st.builds(timezone, st.integers(-720, 720).map(lambda minutes: timedelta(minutes=minutes))),
)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
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
    assert convert_cell(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("timestamp", "2026-02-30", "ISO 8601"),
        ("timestamp", "31/01/2026", "ISO 8601"),
        ("timestamp", "1712120812345", "ISO 8601"),
        ("timestamp", "1712120812345678", "ISO 8601"),
        ("timestamp", "2026-01-3112345", "ISO 8601"),
        ("timestamp", "2026W0511234", "ISO 8601"),
        ("timestamp", "2026-01-31+02:00", "ISO 8601"),
        ("timestamp", "2026-01-31T00:00:00.1234567", "finer"),
    ],
)
def test_a_cell_that_would_change_has_a_reason(kind: str, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        convert_cell(kind, text, required=True)


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
    assert convert_cell("timestamp", text, **options) == moment


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
def test_a_time_that_does_not_fit_has_a_reason(text: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        convert_cell("timestamp", text, **options)


@pytest.mark.parametrize(
    ("form", "text", "is_plain"),
    [
        (None, "2026-01-31", True),
        (None, "2026-01-31 23:59:01.25", True),
        (None, "20260131", False),
        ("%d.%m.%Y", "31.01.2026", True),
        ("%d.%m.%Y", "1.2.2026", False),
        ("%d %b %Y", "31 Jan 2026", False),
    ],
)
def test_arrow_converts_only_texts_that_need_no_more_than_moving_digits(form: Any, text: str, is_plain: bool) -> None:
    matches = pc.match_substring_regex(pa.array([text]), timestamps.plain_pattern(form, "UTC"))
    assert matches.to_pylist() == [is_plain]


def test_an_invalid_date_in_the_plain_form_is_an_error_of_arrow() -> None:
    with pytest.raises(pa.ArrowInvalid):
        timestamps.column_converter("%d.%m.%Y", "UTC")(pa.array(["30.02.2026"]))


def test_a_zone_is_the_default_and_an_offset_has_precedence() -> None:
    convert = timestamps.text_converter(None, "America/New_York")
    assert convert("2026-01-31T12:00") == datetime(2026, 1, 31, 17, tzinfo=UTC)
    assert convert("2026-01-31T12:00+09:00") == datetime(2026, 1, 31, 3, tzinfo=UTC)


@given(MOMENTS)
def test_moments_survive(moment: datetime) -> None:
    assert convert_cell("timestamp", moment.isoformat()) == moment
    naive = moment.astimezone(UTC).replace(tzinfo=None)
    assert convert_cell("timestamp", naive.isoformat(" ")) == moment


FORMS = ("%d.%m.%Y %H:%M:%S.%f", "%m/%d/%Y, %H:%M:%S.%f", "%Y%m%d%H%M%S%f", "%d %b %Y %I:%M:%S.%f %p")


@given(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 1)), st.sampled_from(FORMS))
def test_moments_in_a_format_survive(moment: datetime, form: str) -> None:
    assert convert_cell("timestamp", moment.strftime(form), format=form) == moment.replace(tzinfo=UTC)


ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca")


@given(st.datetimes(datetime(1900, 1, 3), datetime(2100, 1, 1)), st.sampled_from(ZONES))
def test_moments_in_a_zone_survive_or_are_refused(moment: datetime, zone: str) -> None:
    local = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    twice = local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()
    try:
        assert convert_cell("timestamp", local.replace(tzinfo=None).isoformat(" "), zone=zone) == local
        assert not twice
    except ValueError as reason:
        assert twice, reason  # noqa: PT017
