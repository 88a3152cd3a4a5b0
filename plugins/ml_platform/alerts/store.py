"""The SQL of alerts: causes, and which message went to which channel. Times are given, so that tests decide them."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg

from ml_platform.alerts.causes import Cause, Look
from ml_platform.alerts.events import EVENTS
from ml_platform.alerts.messages import Part
from ml_platform.specs.alerts import EventName

Connection = psycopg.Connection[tuple[Any, ...]]
Route = Callable[[EventName, str | None], Iterable[str]]  # the channels of an event and a data set
MOST_PARTS = 20  # of one message
CONNECT_SECONDS = 5


def connect(address: str) -> Connection:
    """Open a connection with autocommit; `connection.transaction()` begins a transaction.

    Raises:
        psycopg.OperationalError: the database does not answer.
    """
    return psycopg.connect(address, autocommit=True, connect_timeout=CONNECT_SECONDS)


def watched_since(connection: Connection, now: datetime) -> datetime:
    """Record a look, and return when the first one was: what happened before that is no alert."""
    row = connection.execute(
        "INSERT INTO monitoring.alert_watch (since, last_look) VALUES (%s, %s)"
        " ON CONFLICT (only_row) DO UPDATE SET last_look = excluded.last_look RETURNING since",
        (now, now),
    ).fetchone()
    if row is None:
        raise psycopg.DataError("monitoring.alert_watch returned no row")
    since: datetime = row[0]
    return since


def open_states(connection: Connection) -> dict[tuple[EventName, str], int]:
    """Return the ids of the states that have not ended, by event and cause."""
    rows = connection.execute(
        "SELECT event, cause, alert_id FROM monitoring.alerts WHERE is_state AND ended_at IS NULL"
    )
    return {(event, cause): alert_id for event, cause, alert_id in rows}


def record(connection: Connection, look: Look, route: Route, now: datetime) -> None:
    """Record what a look found: an alert for each new cause, and the end of each state that is over.

    One transaction: a cause has all its deliveries, or is not recorded.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('alerts'))")
        before = {key: alert for key, alert in open_states(connection).items() if key[0] in look.events}
        for cause in look.causes:
            if (cause.event, cause.key) not in before:
                _begin(connection, cause, route, now)
        found = {(cause.event, cause.key) for cause in look.causes}
        for key in before.keys() - found:
            _end(connection, before[key], now)


def _begin(connection: Connection, cause: Cause, route: Route, now: datetime) -> None:
    row = connection.execute(
        "INSERT INTO monitoring.alerts (event, dataset, cause, is_state, facts, began_at)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (event, cause) WHERE ended_at IS NULL DO NOTHING"
        " RETURNING alert_id",
        (cause.event, cause.dataset, cause.key, EVENTS[cause.event].is_state, json.dumps(cause.facts), now),
    ).fetchone()
    for channel in route(cause.event, cause.dataset) if row else ():
        connection.execute(
            "INSERT INTO monitoring.alert_deliveries (alert_id, channel, part, recorded_at)"
            " VALUES (%s, %s, 'alert', %s)",
            (row[0] if row else None, channel, now),
        )


def _end(connection: Connection, alert_id: int, now: datetime) -> None:
    connection.execute("UPDATE monitoring.alerts SET ended_at = %s WHERE alert_id = %s", (now, alert_id))
    connection.execute(
        "INSERT INTO monitoring.alert_deliveries (alert_id, channel, part, recorded_at)"
        " SELECT alert_id, channel, 'all-clear', %s FROM monitoring.alert_deliveries"
        " WHERE alert_id = %s AND part = 'alert'",
        (now, alert_id),
    )


@dataclass(frozen=True)
class Unsent:
    """A message that was made and not sent, as far as is recorded."""

    message_id: UUID
    attempts: int
    next_attempt: datetime


@contextmanager
def channel_lock(connection: Connection, channel: str) -> Iterator[bool]:
    """Hold the lock of a channel; yields False if another process has it. Postgres frees it if this process dies."""
    name = (f"alerts: {channel}",)
    row = connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", name).fetchone()
    is_ours = bool(row and row[0])
    try:
        yield is_ours
    finally:
        if is_ours:  # a connection that closes would free it some time later
            connection.execute("SELECT pg_advisory_unlock(hashtext(%s))", name)


def unsent(connection: Connection, channel: str) -> Unsent | None:
    """Return the oldest message of a channel that is to be sent."""
    row = connection.execute(
        "SELECT message_id, attempts, next_attempt FROM monitoring.alert_messages"
        " WHERE channel = %s AND sent_at IS NULL ORDER BY made_at LIMIT 1",
        (channel,),
    ).fetchone()
    return Unsent(*row) if row else None


