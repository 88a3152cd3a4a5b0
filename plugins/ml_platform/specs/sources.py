"""The sources of a spec: where rows come from if nobody drops files. One class per kind of source."""

import re
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ml_platform.specs.parts import Duration, Purpose, SpecModel, timedelta_of

ORIGIN_DIGITS = 6
# how the name of a file that is made of rows begins, after the inbox's prefix
ROWS_FILE = rf"(kafka|mongodb|sql)-[0-9a-f]{{{ORIGIN_DIGITS}}}\."
CONNECTION = r"^[A-Za-z0-9_.-]{1,200}$"
DATABASE = r"^[^/\\. \"$*<>:|?\x00]{1,63}$"
FieldPath = Annotated[
    str, Field(pattern=r"^[^.$\x00]+(\.[^.$\x00]+)*$")
]  # of a field in a document, such as address.city


class SourceBase(SpecModel):
    """What all kinds of sources share.

    A source has one or more partitions, each with positions in an order of their own. The rows after one position up to
    another become one file of the inbox.
    """

    kind: str
    connection: str = Field(pattern=CONNECTION, description="the name of the Airflow connection with address and login")
    every: Duration = Field(default="1m", description="how often the source is asked for new rows, such as 10s, 5m, 1d")
    start: Literal["beginning", "now"] = Field(
        default="beginning", description="now: what the source has when it is first asked is not read"
    )

    @property
    def period(self) -> float:
        """Seconds between two looks for new rows."""
        return timedelta_of(self.every).total_seconds()

    @property
    def place(self) -> str:
        """What is read of the server, such as a topic: a text for people."""
        raise NotImplementedError

    @property
    def origin(self) -> str:
        """What identifies the source. Positions of another origin are not continued."""
        return f"{self.kind}:{self.connection}/{self.place}"

    @property
    def named_columns(self) -> tuple[str, ...]:
        """The columns of the file that the source's options name."""
        return ()

    @property
    def short_name(self) -> str:
        """A short name for files: the kind, and some digits that stand for the origin."""
        return f"{self.kind}-{sha256(self.origin.encode()).hexdigest()[:ORIGIN_DIGITS]}"


class KafkaSource(SourceBase):
    """A topic of Kafka, whose messages are JSON objects or records of Avro."""

    kind: Literal["kafka"]
    connection: str = Field(
        default="kafka", pattern=CONNECTION, description="the name of the Airflow connection with address and login"
    )
    every: Duration = Field(default="5s", description="how often the source is asked for new rows, such as 10s, 5m, 1d")
    topic: str = Field(pattern=r"^[A-Za-z0-9._-]{1,249}$", description="the topic")
    format: Literal["json", "avro", "json_schema"] = Field(
        default="json",
        description="json: an object; avro: a record; json_schema: an object that fits the JSON Schema that it names. "
        "The last two need a schema registry in the connection; avro can have `avro_schema` instead",
    )
    avro_schema: dict[str, Any] | None = Field(
        default=None, description="the schema of all messages, if they are Avro and name none of a schema registry"
    )
    metadata: dict[str, Annotated[str, Field(pattern=r"^(key|timestamp|header\..+)$")]] = Field(
        default={},
        description="columns that are not in a message's value: key, timestamp (its own time), or header.NAME",
    )
    tombstones: Literal["ignore", "reject"] = Field(
        default="ignore", description="messages without a value: not read, or returned as rejected rows"
    )
    max_rows: int = Field(default=100_000, ge=1, le=5_000_000, description="offsets of one file")

    @model_validator(mode="after")
    def _has_a_schema_for_avro_only(self) -> "KafkaSource":
        if self.avro_schema is not None and self.format != "avro":
            raise ValueError("avro_schema: give `format: avro`, too")
        return self

    @property
    def named_columns(self) -> tuple[str, ...]:
        """The columns that are not in a message's value."""
        return tuple(self.metadata)

    @property
    def place(self) -> str:
        """The topic."""
        return self.topic


