"""A data set is one YAML file: its columns, its label, its clocks, its search and its gate."""

import os
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ml_platform.exceptions import ConfigurationError

DATASETS_DIR = Path(os.environ.get("DATASETS_DIR") or Path(__file__).resolve().parents[2] / "datasets")

ColumnType = Literal["integer", "number", "money", "category", "boolean", "text", "timestamp"]
Metric = Literal["f1", "roc_auc", "average_precision", "precision", "recall", "accuracy"]
METRICS: tuple[Metric, ...] = get_args(Metric)
Estimator = Literal["logistic_regression", "random_forest", "hist_gradient_boosting"]
Purpose = Literal["train", "test"]

FEATURE_TYPES = ("integer", "number", "money", "category", "boolean")
RESERVED_COLUMNS = ("event_timestamp", "created_timestamp", "upload_sha256", "line")

# Column names become SQL identifiers and Feast fields: quoted, but kept to characters that no layer can misread.
ColumnName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_ .-]*$", max_length=63)]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Entity(_Closed):
    """What a row is about: the entity's name in Feast and the column that holds its key."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    key: ColumnName


class Label(_Closed):
    """What is to be predicted: a column and the value of it that counts as positive."""

    column: ColumnName
    positive: int | str


class Column(_Closed):
    """How the text of one column is read; empty cells are missing values unless `required`."""

    type: ColumnType
    strip_prefix: str = ""
    required: bool = False
    min: float | None = None
    max: float | None = None
    values: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _options_fit_type(self) -> "Column":
        if (self.min is not None or self.max is not None) and self.type not in ("integer", "number", "money"):
            raise ValueError(f"min and max are for integer, number and money, not for {self.type}")
        if (self.values is not None or self.strip_prefix) and self.type not in ("category", "text"):
            raise ValueError(f"values and strip_prefix are for category and text, not for {self.type}")
        return self


class Search(_Closed):
    """The grid search: what chooses the best candidate, and per estimator a grid of parameters."""

    scoring: Metric = "f1"
    folds: int = Field(default=5, ge=2, le=20)
    jobs: int = Field(default=1, ge=1, le=64)
    candidates: dict[Estimator, dict[str, list[Any]]] = Field(min_length=1)


class Gate(_Closed):
    """What a challenger must show before it becomes champion."""

    holdout: float = Field(default=0.2, gt=0.0, lt=0.9)
    min_gain: float = Field(default=0.0, ge=0.0, lt=1.0)


def _expand(value: object) -> object:
    return {"type": value} if isinstance(value, str) else value


class Dataset(_Closed):
    """One data set, as `datasets/<name>.yaml` declares it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")
    description: str
    entity: Entity
    label: Label
    event_time: ColumnName | None = None
    known_at: str = "event_time"
    leaks: tuple[ColumnName, ...] = ()
    columns: dict[ColumnName, Annotated[Column, BeforeValidator(_expand)]]
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    on_bad_row: Literal["reject_row", "reject_file"] = "reject_row"
    max_bad_rows: float = Field(default=0.05, ge=0.0, le=1.0)
    on_extra_column: Literal["ignore", "reject_file"] = "ignore"
    search: Search
    gate: Gate = Gate()

    @model_validator(mode="after")
    def _named_columns_exist(self) -> "Dataset":
        named = {"entity.key": self.entity.key, "label.column": self.label.column}
        named |= {f"leaks.{i}": leak for i, leak in enumerate(self.leaks)}
        named |= self._clocks
        for field, column in named.items():
            if column not in self.columns:
                raise ValueError(f"{field} names the column {column!r}, which `columns` does not list")
        return self

    @model_validator(mode="after")
    def _types_fit(self) -> "Dataset":
        for field, column in self._clocks.items():
            if self.columns[column].type != "timestamp":
                raise ValueError(f"{field} names {column!r}, whose type must be timestamp")
        if self.columns[self.entity.key].type not in ("integer", "text", "category"):
            raise ValueError(f"entity.key names {self.entity.key!r}, whose type must be integer, text or category")
        for column in self.columns:
            if column.lower() in RESERVED_COLUMNS:
                raise ValueError(f"columns.{column}: the name is the platform's own, as are {RESERVED_COLUMNS}")
        if not self.features:
            raise ValueError("columns: none is left as a feature")
        return self

    @property
    def _clocks(self) -> dict[str, str]:
        clocks = {"event_time": self.event_time} if self.event_time else {}
        return clocks if self.known_at in ("event_time", "load") else clocks | {"known_at": self.known_at}

    @property
    def features(self) -> dict[str, Column]:
        """The columns a model may see: neither key, label, clock nor leak, and of a type that can be learned from."""
        not_features = {self.entity.key, self.label.column, self.event_time, self.known_at, *self.leaks}
        return {n: c for n, c in self.columns.items() if n not in not_features and c.type in FEATURE_TYPES}

    @property
    def label_columns(self) -> tuple[str, ...]:
        """The columns that are known only together with the label; a test file may lack them."""
        return (self.label.column, *self.leaks)

    def inbox_pattern(self, purpose: Purpose) -> str:
        """Return the wildcard of the keys that belong to this data set in the bucket `purpose`."""
        return f"{purpose}_{self.name}*.csv"

    def owns(self, key: str, purpose: Purpose) -> bool:
        """Tell whether an object key in the bucket `purpose` is an upload of this data set, still unsettled."""
        return fnmatchcase(key, self.inbox_pattern(purpose))


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key given twice is an error instead of the last one winning silently."""


def _mapping_without_twins(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in mapping:
            raise yaml.constructor.ConstructorError(None, None, f"{key!r} is given twice", key_node.start_mark)
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_twins)


def read_dataset(path: Path) -> Dataset:
    """Read one data set.

    Raises:
        ConfigurationError: the file is not YAML or breaks the schema; the text names file, field and value.
    """
    try:
        dataset = Dataset.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader))  # noqa: S506 – a SafeLoader
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: not valid YAML: {error}") from None
    except ValidationError as error:
        raise ConfigurationError("\n".join(f"{path}: {_problem(dict(e))}" for e in error.errors())) from None
    if dataset.name != path.stem:
        raise ConfigurationError(f"{path}: name is {dataset.name!r}, but the file's name says {path.stem!r}")
    return dataset


def _problem(error: dict[str, Any]) -> str:
    field = ".".join(str(part) for part in error["loc"]) or "the file"
    value = "" if isinstance(error["input"], dict) else f" (got {error['input']!r})"
    return f"{field}: {re.sub('^Value error, ', '', error['msg'])}{value}"


def datasets(directory: Path = DATASETS_DIR) -> tuple[Dataset, ...]:
    """Return every data set of a directory, in the order of their names.

    Raises:
        ConfigurationError: a file is wrong, or two data sets would claim the same uploads or the same entity.
    """
    found = tuple(read_dataset(path) for path in sorted(directory.glob("*.yaml")))
    for one in found:
        for other in found:
            if one is not other and one.owns(f"train_{other.name}.csv", "train"):
                raise ConfigurationError(
                    f"{directory}: {one.name!r} would also take the uploads of {other.name!r} "
                    f"({one.inbox_pattern('train')}); no data set's name may begin with another's"
                )
            if one.entity.name == other.entity.name and _key(one) != _key(other):
                raise ConfigurationError(
                    f"{directory}: entity.name {one.entity.name!r} is {' '.join(_key(one))} in {one.name!r}, but "
                    f"{' '.join(_key(other))} in {other.name!r}; an entity has one key: give one of them another name"
                )
    return found


def _key(dataset: Dataset) -> tuple[str, str]:
    return dataset.columns[dataset.entity.key].type, dataset.entity.key


def dataset(name: str, directory: Path = DATASETS_DIR) -> Dataset:
    """Return the data set of that name.

    Raises:
        ConfigurationError: there is none; the text lists those there are.
    """
    for found in datasets(directory):
        if found.name == name:
            return found
    raise ConfigurationError(f"no data set {name!r}; there are: {', '.join(d.name for d in datasets(directory))}")
