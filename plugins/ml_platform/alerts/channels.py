"""Channels: a message goes out by mail (SMTP), or to a URL of Apprise, which knows Slack, Teams and many more."""

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import format_datetime, localtime

from ml_platform.alerts.messages import Message
from ml_platform.exceptions import ConfigurationError, ServiceError
from ml_platform.specs.alerts import ChannelBase, MailChannel, UrlChannel

TIMEOUT = 20  # seconds


def send(channel: ChannelBase, message: Message, environment: Mapping[str, str]) -> None:
    """Send a message; the secrets are in the environment.

    Raises:
        ConfigurationError: a secret is missing, or it is no URL that Apprise knows.
        ServiceError: the message was not taken; the text has no secret.
    """
    if isinstance(channel, MailChannel):
        _send_mail(channel, message, environment)
    elif isinstance(channel, UrlChannel):
        _notify(channel, message, environment)
    else:
        raise ConfigurationError(f"there is no channel of the kind {channel.kind!r}")


def mail(channel: MailChannel, message: Message) -> EmailMessage:
    """Return a message as a mail with a plain text and HTML; its id is the same at each attempt.

    Raises:
        ValueError: a header would have a line break.
    """
    result = EmailMessage()
    result["From"] = channel.sender
    result["To"] = ", ".join(channel.to)
    result["Subject"] = message.subject
    result["Date"] = format_datetime(localtime())
    result["Message-ID"] = f"<{message.message_id}@{channel.sender.partition('@')[2]}>"
    result["Auto-Submitted"] = "auto-generated"
    result.set_content(message.text)
    result.add_alternative(message.html, subtype="html")
    return result


def _send_mail(channel: MailChannel, message: Message, environment: Mapping[str, str]) -> None:
    try:
        with _connect(channel) as server:
            if channel.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if channel.user and channel.password_variable:
                server.login(channel.user, _secret(channel.password_variable, environment))
            refused = server.send_message(mail(channel, message))
    except (OSError, smtplib.SMTPException) as error:
        raise ServiceError(f"{channel.host}:{channel.port}: {type(error).__name__}: {error}") from None
    if refused:  # the others have it: sent again, they would get it twice
        raise PartlySentError(f"{channel.host}:{channel.port} refused {', '.join(refused)}")


class PartlySentError(ServiceError):
    """The server took the message for some of its recipients and refused the others, which are named."""


def _connect(channel: MailChannel) -> smtplib.SMTP:
    if channel.security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(channel.host, channel.port, timeout=TIMEOUT, context=context)
    return smtplib.SMTP(channel.host, channel.port, timeout=TIMEOUT)


def _notify(channel: UrlChannel, message: Message, environment: Mapping[str, str]) -> None:
    try:
        import apprise
    except ImportError:
        raise ConfigurationError("a channel of the kind `url` needs the package apprise: make packages") from None
    sender = apprise.Apprise()
    if not sender.add(_secret(channel.url_variable, environment)):
        raise ConfigurationError(f"the value of {channel.url_variable} is no URL that Apprise knows")
    text = f"{message.text}\n{message.message_id}"
    result = sender.notify(body=text, title=message.subject, body_format=apprise.NotifyFormat.TEXT, timeout=TIMEOUT)
    if not result:  # what Apprise logs may have the URL in it, which is a secret
        raise ServiceError(f"the service behind {channel.url_variable} did not take the message")


def _secret(variable: str, environment: Mapping[str, str]) -> str:
    if value := environment.get(variable):
        return value
    raise ConfigurationError(f"the variable {variable} has no value: write {variable}=... into .env")
