"""When a channel gets its next message: at once, with a digest, after its quiet hours, or after a failed attempt."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ml_platform.specs.alerts import ChannelBase

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)


def due_at(recorded_at: datetime, channel: ChannelBase) -> datetime:
    """Return when an alert that was recorded at a time is to be sent, in UTC."""
    zone = ZoneInfo(channel.zone)
    due = recorded_at + channel.period if channel.period else recorded_at
    if channel.time_of_day:
        due = _next(due.astimezone(zone), channel.time_of_day)
    if channel.quiet and channel.quiet.hold(due.astimezone(zone).time()):
        due = _next(due.astimezone(zone), time.fromisoformat(channel.quiet.end))
    return due.astimezone(UTC)


def is_quiet(moment: datetime, channel: ChannelBase) -> bool:
    """Return whether a channel gets no message now."""
    return channel.quiet is not None and channel.quiet.hold(moment.astimezone(ZoneInfo(channel.zone)).time())


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after so many failed attempts; it doubles up to an hour."""
    pause: timedelta = FIRST_PAUSE * 2 ** min(attempts - 1, 20)
    return min(pause, LONGEST_PAUSE)


def _next(local: datetime, clock: time) -> datetime:
    """Return the first time at or after `local` at which a clock there shows this time of day."""
    today = datetime.combine(local.date(), clock, local.tzinfo)
    return today if today >= local else datetime.combine(local.date() + timedelta(days=1), clock, local.tzinfo)
