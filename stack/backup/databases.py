"""The databases: dumps and queries by Postgres's own programs, wherever the platform runs."""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, Literal, cast, get_args

from stack.config import Config
from stack.errors import BackupError
from stack.target import runner

Database = Literal["airflow", "mlflow", "feast", "platform"]
DATABASES: tuple[Database, ...] = get_args(Database)
PSQL = ("psql", "-XqtA", "--set=ON_ERROR_STOP=1", "--dbname")
BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT to_json(pg_export_snapshot());"
COUNT_ROWS = r"""
SELECT format('SELECT json_build_array(%L, count(*)) FROM %I.%I', schemaname || '.' || tablename, schemaname, tablename)
FROM pg_tables WHERE schemaname IN ('uploads', 'features', 'labels', 'models', 'predictions') ORDER BY 1 \gexec"""
# dbinit may have made schemas that are newer than a dump, and pg_restore removes only those in the dump.
DROP_SCHEMAS = r"""
SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace
WHERE nspname NOT LIKE 'pg\_%' AND nspname NOT IN ('information_schema', 'public') \gexec"""


def dump(config: Config, database: Database, file: IO[bytes]) -> dict[str, int]:
    """Write a database to a file, as of one moment; return the result of `count_rows` at that moment."""
    with _snapshot(config, database) as (name, rows):
        _run(config, "pg_dump", "--format=custom", f"--snapshot={name}", database, stdout=file)
    return rows


def restore(config: Config, database: Database, file: IO[bytes]) -> None:
    """Restore a dump, in one transaction, into a database that dbinit has just made; the roles exist already."""
    query(config, database, DROP_SCHEMAS)
    _run(config, "pg_restore", "--clean", "--if-exists", "--single-transaction", "--dbname", database, stdin=file)


def count_rows(config: Config) -> dict[str, int]:
    """Count the rows of every table of uploads, features, labels, models and predictions."""
    return dict(query(config, "platform", COUNT_ROWS))


def server_version(config: Config) -> str:
    """Return Postgres's version, such as 18.6."""
    (version,) = query(config, "postgres", "SELECT to_json(current_setting('server_version'))")
    return str(version)


def check_version(config: Config, dumped_by: str) -> None:
    """Raise BackupError if the server is too old for a dump."""
    version = server_version(config)
    if _major(version) < _major(dumped_by):
        raise BackupError(f"The backup comes from Postgres {dumped_by}, which Postgres {version} cannot read.")


def query(config: Config, database: str, script: str) -> list[Any]:
    """Run a script in psql as the superuser; return its rows, each of them one JSON value."""
    with tempfile.TemporaryFile() as file:
        file.write(script.encode())
        file.seek(0)
        answer = _run(config, *PSQL, database, stdin=file)
    return [json.loads(line) for line in answer.split("\n") if line]


@contextmanager
def _snapshot(config: Config, database: Database) -> Iterator[tuple[str, dict[str, int]]]:
    """Hold a snapshot of a database; yield its name, with which other sessions see the same, and the rows in it."""
    command, environment = runner(config).postgres_program(config, *PSQL, database)
    pipe, answers = subprocess.PIPE, list[Any]()
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, env=environment, bufsize=0, stdin=pipe, stdout=pipe, stderr=errors) as psql,
    ):
        with suppress(BrokenPipeError):  # psql has ended; its error output has the reason
            cast("IO[bytes]", psql.stdin).write(f"{BEGIN}\n{COUNT_ROWS}\nSELECT json 'null';\n".encode())
        for line in cast("IO[bytes]", psql.stdout):
            if line == b"null\n":
                break
            answers.append(json.loads(line))
        else:
            errors.seek(0)
            raise _failed(*PSQL, database, error_output=errors.read())
        yield answers[0], dict(answers[1:])


def _run(
    config: Config, program: str, *arguments: str, stdin: IO[bytes] | None = None, stdout: IO[bytes] | None = None
) -> str:
    """Run one of Postgres's programs; return its output, unless that goes to the file `stdout`.

    Raises:
        BackupError: it failed; the text has its error output.
    """
    command, environment = runner(config).postgres_program(config, program, *arguments)
    done = subprocess.run(
        command,
        env=environment,
        stdin=stdin or subprocess.DEVNULL,
        stdout=stdout or subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise _failed(program, *arguments, error_output=done.stderr)
    return "" if stdout else done.stdout.decode()


def _failed(*command: str, error_output: bytes) -> BackupError:
    return BackupError(f"`{' '.join(command)}` failed:\n{error_output.decode(errors='replace').strip()}")


def _major(version: str) -> int:
    match = re.match(r"\d+", version)
    return int(match[0]) if match else 0
