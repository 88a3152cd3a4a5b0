"""The catalog: every YAML file under `datasets/`, checked on its own and against the others."""

import os
import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from ml_platform import ROOT
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.parts import IDENTIFIER_CHARACTERS, Join, SpecModel
from ml_platform.specs.platform import PLATFORM_FILE, PlatformOptions
from ml_platform.specs.spec import Dataset, FeatureTable, Table, error_text, joined_name

Spec = TypeVar("Spec", bound=SpecModel)
DATASETS_DIR = Path(os.environ.get("DATASETS_DIR") or ROOT / "datasets")
NO_DRAFTS: Mapping[str, str] = {}


class _Loader(yaml.SafeLoader):
    """YAML 1.2, as editors read it: `no`, `007`, `12:30` and dates stay texts; a duplicate key is an error."""

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
        mistake = "" if isinstance(key, Hashable) else "a name cannot be a list or a mapping; quote it if it is a text"
        if mistake := mistake or (f"{key!r} is given twice" if key in mapping else ""):
            raise yaml.constructor.ConstructorError(None, None, mistake, key_node.start_mark)
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_duplicates)


def parse_yaml(text: str) -> Any:
    """Return the content of a YAML text, read by the same rules as editors use.

    Raises:
        yaml.YAMLError: the text is not valid YAML, or has a duplicate key.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 – a SafeLoader
    except RecursionError:
        raise yaml.YAMLError("nested too deeply") from None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        # PyYAML raises these if a text does not fit its tag, such as `!!int abc`.
        raise yaml.YAMLError(f"a value does not fit its type: {error}") from None


def read_table(path: Path) -> Table:
    """Read one file: a data set or, with `kind: table`, a feature table.

    Raises:
        ConfigurationError: the file cannot be read, is not valid YAML or breaks the schema; the text names file,
            field and value.
    """
    return parse_table(_read_text(path), path)


@lru_cache(maxsize=256)  # a page checks a draft against all others at each change
def parse_table(text: str, path: Path) -> Table:
    """Read the text of one file, as `read_table` does; `path` is the file's place, for errors, and need not exist."""
    content = _mapping(text, path, first="name:")
    if "tables" in content:
        raise ConfigurationError(f"{path}: tables: no such field; feature tables are named in `features_from`")
    table: Table = _checked(FeatureTable if "kind" in content else Dataset, content, path)
    if table.name != path.stem:
        raise ConfigurationError(f"{path}: name is {table.name!r}, but the file's name says {path.stem!r}")
    return table


def platform_options(directory: Path = DATASETS_DIR, drafts: Mapping[str, str] = NO_DRAFTS) -> PlatformOptions:
    """Read the options of the whole platform; without the file they are the defaults. `drafts` is as for `catalog`.

    Raises:
        ConfigurationError: the file cannot be read, is not valid YAML or breaks the schema; the text names file,
            field and value.
    """
    path = directory / PLATFORM_FILE
    if path.name not in drafts and not path.exists():
        return PlatformOptions()
    return _checked(PlatformOptions, _mapping(_text(path, drafts), path, first="kind: platform"), path)


def _text(path: Path, drafts: Mapping[str, str]) -> str:
    return drafts[path.name] if path.name in drafts else _read_text(path)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not valid YAML: {error}") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None


