"""Causes of alerts, and what a look at one place found."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ml_platform.specs.alerts import EventName

MAX_TEXT = 300  # characters of a fact


@dataclass(frozen=True)
class Cause:
    """Something that people are told about once.

    Attributes:
        event: what kind of thing.
        key: tells it apart from others of the event; the same cause has the same key at every look.
        facts: what its texts name.
        dataset: that it is about; None if it is about the platform.
    """

    event: EventName
    key: str
    facts: dict[str, Any] = field(default_factory=dict)
    dataset: str | None = None


@dataclass(frozen=True)
class Look:
    """What a look at one place found: all causes that are there now.

    Attributes:
        events: that the look is about. An open state of them that is not among the causes is over.
        causes: that were found.
    """

    events: tuple[EventName, ...]
    causes: tuple[Cause, ...]

    @classmethod
    def of(cls, events: Iterable[EventName], causes: Iterable[Cause]) -> "Look":
        """Return the look that found these causes."""
        return cls(tuple(events), tuple(causes))


def shortened(text: str) -> str:
    """Return a text of a bounded length."""
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
