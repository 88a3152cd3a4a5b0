"""A table or a query of a database: rows are read by a watermark, a column that only grows."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from typing import Any, BinaryIO

import sqlalchemy as sa

from ml_platform.exceptions import ConfigurationError
from ml_platform.files.source_rows import FAULT, POSITION, VALUE
from ml_platform.sources import sql_mysql
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.reader import BEGINNING, Range, Reader, Reading
from ml_platform.sources.row_files import write_lines
from ml_platform.sources.sql_engine import open_engine
from ml_platform.sources.sql_errors import translated
from ml_platform.sources.sql_rows import in_order, line_maker, line_of_object
from ml_platform.sources.sql_watermark import ALLOWED, TEXT, Kind, kind_of
from ml_platform.specs.parts import timedelta_of
from ml_platform.specs.sources import SqlSource

ROWS_AT_ONCE = 2_000  # that the driver holds
ALIAS = "source"
DIGITS = re.compile("[0-9]+")
ALL: sa.ColumnClause[Any] = sa.literal_column(f"{ALIAS}.*")
AS_JSON: sa.ColumnClause[str] = sa.literal_column(f"row_to_json({ALIAS}.*)::text")
Result = sa.CursorResult[*tuple[Any, ...]]


class SqlReader(Reader):
    """Reads a table or a query. It has one partition; its position is a value of the watermark, as a text."""

    def __init__(self, source: SqlSource, connection: SourceConnection) -> None:
        """Make the engine; it connects at first use."""
        super().__init__(source)
        self.settle = timedelta_of(source.settle).total_seconds()
        self._spec = source
        self._what = f"table {source.table}" if source.table else "query"
        self._where = f"{self._what} (connection {connection.name!r})"
        self._name = connection.name
        self._engine = open_engine(connection)
        self._secret = str(self._engine.url.password or "")
        self._from = _from_clause(source)
        self._watermark: sa.ColumnElement[Any] = self._from.c[source.watermark]
        self._known_kind: Kind | None = None

    def positions(self) -> dict[str, str]:
        """Return the greatest watermark; nothing if no row has one."""
        newest = self._newest(sa.true())
        return {} if newest is None else {"": newest}

    def _newest(self, condition: sa.ColumnElement[bool]) -> str | None:
        with self._translated():
            kind = self._kind()
            found = self._one(sa.select(sa.func.max(self._watermark)).where(condition)) if kind else None
        return None if kind is None or found is None else self._text(kind, found)

    def next_range(self, partition: str, start: str, newest: str) -> Range | None:
        """Return about `max_rows` rows by their watermark; those with the same one stay together."""
        with self._translated():
            between = self._between(start, newest)
            last = sa.select(self._watermark).where(between).order_by(self._watermark)
            found = self._one(last.offset(self._spec.max_rows - 1).limit(1))
            kind = self._kind()
        end = self._newest(between) if found is None or kind is None else self._text(kind, found)
        return None if end is None else Range(partition, start, end)

    def read(self, part: Range, file: BinaryIO) -> Reading:
        """Write the rows after `start` up to `end`, in the order of the watermark."""
        with self._translated():
            if self._kind() is None:
                return Reading(0, notes=(f"{self._where} has no rows any more",))
            between = self._between(part.start, part.end)
            with self._streamed(between) as (pairs, notes):
                rows = write_lines(in_order(pairs), file)
            return Reading(rows, notes=(*notes, *self._note_on_nulls()))

    def range_of(self, partition: str, start: str, end: str) -> Range:
        """Return the rows between two watermarks; they are compared by the database, so the range may have no rows."""
        newest = self.positions().get("")
        if partition or newest is None:
            reason = "has one partition, with an empty name" if partition else "has no rows"
            raise ConfigurationError(f"{self._where} {reason}; a range of it cannot be read")
        begin, stop = (self._canonical(text) if text else text for text in (start, end or newest))
        return Range("", begin, stop)

    def lag(self, done: Mapping[str, str], newest: Mapping[str, str]) -> int:
        """Return how many rows wait to be read."""
        start, end = done.get("", BEGINNING), newest.get("", BEGINNING)
        if start == end or not end:
            return 0
        with self._translated():
            return int(self._one(sa.select(sa.func.count()).select_from(self._from).where(self._between(start, end))))

    def describe(self, positions: Mapping[str, str]) -> str:
        """Return the watermark with its name."""
        return f"{self._spec.watermark} {positions['']}" if positions.get("") else "no rows"

    def file_name(self, part: Range) -> str:
        """Return the two positions; unless both are digits, with a digest, as 1.5 and 15 have the same letters."""
        name = super().file_name(part)
        if DIGITS.fullmatch(part.start) and DIGITS.fullmatch(part.end):
            return name
        digest = sha256("\n".join(part).encode()).hexdigest()[:8]
        return f"{name.removesuffix('.jsonl.gz')}.{digest}.jsonl.gz"

    def close(self) -> None:
        """Disconnect from the database."""
        self._engine.dispose()

    def _translated(self) -> AbstractContextManager[None]:
        return translated(self._what, self._name, self._secret)

    def _one(self, statement: sa.Select[Any]) -> Any:
        """Return the first value of the first row, in a transaction of its own; None if there is no row."""
        with self._engine.connect() as connection:
            return connection.execute(statement).scalar()

    def _kind(self) -> Kind | None:
        """Return the type of the watermark; None if no row has one. It is found by a row, as queries have no types."""
        if self._known_kind is None:
            with self._engine.connect() as connection:
                self._check_names(list(connection.execute(sa.select(ALL).select_from(self._from).limit(0)).keys()))
            some = self._one(sa.select(self._watermark).where(self._watermark.is_not(None)).limit(1))
            if some is not None:
                self._check_one_type()
                self._known_kind = kind_of(some) or self._refuse(some)
        return self._known_kind

    def _check_names(self, names: list[str]) -> None:
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        reserved = sorted({POSITION, FAULT, VALUE} & set(names))
        if twice or reserved:
            problem = f"names {', '.join(twice)} twice" if twice else f"has the reserved name {', '.join(reserved)}"
            raise ConfigurationError(f"{self._where} {problem}; give each column a name of its own in a `query`")

    def _check_one_type(self) -> None:
        """Check that watermarks of SQLite, whose columns may have values of any type, are of one type."""
        if self._engine.dialect.name == "sqlite":
            least = self._one(sa.select(sa.func.min(self._watermark)))
            most = self._one(sa.select(sa.func.max(self._watermark)))
            if least is not None and kind_of(least) is not kind_of(most):
                self._refuse(most if kind_of(most) is None else least)

    def _refuse(self, value: Any) -> Any:
        shown = repr(value)[:40]
        raise ConfigurationError(
            f"{self._where}: the column {self._spec.watermark!r} cannot be a watermark: {shown} in it is "
            f"{type(value).__name__}, or not of the type of the others; {ALLOWED}"
        )

    def _text(self, kind: Kind, value: Any) -> str:
        if kind_of(value) is not kind:
            self._refuse(value)
        return kind.text(value)

    def _canonical(self, text: str) -> str:
        kind = self._known_kind or TEXT
        return kind.text(self._value(text))

    def _value(self, position: str) -> Any:
        kind = self._known_kind or TEXT
        try:
            return kind.parse(position)
        except ValueError:
            raise ConfigurationError(
                f"{self._where}: {position!r} is no position: the column {self._spec.watermark!r} holds {kind.name}, "
                f"such as {kind.example}"
            ) from None

    def _between(self, start: str, end: str) -> sa.ColumnElement[bool]:
        self._kind()
        up_to: sa.ColumnElement[bool] = self._watermark <= self._bound(end)
        return up_to if start == BEGINNING else (self._watermark > self._bound(start)) & up_to

    def _bound(self, position: str) -> sa.BindParameter[Any]:
        """Return a parameter whose type the database takes from the column: a text can stand for other types, too."""
        return sa.literal(self._value(position), sa.types.NullType())

    @contextmanager
    def _streamed(self, between: sa.ColumnElement[bool]) -> Iterator[tuple[Iterator[tuple[Any, bytes]], list[str]]]:
        """Yield pairs of watermark and line, and notes; the driver holds `ROWS_AT_ONCE` rows."""
        is_postgres = self._engine.dialect.name == "postgresql"
        columns: sa.ColumnClause[Any] = AS_JSON if is_postgres else ALL
        statement = sa.select(self._watermark.label(POSITION), columns).where(between).order_by(self._watermark)
        with self._engine.connect() as connection:
            options = {"stream_results": True, "yield_per": ROWS_AT_ONCE}
            result = connection.execution_options(**options).execute(statement)
            yield (self._json_lines(result), []) if is_postgres else self._lines(result)

    def _json_lines(self, result: Result) -> Iterator[tuple[Any, bytes]]:
        """Yield lines of rows that Postgres wrote as JSON: exact for each type, and faster than by Python values."""
        for watermark, body in result:
            yield watermark, line_of_object(self._position(watermark), body)

    def _lines(self, result: Result) -> tuple[Iterator[tuple[Any, bytes]], list[str]]:
        names = list(result.keys())[1:]
        columns = sql_mysql.columns(result) if self._engine.dialect.name in sql_mysql.DIALECTS else sql_mysql.Columns()
        line = line_maker(names)

        def pairs() -> Iterator[tuple[Any, bytes]]:
            for watermark, *values in result:
                columns.complete(values)
                yield watermark, line(self._position(watermark), values)

        return pairs(), [f"{self._where}: {note}" for note in columns.notes(names)]

    def _position(self, watermark: Any) -> str:
        text = self._known_kind.text(watermark) if self._known_kind else str(watermark)
        return f"{self._what}, {self._spec.watermark} {text}"

    def _note_on_nulls(self) -> list[str]:
        nulls = sa.select(sa.func.count()).select_from(self._from).where(self._watermark.is_(None))
        count = self._one(nulls)
        return [f"rows without a value in {self._spec.watermark}, which are not read: {count:,}"] if count else []


def _from_clause(source: SqlSource) -> sa.FromClause:
    watermark: sa.ColumnClause[Any] = sa.column(source.watermark)
    if source.table:
        schema, _, name = source.table.rpartition(".")
        return sa.table(name, watermark, schema=schema or None).alias(ALIAS)
    text = (source.query or "").replace(":", "\\:")  # no parameters
    return sa.text(f"{text}\n").columns(watermark).subquery(ALIAS)
