"""The data sets of this platform: every YAML file under `datasets/`, checked by itself and against the others."""

import os
import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ml_platform import ROOT
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.parts import IDENTIFIER_CHARACTERS
from ml_platform.specs.spec import Dataset, FeatureTable, Table, joined_name, problem

DATASETS_DIR = Path(os.environ.get("DATASETS_DIR") or ROOT / "datasets")


class _Loader(yaml.SafeLoader):
    """YAML 1.2 as editors read it: `no`, `007`, `12:30` and dates stay texts; a key given twice is an error."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 – PyYAML's own attribute, replaced for this class


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+)", "-+0123456789."),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))


def _mapping_without_duplicates(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        wrong = "" if isinstance(key, Hashable) else "a name cannot be a list or a mapping; quote it if it is a text"
        if wrong := wrong or (f"{key!r} is given twice" if key in mapping else ""):
            raise yaml.constructor.ConstructorError(None, None, wrong, key_node.start_mark)
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_duplicates)


def parse_yaml(text: str) -> Any:
    """Return what a YAML text says, by the rules that editors have too.

    Raises:
        yaml.YAMLError: it is not valid YAML, or gives a key twice.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 – a SafeLoader
    except RecursionError:
        raise yaml.YAMLError("nested too deeply") from None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        # PyYAML lets these through where a text does not fit its tag, such as `!!int abc`.
        raise yaml.YAMLError(f"a value does not fit its type: {error}") from None


def read_table(path: Path) -> Table:
    """Read one file: a data set, or with `kind: table` a feature table.

    Raises:
        ConfigurationError: the file cannot be read, is not YAML or breaks the schema; the text names file, field and
            value.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not valid YAML: {error}") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    return parse_table(text, path)


def parse_table(text: str, path: Path) -> Table:
    """Read the text of one file, as `read_table`; `path` is where it lies, or will."""
    try:
        said = parse_yaml(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(said, dict):
        raise ConfigurationError(f"{path}: must be a mapping that begins with `name:`; see the other files there")
    if "tables" in said:
        raise ConfigurationError(f"{path}: tables: no such field; feature tables are named in `features_from`")
    whole: type[Table] = FeatureTable if "kind" in said else Dataset
    try:
        found = whole.model_validate(said)
    except ValidationError as error:
        raise ConfigurationError("\n".join(f"{path}: {problem(dict(e), whole)}" for e in error.errors())) from None
    if found.name != path.stem:
        raise ConfigurationError(f"{path}: name is {found.name!r}, but the file's name says {path.stem!r}")
    return found


@dataclass(frozen=True)
class Catalog:
    """What a folder of YAML files declares, and what is wrong with those that cannot be used.

    Attributes:
        datasets: in the order of their names, each with the feature tables that it joins.
        tables: the feature tables, in the order of their names.
        problems: one text per mistake; a file with a mistake holds up only what needs it.
    """

    datasets: tuple[Dataset, ...]
    tables: tuple[FeatureTable, ...]
    problems: tuple[str, ...]


def spec_files(directory: Path) -> list[Path]:
    """Return the files of a folder that declare tables, in the order of their names; hidden ones are an editor's."""
    return sorted(path for path in directory.glob("*.yaml") if not path.name.startswith("."))


def catalog(directory: Path = DATASETS_DIR) -> Catalog:
    """Read a folder; a file that is wrong does not keep the others from being used."""
    found: dict[str, Table] = {}
    problems: list[str] = []
    for path in spec_files(directory):
        try:
            table = read_table(path)
            _check_against(table, found.values(), path)
            found[table.name] = table
        except ConfigurationError as error:
            problems.append(str(error))
    tables = {name: table for name, table in found.items() if isinstance(table, FeatureTable)}
    complete: list[Dataset] = []
    for declared in (table for table in found.values() if isinstance(table, Dataset)):
        try:
            complete.append(_joined(declared, tables, directory / f"{declared.name}.yaml"))
        except ConfigurationError as error:
            problems.append(str(error))
    return Catalog(tuple(complete), tuple(tables.values()), tuple(problems))


