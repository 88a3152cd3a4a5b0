"""The JSON Schema: current, valid, and as strict as the specs themselves."""

import json
import re
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from ml_platform.specs import schema
from ml_platform.specs.catalog import parse_table, parse_yaml
from stack.config import ROOT

DATASETS = ROOT / "datasets"
VALIDATOR = Draft202012Validator(schema.json_schema())
SPEC = {
    "name": "flights",
    "description": "Which flights land late?",
    "entity": {"name": "flight", "key": ["carrier", "flight"]},
    "event_time": "upload",
    "label": {"column": "late", "positive": "yes"},
    "features_from": ["weather", {"table": "planes", "on": {"tail": "tailnum"}}],
    "columns": {"carrier": "category", "flight": {"type": "integer", "min": 1}, "late": "category", "dist": "number"},
}
TABLE = {
    "kind": "table",
    "name": "weather",
    "description": "By the hour",
    "entity": {"name": "station", "key": "origin"},
    "event_time": "seen",
    "ttl": "6h",
    "columns": {"origin": "category", "seen": "timestamp", "temp": "number"},
}


DOCS = "".join(
    (ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("data-sets.md", "sources.md", "alerts.md")
)


def changed(spec, path, value):
    spec = deepcopy(spec)
    *parents, last = path.split("/")
    node = spec
    for parent in parents:
        node = node[parent]
    node[last] = value
    return spec


def test_the_committed_file_is_current():
    assert (DATASETS / "schema.json").read_text(encoding="utf-8") == schema.text(), "run: ./ml-platform dataset schema"


def test_the_schema_is_valid():
    Draft202012Validator.check_schema(schema.json_schema())


@pytest.mark.parametrize("path", sorted(DATASETS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_committed_spec_fits_it(path):
    assert [error.message for error in VALIDATOR.iter_errors(parse_yaml(path.read_text(encoding="utf-8")))] == []


@pytest.mark.parametrize("spec", [SPEC, TABLE], ids=["data set", "feature table"])
def test_shorthands_fit_it(spec):
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(json.dumps(spec)))] == []


def test_rows_of_a_data_set_may_have_no_key():
    for entity in ({"name": "row"}, {"name": "row", "key": None}):
        assert VALIDATOR.is_valid(changed(SPEC, "entity", entity))


@pytest.mark.parametrize(
    ("spec", "path", "value"),
    [
        (SPEC, "columns/carrier", "categorical"),
        (SPEC, "columns/1st", "integer"),
        (SPEC, "columns/dist", {"type": "number", "minimum": 0}),
        (SPEC, "entity/key", []),
        (SPEC, "entity/key", 7),
        (SPEC, "label", {"column": "late"}),
        (SPEC, "label", {"column": "late", "positive": "yes", "classes": ["a", "b", "c"]}),
        (SPEC, "label", {"column": "late", "classes": ["a", "b"]}),
        (SPEC, "features_from", "weather"),
        (SPEC, "features_from", ["Weather"]),
        (SPEC, "on_bad_row", "skip"),
        (SPEC, "max_bad_rows", 5),
        (SPEC, "delimiter", ":"),
        (SPEC, "labels", {}),
        (SPEC, "tables", []),
        (SPEC, "search", {"scoring": "f2"}),
        (SPEC, "search", {"candidates": {"svm": {}}}),
        (SPEC, "search", {"candidates": {"random_forest": {"max_depth": 3}}}),
        (TABLE, "ttl", "6 hours"),
        (TABLE, "entity", {"name": "station"}),
        (TABLE, "entity/key", None),
        (TABLE, "label", {"column": "temp", "positive": 1}),
        (TABLE, "kind", "feature"),
    ],
)
def test_typical_mistakes_do_not_fit_it(spec, path, value):
    assert not VALIDATOR.is_valid(changed(spec, path, value))


def test_the_examples_of_the_guide_are_valid():
    blocks = [block for block in re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL) if "\nname:" in block]
    tables = [parse_table(block, Path(f"{parse_yaml(block)['name']}.yaml")) for block in blocks]
    assert [table.name for table in tables] == ["churn", "rates"]
    assert all(VALIDATOR.is_valid(parse_yaml(block)) for block in blocks)


def test_the_guide_names_every_option_and_type():
    found = schema.json_schema()["$defs"]
    options = {option for model in found.values() for option in model.get("properties", {})}
    types = set(found["Column"]["properties"]["type"]["enum"])
    assert sorted(name for name in options | types if not re.search(rf"\b{name}\b", DOCS)) == []
