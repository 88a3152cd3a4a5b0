"""Dataclasses are the same after a round trip through JSON, and a value that does not fit names its fields."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.storage.json_values import from_json, to_json


@dataclass(frozen=True)
class Part:
    name: str
    share: float | None = None


@dataclass(frozen=True)
class Whole:
    parts: tuple[Part, ...]
    counts: dict[str, int]
    at: datetime


WHOLE = Whole((Part("a", 0.5), Part("b")), {"rows": 3}, datetime(2026, 1, 31, 12, tzinfo=UTC))


def test_a_dataclass_is_the_same_after_a_round_trip() -> None:
    assert from_json(Whole, json.loads(json.dumps(to_json(WHOLE)))) == WHOLE


def test_containers_of_dataclasses_become_plain_json() -> None:
    assert to_json({"parts": [Part("a")], "done": True}) == {"parts": [{"name": "a", "share": None}], "done": True}
    assert from_json(list[Part], [{"name": "a"}]) == [Part("a")]


@pytest.mark.parametrize("value", [None, 1, "a", [1, None], {"a": {"b": [True]}}])
def test_json_stays_as_it_is(value: Any) -> None:
    assert to_json(value) == value


def test_a_value_that_does_not_fit_names_each_field_and_says_what_to_do() -> None:
    value = to_json(WHOLE) | {"counts": {"rows": "many"}}
    del value["at"]
    with pytest.raises(ConfigurationError) as caught:
        from_json(Whole, value)
    assert "counts.rows: Input should be a valid integer" in str(caught.value)
    assert "at: Field required" in str(caught.value)
    assert str(caught.value).endswith("clear that task, so that it runs again")
