"""The trigger of a source: it fires for what is new, once for a mistake, and not while the source is away."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
from airflow.triggers.base import BaseEventTrigger

from ml_platform.airflow import source_trigger
from ml_platform.airflow.source_trigger import SourceTrigger
from ml_platform.exceptions import ConfigurationError, SourceAwayError
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.look import Look

SOURCE = json.dumps({"kind": "kafka", "topic": "claims"})


class States:
    """The states of a source at each look; after the last one the test ends."""

    def __init__(self, *states: str | Exception) -> None:
        self.left = list(states)

    def __call__(self, look: Look, connection: SourceConnection) -> str:
        if not self.left:
            raise EOFError  # no error of a source: it ends the trigger
        state = self.left.pop(0)
        if isinstance(state, Exception):
            raise state
        return state


def fired(monkeypatch: pytest.MonkeyPatch, *states: str | Exception) -> int:
    """Return how often a trigger, stored and loaded, fires while a source has these states."""

    async def connection(name: str) -> SourceConnection:
        return SourceConnection(name)

    async def events() -> int:
        path, arguments = SourceTrigger(SOURCE, "auto", "train").serialize()
        assert path == "ml_platform.airflow.source_trigger.SourceTrigger"
        count = 0
        with suppress(EOFError):
            async for event in SourceTrigger(**json.loads(json.dumps(arguments))).run():
                assert event.payload == {"dataset": "auto", "purpose": "train"}
                count += 1
        return count

    monkeypatch.setattr(source_trigger, "async_source_connection", connection)
    monkeypatch.setattr(Look, "state", lambda look, found: states_of(look, found))
    monkeypatch.setattr(Look, "period", 0.0)
    states_of = States(*states)
    return asyncio.run(events())


def test_it_fires_at_the_first_look_and_when_there_is_something_new(monkeypatch) -> None:
    assert fired(monkeypatch, "a", "a", "b", "b") == 2


def test_a_mistake_is_reported_once_and_its_end_too(monkeypatch) -> None:
    mistake = ConfigurationError("no such topic")
    assert fired(monkeypatch, "a", mistake, mistake, "a") == 3


def test_a_source_that_is_away_is_waited_for(monkeypatch, caplog) -> None:
    away = SourceAwayError("the broker cannot be reached")
    assert fired(monkeypatch, away, away, "a", away, "a", "b") == 2
    assert "it is waited for" in caplog.text


def test_its_identity_is_the_same_before_and_after_it_is_stored() -> None:
    """Else Airflow would make another one whenever the DAG file is parsed."""
    path, arguments = SourceTrigger(SOURCE, "auto", "train").serialize()
    stored: dict[str, Any] = json.loads(json.dumps(arguments))
    assert BaseEventTrigger.hash(path, arguments) == BaseEventTrigger.hash(path, stored)