def _check_against(table: Table, others: Iterable[Table], path: Path) -> None:
    for other in others:
        for one, two in ((table, other), (other, table)):
            if one.owns(two.inbox_prefix("train"), "train"):
                raise ConfigurationError(
                    f"{path}: {one.name!r} would also take the uploads of {two.name!r} "
                    f"({one.inbox_pattern('train')}); no name may begin with another's"
                )
        if table.entity.name == other.entity.name and _key(table) != _key(other):
            raise ConfigurationError(
                f"{path}: entity.name {table.entity.name!r} is {_key(other)} in {other.name!r}, but "
                f"{_key(table)} in {table.name!r}; an entity has one key: give one of them another name"
            )


def _key(table: Table) -> str:
    return ", ".join(f"{table.columns[key].type} {key}" for key in table.keys)


def _joined(dataset: Dataset, tables: dict[str, FeatureTable], path: Path) -> Dataset:
    """Return the data set with the tables that it names in `features_from`."""
    names = [join.table for join in dataset.features_from]
    for i, join in enumerate(dataset.features_from):
        say = partial("{}: features_from.{}: {}".format, path, i)
        if names.count(join.table) > 1:
            raise ConfigurationError(say(f"{join.table!r} is named twice"))
        if join.table not in tables:
            listed = ", ".join(tables) or "none"
            raise ConfigurationError(
                say(f"there is no feature table {join.table!r} (kind: table); there are: {listed}")
            )
        table = tables[join.table]
        if others := [key for key in join.on if key not in table.keys]:
            raise ConfigurationError(say(f"on names {others}, which are no key of {table.name!r}: {_key(table)}"))
        for key in table.keys:
            own = dataset.columns.get(join.on.get(key, key))
            if own is None or join.on.get(key, key) in dataset.label_columns or own.type not in _same(table, key):
                raise ConfigurationError(
                    say(f"{table.name!r} is joined on {join.on.get(key, key)!r}, which must be a column here of type "
                        f"{' or '.join(_same(table, key))}, and neither label nor leak; say `on: {{{key}: COLUMN}}`")
                )  # fmt: skip
    complete = dataset.model_copy(update={"tables": tuple(tables[name] for name in names)})
    for name in (*complete.features, *(joined_name(dataset.name, name) for name in dataset.own_features)):
        if len(name) > IDENTIFIER_CHARACTERS:
            raise ConfigurationError(
                f"{path}: the feature's full name {name!r} is longer than {IDENTIFIER_CHARACTERS} characters; give the "
                "column a shorter name, and the file's as `header`"
            )
    return complete


def _same(table: Table, key: str) -> tuple[str, ...]:
    kind = table.columns[key].type
    return ("integer",) if kind == "integer" else ("text", "category")


def datasets(directory: Path = DATASETS_DIR) -> tuple[Dataset, ...]:
    """Return every data set of a folder, in the order of their names.

    Raises:
        ConfigurationError: a file is wrong, or two would claim the same uploads or the same entity.
    """
    found = catalog(directory)
    if found.problems:
        raise ConfigurationError("\n".join(found.problems))
    return found.datasets


def dataset(name: str, directory: Path = DATASETS_DIR) -> Dataset:
    """Return the data set of that name, whatever is wrong with others.

    Raises:
        ConfigurationError: there is none, or it is wrong; the text lists those there are.
    """
    found = catalog(directory)
    for one in found.datasets:
        if one.name == name:
            return one
    wrong = "".join(f"\n{text}" for text in found.problems)
    raise ConfigurationError(f"no data set {name!r}; there are: {', '.join(d.name for d in found.datasets)}{wrong}")


def find_table(name: str, directory: Path = DATASETS_DIR) -> Table:
    """Return the data set or feature table of that name.

    Raises:
        ConfigurationError: there is none, or it is wrong.
    """
    found = catalog(directory)
    tables: dict[str, Table] = {table.name: table for table in (*found.datasets, *found.tables)}
    if name not in tables:
        wrong = [text for text in found.problems if text.startswith(str(directory / f"{name}.yaml"))]
        raise ConfigurationError(
            "\n".join(wrong) or f"there is no {name!r} in {directory}; there are: {', '.join(tables)}"
        )
    return tables[name]
