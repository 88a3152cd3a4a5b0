"""The one cause that cannot be recorded before it is sent: Postgres itself is away."""

import logging
from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from ml_platform.alerts import channels, messages, store
from ml_platform.alerts.causes import Cause
from ml_platform.alerts.schedule import is_quiet
from ml_platform.exceptions import PlatformError
from ml_platform.specs.alerts import ChannelBase

log = logging.getLogger(__name__)


class DatabaseAway:
    """Says that Postgres is away: by messages that cannot be recorded before they are sent."""

    def __init__(self) -> None:
        """Nothing was sent yet."""
        self.cause: messages.Part | None = None
        self.sent: dict[str, messages.Message] = {}

    def tell(
        self,
        part: messages.Part,
        all_channels: Mapping[str, ChannelBase],
        environment: Mapping[str, str],
        now: datetime,
    ) -> None:
        """Send one message to each channel that has none of this outage yet, outside of its quiet hours."""
        self.cause = self.cause or part
        for name, channel in all_channels.items():
            if name in self.sent or is_quiet(now, channel):
                continue
            message = messages.compose(uuid4(), [self.cause], environment, channel.zone)
            try:
                channels.send(channel, message, environment)
            except PlatformError as error:
                log.warning("not sent, tried again: %s", error)
                continue
            self.sent[name] = message

    def record(self, connection: store.Connection, now: datetime) -> None:
        """Record what was sent, now that Postgres is back; the next look finds that the cause is over."""
        if self.cause:
            cause = Cause(self.cause.event, "postgres", dict(self.cause.facts))
            ids = {name: message.message_id for name, message in self.sent.items()}
            store.record_as_sent(connection, cause, ids, now)
        self.cause, self.sent = None, {}
