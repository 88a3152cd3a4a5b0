"""The spec: what one YAML file under `datasets/` may say about a table, its columns, its clocks and its model."""

import json
import re
from datetime import timedelta
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from ml_platform.time_formats import whole_date

ColumnType = Literal["integer", "number", "money", "category", "boolean", "text", "timestamp"]
Metric = Literal["f1", "roc_auc", "average_precision", "precision", "recall", "accuracy"]
METRICS: tuple[Metric, ...] = get_args(Metric)
Estimator = Literal["logistic_regression", "random_forest", "hist_gradient_boosting"]
Purpose = Literal["train", "test"]
Delimiter = Literal[",", ";", "\t", "|"]
Scalar = bool | int | float | str

FEATURE_TYPES = ("integer", "number", "money", "category", "boolean")
NUMERIC_TYPES = ("integer", "number", "money")
KEY_TYPES = ("integer", "text", "category")
RESERVED_COLUMNS = ("event_timestamp", "created_timestamp", "upload_sha256", "line")
UPLOAD, LOAD, EVENT_TIME = "upload", "load", "event_time"
_DURATION = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

# Column names become SQL identifiers and Feast fields: quoted, but kept to characters that no layer can misread. What a
# file calls a column otherwise is its `header`.
ColumnName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_ .-]*$", max_length=63)]


def _free_name(name: str) -> str:
    if name.startswith(("train_", "test_", "processed", "rejected")):
        raise ValueError(
            "may not begin with train_, test_, processed or rejected, which name other things in the buckets"
        )
    return name


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not a time zone of the IANA database, such as Europe/Berlin or UTC") from None
    return name


def _known_encoding(name: str) -> str:
    try:
        "".encode(name)  # refuses codecs that are no encodings of text, too
    except LookupError:
        raise ValueError("not an encoding that Python knows, such as utf-8, cp1252 or iso-8859-15") from None
    return name


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _typed(value: object) -> object:
    return {"type": value} if isinstance(value, str) else value


def _named(value: object) -> object:
    return {"table": value} if isinstance(value, str) else value


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$"), AfterValidator(_free_name)]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Entity(_Closed):
    """What a row is about: the entity's name in Feast and the column or columns that hold its key."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="the entity's name in Feast")
    key: Annotated[
        tuple[ColumnName, ...],
        Field(min_length=1),
        BeforeValidator(_listed, json_schema_input_type=ColumnName | Annotated[list[ColumnName], Field(min_length=1)]),
    ] = Field(description="the column that holds the key, or a list of columns")
    features: tuple[ColumnName, ...] = Field(default=(), description="key columns that a model may see as well")

    @model_validator(mode="after")
    def _features_are_keys(self) -> "Entity":
        if len(set(self.key)) < len(self.key):
            raise ValueError(f"key names a column twice: {', '.join(self.key)}")
        if others := [name for name in self.features if name not in self.key]:
            raise ValueError(f"features names {others}, which `key` does not; other columns are features anyway")
        return self


class Label(_Closed):
    """What is to be predicted: a column, and either the value of it that counts as positive or several classes."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["positive"]}, {"required": ["classes"]}]})

    column: ColumnName
    positive: Scalar | None = Field(default=None, description="of two values, the one that is to be found")
    negative: Scalar | None = Field(default=None, description="the other value; if not given, whatever else there is")
    classes: tuple[Scalar, ...] | None = Field(default=None, min_length=3, description="the values, if three or more")

    @model_validator(mode="after")
    def _binary_or_several(self) -> "Label":
        if (self.positive is None) == (self.classes is None):
            raise ValueError("give either `positive` (of two values the one to be found) or `classes` (three or more)")
        if self.classes is not None and self.negative is not None:
            raise ValueError("`negative` goes with `positive`, not with `classes`")
        if len(set(map(str, self.values))) < len(self.values):
            raise ValueError(f"a value is given twice: {', '.join(map(str, self.values))}")
        return self

    @property
    def values(self) -> tuple[Scalar, ...]:
        """Every value that the label may have; empty if only the positive one is named."""
        if self.classes is not None:
            return self.classes
        return () if self.negative is None or self.positive is None else (self.negative, self.positive)


