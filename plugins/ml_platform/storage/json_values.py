"""Frozen dataclasses to JSON and back: the values that tasks pass on and store."""

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from ml_platform.exceptions import ConfigurationError

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """Convert a dataclass, or a container of dataclasses, to plain JSON; JSON stays as it is."""
    return to_jsonable_python(value)


def from_json(kind: type[T], value: Any) -> T:
    """Return the dataclass from which `to_json` made the value.

    Raises:
        ConfigurationError: the value does not fit, as when another version of the library wrote it; the text names
            each field.
    """
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(
            f"a value of the task before does not fit ({problems}); clear that task, so that it runs again"
        ) from None
