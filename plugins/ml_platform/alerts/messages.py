"""Messages: the subject, the plain text and the HTML of some alerts and all-clears.

File names, reasons and other facts come from outside. In texts they are one line without control characters, without
addresses that programs would make links of, and without mentions; in HTML they are escaped.
"""

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from ml_platform import pages
from ml_platform.alerts.causes import shortened
from ml_platform.alerts.events import EVENTS
from ml_platform.specs.alerts import EventName

MAX_SUBJECT = 150  # characters
# a mention such as @channel or <!channel>, and an address that mail programs and chats make a link of
HARMLESS = {"<": "‹", ">": "›", "@": "@\u200b", "://": ":\u200b//", "`": "'"}


@dataclass(frozen=True)
class Part:
    """One alert, or its all-clear (`is_over`), in a message."""

    event: EventName
    dataset: str | None
    facts: Mapping[str, Any]
    began_at: datetime
    ended_at: datetime | None = None
    is_over: bool = False


@dataclass(frozen=True)
class Message:
    """A message for any channel; the id is that of all its attempts."""

    message_id: UUID
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class _Paragraph:
    heading: str
    sentence: str
    link: str
    advice: str

    @property
    def text(self) -> str:
        return "\n".join(line for line in (self.heading, self.sentence, self.link, self.advice) if line)

    @property
    def html(self) -> str:
        link = escape(self.link)
        return (
            f"<h3>{escape(self.heading)}</h3><p>{escape(self.sentence)}</p>"
            f'<p><a href="{link}">{link}</a></p><p>{escape(self.advice)}</p>'
        )


def harmless(value: object) -> str:
    """Return a value as one short line that no program takes for a command, a mention or a link."""
    text = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in str(value))
    for sign, instead in HARMLESS.items():
        text = text.replace(sign, instead)
    return shortened(" ".join(text.split()))


def compose(message_id: UUID, parts: Sequence[Part], environment: Mapping[str, str], zone: str) -> Message:
    """Return the message with these parts.

    Args:
        message_id: is part of the message, so that a second copy of it can be told.
        parts: at least one.
        environment: names the addresses of the screens.
        zone: time zone of the times in it.
    """
    paragraphs = [_paragraph(part, environment, ZoneInfo(zone)) for part in parts]
    subject = paragraphs[0].heading if len(parts) == 1 else _summary(parts)
    return Message(
        message_id=message_id,
        subject=shortened(f"[ML platform] {subject}")[:MAX_SUBJECT],
        text="\n\n".join(paragraph.text for paragraph in paragraphs) + "\n",
        html=f'<html lang="en"><body>{"<hr>".join(paragraph.html for paragraph in paragraphs)}</body></html>',
    )


def trial_message(message_id: UUID, channel: str, environment: Mapping[str, str]) -> Message:
    """Return a message that says that a channel works."""
    paragraph = _Paragraph(
        f"Test of the channel {channel}",
        "This channel works.",
        pages.address(environment, "screen", "airflow"),
        "There is nothing to do.",
    )
    return Message(message_id, f"[ML platform] {paragraph.heading}", f"{paragraph.text}\n", paragraph.html)


def _summary(parts: Sequence[Part]) -> str:
    """Return how many parts of each title there are."""
    titles = Counter(f"over: {EVENTS[p.event].title}" if p.is_over else EVENTS[p.event].title for p in parts)
    return ", ".join(f"{number} × {title}" if number > 1 else title for title, number in titles.items())


def _paragraph(part: Part, environment: Mapping[str, str], zone: ZoneInfo) -> _Paragraph:
    event = EVENTS[part.event]
    facts = {"dataset": part.dataset or "", **part.facts}
    shown = {name: harmless(value) for name, value in facts.items()}
    heading = " – ".join(filter(None, (event.title, part.dataset or shown.get("server", ""))))
    scheme, target = event.page
    link = pages.address(environment, scheme, target.format_map(facts))
    began = f"{part.began_at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    if part.is_over and part.ended_at:
        ended = f"{part.ended_at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
        over = f"It began at {began} and was over at {ended}. It was: {event.text.format_map(shown)}"
        return _Paragraph(f"Over: {heading}", over, link, "There is nothing more to do.")
    advice = shown.get("advice") or event.advice.format_map(shown)  # a cause may know better than its event
    return _Paragraph(heading, f"{event.text.format_map(shown)} (Noticed at {began}.)", link, advice)
