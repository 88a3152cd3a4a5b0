"""The parts of a spec: the entity, the label, a column, a join, the search, the gate and the promotion."""

from datetime import timedelta
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ml_platform.specs.distributions import Parameters, check_lists
from ml_platform.specs.tasks import GRIDS, Estimator, Metric, TaskName
from ml_platform.specs.time_formats import check_time_format

ColumnType = Literal["integer", "number", "money", "category", "boolean", "text", "timestamp"]
Strategy = Literal["grid", "tpe"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
DEFAULT_TRIALS, QUICK_TRIALS, MAX_TRIALS = 40, 10, 10_000
MAX_MEMBERS = 10
Purpose = Literal["train", "test"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
Delimiter = Literal[",", ";", "\t", "|"]
ResultFormat = Literal["csv", "parquet"]
MAX_REASONS = 20
Scalar = bool | int | float | str

NUMERIC_TYPES = ("integer", "number", "money")
TEXT_TYPES = ("category", "text")

IDENTIFIER_CHARACTERS = 63  # Postgres cuts longer names
# Column names become SQL identifiers and Feast fields. They are quoted, and also limited to characters that every layer
# reads the same way. `header` gives the name in the file if it differs.
ColumnName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_ .-]*$", max_length=IDENTIFIER_CHARACTERS)]


def _check_name(name: str) -> str:
    if name.startswith(("train_", "test_", "processed", "rejected")):
        raise ValueError("may not begin with train_, test_, processed or rejected: the buckets use these prefixes")
    if name == "platform":
        raise ValueError("platform.yaml has the options of the whole platform: choose another name")
    return name


def check_zone(name: str) -> str:
    """Return the name of a time zone.

    Raises:
        ValueError: there is none of this name.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not a time zone of the IANA database, such as Europe/Berlin or UTC") from None
    return name


def check_encoding(name: str) -> str:
    """Return the name of an encoding.

    Raises:
        ValueError: Python does not know it.
    """
    try:
        "".encode(name)  # also rejects codecs that are no text encodings
    except LookupError:
        raise ValueError("not an encoding that Python knows, such as utf-8, cp1252 or iso-8859-15") from None
    return name


_INTEGERS_END = 2**63 - 1


def _check_exact(limit: object) -> object:
    """Reject a whole number that would be rounded, because limits are floats."""
    if isinstance(limit, int) and 2**53 < abs(limit) < _INTEGERS_END and int(nearest := float(limit)) != limit:
        raise ValueError(f"has more digits than a limit can have; the nearest possible value is {nearest:.0f}")
    return limit


Limit = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_check_exact, json_schema_input_type=float)]


def _as_tuple(value: object) -> object:
    return [value] if isinstance(value, str) else [] if value is None else value


def column_from_type(value: object) -> object:
    """Return the column that a bare type stands for; other values stay as they are."""
    return {"type": value} if isinstance(value, str) else value


def join_from_name(value: object) -> object:
    """Return the join that a bare table name stands for; other values stay as they are."""
    return {"table": value} if isinstance(value, str) else value


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def timedelta_of(duration: str) -> timedelta:
    """Convert the text of a duration, such as 90m, 6h or 2d."""
    return timedelta(**{_UNITS[duration[-1]]: int(duration[:-1])})


def check_duration(duration: str) -> str:
    """Return the text of a duration; one of more than a hundred years raises ValueError."""
    if timedelta_of(duration) > timedelta(days=36525):  # Python's times end in the year 9999
        raise ValueError("longer than a hundred years")
    return duration


DURATION = r"^[1-9][0-9]{0,7}[smhdw]$"
Duration = Annotated[str, Field(pattern=DURATION), AfterValidator(check_duration)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$"), AfterValidator(_check_name)]


class SpecModel(BaseModel):
    """Base of all parts of a spec: frozen, and closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Entity(SpecModel):
    """The entity of a row: its name in Feast, and the column or columns of its key, if it has one."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="the entity's name in Feast")
    key: Annotated[
        tuple[ColumnName, ...],
        BeforeValidator(
            _as_tuple, json_schema_input_type=ColumnName | Annotated[list[ColumnName], Field(min_length=1)] | None
        ),
    ] = Field(
        default=(),
        description="the column that holds the key, or a list of columns; without one, each row has its own identity",
    )
    features: tuple[ColumnName, ...] = Field(default=(), description="key columns that are also features")

    @model_validator(mode="after")
    def _features_are_keys(self) -> "Entity":
        if len(set(self.key)) < len(self.key):
            raise ValueError(f"key names a column twice: {', '.join(self.key)}")
        if self.features and not self.key:
            raise ValueError(f"features names {', '.join(self.features)}, but there is no `key` of which it is a part")
        if others := [name for name in self.features if name not in self.key]:
            raise ValueError(f"features names {others}, which are not in `key`; other columns are features anyway")
        return self


class Label(SpecModel):
    """The label to predict: its column, and either the positive value, all classes, or that it is a number."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["positive"]}, {"required": ["classes"]}, {"required": ["kind"]}]}
    )

    column: ColumnName
    positive: Scalar | None = Field(default=None, description="two values: the positive one, which the model detects")
    negative: Scalar | None = Field(
        default=None, description="two values: the other one; if not given, any other value"
    )
    classes: tuple[Scalar, ...] | None = Field(
        default=None, min_length=3, description="three or more values: all of them"
    )
    kind: Literal["number"] | None = Field(default=None, description="number: the label is a number (regression)")
    late: bool = Field(
        default=False, description="training files may lack the label; label files, or later rows, bring it"
    )

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> "Label":
        if [self.positive, self.classes, self.kind].count(None) != 2:
            given = [name for name in ("positive", "classes", "kind") if getattr(self, name) is not None]
            raise ValueError(
                "give one of `positive` (the positive one of two values), `classes` (three or more), `kind: number`; "
                f"given are {', '.join(given) or 'none of them'}"
            )
        if self.positive is None and self.negative is not None:
            raise ValueError("`negative` goes with `positive` only")
        if len(set(map(str, self.values))) < len(self.values):
            raise ValueError(f"a value is given twice: {', '.join(map(str, self.values))}")
        return self

    @property
    def task(self) -> TaskName:
        """The kind of problem."""
        if self.kind is not None:
            return "regression"
        return "binary" if self.classes is None else "multiclass"

    @property
    def values(self) -> tuple[Scalar, ...]:
        """All values that the label may have; empty if the spec does not name them all."""
        if self.classes is not None:
            return self.classes
        return () if self.negative is None or self.positive is None else (self.negative, self.positive)

    @property
    def names_positive_only(self) -> bool:
        """Whether the label has two values of which the spec names one."""
        return self.positive is not None and self.negative is None


