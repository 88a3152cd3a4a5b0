"""Between tasks, dataclasses travel as JSON; inside a task they are dataclasses again."""

import json
from dataclasses import dataclass

import pytest

from ml_platform.airflow.typed_values import passes_dataclasses
from ml_platform.exceptions import ConfigurationError


@dataclass(frozen=True)
class Part:
    name: str
    scores: tuple[float, ...] = ()


@dataclass(frozen=True)
class Whole:
    parts: list[Part]
    best: Part | None = None


WHOLE = Whole([Part("a", (0.5, 1.0)), Part("b")], Part("a"))


@passes_dataclasses
def make() -> Whole:
    return WHOLE


@passes_dataclasses
def repeat(whole: Whole, times: int = 1, other: Part | None = None) -> tuple[list[Whole], Part | None]:
    """Return the dataclasses that the task got."""
    assert isinstance(whole, Whole)
    assert other is None or isinstance(other, Part)
    return [whole] * times, other


def through_xcom(value: object) -> object:
    return json.loads(json.dumps(value))


def test_a_result_is_plain_json() -> None:
    assert through_xcom(make()) == make()
    assert make()["parts"][0] == {"name": "a", "scores": [0.5, 1.0]}


def test_an_argument_is_the_dataclass_that_the_task_before_returned() -> None:
    passed, other = repeat(through_xcom(make()), times=2, other={"name": "c"})
    assert passed == [make(), make()]
    assert other == {"name": "c", "scores": []}


def test_positions_names_and_defaults_of_arguments_stay() -> None:
    assert repeat(whole=make()) == repeat(make(), 1, None)
    assert (repeat.__name__, repeat.__doc__) == ("repeat", "Return the dataclasses that the task got.")


def test_values_of_other_kinds_pass_as_they_are() -> None:
    @passes_dataclasses
    def same(response: dict[str, object], count: int) -> dict[str, object]:
        return response | {"count": count}

    assert same({"name": "a"}, 3) == {"name": "a", "count": 3}


def test_a_dataclass_itself_is_accepted() -> None:
    assert repeat(WHOLE) == repeat(make())


@pytest.mark.parametrize("value", [{}, {"parts": [{"scores": []}]}, {"parts": "a"}, None])
def test_json_of_an_older_version_names_the_field_and_what_to_do(value: object) -> None:
    with pytest.raises(ConfigurationError, match="clear that task, so that it runs again"):
        repeat(value)
