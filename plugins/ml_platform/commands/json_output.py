"""What `--json` prints: one JSON document on stdout, with times in ISO 8601."""

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

import typer
from pydantic_core import to_json


def print_json(document: Any) -> None:
    """Print dataclasses, lists and mappings as one JSON document. Times are in UTC; a number that is none is null."""
    typer.echo(to_json(_plain(document), inf_nan_mode="null", indent=2).decode())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