def _mapping(text: str, path: Path, first: str) -> dict[Any, Any]:
    try:
        content = parse_yaml(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: must be a mapping that begins with `{first}`; see the other files there")
    return content


def _checked(model: type[Spec], content: dict[Any, Any], path: Path) -> Spec:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError("\n".join(f"{path}: {error_text(dict(e), model)}" for e in error.errors())) from None


@dataclass(frozen=True)
class Catalog:
    """The specs of a folder of YAML files, and the mistakes in those that cannot be used.

    Attributes:
        datasets: sorted by name, each with the feature tables that it joins.
        tables: the feature tables, sorted by name.
        problems: one text per mistake; an invalid file blocks only the data sets that need it.
    """

    datasets: tuple[Dataset, ...]
    tables: tuple[FeatureTable, ...]
    problems: tuple[str, ...]


def spec_files(directory: Path) -> list[Path]:
    """Return the spec files of a folder, sorted by name, without hidden ones: those are temporary files of editors."""
    others = (".", PLATFORM_FILE)
    return sorted(path for path in directory.glob("*.yaml") if not path.name.startswith(others))


def catalog(directory: Path = DATASETS_DIR, drafts: Mapping[str, str] = NO_DRAFTS) -> Catalog:
    """Read the specs of a folder; an invalid file does not block the others.

    Args:
        directory: the folder.
        drafts: texts by names of files, read in the place of those files, so that they can be checked before they are
            saved.
    """
    specs: dict[str, Table] = {}
    problems: list[str] = []
    drafted = {directory / name for name in drafts if name != PLATFORM_FILE}
    for path in sorted({*spec_files(directory), *drafted}):
        try:
            table = parse_table(_text(path, drafts), path)
            _check_against_others(table, specs.values(), path)
            specs[table.name] = table
        except ConfigurationError as error:
            problems.append(str(error))
    try:
        problems += _unknown_channels(specs.values(), platform_options(directory, drafts), directory)
    except ConfigurationError as error:
        problems.append(str(error))
    tables = {name: table for name, table in specs.items() if isinstance(table, FeatureTable)}
    complete: list[Dataset] = []
    for declared in (table for table in specs.values() if isinstance(table, Dataset)):
        try:
            complete.append(_with_tables(declared, tables, directory / f"{declared.name}.yaml"))
        except ConfigurationError as error:
            problems.append(str(error))
    return Catalog(tuple(complete), tuple(tables.values()), tuple(problems))


def _unknown_channels(tables: Iterable[Table], options: PlatformOptions, directory: Path) -> list[str]:
    existing = ", ".join(options.alerts.channels) or "none"
    return [
        f"{directory / table.name}.yaml: alerts.channels: {PLATFORM_FILE} has no {name!r}; there are: {existing}"
        for table in tables
        for name in table.alerts.channels or ()
        if name not in options.alerts.channels
    ]


def _check_against_others(table: Table, others: Iterable[Table], path: Path) -> None:
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
    if not table.has_key:
        return "without a key"
    return ", ".join(f"{table.columns[key].type} {key}" for key in table.keys)


def _with_tables(dataset: Dataset, tables: dict[str, FeatureTable], path: Path) -> Dataset:
    """Return the data set together with the feature tables that it names in `features_from`."""
    names = [join.table for join in dataset.features_from]
    for i, join in enumerate(dataset.features_from):
        at_join = partial("{}: features_from.{}: {}".format, path, i)
        if names.count(join.table) > 1:
            raise ConfigurationError(at_join(f"{join.table!r} is named twice"))
        if join.table not in tables:
            existing = ", ".join(tables) or "none"
            raise ConfigurationError(
                at_join(f"there is no feature table {join.table!r} (kind: table); there are: {existing}")
            )
        _check_join(dataset, join, tables[join.table], at_join)
    complete = dataset.model_copy(update={"tables": tuple(tables[name] for name in names)})
    _check_lengths(complete, path)
    return complete


def _check_join(dataset: Dataset, join: Join, table: FeatureTable, at_join: Callable[[str], str]) -> None:
    if unknown := [key for key in join.on if key not in table.keys]:
        raise ConfigurationError(at_join(f"on names {unknown}, which are no key of {table.name!r}: {_key(table)}"))
    for key in table.keys:
        name, types = join.on.get(key, key), _join_types(table, key)
        column = dataset.columns.get(name)
        if column is None or name in dataset.label_columns or column.type not in types:
            raise ConfigurationError(
                at_join(
                    f"{table.name!r} is joined on {name!r}, which must be a column of this data set, of type "
                    f"{' or '.join(types)}, and neither label nor leak; write `on: {{{key}: COLUMN}}`"
                )
            )


def _check_lengths(complete: Dataset, path: Path) -> None:
    for name in (
        *complete.features,
        *(joined_name(complete.name, name) for name in (*complete.own_features, *complete.withheld)),
    ):
        if len(name) > IDENTIFIER_CHARACTERS:
            raise ConfigurationError(
                f"{path}: the feature's full name {name!r} is longer than {IDENTIFIER_CHARACTERS} characters; give the "
                "column a shorter name, and the name in the file as `header`"
            )


def _join_types(table: Table, key: str) -> tuple[str, ...]:
    kind = table.columns[key].type
    return ("integer",) if kind == "integer" else ("text", "category")


def datasets(directory: Path = DATASETS_DIR) -> tuple[Dataset, ...]:
    """Return all data sets of a folder, sorted by name.

    Raises:
        ConfigurationError: a file is invalid, or two specs claim the same uploads or disagree about an entity's key.
    """
    known = catalog(directory)
    if known.problems:
        raise ConfigurationError("\n".join(known.problems))
    return known.datasets


def dataset(name: str, directory: Path = DATASETS_DIR) -> Dataset:
    """Return the data set of a name; mistakes in other files do not matter.

    Raises:
        ConfigurationError: there is none, or its file is invalid; the text lists the data sets that there are.
    """
    known = catalog(directory)
    for one in known.datasets:
        if one.name == name:
            return one
    mistakes = "".join(f"\n{text}" for text in known.problems)
    raise ConfigurationError(f"no data set {name!r}; there are: {', '.join(d.name for d in known.datasets)}{mistakes}")


def find_table(name: str, directory: Path = DATASETS_DIR) -> Table:
    """Return the data set or feature table of a name.

    Raises:
        ConfigurationError: there is none, or its file is invalid.
    """
    known = catalog(directory)
    tables: dict[str, Table] = {table.name: table for table in (*known.datasets, *known.tables)}
    if name not in tables:
        mistakes = [text for text in known.problems if text.startswith(str(directory / f"{name}.yaml"))]
        raise ConfigurationError(
            "\n".join(mistakes) or f"there is no {name!r} in {directory}; there are: {', '.join(tables)}"
        )
    return tables[name]
