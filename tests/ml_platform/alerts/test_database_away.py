"""The outage of Postgres itself: each channel is told once, outside of its quiet hours."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ml_platform.alerts import channels
from ml_platform.alerts.database_away import DatabaseAway
from ml_platform.alerts.messages import Part
from ml_platform.exceptions import ServiceError
from ml_platform.specs.alerts import UrlChannel

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PART = Part("server_unhealthy", None, {"server": "postgres", "problem": "refused"}, NOON)
LOUD = UrlChannel(kind="url", url_variable="ALERTS_URL")
QUIET = UrlChannel.model_validate(LOUD.model_dump() | {"quiet": {"start": "11:00", "end": "13:00"}})


def test_each_channel_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    is_there = False

    def send(channel: UrlChannel, *_: object) -> None:
        if not is_there:
            raise ServiceError("away")
        sent.append(channel)

    monkeypatch.setattr(channels, "send", send)
    away = DatabaseAway()
    away.tell(PART, {"loud": LOUD, "quiet": QUIET}, {}, NOON)
    assert sent == []
    is_there = True
    for hours in (0, 0, 1, 2):
        away.tell(PART, {"loud": LOUD, "quiet": QUIET}, {}, NOON + timedelta(hours=hours))
    assert sent == [LOUD, QUIET]
