"""The texts of the events."""

from ml_platform import pages
from ml_platform.alerts.events import EVENTS
from ml_platform.specs import alerts


def test_each_event_of_the_yaml_has_its_texts() -> None:
    assert set(EVENTS) == set(alerts.EVENTS)
    assert len({event.title for event in EVENTS.values()}) == len(EVENTS)
    assert {event.page[0] for event in EVENTS.values()} <= set(pages.PAGES)


def test_what_happens_once_has_no_end() -> None:
    assert {name for name, event in EVENTS.items() if not event.is_state} == {
        "file_rejected", "challenger_refused", "rolled_back",
    }  # fmt: skip