class Column(_Closed):
    """How the text of one column is read; empty cells are missing values unless `required`."""

    type: ColumnType
    header: str | None = Field(default=None, min_length=1, description="what the file calls it, if not by its name")
    required: bool = Field(default=False, description="an empty cell is a bad value")
    min: float | None = Field(default=None, description="the least allowed (integer, number, money)")
    max: float | None = Field(default=None, description="the most allowed (integer, number, money)")
    values: tuple[Scalar, ...] | None = Field(default=None, min_length=1, description="the values that are allowed")
    missing: tuple[Scalar, ...] = Field(
        default=(), description="texts that mean a missing value, beside the data set's"
    )
    strip_prefix: str = Field(default="", description="taken off the front (category, text)")
    decimal: Literal[".", ","] = Field(default=".", description="the decimal sign (number, money)")
    format: Annotated[str, AfterValidator(whole_date)] | None = Field(
        default=None, description="of a timestamp, as strptime takes it, such as %d.%m.%Y %H:%M"
    )
    zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        default="UTC", description="time zone of timestamps that name none, such as Europe/Berlin"
    )

    @model_validator(mode="after")
    def _options_fit_type(self) -> "Column":
        fitting = {
            "min": NUMERIC_TYPES, "max": NUMERIC_TYPES, "strip_prefix": ("category", "text"),
            "values": ("integer", "number", "category", "boolean", "text"),
            "decimal": ("number", "money"), "format": ("timestamp",), "zone": ("timestamp",),
        }  # fmt: skip
        for option, types in fitting.items():
            is_given = getattr(self, option) != type(self).model_fields[option].default
            if is_given and self.type not in types:
                raise ValueError(f"{option} is for {', '.join(types)}, not for {self.type}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self


class Search(_Closed):
    """The grid search: what chooses the best candidate, and per estimator a grid of parameters."""

    scoring: Metric = Field(default="f1", description="what chooses the best; with several classes the macro average")
    folds: int = Field(default=5, ge=2, le=20)
    jobs: int = Field(default=2, ge=1, le=64, description="candidates fitted side by side")
    candidates: dict[Estimator, dict[str, list[Any]]] = Field(
        default={
            "logistic_regression": {"class_weight": [None, "balanced"], "C": [1.0, 0.1]},
            "random_forest": {"class_weight": [None, "balanced"], "min_samples_leaf": [5, 2]},
            "hist_gradient_boosting": {"class_weight": [None, "balanced"], "learning_rate": [0.05, 0.1]},
        },
        min_length=1,
        description="per estimator a grid; every combination is a candidate",
    )


class Gate(_Closed):
    """What a challenger must show before it becomes champion."""

    holdout: float = Field(default=0.2, gt=0.0, lt=0.9, description="share that no training sees")
    holdout_by: Literal["entity", "time"] | None = Field(
        default=None,
        description="entity: a hash of the key chooses; time: the latest rows; by time if there is an event time",
    )
    min_gain: float = Field(default=0.0, ge=0.0, lt=1.0, description="by how much more F1 a challenger must win")


class Join(_Closed):
    """A feature table whose values, as of the label's time, are features too."""

    table: Name
    on: dict[ColumnName, ColumnName] = Field(
        default={}, description="key column of the table: column of this data set; if their names differ"
    )


class Table(_Closed):
    """One kind of file and the table that it fills: what features of other data sets and labelled data share."""

    name: Name
    description: str
    entity: Entity
    event_time: ColumnName | None = Field(default=None, description="a timestamp column; null or upload: the upload")
    known_at: str = Field(default=EVENT_TIME, description="event_time, load, or a timestamp column")
    columns: dict[ColumnName, Annotated[Column, BeforeValidator(_typed, json_schema_input_type=ColumnType | Column)]]
    ignore: tuple[str, ...] = Field(default=(), description="columns of the file that are not read")
    missing: tuple[Scalar, ...] = Field(default=(), description="texts that mean a missing value in every column")
    delimiter: Delimiter | None = Field(default=None, description="between cells; if not given, it is detected")
    encoding: Annotated[str, AfterValidator(_known_encoding)] | None = Field(
        default=None, description="if not given: UTF-8, or UTF-16 with a byte order mark"
    )
    on_bad_row: Literal["reject_row", "reject_file"] = "reject_row"
    max_bad_rows: float = Field(default=0.05, ge=0.0, le=1.0, description="a larger share rejects the file")
    on_extra_column: Literal["ignore", "reject_file"] = "ignore"
    on_missing_column: Literal["reject_file", "missing_values"] = "reject_file"

    @model_validator(mode="before")
    @classmethod
    def _upload_is_no_column(cls, raw: Any) -> Any:
        return raw | {"event_time": None} if isinstance(raw, dict) and raw.get("event_time") == UPLOAD else raw

    @model_validator(mode="after")
    def _named_columns_exist(self) -> "Table":
        for field, column in self._named_columns().items():
            if column not in self.columns:
                raise ValueError(f"{field} names the column {column!r}, which `columns` does not list")
        return self

    @model_validator(mode="after")
    def _types_fit(self) -> "Table":
        for field, column in self._clocks.items():
            if self.columns[column].type != "timestamp":
                raise ValueError(f"{field} names {column!r}, whose type must be timestamp")
        for column in self.entity.key:
            if self.columns[column].type not in KEY_TYPES:
                raise ValueError(f"entity.key names {column!r}, whose type must be one of {', '.join(KEY_TYPES)}")
        for column in self.entity.features:
            if self.columns[column].type != "category":
                raise ValueError(f"entity.features names {column!r}, whose type must be category")
        return self

    @model_validator(mode="after")
    def _names_are_free(self) -> "Table":
        for column in self.columns:
            if column.lower() in RESERVED_COLUMNS or "__" in column:
                raise ValueError(
                    f"columns.{column}: names with __ and {', '.join(RESERVED_COLUMNS)} are the platform's own; "
                    "give it another name, and the file's as `header`"
                )
        headers = [self.header(name) for name in self.columns]
        if twins := sorted({header for header in headers if headers.count(header) > 1}):
            raise ValueError(f"columns: two have the header {', '.join(twins)}")
        if both := [header for header in self.ignore if header in headers]:
            raise ValueError(f"ignore names {', '.join(both)}, which `columns` lists too")
        return self

    def _named_columns(self) -> dict[str, str]:
        return {f"entity.key.{i}": key for i, key in enumerate(self.entity.key)} | self._clocks

    @property
    def _clocks(self) -> dict[str, str]:
        clocks = {EVENT_TIME: self.event_time} if self.event_time else {}
        return clocks if self.known_at in (EVENT_TIME, LOAD) else clocks | {"known_at": self.known_at}

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of the entity's key."""
        return self.entity.key

    @property
    def own_features(self) -> dict[str, Column]:
        """The table's columns that a model may see: no key, label, clock or leak, and of a type to be learned from."""
        others = {*self.keys, *self.label_columns, *self._clocks.values()}
        return {n: c for n, c in self.columns.items() if n not in others and c.type in FEATURE_TYPES}

    @property
    def label_columns(self) -> tuple[str, ...]:
        """The columns that are known only together with the label."""
        return ()

    def header(self, column: str) -> str:
        """Return what the file calls a column."""
        return self.columns[column].header or column

    def inbox_prefix(self, purpose: Purpose) -> str:
        """Return how the keys of this table's files begin in the bucket `purpose`."""
        return f"{purpose}_{self.name}"

    def inbox_pattern(self, purpose: Purpose) -> str:
        """Return the wildcard of the keys that belong to this table in the bucket `purpose`."""
        return f"{self.inbox_prefix(purpose)}*"

    def owns(self, key: str, purpose: Purpose) -> bool:
        """Tell whether an object key in the bucket `purpose` is an upload of this table, still unsettled."""
        return fnmatchcase(key, self.inbox_pattern(purpose))

    @property
    def sha256(self) -> str:
        """The spec's version: a hash of all that decides what its data mean."""
        said = self.model_dump(mode="json", exclude={"description", "search", "gate"}, exclude_defaults=True)
        return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


class FeatureTable(Table):
    """A table without a label, whose values as of a label's time are features of data sets (`features_from`)."""

    kind: Literal["table"]
    ttl: str | None = Field(
        default=None,
        pattern=r"^[1-9][0-9]*[smhdw]$",
        description="time to live: an older value is missing; such as 90m, 6h, 2d; null: never too old",
    )

    @model_validator(mode="after")
    def _has_features(self) -> "FeatureTable":
        if not self.own_features:
            raise ValueError("columns: none is left as a feature")
        return self

    @property
    def time_to_live(self) -> timedelta:
        """`ttl` as a duration; zero is forever, as Feast has it."""
        return timedelta(**{_DURATION[self.ttl[-1]]: int(self.ttl[:-1])}) if self.ttl else timedelta(0)

    def inbox_prefix(self, purpose: Purpose) -> str:
        """Return how the keys of this table's files begin in the bucket `train`."""
        return self.name


class Dataset(Table):
    """One data set to be learned from: its table, its label, its search and its gate."""

    label: Label
    leaks: tuple[ColumnName, ...] = Field(default=(), description="known only with the label; never features")
    features_from: tuple[Annotated[Join, BeforeValidator(_named, json_schema_input_type=Name | Join)], ...] = Field(
        default=(), description="feature tables that are joined as of the label's time"
    )
    search: Search = Search()
    gate: Gate = Gate()
    # Filled in from the tables' own files, so that a spec that is kept with a model says all there is to say.
    tables: SkipJsonSchema[tuple[FeatureTable, ...]] = ()

    def _named_columns(self) -> dict[str, str]:
        leaks = {f"leaks.{i}": leak for i, leak in enumerate(self.leaks)}
        return super()._named_columns() | {"label.column": self.label.column} | leaks

    @model_validator(mode="after")
    def _has_features(self) -> "Dataset":
        if not (self.own_features or self.features_from):
            raise ValueError("columns: none is left as a feature")
        if self.columns[self.label.column].type == "timestamp":
            raise ValueError(f"label.column names {self.label.column!r}, which cannot be of type timestamp")
        if both := {self.label.column, *self.leaks} & {*self.keys, *self._clocks.values()}:
            raise ValueError(f"label and leaks cannot be key, event_time or known_at: {', '.join(sorted(both))}")
        return self

    @property
    def label_columns(self) -> tuple[str, ...]:
        """The columns that are known only together with the label; a test file may lack them."""
        return (self.label.column, *self.leaks)

    @property
    def features(self) -> dict[str, Column]:
        """All that a model sees, in its order: own columns, key columns if asked for, `<table>__<column>` of others."""
        keys = {name: self.columns[name] for name in self.entity.features}
        joined = {joined_name(t.name, name): c for t in self.tables for name, c in t.own_features.items()}
        return self.own_features | keys | joined

    @property
    def join_columns(self) -> dict[str, str]:
        """Per key column of another table, as `<table>__<key>`, the column here that it is joined on."""
        on = {join.table: join.on for join in self.features_from}
        return {joined_name(t.name, key): on[t.name].get(key, key) for t in self.tables for key in t.keys}

    @property
    def holdout_by(self) -> Literal["entity", "time"]:
        """How the hold-out is chosen; by time if there is one, unless the gate says otherwise."""
        return self.gate.holdout_by or ("time" if self.event_time else "entity")


def joined_name(table: str, column: str) -> str:
    """Return how a model calls a feature of another table."""
    return f"{table}__{column}"


def problem(error: dict[str, Any]) -> str:
    """Return one of pydantic's errors as a sentence: field, what is wrong, the value."""
    field = ".".join(str(part) for part in error["loc"]) or "the file"
    value = "" if isinstance(error["input"], dict) else f" (got {error['input']!r})"
    return f"{field}: {re.sub('^Value error, ', '', error['msg'])}{value}"
