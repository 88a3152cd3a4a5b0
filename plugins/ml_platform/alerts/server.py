"""The server of the alerts: it looks every half a minute, records what it finds, and sends what is due."""

import logging
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from ml_platform.alerts import checks, delivery, machine, recorded, runs, store
from ml_platform.alerts.causes import Look
from ml_platform.alerts.database_away import DatabaseAway
from ml_platform.alerts.environment import Environment
from ml_platform.alerts.messages import Part
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.alerts import EventName, routes
from ml_platform.specs.catalog import Catalog, catalog, platform_options
from ml_platform.specs.parts import timedelta_of

log = logging.getLogger(__name__)
LOOK_SECONDS = 30.0


class Sender:
    """Looks, records and sends; what it remembers between two looks may be lost."""

    def __init__(self, environment: Environment, specs: Path) -> None:
        """Look at nothing yet.

        Args:
            environment: addresses and secrets.
            specs: the folder of the YAML files, which are read again at each look.

        Raises:
            ConfigurationError: platform.yaml is invalid.
        """
        self._environment, self._specs = environment, specs
        self._options = platform_options(specs).alerts
        self._servers = machine.Servers()
        self._away = DatabaseAway()
        self._away_since: datetime | None = None

    def round(self, now: datetime) -> None:
        """Look once at everything, and send what is due."""
        self._read_options()
        try:
            with closing(store.connect(self._environment.database)) as connection:
                self._away.record(connection, now)
                self._away_since = None
                self.look(connection, now)
            delivery.deliver_all(
                lambda: store.connect(self._environment.database),
                self._options.channels,
                self._environment.variables,
                now,
            )
        except psycopg.OperationalError as error:
            log.warning("Postgres: %s", error)
            self._database_is_away(str(error), now)

    def look(self, connection: store.Connection, now: datetime) -> None:
        """Look at everything and record it; what cannot be looked at now stays as it was."""
        specs, since = catalog(self._specs), store.watched_since(connection, now)
        own = {table.name: table.alerts for table in (*specs.datasets, *specs.tables)}

        def route(event: EventName, dataset: str | None) -> tuple[str, ...]:
            return routes(self._options, own.get(dataset or ""), event)

        for name, look in self._looks(connection, specs, since, now).items():
            try:
                found = look()
            except (psycopg.Error, OSError) as error:
                log.warning("no look at %s: %s", name, error)
                continue
            store.record(connection, found, route, now)

    def _looks(
        self, connection: store.Connection, specs: Catalog, since: datetime, now: datetime
    ) -> Mapping[str, Callable[[], Look]]:
        """Return what is looked at, by name. A new kind of finding is one line here and its texts in `events`."""
        environment, options = self._environment, self._options
        tables = (*specs.datasets, *specs.tables)
        names = {table.name for table in tables}
        retrained = [dataset.name for dataset in specs.datasets if dataset.monitor.retrains]
        open_keys = [key for _, key in store.open_states(connection)]
        return {
            "rejected files": lambda: recorded.rejected_files(connection, since),
            "decisions of the gate": lambda: recorded.refused_challengers(connection, since),
            "rollbacks": lambda: recorded.rollbacks(connection, since),
            "checks": lambda: checks.findings(connection, retrained),
            "arrivals": lambda: recorded.arrivals(connection, tables, now),
            "runs": lambda: self._in_airflow(lambda airflow: runs.failed_runs(airflow, names)),
            "approvals": lambda: self._in_airflow(lambda airflow: runs.approvals(airflow, names)),
            "disks": lambda: machine.disks(environment.disks, options.disk_full, open_keys),
            "backups": lambda: machine.backups(
                environment.backups, options.newest_backup, options.backup_within or "", now, since
            ),
            "servers": lambda: self._servers.look(
                environment.servers, timedelta_of(options.unhealthy_for), open_keys, now
            ),
        }

    def _in_airflow(self, look: Callable[[store.Connection], Look]) -> Look:
        with closing(store.connect(self._environment.airflow_database)) as airflow:
            return look(airflow)

    def _read_options(self) -> None:
        """Read the options again; while they are invalid, the earlier ones hold."""
        try:
            self._options = platform_options(self._specs).alerts
        except ConfigurationError as error:
            log.warning("the earlier options hold: %s", error)

    def _database_is_away(self, problem: str, now: datetime) -> None:
        self._away_since = self._away_since or now
        if now - self._away_since >= timedelta_of(self._options.unhealthy_for):
            facts = {"server": "postgres", "problem": problem}
            part = Part("server_unhealthy", None, facts, self._away_since)
            told = {name: self._options.channels[name] for name in routes(self._options, None, "server_unhealthy")}
            self._away.tell(part, told, self._environment.variables, now)


def serve(environment: Environment, specs: Path) -> None:
    """Run until a signal stops it; a message that is being sent is recorded first."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sender = Sender(environment, specs)
    while True:
        sender.round(datetime.now(UTC))
        environment.health_file.touch()
        if stop.wait(LOOK_SECONDS):
            return
