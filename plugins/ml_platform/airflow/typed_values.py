"""Tasks take and return frozen dataclasses; Airflow passes them on as JSON."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

from ml_platform.storage.json_values import from_json, to_json


def passes_dataclasses(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a task: arguments annotated as dataclasses are built from JSON, and its result is returned as JSON."""
    hints = get_type_hints(function)
    signature = inspect.signature(function)
    kinds = {name: hint for name, hint in hints.items() if name != "return" and _has_dataclass(hint)}

    @functools.wraps(function)
    def converting(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        for name, kind in kinds.items():
            if name in bound.arguments:
                bound.arguments[name] = from_json(kind, bound.arguments[name])
        return to_json(function(*bound.args, **bound.kwargs))

    return converting


def _has_dataclass(hint: Any) -> bool:
    return is_dataclass(hint) or any(_has_dataclass(part) for part in get_args(hint))
