"""What a message says, where it leads, and what a hostile name cannot do in it."""

from datetime import UTC, datetime
from html.parser import HTMLParser
from uuid import UUID

import pytest

from ml_platform.alerts.channels import mail
from ml_platform.alerts.events import EVENTS
from ml_platform.alerts.messages import MAX_SUBJECT, Part, compose, harmless, trial_message
from ml_platform.specs.alerts import EventName, MailChannel

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ID = UUID(int=7)
PAGES = {"AIRFLOW_URL": "http://localhost:8082", "BUCKETS_URL": "http://localhost:9001/browser/"}
FACTS = {
    "file": "train_auto.csv", "bucket": "train", "reason": "No header.", "report": "rejected/r.txt",
    "dag": "train_auto", "run": "manual__2026-05-04T12:00:00+00:00", "version": 3,
    "subject": "Promote version 3?", "by": "ada", "before": 3,
    "after": 2, "every": "1d", "last": "2026-05-01", "rows": 5, "least": 10, "most": 4, "percent": 93, "path": "/data",
    "free": 2, "server": "mlflow", "problem": "refused", "folder": "/backups", "newest": "never", "within": "7d",
}  # fmt: skip
HOSTILE = "</p><script>alert(1)</script>\r\nBcc: all@example.org\x1b[31m <!channel> @everyone https://evil.example/\"'`"


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)


def part(event: EventName, *, is_over: bool = False, **facts: object) -> Part:
    return Part(event, "auto", FACTS | facts, NOW, NOW if is_over else None, is_over)


@pytest.mark.parametrize("event", EVENTS)
def test_every_message_says_what_where_and_what_to_do(event: EventName) -> None:
    message = compose(ID, [part(event)], PAGES, "Europe/Berlin")
    heading, sentence, link, advice = message.text.strip().split("\n")
    assert heading == f"{EVENTS[event].title} – auto"
    assert "14:00 CEST" in sentence
    assert link.startswith("http://localhost:")
    assert len(advice) > 20
    assert "{" not in message.text
    assert f'<a href="{link}">' in message.html


def test_a_cause_can_know_better_what_to_do() -> None:
    message = compose(ID, [part("drift", advice="Nothing must be done now.")], PAGES, "UTC")
    assert message.text.strip().split("\n")[-1] == "Nothing must be done now."


@pytest.mark.parametrize("event", [name for name, event in EVENTS.items() if event.is_state])
def test_the_end_of_a_state_names_what_it_was(event: EventName) -> None:
    message = compose(ID, [part(event, is_over=True)], PAGES, "UTC")
    assert message.subject == f"[ML platform] Over: {EVENTS[event].title} – auto"
    assert "It began at 2026-05-04 12:00 UTC and was over at 2026-05-04 12:00 UTC." in message.text


@pytest.mark.parametrize("event", EVENTS)
def test_hostile_facts_are_only_text(event: EventName) -> None:
    hostile = dict.fromkeys(FACTS, HOSTILE)
    message = compose(ID, [part(event, **hostile)], PAGES, "UTC")
    assert Tags(message.html).tags <= {"html", "body", "h3", "p", "a", "hr"}
    assert len(message.text.strip().split("\n")) == 4
    assert "\n" not in message.subject
    assert "\x1b" not in message.text
    for line in message.text.split("\n")[1::2]:
        assert "<!channel>" not in line
        assert "@everyone" not in line
        assert "https://evil" not in line


def test_a_hostile_subject_makes_no_header() -> None:
    channel = MailChannel(kind="mail", host="localhost", sender="ml@example.org", to=("ada@example.org",))
    message = compose(ID, [Part("server_unhealthy", None, {"server": HOSTILE, "problem": ""}, NOW)], PAGES, "UTC")
    sent = mail(channel, message).as_bytes()
    assert b"\nBcc:" not in sent
    assert len(message.subject) <= MAX_SUBJECT
    assert b"Message-ID: <00000000-0000-0000-0000-000000000007@example.org>" in sent


def test_several_alerts_are_counted_in_the_subject() -> None:
    parts = [part("disk_full"), part("disk_full"), part("drift", is_over=True)]
    assert compose(ID, parts, PAGES, "UTC").subject == "[ML platform] 2 × Disk nearly full, over: Drift"


def test_a_long_value_is_cut() -> None:
    assert len(harmless("x" * 1000)) == 300


def test_a_test_message_has_a_link() -> None:
    assert "http://localhost:8082" in trial_message(ID, "team", PAGES).text