def waiting_since(connection: Connection, channel: str) -> list[datetime]:
    """Return when each alert was recorded that is in no message of this channel yet."""
    rows = connection.execute(
        "SELECT recorded_at FROM monitoring.alert_deliveries WHERE channel = %s AND message_id IS NULL", (channel,)
    )
    return [recorded_at for (recorded_at,) in rows]


def make_message(connection: Connection, channel: str, now: datetime) -> Unsent:
    """Put the alerts that wait into a new message, the oldest first; they stay in it at each attempt."""
    message = Unsent(uuid4(), 0, now)
    with connection.transaction():
        connection.execute(
            "INSERT INTO monitoring.alert_messages (message_id, channel, made_at, next_attempt)"
            " VALUES (%s, %s, %s, %s)",
            (message.message_id, channel, now, now),
        )
        connection.execute(
            "UPDATE monitoring.alert_deliveries SET message_id = %s WHERE (alert_id, channel, part) IN"
            " (SELECT alert_id, channel, part FROM monitoring.alert_deliveries"
            " WHERE channel = %s AND message_id IS NULL ORDER BY recorded_at, alert_id, part LIMIT %s)",
            (message.message_id, channel, MOST_PARTS),
        )
    return message


def parts_of(connection: Connection, message_id: UUID) -> list[Part]:
    """Return the parts of a message; of an alert and its all-clear in one message only the latter."""
    rows = connection.execute(
        "SELECT DISTINCT ON (alert_id) event, dataset, facts, began_at, ended_at, part = 'all-clear'"
        " FROM monitoring.alert_deliveries JOIN monitoring.alerts USING (alert_id)"
        " WHERE message_id = %s ORDER BY alert_id, part DESC",
        (message_id,),
    )
    parts = [Part(*row) for row in rows]
    return [p for p in parts if not p.is_over] + [p for p in parts if p.is_over]


def record_sent(connection: Connection, message_id: UUID, now: datetime, problem: str | None = None) -> None:
    """Record that a message was sent; a problem is one that another attempt would not solve."""
    connection.execute(
        "UPDATE monitoring.alert_messages SET sent_at = %s, attempts = attempts + 1, problem = %s"
        " WHERE message_id = %s",
        (now, problem, message_id),
    )


def record_failed(connection: Connection, message_id: UUID, problem: str, next_attempt: datetime) -> None:
    """Record that a message was not sent, why, and when it is tried again."""
    connection.execute(
        "UPDATE monitoring.alert_messages SET attempts = attempts + 1, problem = %s, next_attempt = %s"
        " WHERE message_id = %s",
        (problem, next_attempt, message_id),
    )


@dataclass(frozen=True)
class Entry:
    """One alert or all-clear for one channel; `channel` is None for an alert that goes to none."""

    part: Part
    is_state: bool
    channel: str | None
    sent_at: datetime | None
    problem: str | None
    next_attempt: datetime | None


def entries(connection: Connection, most: int) -> list[Entry]:
    """Return the open states, and the newest other alerts, with what was sent to which channel; newest first."""
    rows = connection.execute(
        "SELECT event, dataset, facts, began_at, ended_at, coalesce(part, 'alert') = 'all-clear', is_state, d.channel,"
        " sent_at, problem, next_attempt FROM (SELECT * FROM monitoring.alerts"
        " ORDER BY is_state AND ended_at IS NULL DESC, alert_id DESC LIMIT %s) AS alert"
        " LEFT JOIN monitoring.alert_deliveries AS d USING (alert_id)"
        " LEFT JOIN monitoring.alert_messages USING (message_id)"
        " ORDER BY is_state AND ended_at IS NULL DESC, alert_id DESC, part, d.channel",
        (most,),
    )
    return [Entry(Part(*row[:6]), *row[6:]) for row in rows]


def last_look(connection: Connection) -> datetime | None:
    """Return when the server looked last; None if it never did."""
    row = connection.execute("SELECT last_look FROM monitoring.alert_watch").fetchone()
    return row[0] if row else None


def record_as_sent(connection: Connection, cause: Cause, messages: dict[str, UUID], now: datetime) -> None:
    """Record a cause and its messages, by channel, that were sent while nothing could be recorded."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('alerts'))")
        for channel, message_id in messages.items():
            connection.execute(
                "INSERT INTO monitoring.alert_messages (message_id, channel, made_at, attempts, next_attempt, sent_at)"
                " VALUES (%s, %s, %s, 1, %s, %s)",
                (message_id, channel, now, now, now),
            )
        _begin(connection, cause, lambda event, dataset: messages, now)
        for channel, message_id in messages.items():
            connection.execute(
                "UPDATE monitoring.alert_deliveries SET message_id = %s WHERE channel = %s AND message_id IS NULL"
                " AND alert_id = (SELECT alert_id FROM monitoring.alerts"
                " WHERE event = %s AND cause = %s AND ended_at IS NULL)",
                (message_id, channel, cause.event, cause.key),
            )
