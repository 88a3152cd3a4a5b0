"""The topics of a stream, and the settings of its clients."""

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.streaming.topics import client_settings, topics_of


def test_the_topics_have_the_name_of_the_data_set() -> None:
    assert topics_of("ecg") == ("ecg.rows", "ecg.predictions", "ecg.rejected")


@pytest.mark.parametrize("value", [None, "", "no JSON", "[]", "{}"])
def test_missing_settings_are_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("KAFKA_STREAM_SETTINGS", raising=False)
    if value is not None:
        monkeypatch.setenv("KAFKA_STREAM_SETTINGS", value)
    with pytest.raises(ConfigurationError, match=r"KAFKA_STREAM_SETTINGS.*make up KAFKA=1"):
        client_settings("stream")


def test_each_role_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_PRODUCER_SETTINGS", '{"bootstrap.servers": "h:1"}')
    assert client_settings("producer") == {"bootstrap.servers": "h:1"}
