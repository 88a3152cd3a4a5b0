"""The options of alerts: channels and events of the platform, the choice of a data set, and what it expects to come."""

import re
from collections.abc import Container
from datetime import time, timedelta
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from ml_platform.specs.parts import DURATION, Duration, SpecModel, check_zone, timedelta_of

EventName = Literal[
    "file_rejected",
    "training_failed",
    "run_failed",
    "challenger_refused",
    "approval_waits",
    "rolled_back",
    "drift",
    "performance",
    "nothing_arrived",
    "fewer_rows",
    "more_rows",
    "disk_full",
    "server_unhealthy",
    "backup_old",
]
EVENTS: tuple[EventName, ...] = get_args(EventName)
Events = Annotated[tuple[EventName, ...], Field(description="only these events; by default all")]
ChannelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]


def _check_variable(name: str) -> str:
    if name == "ALERTS_DB_PASSWORD":
        raise ValueError("this variable holds the password of the role `alerts`: choose another name")
    return name


# Containers get the variables that docker-compose.yml names; without containers, all with this beginning.
Variable = Annotated[str, Field(pattern=r"^ALERTS_[A-Z0-9_]{1,60}$"), AfterValidator(_check_variable)]
TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"
# No line breaks, so that an address cannot bring a header of its own.
Address = Annotated[str, Field(pattern=r"^[^\s@<>,;\"]{1,64}@[A-Za-z0-9.-]{1,255}$")]


class QuietHours(SpecModel):
    """Hours of the day in which a channel gets no message."""

    start: Annotated[str, Field(pattern=f"^{TIME}$", description="such as 22:00")]
    end: Annotated[str, Field(pattern=f"^{TIME}$", description="such as 07:00; it may be on the next day")]

    @model_validator(mode="after")
    def _is_no_whole_day(self) -> "QuietHours":
        if self.start == self.end:
            raise ValueError("start and end are the same: then the channel would never get a message")
        return self

    def hold(self, moment: time) -> bool:
        """Return whether a time of day is within the quiet hours; `end` is not."""
        start, end = time.fromisoformat(self.start), time.fromisoformat(self.end)
        return start <= moment < end if start < end else moment >= start or moment < end


class ChannelBase(SpecModel):
    """What all kinds of channels share."""

    kind: str
    events: Events = EVENTS
    digest: Annotated[str, Field(pattern=f"({DURATION})|(^{TIME}$)")] | None = Field(
        default=None, description="collect alerts: 15m, so long after the first; 08:00, once a day; default: at once"
    )
    quiet: QuietHours | None = Field(default=None, description="hours of the day in which nothing is sent")
    zone: Annotated[str, AfterValidator(check_zone)] = Field(
        default="UTC", description="time zone of `digest`, `quiet` and the times in messages, such as Europe/Berlin"
    )

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that hold the channel's secrets."""
        raise NotImplementedError

    @property
    def period(self) -> timedelta | None:
        """How long alerts are collected; None if they are not, or once a day."""
        return timedelta_of(self.digest) if self.digest and re.match(DURATION, self.digest) else None

    @property
    def time_of_day(self) -> time | None:
        """When the digest of a day is sent; None if there is none."""
        return time.fromisoformat(self.digest) if self.digest and not self.period else None


class MailChannel(ChannelBase):
    """Mail, by SMTP."""

    kind: Literal["mail"]
    host: str = Field(pattern=r"^[A-Za-z0-9.:-]{1,255}$", description="the mail server")
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="tls: from the first byte, mostly port 465; none: only to a server that is near"
    )
    user: str | None = Field(default=None, min_length=1, description="the login; by default there is none")
    password_variable: Variable | None = Field(default=None, description="the variable in .env with the password")
    sender: Address = Field(description="the address that mails come from")
    to: tuple[Address, ...] = Field(min_length=1, description="the addresses that get them")

    @model_validator(mode="after")
    def _has_a_whole_login(self) -> "MailChannel":
        if (self.user is None) != (self.password_variable is None):
            raise ValueError("give both `user` and `password_variable`, or none of them")
        if self.user is not None and self.security == "none":
            raise ValueError("security: none would send the password in clear; allowed are starttls, tls")
        return self

    @property
    def variables(self) -> tuple[str, ...]:
        """The variable of the password, if there is a login."""
        return (self.password_variable,) if self.password_variable else ()


