"""Frozen dataclasses as JSON, and back: what tasks pass on, and what is stored of it."""

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from ml_platform.exceptions import ConfigurationError

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """Return a dataclass, or whatever holds some, as plain JSON; JSON itself stays as it is."""
    return to_jsonable_python(value)


def from_json(kind: type[T], value: Any) -> T:
    """Return the dataclass that `to_json` was given.

    Raises:
        ConfigurationError: the value does not fit; the text names each field. A newer version may have other fields.
    """
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(
            f"a value of the task before does not fit ({problems}); clear that task, so that it runs again"
        ) from None
