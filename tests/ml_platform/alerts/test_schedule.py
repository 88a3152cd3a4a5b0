"""When a channel gets a message: digests, quiet hours with a time zone, pauses after failures."""

from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.alerts.schedule import due_at, is_quiet, pause_after
from ml_platform.specs.alerts import UrlChannel

BERLIN = "Europe/Berlin"
NIGHT = {"start": "22:00", "end": "07:00"}


def channel(**options: object) -> UrlChannel:
    return UrlChannel.model_validate({"kind": "url", "url_variable": "ALERTS_URL", **options})


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}+00:00")


@pytest.mark.parametrize(
    ("options", "recorded", "due"),
    [
        ({}, "05-04T12:00", "05-04T12:00"),
        ({"digest": "15m"}, "05-04T12:00", "05-04T12:15"),
        ({"digest": "08:00"}, "05-04T12:00", "05-05T08:00"),
        ({"digest": "08:00"}, "05-04T07:00", "05-04T08:00"),
        ({"digest": "08:00", "zone": BERLIN}, "05-04T06:01", "05-05T06:00"),
        ({"quiet": NIGHT}, "05-04T12:00", "05-04T12:00"),
        ({"quiet": NIGHT}, "05-04T23:00", "05-05T07:00"),
        ({"quiet": NIGHT}, "05-04T06:59", "05-04T07:00"),
        ({"quiet": NIGHT, "zone": BERLIN}, "05-04T20:00", "05-05T05:00"),
        ({"quiet": NIGHT, "digest": "15m"}, "05-04T21:50", "05-05T07:00"),
        # the last night of summer time in Berlin: seven o'clock is an hour later in UTC than the day before
        ({"quiet": NIGHT, "zone": BERLIN}, "10-24T21:00", "10-25T06:00"),
    ],
)
def test_an_alert_is_due(options: dict[str, object], recorded: str, due: str) -> None:
    found = due_at(at(recorded), channel(**options))
    assert (found, found.tzinfo) == (at(due), UTC)


def test_quiet_hours_hold_back_what_is_due() -> None:
    assert is_quiet(at("05-04T21:00"), channel(quiet=NIGHT, zone=BERLIN))
    assert not is_quiet(at("05-04T19:59"), channel(quiet=NIGHT, zone=BERLIN))
    assert not is_quiet(at("05-04T21:00"), channel())


def test_pauses_double_up_to_an_hour() -> None:
    assert [pause_after(n).total_seconds() for n in (1, 2, 3)] == [30, 60, 120]
    assert pause_after(500) == timedelta(hours=1)
