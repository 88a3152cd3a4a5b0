"""The SQL of the point-in-time join: each entity row looks up the newest values that were true and known at its time.

One look-up is `LEFT JOIN LATERAL (... ORDER BY event time DESC, availability time DESC LIMIT 1)`, which an index on
key and timestamps answers. Key columns are compared one by one, so ("1", "23") and ("12", "3") stay two entities. Times
without a zone are compared in the time zone of the session.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter

from psycopg import sql

EVENT_TIME = "event_timestamp"  # of the rows of `rows_between`


def identifier(name: str) -> str:
    """Quote a name for use in SQL."""
    return sql.Identifier(name).as_string()


@dataclass(frozen=True)
class Lookup:
    """How the features of one table are looked up for an entity row.

    Attributes:
        source: SQL of its table.
        keys: maps each key column of the table to the column of the entity rows; empty if the table is about no entity.
        features: maps each column of the table to its name in the result.
        event: column of the event time.
        created: column of the availability time; "" if there is none.
        ttl: time to live; zero means no limit.
        by_known_time: whether rows that became known after the time of the join are left out.
    """

    source: str
    keys: dict[str, str]
    features: dict[str, str]
    event: str
    created: str
    ttl: timedelta
    by_known_time: bool

    def select_list(self, alias: str) -> list[str]:
        """Return the SQL of each feature, under its name in the result."""
        return [f"{alias}.{identifier(name)}" for name in self.features.values()]

    def join(self, alias: str, time_column: str) -> str:
        """Return the SQL that looks up the features of each entity row at the time in `time_column`."""
        at, event = f"entity_rows.{identifier(time_column)}", f"source.{identifier(self.event)}"
        conditions = [
            f"source.{identifier(key)} = entity_rows.{identifier(column)}" for key, column in self.keys.items()
        ]
        conditions.append(f"{event} <= {at}")
        if self.ttl:
            conditions.append(f"{event} >= {at} - interval '{self.ttl // timedelta(microseconds=1)} microseconds'")
        order = [f"{event} DESC"]
        if self.created:
            created = f"source.{identifier(self.created)}"
            if self.by_known_time:
                conditions.append(f"{created} <= {at}")
                order.append(f"{created} DESC")
            else:
                order.append(f"{created} DESC NULLS LAST")  # a time that is known comes before one that is not
        values = ", ".join(f"source.{identifier(name)} AS {identifier(out)}" for name, out in self.features.items())
        return (
            f"LEFT JOIN LATERAL (SELECT {values} FROM {self.source} AS source"  # noqa: S608 – names are quoted
            f" WHERE {' AND '.join(conditions)} ORDER BY {', '.join(order)} LIMIT 1) AS {alias} ON TRUE"
        )

    def rows_between(self, start: datetime, end: datetime) -> str:
        """Return the SQL of each key and event time in the table from `start` to `end`, both included."""
        event = f"source.{identifier(self.event)}"
        by_name = sorted(self.keys.items(), key=itemgetter(1))  # a UNION goes by position
        keys = [f"source.{identifier(key)} AS {identifier(column)}" for key, column in by_name]
        return (
            f"SELECT DISTINCT {', '.join([*keys, f'{event} AS {EVENT_TIME}'])} FROM {self.source} AS source"  # noqa: S608
            f" WHERE {event} BETWEEN '{start.isoformat()}'::timestamptz AND '{end.isoformat()}'::timestamptz"
        )


def join_query(entity_query: str, columns: Iterable[str], time_column: str, lookups: Iterable[Lookup]) -> str:
    """Return the SQL of the join.

    Args:
        entity_query: SQL of the rows that features are joined to.
        columns: those of the entity rows to return.
        time_column: the column of the entity rows with the time of the join.
        lookups: the tables to join, and how.

    Returns:
        SQL that yields one row per row of `entity_query`: its columns, then the features of each lookup.
    """
    selected = [f"entity_rows.{identifier(column)}" for column in columns]
    joins = []
    for i, lookup in enumerate(lookups):
        selected += lookup.select_list(f"view_{i}")
        joins.append(lookup.join(f"view_{i}", time_column))
    return "\n".join([f"SELECT {', '.join(selected)}", "FROM (", entity_query, ") AS entity_rows", *joins])


def rows_between(lookups: Sequence[Lookup], start: datetime, end: datetime) -> str:
    """Return the SQL of the entity rows to join if none are given: each key and event time that the tables have.

    The tables with keys say which rows there are. A table about no entity does so only if all are.

    Args:
        lookups: the tables to join; those with keys must have the same.
        start: the first event time.
        end: the last event time.

    Returns:
        SQL that yields each row once, with the key columns and `EVENT_TIME`.

    Raises:
        ValueError: the tables have different keys.
    """
    keyed = [lookup for lookup in lookups if lookup.keys]
    different = sorted({", ".join(sorted(lookup.keys.values())) for lookup in keyed})
    if len(different) > 1:
        raise ValueError(
            f"without entity rows, all feature views need the same join keys; these have: {'; '.join(different)}"
        )
    return "\nUNION\n".join(lookup.rows_between(start, end) for lookup in keyed or lookups)
