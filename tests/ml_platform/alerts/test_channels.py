"""Channels: what is missing is named, and no secret is in an error."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from ml_platform.alerts import channels
from ml_platform.alerts.messages import Message
from ml_platform.exceptions import ConfigurationError, ServiceError
from ml_platform.specs.alerts import MailChannel, UrlChannel

MESSAGE = Message(UUID(int=1), "subject", "text", "<p>text</p>")
CHAT = UrlChannel(kind="url", url_variable="ALERTS_URL")
TEAM = MailChannel(
    kind="mail", host="127.0.0.1", port=1, sender="ml@example.org", to=("ada@example.org", "bob@example.org")
)  # fmt: skip


def test_a_missing_secret_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"write ALERTS_URL=\.\.\. into \.env"):
        channels.send(CHAT, MESSAGE, {})


def test_a_url_that_is_none_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        channels.send(CHAT, MESSAGE, {"ALERTS_URL": "nonsense://secret"})
    assert str(caught.value) == "the value of ALERTS_URL is no URL that Apprise knows"


@pytest.mark.sockets
def test_a_server_that_is_away_is_named() -> None:
    with pytest.raises(ServiceError, match=r"127\.0\.0\.1:1: ConnectionRefusedError"):
        channels.send(TEAM, MESSAGE, {})


def test_a_mail_has_plain_text_and_html() -> None:
    mail = channels.mail(TEAM, MESSAGE)
    assert mail["To"] == "ada@example.org, bob@example.org"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert datetime.now(UTC).strftime("%Y") in mail["Date"]
