"""The parts of a spec: the entity, the label, a column, a join, the search, the gate and the promotion."""

from datetime import timedelta
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ml_platform.specs.time_formats import whole_date

ColumnType = Literal["integer", "number", "money", "category", "boolean", "text", "timestamp"]
Metric = Literal["f1", "roc_auc", "average_precision", "precision", "recall", "accuracy"]
METRICS: tuple[Metric, ...] = get_args(Metric)
Estimator = Literal["logistic_regression", "random_forest", "hist_gradient_boosting"]
Purpose = Literal["train", "test"]
Delimiter = Literal[",", ";", "\t", "|"]
Scalar = bool | int | float | str

NUMERIC_TYPES = ("integer", "number", "money")

IDENTIFIER_CHARACTERS = 63  # Postgres cuts a longer name
# Column names become SQL identifiers and Feast fields: quoted, but kept to characters that no layer can misread. What a
# file calls a column otherwise is its `header`.
ColumnName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_ .-]*$", max_length=IDENTIFIER_CHARACTERS)]


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


def known_encoding(name: str) -> str:
    """Refuse an encoding that Python does not know."""
    try:
        "".encode(name)  # refuses codecs that are no encodings of text, too
    except LookupError:
        raise ValueError("not an encoding that Python knows, such as utf-8, cp1252 or iso-8859-15") from None
    return name


_INTEGERS_END = 2**63 - 1


def _held_exactly(limit: object) -> object:
    """Refuse a whole number that would be rounded: limits are floats."""
    if isinstance(limit, int) and 2**53 < abs(limit) < _INTEGERS_END and int(nearest := float(limit)) != limit:
        raise ValueError(f"has more digits than a limit can hold; the nearest that can be held is {nearest:.0f}")
    return limit


Limit = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_held_exactly, json_schema_input_type=float)]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def typed(value: object) -> object:
    """Let a bare type stand for a column of that type."""
    return {"type": value} if isinstance(value, str) else value


def named(value: object) -> object:
    """Let a bare name stand for a join with that table."""
    return {"table": value} if isinstance(value, str) else value


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def timedelta_of(duration: str) -> timedelta:
    """Return a duration as a spec writes it, such as 90m, 6h or 2d."""
    return timedelta(**{_UNITS[duration[-1]]: int(duration[:-1])})


def _within_a_century(duration: str) -> str:
    if timedelta_of(duration) > timedelta(days=36525):  # clocks end in the year 9999
        raise ValueError("longer than a hundred years")
    return duration


Duration = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,7}[smhdw]$"), AfterValidator(_within_a_century)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$"), AfterValidator(_free_name)]


class Closed(BaseModel):
    """A part of a spec: it cannot be changed, and has no fields but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Entity(Closed):
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


class Label(Closed):
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


class Column(Closed):
    """How the text of one column is read; empty cells are missing values unless `required`."""

    type: ColumnType
    header: str | None = Field(default=None, min_length=1, description="what the file calls it, if not by its name")
    required: bool = Field(default=False, description="an empty cell is a bad value")
    min: Limit | None = Field(default=None, description="the least allowed (integer, number, money)")
    max: Limit | None = Field(default=None, description="the most allowed (integer, number, money)")
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
        if self.type == "integer" and any(abs(limit or 0) >= _INTEGERS_END for limit in (self.min, self.max)):
            raise ValueError(f"integers end at {_INTEGERS_END} anyway: leave such a min or max out")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self


class Search(Closed):
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


class Gate(Closed):
    """What a challenger must show before it becomes champion."""

    holdout: float = Field(default=0.2, gt=0.0, lt=0.9, description="share that no training sees")
    holdout_by: Literal["entity", "time"] | None = Field(
        default=None,
        description="entity: a hash of the key chooses; time: the latest rows; by time if there is an event time",
    )
    min_gain: float = Field(default=0.0, ge=0.0, lt=1.0, description="by how much more F1 a challenger must win")
    confidence: float = Field(
        default=0.9, ge=0.0, lt=1.0, description="of the interval of the gain, whose lower end must be above min_gain"
    )
    approval: bool = Field(default=False, description="a winner goes live only if a person approves it in Airflow")
    approval_within: Duration = Field(
        default="3d", description="who does not answer until then keeps the champion; such as 90m, 6h, 2d"
    )


class Promotion(Closed):
    """What a version must have before it goes live in a higher environment."""

    approval: bool = Field(default=False, description="only if a person approves it in Airflow")
    approval_within: Duration = Field(
        default="3d", description="who does not answer until then moves nothing; such as 90m, 6h, 2d"
    )


class Join(Closed):
    """A feature table whose values, as of the label's time, are features too."""

    table: Name
    on: dict[ColumnName, ColumnName] = Field(
        default={}, description="key column of the table: column of this data set; if their names differ"
    )
