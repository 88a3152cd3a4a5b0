# ruff: noqa: S608 – names go through identifier()
"""The table that `make demo SOURCE=sql` fills."""

import csv
import subprocess
from collections.abc import Iterable
from io import StringIO

from ml_platform.commands.demo.sample_source import Row, SampleSource
from ml_platform.commands.samples import first_row
from ml_platform.exceptions import ServiceError
from ml_platform.storage.database import identifier
from stack.airflow_api import Airflow
from stack.config import HOST
from stack.target import runner

SCHEMA = "demo"
PSQL = ("psql", "-XqtA", "--set=ON_ERROR_STOP=1", "--single-transaction", "--dbname=platform", "--file=-")


class SqlSample(SampleSource):
    """A table of texts in a schema of its own in the stack's Postgres, which the role `reader` may read."""

    kind, connection = "sql", "demo_sql"

    @property
    def spec(self) -> dict[str, str]:
        """The table, by its number of the row."""
        named = {"kind": self.kind, "connection": self.connection, "table": f"{SCHEMA}.{self.sample_name}"}
        return named | {"watermark": "id", "every": "5s", "settle": "1s"}

    @property
    def place(self) -> str:
        """The table."""
        return f"the table {SCHEMA}.{self.sample_name} of the database platform"

    def connect(self, airflow: Airflow) -> None:
        """Add a connection to Postgres, as tasks reach it, with the role `reader`."""
        in_containers = self.config.target == "compose"
        host, port = ("postgres", 5432) if in_containers else (HOST, self.config.postgres_port)
        password = self.config.reader_db_password.get_secret_value()
        airflow.add_connection(self.connection, "postgres", "reader", password, host=host, port=port, schema="platform")

    def count(self) -> int:
        """Return the number of rows of the table, which is made if there is none."""
        columns = "".join(f", {identifier(name)} text" for name in first_row(self.path))
        return int(
            self._psql(
                "SET client_min_messages = warning;"
                f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}; GRANT USAGE ON SCHEMA {SCHEMA} TO reader;"
                f"CREATE TABLE IF NOT EXISTS {self._table} (id bigint PRIMARY KEY{columns});"
                f"GRANT SELECT ON {self._table} TO reader;"
                f"SELECT count(*) FROM {self._table};"
            )
        )

    def add(self, first: int, rows: Iterable[Row]) -> None:
        """Add all rows, or none."""
        lines = StringIO()
        csv.writer(lines, lineterminator="\n").writerows(
            [number, *row.values()] for number, row in enumerate(rows, first)
        )
        self._psql(f"COPY {self._table} FROM STDIN (FORMAT csv);\n{lines.getvalue()}\\.\n")

    @property
    def _table(self) -> str:
        return f"{identifier(SCHEMA)}.{identifier(self.sample_name)}"

    def _psql(self, script: str) -> str:
        """Run a script as the superuser, in one transaction; return its output.

        Raises:
            ServiceError: it failed.
        """
        command, environment = runner(self.config).postgres_program(self.config, *PSQL)
        done = subprocess.run(  # noqa: S603 – a program of ours
            command, env=environment, input=script, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ServiceError(f"{self.place} cannot be filled: {done.stderr.strip()}")
        return done.stdout
