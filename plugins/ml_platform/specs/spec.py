"""The spec: the content of one YAML file under `datasets/`, for a data set or a feature table."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from ml_platform.specs.alerts import CHANNEL_KINDS, DatasetAlerts, Expectation, QuietHours
from ml_platform.specs.backup import Backup
from ml_platform.specs.distributions import DISTRIBUTION, LIST, Distribution
from ml_platform.specs.monitoring import Monitor
from ml_platform.specs.parts import (
    NUMERIC_TYPES,
    PURPOSES,
    Column,
    ColumnName,
    ColumnType,
    Delimiter,
    Duration,
    Entity,
    Gate,
    Join,
    Label,
    Name,
    Promotion,
    Purpose,
    Result,
    Scalar,
    Search,
    SpecModel,
    check_encoding,
    column_from_type,
    join_from_name,
    timedelta_of,
)
from ml_platform.specs.retention import Retention
from ml_platform.specs.sensitive import Sensitive, check_sensitive, sensitive_from_name
from ml_platform.specs.shadow import Shadow
from ml_platform.specs.sources import ROWS_FILE, SOURCE_KINDS, MongoSource, SourceBase, Sources, SourcesField
from ml_platform.specs.tasks import GRIDS, METRICS

RESERVED_COLUMNS = (
    "event_timestamp", "created_timestamp", "upload_sha256", "line",
    "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid",  # system columns of Postgres
)  # fmt: skip
LABEL_FOLDER = "labels/"  # of the files with labels alone, in the bucket train
LABEL_BUCKET = "label"  # of the rows that a person is asked about, and of the answers
ROW_ID = "row_id"  # the key column of rows whose files have no key
UPLOAD, LOAD, EVENT_TIME = "upload", "load", "event_time"
KNOWN_AT_UPLOAD = "__upload"  # of label files; no column can have this name
KEY_TYPES = ("integer", "text", "category")
_ROW_ID_COLUMN = Column(type="text")
FEATURE_TYPES = ("integer", "number", "money", "category", "boolean")


class Inbox(NamedTuple):
    """A place where files of a table wait: the bucket, and the prefix of their keys."""

    bucket: str
    prefix: str


class Table(SpecModel):
    """One kind of file and the table that it fills: the fields that data sets and feature tables share."""

    name: Name
    description: str
    entity: Entity
    event_time: ColumnName | None = Field(
        default=None, description="a timestamp column; null or upload: the time of the upload"
    )
    known_at: str = Field(default=EVENT_TIME, description="availability time: event_time, load, or a timestamp column")
    columns: dict[
        ColumnName, Annotated[Column, BeforeValidator(column_from_type, json_schema_input_type=ColumnType | Column)]
    ]
    ignore: tuple[str, ...] = Field(default=(), description="columns of the file that are not read")
    missing: tuple[Scalar, ...] = Field(default=(), description="texts that mean a missing value, in all columns")
    delimiter: Delimiter | None = Field(default=None, description="between cells; default: detected")
    encoding: Annotated[str, AfterValidator(check_encoding)] | None = Field(
        default=None, description="default: UTF-8, or UTF-16 with a byte order mark"
    )
    on_bad_row: Literal["reject_row", "reject_file"] = "reject_row"
    max_bad_rows: float = Field(default=0.05, ge=0.0, le=1.0, description="a larger share rejects the file")
    on_extra_column: Literal["ignore", "reject_file"] = "ignore"
    on_missing_column: Literal["reject_file", "missing_values"] = "reject_file"
    source: SourcesField | None = Field(default=None, description="a source whose rows come into the inbox as files")
    alerts: DatasetAlerts = Field(default=DatasetAlerts(), description="which alerts are sent where; by default all")
    expect: Expectation | None = Field(
        default=None, description="what comes in regularly; an alert says if it does not"
    )
    retention: Retention = Field(default=Retention(), description="how long files, predictions and runs are kept")

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
    def _times_fit(self) -> "Table":
        if self.known_at == LOAD and self.event_time is None:
            raise ValueError(
                f"known_at is {LOAD}, but there is no event_time: the time of the upload would be used, before that of "
                f"the load, so no feature would be known in time; allowed is {EVENT_TIME}, or name an event_time"
            )
        return self

    @model_validator(mode="after")
    def _types_fit(self) -> "Table":
        for field, column in self._timestamps.items():
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
                    f"columns.{column}: names with __ and {', '.join(RESERVED_COLUMNS)} are reserved; "
                    "give the column another name, and the name in the file as `header`"
                )
            if column.lower() == ROW_ID and not self.has_key:
                raise ValueError(
                    f"columns.{column}: without `entity.key`, the name {ROW_ID} is reserved for the id that each row "
                    f"gets; name the column in `entity.key` if it is the key, or give it another name, and the name in "
                    "the file as `header`"
                )
        headers = [self.header(name) for name in self.columns]
        if duplicates := sorted({header for header in headers if headers.count(header) > 1}):
            raise ValueError(f"columns: two have the header {', '.join(duplicates)}")
        if both := [header for header in self.ignore if header in headers]:
            raise ValueError(f"ignore names {', '.join(both)}, which `columns` lists too")
        return self

    @model_validator(mode="after")
    def _source_fits(self) -> "Table":
        headers = {self.header(name) for name in self.columns}
        for purpose in PURPOSES:
            source = self.source_of(purpose)
            if isinstance(source, MongoSource) and source.updated_at and not self.has_key:
                raise ValueError(
                    f"source.{purpose}.updated_at: without `entity.key` a changed document would be one more row"
                )
            if source and (unknown := [name for name in source.named_columns if name not in headers]):
                raise ValueError(
                    f"source.{purpose} names {', '.join(unknown)}, which is no column of the file by `columns`"
                )
        return self

    def _named_columns(self) -> dict[str, str]:
        return {f"entity.key.{i}": key for i, key in enumerate(self.entity.key)} | self._timestamps

    @property
    def _timestamps(self) -> dict[str, str]:
        timestamps = {EVENT_TIME: self.event_time} if self.event_time else {}
        return timestamps if self.known_at in (EVENT_TIME, LOAD) else timestamps | {"known_at": self.known_at}

    @property
    def has_key(self) -> bool:
        """Whether the files have a key; if not, each row gets an id of its own."""
        return bool(self.entity.key)

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of the entity key in tables; where the files have no key, the column of the rows' ids."""
        return self.entity.key or (ROW_ID,)

    @property
    def key_columns(self) -> dict[str, Column]:
        """The specs of `keys`, also of the column of the rows' ids, which `columns` does not have."""
        return {name: self.columns.get(name, _ROW_ID_COLUMN) for name in self.keys}

    @property
    def own_features(self) -> dict[str, Column]:
        """The table's feature columns: no key, label, leak, timestamp, text or withheld column."""
        others = {*self.keys, *self.label_columns, *self._timestamps.values(), *self.withheld}
        return {n: c for n, c in self.columns.items() if n not in others and c.type in FEATURE_TYPES}

    @property
    def stored_columns(self) -> tuple[str, ...]:
        """The columns in the online store, without the key."""
        return tuple(self.own_features)

    @property
    def withheld(self) -> dict[str, Column]:
        """The columns by which a model is judged, but which it does not see; only training files need them."""
        return {}

    @property
    def label_columns(self) -> tuple[str, ...]:
        """The columns whose values are known only with the label: the label itself and the leaks."""
        return ()

    def header(self, column: str) -> str:
        """Return the name of a column in the file."""
        return (self.columns.get(column) or self.key_columns[column]).header or column

    def inbox_prefix(self, purpose: Purpose) -> str:
        """Return the prefix of this table's object keys in the bucket `purpose`."""
        return f"{purpose}_{self.name}"

    def inbox_prefixes(self, purpose: Purpose) -> tuple[str, ...]:
        """Return all prefixes of this table's object keys in the bucket `purpose`, also that of its label files."""
        return (self.inbox_prefix(purpose),)

    def inboxes(self, purpose: Purpose) -> tuple[Inbox, ...]:
        """Return the places where files with this purpose wait: in the bucket `purpose`; answers have one of theirs."""
        return tuple(Inbox(purpose, prefix) for prefix in self.inbox_prefixes(purpose))

    def bucket_of(self, key: str, purpose: Purpose) -> str:
        """Return the bucket of the inbox in which a file with this object key waits."""
        return next((inbox.bucket for inbox in self.inboxes(purpose) if key.startswith(inbox.prefix)), purpose)

    def inbox_pattern(self, purpose: Purpose) -> str:
        """Return the wildcard of this table's object keys in the bucket `purpose`."""
        return f"{self.inbox_prefix(purpose)}*"

    def owns(self, key: str, purpose: Purpose) -> bool:
        """Return whether an object key in the bucket `purpose` is an unsettled upload of this table.

        A key that ends in a slash is a folder, which some consoles create as an empty object.
        """
        return key.startswith(self.inbox_prefixes(purpose)) and not key.endswith("/")

    def source_of(self, purpose: Purpose) -> SourceBase | None:
        """Return the source of the rows that come into the bucket `purpose`, if there is one."""
        return self.source.of(purpose) if self.source else None

    def is_made_of_rows(self, key: str) -> bool:
        """Return whether an object key is that of a file that was made of a source's rows, not dropped or copied."""
        return any(re.match(rf"{re.escape(self.inbox_prefix(p))}\.{ROWS_FILE}", key) for p in ("train", "test"))

    @property
    def sha256(self) -> str:
        """A hash of all fields that decide the meaning of the data; it identifies a version of the spec."""
        of_tables = ("description", "source", "alerts", "expect", "retention")
        others = (*of_tables, "search", "gate", "promotion", "result", "stream", "monitor", "shadow")
        excluded: dict[str, Any] = dict.fromkeys(others, True) | {"tables": {"__all__": set(of_tables)}}
        content = self.model_dump(mode="json", exclude=excluded, exclude_defaults=True)
        return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class FeatureTable(Table):
    """A table without a label; data sets join its values as of a label's event time (`features_from`)."""

    kind: Literal["table"]
    ttl: Duration | None = Field(
        default=None,
        description="time to live, such as 90m, 6h, 2d: an older value is missing; null: values never expire",
    )

    @model_validator(mode="after")
    def _has_a_key(self) -> "FeatureTable":
        if not self.has_key:
            raise ValueError("entity.key: a feature table needs one: data sets are joined with it on its key")
        return self

    @model_validator(mode="after")
    def _is_not_scored(self) -> "FeatureTable":
        if self.source and self.source.test:
            raise ValueError("source.test: the rows of a feature table are not scored; allowed is `train`")
        return self

    @model_validator(mode="after")
    def _inbox_is_its_own(self) -> "FeatureTable":
        others = ("processed/", "rejected/", "train_", "test_", LABEL_FOLDER)
        if taken := [other for other in others if other.startswith(self.name)]:
            raise ValueError(f"name: the objects under {taken[0]} in the bucket would belong to this table")
        return self

    @model_validator(mode="after")
    def _has_features(self) -> "FeatureTable":
        if not self.own_features:
            raise ValueError("columns: none is left as a feature")
        return self

    @property
    def time_to_live(self) -> timedelta:
        """`ttl` as a duration; zero means that values never expire, as in Feast."""
        return timedelta_of(self.ttl) if self.ttl else timedelta(0)

    def inbox_prefix(self, purpose: Purpose) -> str:
        """Return the prefix of this table's object keys in the bucket `train`."""
        return self.name