class MongoSource(SourceBase):
    """A collection of MongoDB; a field that only grows, such as `_id`, is its position."""

    kind: Literal["mongodb"]
    connection: str = Field(
        default="mongodb", pattern=CONNECTION, description="the name of the Airflow connection with address and login"
    )
    database: str | None = Field(
        default=None, pattern=DATABASE, description="the database; if it is not given, the schema of the connection"
    )
    collection: str = Field(pattern=r"^[^$\x00]{1,255}$", description="the collection")
    watermark: FieldPath = Field(default="_id", description="a field that grows with each new document")
    updated_at: FieldPath | None = Field(
        default=None, description="a field that grows with each change of a document: changed documents are read again"
    )
    fields: dict[str, FieldPath] = Field(
        default={},
        description="columns, each with the path of its field, such as CITY: address.city; without it, each field at "
        "the top of a document is a column",
    )
    settle: Duration = Field(
        default="10s",
        description="how long documents are left alone after they are first seen, for others that are stored late",
    )
    max_rows: int = Field(default=100_000, ge=1, le=5_000_000, description="documents of one file, about")

    @model_validator(mode="after")
    def _has_two_orders(self) -> "MongoSource":
        if self.updated_at == self.watermark:
            raise ValueError("updated_at: it is the watermark already; leave it out")
        return self

    @property
    def named_columns(self) -> tuple[str, ...]:
        """The columns that have a path."""
        return tuple(self.fields)

    @property
    def place(self) -> str:
        """The collection, and the watermark."""
        return f"{f'{self.database}.' if self.database else ''}{self.collection} by {self.watermark}"


class SqlSource(SourceBase):
    """A table or a query of a database; a watermark column, which only grows, is its position."""

    kind: Literal["sql"]
    table: str | None = Field(default=None, min_length=1, description="the table, such as claims or sales.claims")
    query: str | None = Field(
        default=None, min_length=1, description="a SELECT without a semicolon, instead of a table"
    )
    watermark: str = Field(
        min_length=1,
        description="a column of the result that grows with each new or changed row: a number, a time or a text",
    )
    settle: Duration = Field(
        default="10s",
        description="how long rows are left alone after they are first seen, for transactions that began before them",
    )
    max_rows: int = Field(default=100_000, ge=1, le=5_000_000, description="rows of one file, about")

    @model_validator(mode="after")
    def _reads_one_thing(self) -> "SqlSource":
        if (self.table is None) == (self.query is None):
            raise ValueError("give one of `table` and `query`")
        if self.query is not None and ";" in self.query:
            raise ValueError("query: one SELECT, without a semicolon")
        return self

    @property
    def place(self) -> str:
        """The table, or the query; and the watermark."""
        read = self.table or f"({' '.join((self.query or '').split())})"
        return f"{read} by {self.watermark}"


def _check_bucket(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
        raise ValueError("not a name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens")
    return name


class S3Source(SourceBase):
    """The objects under a prefix of a bucket, which stay as they are; each version of an object is one file."""

    kind: Literal["s3"]
    bucket: Annotated[str, AfterValidator(_check_bucket)]
    prefix: str = Field(default="", max_length=900, description="the beginning of the objects' keys")
    pattern: str = Field(default="*", min_length=1, description="a wildcard that the rest of the key must match")

    @property
    def place(self) -> str:
        """Bucket and prefix."""
        return f"{self.bucket}/{self.prefix}"


Source = Annotated[KafkaSource | MongoSource | SqlSource | S3Source, Field(discriminator="kind")]
SOURCE_KINDS: dict[str, type[SourceBase]] = {
    "kafka": KafkaSource,
    "mongodb": MongoSource,
    "sql": SqlSource,
    "s3": S3Source,
}


class Sources(SpecModel):
    """The sources of a data set: of rows for training, and of rows to be scored."""

    train: Source | None = Field(default=None, description="rows for training")
    test: Source | None = Field(default=None, description="rows to be scored")

    @model_validator(mode="after")
    def _has_one(self) -> "Sources":
        if self.train is None and self.test is None:
            raise ValueError("names no source: give one, or `train` and `test`")
        return self

    def of(self, purpose: Purpose) -> SourceBase | None:
        """Return the source for a purpose, if there is one."""
        source: SourceBase | None = getattr(self, purpose)
        return source


def sources_from_one(value: Any) -> Any:
    """Return the sources that a single one stands for: that of rows for training; other values stay as they are."""
    is_one = isinstance(value, dict) and ("kind" in value or not any(isinstance(part, dict) for part in value.values()))
    return {"train": value} if is_one and value else value


SourcesField = Annotated[Sources, BeforeValidator(sources_from_one, json_schema_input_type=Source | Sources)]
