"""The collector: asks both databases and the health pages, and keeps the answer for a few seconds."""

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from ml_platform.alerts import machine
from ml_platform.alerts.store import Connection, connect
from ml_platform.exceptions import ConfigurationError
from ml_platform.metrics.counting import Counts, Values
from ml_platform.metrics.definitions import METRICS, OWN, PREFIX, Metric
from ml_platform.metrics.environment import Environment
from ml_platform.specs.catalog import catalog

log = logging.getLogger(__name__)

FRESH = 10.0  # seconds for which an answer is kept: several Prometheus servers cost as much as one
MOST_SERIES = 1000  # of one metric, in case that a label has more values than it should
HELP = {metric.name: metric for metric in OWN}


class PlatformCollector(Collector):
    """What Prometheus reads. It works without Postgres, too: then it says that the database is away."""

    def __init__(self, environment: Environment, specs: Path) -> None:
        """Begin to count now.

        Args:
            environment: addresses and secrets.
            specs: the folder of the YAML files.
        """
        self._environment, self._specs = environment, specs
        self._start = datetime.now(UTC)
        self._counts: dict[str, Counts] = {}
        self._names: list[str] = []
        self._lock = threading.Lock()
        self._families: list[Family] = []
        self._until = 0.0

    def describe(self) -> list[Family]:
        """Return nothing, so that a registry does not ask Postgres before the server starts."""
        return []

    def collect(self) -> list[Family]:
        """Return all metrics; those that cannot be read now are left out."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._families = list(self._collect(datetime.now(UTC)))
                self._until = time.monotonic() + FRESH
            return self._families

    def _collect(self, now: datetime) -> Iterator[Family]:
        began = time.perf_counter()
        self._read_names()
        up: Values = {}
        for database, address in self._environment.databases.items():
            families, problem = self._of_database(database, address, now)
            up[(database,)] = (float(not problem),)
            yield from families
        yield _family(HELP["database_up"], up)
        yield _family(HELP["server_up"], servers(self._environment.servers))
        yield _family(HELP["collection_seconds"], {(): (time.perf_counter() - began,)})

    def _of_database(self, database: str, address: str, now: datetime) -> tuple[list[Family], str]:
        """Return the metrics of a database, and the problem if it did not answer all queries."""
        families, problem = [], ""
        try:
            with closing(connect(address)) as connection:
                for metric in METRICS:
                    if metric.database == database:
                        families.append(_family(metric, self._values(connection, metric, now)))
        except psycopg.Error as error:
            problem = str(error)
            log.warning("the database %s: %s", database, problem)
        return families, problem

    def _values(self, connection: Connection, metric: Metric, now: datetime) -> Values:
        if metric.kind == "gauge":
            return query(connection, metric, {})
        counts = self._counts.setdefault(metric.name, Counts(self._start, 2 if metric.kind == "summary" else 1))

        def count(after: datetime, before: datetime) -> Values:
            return query(connection, metric, {"after": after, "before": before, "datasets": self._names})

        return counts.read(count, now)

    def _read_names(self) -> None:
        """Read the names of the data sets again; while a spec is invalid, the earlier ones hold."""
        try:
            specs = catalog(self._specs)
        except ConfigurationError as error:
            log.warning("the earlier specs hold: %s", error)
            return
        self._names = [table.name for table in (*specs.datasets, *specs.tables)]


def query(connection: Connection, metric: Metric, values: Mapping[str, Any]) -> Values:
    """Return what the query of a metric finds, at most `MOST_SERIES`.

    Raises:
        psycopg.Error: Postgres failed.
    """
    width = len(metric.labels)
    found = {}
    for row in connection.execute(metric.sql, values).fetchmany(MOST_SERIES):
        found[tuple(str(label or "") for label in row[:width])] = tuple(float(value or 0) for value in row[width:])
    return found


def servers(pages: Mapping[str, str]) -> Values:
    """Return for each server whether its health page says that it works."""
    with ThreadPoolExecutor(max_workers=max(1, len(pages))) as pool:
        answers = pool.map(machine.problems_of, pages.keys(), pages.values())
        return {(name,): (float(problem is None),) for found in answers for name, problem in found.items()}


def _family(metric: Metric, values: Values) -> Family:
    name, labels = PREFIX + metric.name, metric.labels
    if metric.kind == "summary":
        summary = SummaryMetricFamily(name, metric.help, labels=labels)
        for key, (total, number) in values.items():
            summary.add_metric(key, count_value=int(number), sum_value=total)
        return summary
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(name, metric.help, labels=labels)
    for key, (value,) in values.items():
        family.add_metric(key, value)
    return family