class Column(SpecModel):
    """How one column is parsed. Empty cells are missing values; with `required` they are bad values."""

    type: ColumnType
    header: str | None = Field(default=None, min_length=1, description="the name in the file, if it differs")
    required: bool = Field(default=False, description="an empty cell is a bad value")
    min: Limit | None = Field(default=None, description="the least allowed (integer, number, money)")
    max: Limit | None = Field(default=None, description="the most allowed (integer, number, money)")
    values: tuple[Scalar, ...] | None = Field(default=None, min_length=1, description="the values that are allowed")
    missing: tuple[Scalar, ...] = Field(
        default=(), description="texts that mean a missing value, in addition to the data set's"
    )
    strip_prefix: str = Field(default="", description="a prefix that is removed (category, text)")
    decimal: Literal[".", ","] = Field(default=".", description="the decimal sign (number, money)")
    format: Annotated[str, AfterValidator(check_time_format)] | None = Field(
        default=None, description="format of a timestamp for strptime, such as %d.%m.%Y %H:%M"
    )
    zone: Annotated[str, AfterValidator(check_zone)] = Field(
        default="UTC", description="time zone of timestamps without one, such as Europe/Berlin"
    )

    @model_validator(mode="after")
    def _options_fit_type(self) -> "Column":
        fitting = {
            "min": NUMERIC_TYPES, "max": NUMERIC_TYPES, "strip_prefix": TEXT_TYPES,
            "values": ("integer", "number", "category", "boolean", "text"),
            "decimal": ("number", "money"), "format": ("timestamp",), "zone": ("timestamp",),
        }  # fmt: skip
        for option, types in fitting.items():
            is_given = getattr(self, option) != type(self).model_fields[option].default
            if is_given and self.type not in types:
                raise ValueError(f"{option} is for {', '.join(types)}, not for {self.type}")
        if self.type == "integer" and any(abs(limit or 0) >= _INTEGERS_END for limit in (self.min, self.max)):
            raise ValueError(f"integers end at {_INTEGERS_END} anyway: leave out such a min or max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self


class Search(SpecModel):
    """The search: its strategy, the metric that compares the candidates, and per estimator the parameters."""

    scoring: Metric = Field(
        default="f1",
        description="the metric that chooses the best, by default f1 (three or more classes: macro average) or mae",
    )
    folds: int = Field(default=5, ge=2, le=20)
    jobs: int = Field(default=2, ge=1, le=64, description="candidates that are fitted in parallel")
    calibrate: bool = Field(default=True, description="calibrate probabilities out of fold where that costs no F1")
    interval: float = Field(
        default=0.9, gt=0.0, lt=1.0, description="numbers: share of true values that the interval of a prediction holds"
    )
    strategy: Strategy = Field(
        default="grid",
        description="grid: every combination of the lists; tpe: earlier results decide which values are tried next",
    )
    trials: int | None = Field(
        default=None,
        ge=1,
        le=MAX_TRIALS,
        description=f"strategy tpe: number of candidates, by default {DEFAULT_TRIALS}",
    )
    timeout: Duration | None = Field(
        default=None, description="strategy tpe: no candidates are started after this time, such as 90s, 10m, 2h"
    )
    ensemble: int | None = Field(
        default=None,
        ge=2,
        le=MAX_MEMBERS,
        description="one more candidate: the weighted mean of so many of the others at most; by default none",
    )
    candidates: dict[Estimator, Parameters] = Field(
        default=GRIDS["binary"],
        min_length=1,
        description="per estimator its parameters, each with a list of values or, with strategy tpe, a distribution; "
        "the simplest first",
    )

    @model_validator(mode="after")
    def _options_fit_strategy(self) -> "Search":
        if self.strategy == "tpe":
            return self
        if given := [name for name in ("trials", "timeout") if getattr(self, name) is not None]:
            raise ValueError(f"{' and '.join(given)} only with `strategy: tpe`; a grid tries every combination")
        for estimator, parameters in self.candidates.items():
            check_lists(f"candidates.{estimator}", parameters)
        return self


class Gate(SpecModel):
    """The gate that a challenger must pass to become champion."""

    holdout: float = Field(default=0.2, gt=0.0, lt=0.9, description="share of the data that no training uses")
    holdout_by: Literal["entity", "time"] | None = Field(
        default=None,
        description="entity: a hash of the key decides (without a key: of the features); time: the latest rows; "
        "default: time if there is an event time",
    )
    min_gain: float = Field(
        default=0.0, ge=0.0, lt=1.0,
        description="least gain of a challenger: in F1; numbers: share by which its mean absolute error is lower",
    )  # fmt: skip
    confidence: float = Field(
        default=0.9,
        ge=0.0,
        lt=1.0,
        description="of the confidence interval of the gain; its lower end must be above min_gain",
    )
    approval: bool = Field(default=False, description="a better challenger goes live only after approval in Airflow")
    approval_within: Duration = Field(
        default="3d", description="time limit for the answer, such as 90m, 6h, 2d; without one the champion stays"
    )


class Result(SpecModel):
    """How result files are written."""

    format: ResultFormat = Field(
        default="csv",
        description="csv: texts that a spreadsheet would run get an apostrophe; parquet: values as they are",
    )
    explain: int = Field(
        default=0, ge=0, le=MAX_REASONS, strict=True,
        description="number of reasons per prediction, of the features with the largest effects; 0: none",
    )  # fmt: skip


class Promotion(SpecModel):
    """The conditions for a version to go live in a higher environment."""

    approval: bool = Field(default=False, description="only after approval in Airflow")
    approval_within: Duration = Field(
        default="3d", description="time limit for the answer, such as 90m, 6h, 2d; without one nothing changes"
    )


class Join(SpecModel):
    """A join with a feature table: its values as of the label's event time become features."""

    table: Name
    on: dict[ColumnName, ColumnName] = Field(
        default={}, description="key column of the table: column of this data set; only if the names differ"
    )
