"""The server: options that become invalid, and a database that is away. A whole round: test_delivery.py."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from ml_platform.alerts import channels, store
from ml_platform.alerts.environment import NEEDED, Environment
from ml_platform.alerts.server import Sender

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
CHANNEL = "kind: platform\nalerts: {channels: {chat: {kind: url, url_variable: ALERTS_URL}}}\n"


def test_an_outage_of_the_database_is_told_after_a_while_by_the_last_valid_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(address: str) -> None:
        raise psycopg.OperationalError("connection refused")

    sent: list[str] = []
    monkeypatch.setattr(store, "connect", refuse)
    monkeypatch.setattr(channels, "send", lambda _, message, __: sent.append(message.subject))
    (tmp_path / "platform.yaml").write_text(CHANNEL)
    sender = Sender(Environment.of(dict.fromkeys(NEEDED, "x")), tmp_path)
    (tmp_path / "platform.yaml").write_text("alerts: [\n")
    for minute in range(4):
        sender.round(NOW + timedelta(minutes=minute))
        assert len(sent) == (minute >= 2)
    assert sent == ["[ML platform] Server unhealthy – postgres"]
