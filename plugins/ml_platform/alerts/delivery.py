"""Delivery: each channel gets its messages in order, and waits for no other channel.

A message and its content are recorded before it is sent, and that it was sent at once after it. A sender that is killed
between the two sends the same message, with the same id, again: neither SMTP nor a webhook can be asked whether it has
a message already. Decision 136.
"""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime

from ml_platform.alerts import channels, messages, store
from ml_platform.alerts.schedule import due_at, is_quiet, pause_after
from ml_platform.exceptions import PlatformError
from ml_platform.specs.alerts import ChannelBase

log = logging.getLogger(__name__)
Connect = Callable[[], store.Connection]


def deliver_all(
    connect: Connect, all_channels: Mapping[str, ChannelBase], environment: Mapping[str, str], now: datetime
) -> None:
    """Send to every channel what is due, side by side.

    Raises:
        psycopg.Error: the database does not answer; what was not sent is sent later.
    """
    if not all_channels:
        return

    def deliver_to(name: str) -> None:
        with closing(connect()) as connection:
            deliver(connection, name, all_channels[name], environment, now)

    with ThreadPoolExecutor(len(all_channels)) as threads:
        list(threads.map(deliver_to, all_channels))


def deliver(
    connection: store.Connection, name: str, channel: ChannelBase, environment: Mapping[str, str], now: datetime
) -> bool:
    """Send what is due to one channel, at most one message; return whether one was sent.

    Args:
        connection: holds the lock of the channel meanwhile, so that two processes do not send the same.
        name: of the channel.
        channel: where it is.
        environment: the secrets, and the addresses of the screens.
        now: decides what is due.
    """
    if is_quiet(now, channel):
        return False
    with store.channel_lock(connection, name) as is_ours:
        message = (store.unsent(connection, name) or _made(connection, name, channel, now)) if is_ours else None
        if message is None or message.next_attempt > now:
            return False
        return _sent(connection, message, channel, environment, now)


def _made(connection: store.Connection, name: str, channel: ChannelBase, now: datetime) -> store.Unsent | None:
    recorded = store.waiting_since(connection, name)
    is_due = any(due_at(moment, channel) <= now for moment in recorded)
    return store.make_message(connection, name, now) if is_due else None


def _sent(
    connection: store.Connection,
    unsent: store.Unsent,
    channel: ChannelBase,
    environment: Mapping[str, str],
    now: datetime,
) -> bool:
    problem = None
    if parts := store.parts_of(connection, unsent.message_id):
        message = messages.compose(unsent.message_id, parts, environment, channel.zone)
        try:
            channels.send(channel, message, environment)
        except channels.PartlySentError as error:
            problem = str(error)
        except PlatformError as error:
            later = now + pause_after(unsent.attempts + 1)
            store.record_failed(connection, unsent.message_id, str(error), later)
            log.warning("not sent, tried again at %s: %s", later, error)
            return False
    else:  # its data set was removed, with its alerts
        problem = "nothing to send: its alerts were removed"
    store.record_sent(connection, unsent.message_id, now, problem)
    return bool(parts)
