"""A collection of MongoDB: its documents are read in the order of a field, and by a second one those that changed."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from hashlib import sha256
from typing import Any, BinaryIO

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from ml_platform.exceptions import ConfigurationError
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.mongodb_client import CODECS, Document, client_options, translated
from ml_platform.sources.mongodb_values import (
    TYPES,
    document_line,
    field_at,
    is_nan,
    plain_text,
    position_text,
    position_value,
    type_of,
    value_named,
)
from ml_platform.sources.reader import BEGINNING, Range, Reader, Reading, slug
from ml_platform.sources.row_files import fault_line, write_lines
from ml_platform.specs.parts import timedelta_of
from ml_platform.specs.sources import MongoSource

NO_ORDER = ["null", "bool", "object", "array", "regex", "timestamp"]
NO_LIST = {"$not": {"$type": "array"}}  # a query looks into lists, too: one with 1 and 9 is above 5 and below it
MOST_COUNTED = 1_000


class MongoReader(Reader):
    """Reads a collection. A partition is a field and a type, such as `_id-objectId`; its position is a value.

    A type is a partition of its own because comparisons in a query stay within one. The values of the positions are
    canonical extended JSON, and only the server compares them.
    """

    def __init__(self, source: MongoSource, connection: SourceConnection) -> None:
        """Make a client; it connects when it is first used."""
        super().__init__(source)
        self._spec = source
        self._name = connection.name
        self.settle = timedelta_of(source.settle).total_seconds()
        self._remark = ""
        database = source.database or connection.schema
        if not database:
            raise ConfigurationError(
                f"{self._where}: name its database, as `database` of the source or as the schema of the connection"
            )
        self._client, self._collection = self._open(connection, database)

    def _open(self, connection: SourceConnection, database: str) -> tuple[MongoClient[Document], Collection[Document]]:
        with translated(self._where):
            client: MongoClient[Document] = MongoClient(**client_options(connection))
            try:
                found = client.get_database(database, CODECS, read_concern=ReadConcern("majority"))
                return client, found[self._spec.collection]
            except PyMongoError:
                client.close()
                raise

    def positions(self) -> dict[str, str]:
        """Return the greatest value of each field that orders the documents, by type."""
        fields = [self._spec.watermark, *filter(None, [self._spec.updated_at])]
        with translated(self._where):
            found = {f"{field}-{kind}": self._greatest(field, kind) for field in fields for kind in TYPES}
            newest = {name: position_text(value) for name, value in found.items() if value is not None}
            self._remark = self._what_is_not_read(has_some=bool(newest))
        return newest

    def _greatest(self, field: str, kind: str) -> Any:
        """Return the greatest value of a type; None if there is none."""
        found = self._collection.find({field: {"$type": kind, **NO_LIST}}, {field: 1}).sort(field, -1).limit(1)
        value = next((self._order_of(document, field) for document in found.allow_disk_use(True)), None)
        return None if is_nan(value) else value

    def _order_of(self, document: Document, field: str) -> Any:
        """Return the value of a field that orders the documents.

        Raises:
            ConfigurationError: the path of the field goes through a list.
        """
        if type_of(value := field_at(document, field)):
            return value
        raise ConfigurationError(
            f"{self._where}: {field!r} goes through a list, so it has no order; _id {plain_text(document['_id'])}"
        )

    def _what_is_not_read(self, *, has_some: bool) -> str:
        """Return a sentence on documents without a watermark, or on a missing collection; empty if all is well.

        Raises:
            ConfigurationError: there are documents, and none has a watermark.
        """
        field = self._spec.watermark
        without = {"$or": [{field: {"$exists": False}}, {field: {"$type": NO_ORDER}}]}
        count = self._collection.count_documents(without, limit=MOST_COUNTED)
        if count and not has_some:
            raise ConfigurationError(
                f"{self._where}: no document has a number, a text, a date, an ObjectId or a UUID in {field!r}, which "
                "the source names as its watermark"
            )
        if has_some:
            number = f"{count:,}{' or more' if count == MOST_COUNTED else ''}"
            return f"documents without an order in {field}, which are not read: {number}" if count else ""
        database, name = self._collection.database, self._collection.name
        there = database.list_collection_names(filter={"name": name}, nameOnly=True, authorizedCollections=True)
        return "no documents" if there else f"there is no collection {name} yet"

    def next_range(self, partition: str, start: str, newest: str) -> Range | None:
        """Return a range of `max_rows` documents, and of more where the last ones have equal values."""
        field, _ = _split(partition)
        wanted = _between(field, start, newest)
        with translated(self._where):
            found = self._collection.find(wanted, {field: 1}).sort(field, 1).allow_disk_use(True)
            last = next(iter(found.clone().skip(self._spec.max_rows - 1).limit(1)), None)
            if last is None:
                return Range(partition, start, newest) if next(iter(found.limit(1)), None) else None
        return Range(partition, start, position_text(self._order_of(last, field)))

    def range_of(self, partition: str, start: str, end: str) -> Range:
        """Return a range whose ends are values as people write them, or extended JSON."""
        newest = self.positions()
        named = partition or (next(iter(newest)) if len(newest) == 1 else "")
        if named not in newest:
            raise ConfigurationError(
                f"{self._where} has no partition {partition!r}; there are: {', '.join(newest) or 'none'}"
            )
        _, kind = _split(named)
        try:
            values = [position_text(value_named(text, kind)) if text else "" for text in (start, end)]
        except ValueError as error:
            raise ConfigurationError(f"{self._where}, partition {named}: {error}") from error
        return Range(named, values[0], values[1] or newest[named])

    def read(self, part: Range, file: BinaryIO) -> Reading:
        """Write the documents of a range, sorted by the field that orders them, then by `_id`."""
        with translated(self._where):
            found = self._collection.find(_between(_split(part.partition)[0], part.start, part.end), self._projection)
            return Reading(write_lines(self._lines(part.partition, found), file))

    @property
    def _projection(self) -> dict[str, int] | None:
        """What the server sends: of paths where one is a part of another, only the shorter one."""
        if not self._spec.fields:
            return None
        paths = {"_id", self._spec.watermark, *filter(None, [self._spec.updated_at]), *self._spec.fields.values()}
        return {path: 1 for path in sorted(paths) if not any(path.startswith(f"{other}.") for other in paths)}

    def _lines(self, partition: str, found: Any) -> Iterator[bytes]:
        field, kind = _split(partition)
        order = [(field, 1)] if field == "_id" else [(field, 1), ("_id", 1)]
        with closing(found.sort(order).allow_disk_use(True)) as documents:
            for document in documents:
                place = f"collection {self._collection.name}, _id {plain_text(document['_id'])}"
                if type_of(field_at(document, field)) == kind:
                    yield document_line(document, place, self._spec.fields)
                else:
                    yield fault_line(b"", place, f"{field} goes through a list, so it has no order")

    def lag(self, done: Mapping[str, str], newest: Mapping[str, str]) -> int:
        """Return how many documents wait to be read; a new document with `updated_at` counts in both orders."""
        waiting = {name: end for name, end in newest.items() if done.get(name) != end}
        with translated(self._where):
            return sum(
                self._collection.count_documents(_between(_split(name)[0], done.get(name, BEGINNING), end))
                for name, end in waiting.items()
            )

    def describe(self, positions: Mapping[str, str]) -> str:
        """Return the value of each partition, and what is not read."""
        values = (f"{name}: {plain_text(position_value(end))}" for name, end in sorted(positions.items()) if end)
        return "; ".join(filter(None, [", ".join(values), self._remark]))

    def file_name(self, part: Range) -> str:
        """Return the partition, the end, and a digest: positions that differ in signs only have names of their own."""
        digest = sha256("\n".join(part).encode()).hexdigest()[:10]
        return f"{slug(part.partition)}.{slug(plain_text(position_value(part.end)))}.{digest}.jsonl.gz"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @property
    def _where(self) -> str:
        return f"the collection {self._spec.collection!r} (connection {self._name!r})"


def _split(partition: str) -> tuple[str, str]:
    """Return field and type of a partition."""
    field, _, kind = partition.rpartition("-")
    return field, kind


def _between(field: str, start: str, end: str) -> Document:
    """Return the query for the documents after one position, up to another."""
    after = {} if start == BEGINNING else {"$gt": position_value(start)}
    return {field: {**after, "$lte": position_value(end), **NO_LIST}}
