"""The OpenAPI description: each live model has a path of its own, with rows typed by the model's spec."""

import copy
import math
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI

from ml_platform.parsing.batches import KEY_CHARACTERS
from ml_platform.parsing.conversion import value_text
from ml_platform.parsing.layout import columns_of, needed_columns, required_columns
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring.live_models import LiveModels
from ml_platform.serving.settings import MOST_ROWS
from ml_platform.specs.parts import MAX_REASONS, Column
from ml_platform.specs.spec import Dataset

OF_A_MODEL = ("/v1/{dataset}/predict", "/v1/{dataset}/model")  # paths that each live model has for itself, too
VISIBLE, NO_NUL = r"^[^\u0000]*[!-~][^\u0000]*$", r"^[^\u0000]*$"
MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)
EXAMPLES: dict[str, Any] = {
    "integer": 3, "number": 1.5, "money": 1200, "category": "a", "text": "a", "boolean": True,
    "timestamp": f"{MOMENT:%Y-%m-%dT%H:%M:%SZ}",
}  # fmt: skip


def body(forms: dict[str, tuple[dict[str, Any], dict[str, Any]]]) -> dict[str, Any]:
    """Return the description of a request's body.

    Args:
        forms: maps the name of the list to the JSON schema of one item, and an example of one.
    """
    schemas = [_list_of(name, schema) for name, (schema, _) in forms.items()]
    examples = {name: {"value": {name: [example]}} for name, (_, example) in forms.items()}
    content = {"application/json": {"schema": {"oneOf": schemas}, "examples": examples}}
    return {"requestBody": {"required": True, "content": content}}


def _list_of(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    items = {"type": "array", "minItems": 1, "maxItems": MOST_ROWS, "items": schema}
    return {"type": "object", "properties": {name: items}, "required": [name], "additionalProperties": False}


_ANY_ITEM = ({"type": "object"}, {"column": "value"})
_EXPLAIN = {
    "name": "explain", "in": "query", "required": False,
    "description": "number of reasons per prediction, of the features with the largest effects",
    "schema": {"type": "integer", "minimum": 0, "maximum": MAX_REASONS, "default": 0},
}  # fmt: skip
REQUEST = body({"rows": _ANY_ITEM, "entities": _ANY_ITEM}) | {"parameters": [_EXPLAIN]}


def description(app: FastAPI, live: LiveModels) -> dict[str, Any]:
    """Return the description of the service with the models that answer now."""
    document = copy.deepcopy(app.openapi())
    general = {path: item for path, item in document["paths"].items() if path in OF_A_MODEL}
    for name in live.all():
        if model := live.model(name):
            for path, item in general.items():
                document["paths"][path.replace("{dataset}", name)] = _path_item(model, item)
    return document


def _path_item(model: LoadedModel, general: dict[str, Any]) -> dict[str, Any]:
    """Return the general path item, made specific to one model."""
    item = copy.deepcopy(general)
    for operation in item.values():
        operation["operationId"] += f"_{model.name}"
        operation["summary"] = f"{operation['summary']}: {model.name}"
        operation["description"] = f"{operation['description']}\n\n{model.dataset.description}"
        parameters = [one for one in operation.pop("parameters") if one["in"] != "path"]
        operation |= {"parameters": parameters} if parameters else {}
        if "requestBody" in operation:
            operation |= body(_forms(model.dataset))
    return item


def _forms(dataset: Dataset) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    row, example = row_schema(dataset), row_example(dataset)
    forms = {"rows": (row, example)}
    if dataset.has_key and dataset.stored_columns:
        keys = [dataset.header(key) for key in dataset.keys]
        key = {"properties": {key: row["properties"][key] for key in keys}, "required": keys}
        forms["entities"] = ({"type": "object", "additionalProperties": False} | key, {k: example[k] for k in keys})
    return forms


def row_schema(dataset: Dataset) -> dict[str, Any]:
    """Return the JSON schema of a row. The service also accepts numbers and dates as text, as in files."""
    required = required_columns(dataset, "test")
    columns = columns_of(dataset, "test")
    return {
        "type": "object",
        "properties": {dataset.header(n): _schema(column, required=n in required) for n, column in columns.items()},
        "required": [dataset.header(name) for name in columns if name in needed_columns(dataset, "test")],
    }


def row_example(dataset: Dataset) -> dict[str, Any]:
    """Return an example of a row that the service accepts."""
    return {dataset.header(name): _example(column) for name, column in columns_of(dataset, "test").items()}


def _example(column: Column) -> Any:
    if column.values:
        value = column.values[0]
        return value_text(value, column.decimal) if column.type in ("category", "text") else value
    if (limit := column.min if column.min is not None else column.max) is not None:
        within = math.ceil(limit) if limit == column.min else math.floor(limit)
        return within if column.type == "integer" or within == limit else limit
    return MOMENT.strftime(column.format) if column.format else EXAMPLES[column.type]


def _schema(column: Column, *, required: bool) -> dict[str, Any]:
    schema = _typed(column, required=required)
    if column.values and column.type in ("category", "text"):
        schema = {"type": "string", "enum": [value_text(value, column.decimal) for value in column.values]}
    return schema if required else {"anyOf": [schema, {"type": "null"}]}


def _typed(column: Column, *, required: bool) -> dict[str, Any]:
    if column.type == "boolean":
        return {"type": "boolean"}
    if column.type == "timestamp":
        return {"type": "string"} if column.format else {"type": "string", "format": "date-time"}
    if column.type in ("category", "text"):
        most = {"maxLength": KEY_CHARACTERS // 10} if required else {}
        return {"type": "string", "pattern": VISIBLE if required else NO_NUL, **most}
    least, most_ = (-(2**53), 2**53)
    bounds = {
        "minimum": least if column.min is None else column.min,
        "maximum": most_ if column.max is None else column.max,
    }
    return {"type": "integer" if column.type == "integer" else "number", **bounds}