class Dataset(Table):
    """One data set for a model: its table, label, search and gate."""

    label: Label
    leaks: tuple[ColumnName, ...] = Field(
        default=(), description="columns that are known only with the label; never features"
    )
    features_from: tuple[Annotated[Join, BeforeValidator(join_from_name, json_schema_input_type=Name | Join)], ...] = (
        Field(default=(), description="feature tables that are joined as of the label's event time")
    )
    sensitive: tuple[
        Annotated[Sensitive, BeforeValidator(sensitive_from_name, json_schema_input_type=ColumnName | Sensitive)], ...
    ] = Field(
        default=(), description="columns by whose values the model is judged; no features, unless `feature` is true"
    )
    search: Search = Search()
    gate: Gate = Gate()
    promotion: Promotion = Promotion()
    result: Result = Result()
    stream: bool = Field(
        default=False,
        description="score the rows of the topic <name>.rows as they come; predictions go to <name>.predictions",
    )
    monitor: Monitor = Monitor()
    shadow: Shadow | None = Field(
        default=None, description="a winner of the gate first scores beside the champion; the truth then decides"
    )
    # Filled from the tables' own files, so that the spec stored with a model is complete.
    tables: SkipJsonSchema[tuple[FeatureTable, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _search_fits_task(cls, raw: Any) -> Any:
        """Choose the defaults of a search by the kind of the label."""
        label = raw.get("label") if isinstance(raw, dict) else None
        if not isinstance(label, dict) or label.get("kind") != "number" or not isinstance(raw.get("search", {}), dict):
            return raw
        defaults = {"scoring": METRICS["regression"][0], "candidates": GRIDS["regression"]}
        return raw | {"search": defaults | raw.get("search", {})}

    @model_validator(mode="after")
    def _options_fit_task(self) -> "Dataset":
        task, column = self.label.task, self.columns[self.label.column]
        if self.search.scoring not in METRICS[task]:
            raise ValueError(
                f"search.scoring is {self.search.scoring}, which does not fit the label ({task}); "
                f"allowed are {', '.join(METRICS[task])}"
            )
        if task == "regression" and column.type not in NUMERIC_TYPES:
            raise ValueError(
                f"label.kind is number, but the column {self.label.column!r} is of type {column.type}; allowed are "
                f"{', '.join(NUMERIC_TYPES)}"
            )
        if self.monitor.season and not self.event_time:
            raise ValueError("monitor.season: without `event_time` the season of a row is not known")
        if task != "regression" and self.search.interval != Search.model_fields["interval"].default:
            raise ValueError("search.interval is for a label of `kind: number`")
        return self

    def _named_columns(self) -> dict[str, str]:
        leaks = {f"leaks.{i}": leak for i, leak in enumerate(self.leaks)}
        return super()._named_columns() | {"label.column": self.label.column} | leaks

    @model_validator(mode="after")
    def _has_features(self) -> "Dataset":
        others = dict.fromkeys(self._timestamps.values(), "a timestamp") | dict.fromkeys(self.keys, "a part of the key")
        others |= dict.fromkeys(self.leaks, "a leak") | {self.label.column: "the label"}
        check_sensitive(self.sensitive, self.columns, others, FEATURE_TYPES)
        if not (self.own_features or self.features_from):
            raise ValueError("columns: none is left as a feature")
        if self.columns[self.label.column].type == "timestamp":
            raise ValueError(f"label.column names {self.label.column!r}, which cannot be of type timestamp")
        if self.label.kind == "number" and self.columns[self.label.column].type not in NUMERIC_TYPES:
            raise ValueError(
                f"label.kind is number, but the type of {self.label.column!r} is "
                f"{self.columns[self.label.column].type}; allowed are {', '.join(NUMERIC_TYPES)}"
            )
        if self.shadow and not self.has_key:
            raise ValueError("shadow: without `entity.key` the truth about a scored row cannot be found")
        if self.label.late and not self.has_key:
            raise ValueError("label.late: without `entity.key` no later row can be about the same entity")
        if both := {self.label.column, *self.leaks} & {*self.keys, *self._timestamps.values()}:
            raise ValueError(f"label and leaks cannot be key, event_time or known_at: {', '.join(sorted(both))}")
        return self

    @property
    def label_columns(self) -> tuple[str, ...]:
        """The label column and the leaks; a test file may lack them."""
        return (self.label.column, *self.leaks)

    @property
    def stored_columns(self) -> tuple[str, ...]:
        """The columns in the online store, without the key: own features, and columns that joins use."""
        known = {*self.own_features, *self.join_columns.values()} - set(self.keys)
        return tuple(name for name in self.columns if name in known)

    @property
    def withheld(self) -> dict[str, Column]:
        """The columns by which a model is judged, but which it does not see; only training files need them."""
        return {one.column: self.columns[one.column] for one in self.sensitive if not one.feature}

    @property
    def features(self) -> dict[str, Column]:
        """The model's input, in order: own features, `entity.features`, and `<table>__<column>` of joined tables."""
        keys = {name: self.columns[name] for name in self.entity.features}
        joined = {joined_name(t.name, name): c for t in self.tables for name, c in t.own_features.items()}
        return self.own_features | keys | joined

    @property
    def join_columns(self) -> dict[str, str]:
        """The column of this data set for each key column of a joined table, named `<table>__<key>`."""
        on = {join.table: join.on for join in self.features_from}
        return {joined_name(t.name, key): on[t.name].get(key, key) for t in self.tables for key in t.keys}

    @property
    def holdout_by(self) -> Literal["entity", "time"]:
        """How the hold-out is chosen: as `gate.holdout_by` says; default: by time if there is an event time."""
        return self.gate.holdout_by or ("time" if self.event_time else "entity")

    def inbox_prefixes(self, purpose: Purpose) -> tuple[str, ...]:
        """Return the prefixes of training and label files, or of test files."""
        own = super().inbox_prefixes(purpose)
        return (*own, f"{LABEL_FOLDER}{self.name}") if purpose == "train" else own

    @property
    def answer_prefix(self) -> str:
        """The prefix of the object keys of answers, in their bucket."""
        return f"{LABEL_BUCKET}_{self.name}"

    def inboxes(self, purpose: Purpose) -> tuple[Inbox, ...]:
        """Return the places where files with this purpose wait; answers are for training, in a bucket of their own."""
        own = super().inboxes(purpose)
        return (*own, Inbox(LABEL_BUCKET, self.answer_prefix)) if purpose == "train" else own


def joined_name(table: str, column: str) -> str:
    """Return the model's name for a feature of a joined table."""
    return f"{table}__{column}"


_PARTS: dict[str, type[SpecModel]] = {
    "entity": Entity, "label": Label, "columns": Column, "features_from": Join, "search": Search, "gate": Gate,
    "promotion": Promotion, "result": Result, "backup": Backup, "retention": Retention, "sensitive": Sensitive,
    "source": Sources, "monitor": Monitor, "expect": Expectation, "shadow": Shadow,
}  # fmt: skip
_KINDS: dict[str, Mapping[str, type[SpecModel]]] = {"source": SOURCE_KINDS, "alerts": CHANNEL_KINDS}


def error_text(error: dict[str, Any], model: type[SpecModel]) -> str:
    """Return the text of a pydantic error: field, mistake or allowed values, and the value given."""
    tags = _KINDS.get(str(error["loc"][0]), {}) if error["loc"] else {}
    before = ("", *error["loc"])  # a channel may be named like a kind
    location = [
        str(part)
        for part, above in zip(error["loc"], before, strict=False)
        if part not in (LIST, DISTRIBUTION, *tags) or above == "channels"
    ]
    value = "" if isinstance(error["input"], dict) else f" (got {error['input']!r})"
    message = re.sub("^Value error, ", "", error["msg"])
    if error["type"] == "extra_forbidden":
        message = f"no such field; there are: {', '.join(_fields(error['loc'], model))}"
    if error["type"].startswith("union_tag"):
        message = f"`kind` must be one of {', '.join(tags)}"
        value = f" (got {error['input'].get('kind')!r})" if isinstance(error["input"], dict) else value
    return f"{'.'.join(location) or 'the file'}: {message}{value}"


def _fields(location: tuple[int | str, ...], model: type[SpecModel]) -> list[str]:
    """Return the names of the fields of the part of a spec in which an error is."""
    part: Any = model
    if len(location) > 1:
        part = _PARTS.get(str(location[0])) or model.model_fields[str(location[0])].annotation
    if DISTRIBUTION in location:
        part = Distribution
    if kinds := _KINDS.get(str(location[0])):
        part = next((kinds[str(name)] for name in location if name in kinds), part)
    if "quiet" in location[:-1]:
        part = QuietHours
    return [name for name in part.model_fields if name != "tables"]
