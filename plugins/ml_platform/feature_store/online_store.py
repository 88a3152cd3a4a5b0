"""Feast's Postgres online store, changed so that each entity has exactly its newest row and no older values.

Feast's own store writes each feature separately, so a feature that the newer row lacks keeps its older value. It writes
timestamps without a time zone, so the session's time zone shifts them. It also keeps using a connection that a restart
of Postgres has closed.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from feast import Entity, FeatureView, RepoConfig
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.infra.online_stores.helpers import compute_table_id
from feast.infra.online_stores.postgres_online_store.postgres import (
    PostgreSQLOnlineStore,
    PostgreSQLOnlineStoreConfig,
)
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from ml_platform.storage.database import pool

STORE = "ml_platform.feature_store.online_store.WholeRowPostgresOnlineStore"
COLUMNS = ("entity_key", "feature_name", "value", "event_ts", "created_ts")
TYPES = ("bytea", "text", "bytea", "timestamptz", "timestamptz")
MATERIALIZED = """
CREATE TABLE IF NOT EXISTS materialized_uploads (
    view           text,
    columns_hash   text,
    upload_sha256  text,
    PRIMARY KEY (view, columns_hash, upload_sha256)
)"""
READER = Identifier("serving")  # the role of the service over HTTP


@dataclass(frozen=True)
class StoredRow:
    """The row of an entity in the store: its event time, and its values by column."""

    event_time: datetime
    values: dict[str, Value]


class WholeRowPostgresOnlineStoreConfig(PostgreSQLOnlineStoreConfig):
    """The settings of Feast's own store; `type` names this one."""

    type: Literal[STORE] = STORE  # type: ignore[valid-type]


