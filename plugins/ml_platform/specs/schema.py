"""The JSON Schema of `datasets/*.yaml`; editors use it to complete and check a spec."""

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from ml_platform.specs.catalog import DATASETS_DIR
from ml_platform.specs.platform import PlatformOptions
from ml_platform.specs.spec import Dataset, FeatureTable

PATH = DATASETS_DIR / "schema.json"

_WITH_KEY = {"required": ["key"], "properties": {"key": {"type": ["string", "array"]}}}  # as a feature table has it


def json_schema() -> dict[str, Any]:
    """Return the schema of a file under `datasets/`: a data set, or by its `kind` a feature table or the platform."""
    models = (Dataset, FeatureTable, PlatformOptions)
    references, schema = models_json_schema([(model, "validation") for model in models])
    _close(schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A data set, with `kind: table` a feature table, with `kind: platform` the options of the platform",
        # Not `anyOf`: so an editor reports a mistake for the kind that was meant, not for all.
        "if": {"required": ["kind"]},
        "then": {
            "if": {"properties": {"kind": {"const": "platform"}}},
            "then": references[PlatformOptions, "validation"],
            "else": references[FeatureTable, "validation"] | {"properties": {"entity": _WITH_KEY}},
        },
        "else": references[Dataset, "validation"],
        "$defs": schema["$defs"],
    }


def write(path: Path = PATH) -> None:
    """Write the schema to its file; the specs beside it refer to it (`# yaml-language-server: $schema=schema.json`)."""
    path.write_text(text(), encoding="utf-8")


def text() -> str:
    """Return the content of the schema's file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _close(node: Any) -> None:
    """Reject keys that match no pattern: pydantic does so, but its schema does not say it."""
    if isinstance(node, dict):
        if "patternProperties" in node:
            node["additionalProperties"] = False
        for child in node.values():
            _close(child)
    elif isinstance(node, list):
        for child in node:
            _close(child)