class UrlChannel(ChannelBase):
    """A chat or another service, by a URL of Apprise."""

    kind: Literal["url"]
    url_variable: Variable = Field(
        description="the variable in .env with the URL, such as slack://... or msteams://..."
    )

    @property
    def variables(self) -> tuple[str, ...]:
        """The variable of the URL."""
        return (self.url_variable,)


Channel = Annotated[MailChannel | UrlChannel, Field(discriminator="kind")]
CHANNEL_KINDS: dict[str, type[ChannelBase]] = {"mail": MailChannel, "url": UrlChannel}


class AlertOptions(SpecModel):
    """The alerts of the whole platform."""

    channels: dict[ChannelName, Channel] = Field(default={}, description="where alerts are sent to; none: no alerts")
    events: Events = EVENTS
    disk_full: int = Field(default=90, ge=1, le=100, description="percent of a disk that may be used")
    backup_within: Duration | None = Field(
        default="7d", description="age of the newest backup that is not too old; null: backups are not watched"
    )
    unhealthy_for: Duration = Field(default="2m", description="how long a server may be away before it is reported")

    @property
    def newest_backup(self) -> timedelta | None:
        """How old the newest backup may be; None: any age."""
        return timedelta_of(self.backup_within) if self.backup_within else None


class DatasetAlerts(SpecModel):
    """Which alerts about a data set or a feature table are sent where."""

    channels: tuple[ChannelName, ...] | None = Field(
        default=None, description="only these channels of platform.yaml; by default all; []: none"
    )
    events: Events = EVENTS


class Expectation(SpecModel):
    """What comes in regularly: files for training."""

    every: Duration = Field(description="how often rows come in, such as 1h, 1d")
    tolerance: float = Field(default=0.1, ge=0.0, le=1.0, description="share of `every` by which they may be late")
    rows: str | None = Field(
        default=None, pattern=r"^([0-9]{1,15}\.\.([0-9]{1,15})?|\.\.[0-9]{1,15})$",
        description="loaded rows in this time: at least and at most, such as 1000.., 1000..5000, ..5000",
    )  # fmt: skip

    @model_validator(mode="after")
    def _limits_are_in_order(self) -> "Expectation":
        least, most = self.limits
        if most is not None and least > most:
            raise ValueError(f"rows: at least {least} is more than at most {most}")
        return self

    @property
    def limits(self) -> tuple[int, int | None]:
        """The least and the most rows; None: any number."""
        least, _, most = (self.rows or "..").partition("..")
        return int(least or 0), int(most) if most else None

    @property
    def period(self) -> timedelta:
        """The time in which rows are expected."""
        return timedelta_of(self.every)

    @property
    def latest(self) -> timedelta:
        """The time after which they are missing."""
        return self.period * (1 + self.tolerance)


def routes(options: AlertOptions, own: DatasetAlerts | None, event: EventName) -> tuple[str, ...]:
    """Return the channels that get an event; `own` is the choice of the data set that it is about, if there is one."""
    if event not in options.events or (own and event not in own.events):
        return ()
    return tuple(
        name
        for name, channel in options.channels.items()
        if event in channel.events and (own is None or own.channels is None or name in own.channels)
    )


def missing_variables(options: AlertOptions, environment: Container[str]) -> list[str]:
    """Return one text for each variable that a channel names and that has no value; names with a value are given."""
    return [
        f"alerts.channels.{name}: the variable {variable} has no value: write {variable}=... into .env"
        for name, channel in options.channels.items()
        for variable in channel.variables
        if variable not in environment
    ]