class WholeRowPostgresOnlineStore(PostgreSQLOnlineStore):
    """Holds one whole row per entity, and the list of uploads it has; everything else is Feast's own store."""

    @contextmanager
    def _get_conn(self, config: RepoConfig, autocommit: bool = False) -> Iterator[Any]:
        settings = config.online_store
        address = make_conninfo(
            host=settings.host, port=settings.port, dbname=settings.database, user=settings.user,
            password=settings.password, sslmode=settings.sslmode, options=f"-c search_path={settings.db_schema}",
        )  # fmt: skip
        with pool(address).connection() as connection:
            connection.set_autocommit(autocommit)
            yield connection

    def update(
        self,
        config: RepoConfig,
        tables_to_delete: Sequence[FeatureView],
        tables_to_keep: Sequence[FeatureView],
        entities_to_delete: Sequence[Entity],
        entities_to_keep: Sequence[Entity],
        partial: bool,
    ) -> None:
        """Create the tables of views, one process at a time; the arguments are those of Feast's `OnlineStore`."""
        with self._get_conn(config) as lock:
            # Two processes that create the same table at once fail in Postgres, even with IF NOT EXISTS.
            lock.execute("SELECT pg_advisory_xact_lock(hashtext('online store'))")
            super().update(config, tables_to_delete, tables_to_keep, entities_to_delete, entities_to_keep, partial)
            lock.execute(MATERIALIZED)
            schema = Identifier(config.online_store.db_schema)
            lock.execute(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, READER))
            lock.execute(SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(schema, READER))

    def online_write_batch(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[tuple[Any, dict[str, Any], datetime, datetime | None]],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Replace the row of each entity by the given one; the arguments are those of Feast's `OnlineStore`."""
        version = config.entity_key_serialization_version
        rows = {serialize_entity_key(key, version): (values, event, created) for key, values, event, created in data}
        name = Identifier(compute_table_id(config.project, table))
        columns = SQL(", ").join(map(Identifier, COLUMNS))
        with self._get_conn(config) as connection, connection.cursor() as cursor:
            cursor.execute(SQL("DELETE FROM {} WHERE entity_key = ANY(%s)").format(name), (list(rows),))
            with cursor.copy(SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(name, columns)) as copy:
                copy.set_types(TYPES)
                for key, (values, event, created) in rows.items():
                    times = (_with_zone(event), _with_zone(created) if created else None)
                    for feature, value in values.items():
                        copy.write_row((key, feature, value.SerializeToString(), *times))
        if progress:
            progress(len(data))

    def remove_rows(self, config: RepoConfig, view: FeatureView, keys: Sequence[EntityKey]) -> None:
        """Remove the rows of these entities; an entity that is not in the store is no error."""
        serialized = self._prepare_keys(list(keys), config.entity_key_serialization_version)
        name = Identifier(compute_table_id(config.project, view))
        with self._get_conn(config) as connection:
            connection.execute(SQL("DELETE FROM {} WHERE entity_key = ANY(%s)").format(name), (serialized,))

    def remove_view(self, config: RepoConfig, view: FeatureView) -> None:
        """Remove all rows of a view, their table, and the list of its uploads; a view without rows is no error."""
        name = Identifier(compute_table_id(config.project, view))
        with self._get_conn(config) as connection:
            connection.execute(SQL("DROP TABLE IF EXISTS {}").format(name))
            connection.execute(MATERIALIZED)
            connection.execute("DELETE FROM materialized_uploads WHERE view = %s", (view.name,))

    def newest_rows(self, config: RepoConfig, view_name: str, keys: Sequence[EntityKey]) -> list[StoredRow | None]:
        """Return the row of each entity, in the order of the keys; None for an entity that is not in the store.

        Feast's `online_read` needs a `FeatureView`; to build one takes longer than this query.
        """
        serialized = self._prepare_keys(list(keys), config.entity_key_serialization_version)
        name = Identifier(f"{config.project}_{view_name}")
        # One row per entity: to fetch each feature as a row of its own would take most of the time.
        query = SQL(
            "SELECT entity_key, max(event_ts), array_agg(feature_name), array_agg(value) FROM {}"
            " WHERE entity_key = ANY(%s) GROUP BY entity_key"
        ).format(name)
        with self._get_conn(config, autocommit=True) as connection:
            fetched = connection.cursor(binary=True).execute(query, (serialized,)).fetchall()
        rows = {
            key: StoredRow(event_time, dict(zip(features, map(Value.FromString, values), strict=True)))
            for key, event_time, features, values in fetched
        }
        return [rows.get(key) for key in serialized]

    def materialized_uploads(self, config: RepoConfig, view: FeatureView) -> set[str]:
        """Return the ids of the loads whose rows are in the store with the columns that the view has now.

        The id of a load begins with the SHA-256 of its upload.
        """
        with self._get_conn(config) as connection:
            uploads = connection.execute(
                "SELECT upload_sha256 FROM materialized_uploads WHERE view = %s AND columns_hash = %s",
                (view.name, _columns_hash(view)),
            )
            return {load for (load,) in uploads}

    def mark_materialized(self, config: RepoConfig, view: FeatureView, loads: Sequence[str]) -> None:
        """Record that the rows of these loads are in the store; idempotent."""
        with self._get_conn(config) as connection:
            connection.execute(
                "INSERT INTO materialized_uploads SELECT %s, %s, unnest(%s::text[]) ON CONFLICT DO NOTHING",
                (view.name, _columns_hash(view), list(loads)),
            )

    def unmark_materialized(self, config: RepoConfig, view: FeatureView, upload: str) -> None:
        """Forget that the rows of an upload are in the store, of any load and with any columns; idempotent."""
        with self._get_conn(config) as connection:
            connection.execute(
                "DELETE FROM materialized_uploads WHERE view = %s AND starts_with(upload_sha256, %s)",
                (view.name, upload),
            )


def _with_zone(time: datetime) -> datetime:
    """Return a time with its zone; a time without one is UTC, as Feast passes it."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def _columns_hash(view: FeatureView) -> str:
    columns = sorted((field.name, str(field.dtype)) for field in view.features)
    return hashlib.sha256(json.dumps(columns).encode()).hexdigest()
