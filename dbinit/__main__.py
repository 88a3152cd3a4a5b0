"""`python -m dbinit`: bring the Postgres server at DBINIT_URI up to date. Idempotent.

Environment: DBINIT_URI (the superuser's address, any database) and AIRFLOW_DB_PASSWORD, MLFLOW_DB_PASSWORD,
FEAST_DB_PASSWORD, PLATFORM_DB_PASSWORD, READER_DB_PASSWORD, SERVING_DB_PASSWORD, ALERTS_DB_PASSWORD,
METRICS_DB_PASSWORD.
"""

import os
from pathlib import Path
from typing import Any

import psycopg2
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from psycopg2.extensions import encrypt_password
from psycopg2.sql import SQL, Identifier, Literal

HERE = Path(__file__).parent
ROLES = ("airflow", "mlflow", "feast", "platform", "reader", "serving", "alerts", "metrics")


def main() -> None:
    """Migrate the server (roles, databases), then the database `platform`; set the passwords."""
    address = sa.make_url(os.environ["DBINIT_URI"])
    passwords = {role: os.environ[f"{role.upper()}_DB_PASSWORD"] for role in ROLES}
    migrate("cluster", address.set(database="postgres"))
    set_passwords(address.set(database="postgres"), passwords)
    migrate("platform", address.set(database="platform"))


def migrate(line: str, address: sa.URL, revision: str = "head") -> None:
    """Run one line of migrations up to a revision; a lock lets one `dbinit` run at a time."""
    engine = sa.create_engine(address, poolclass=sa.pool.NullPool)
    with engine.connect() as lock, engine.connect() as connection:
        lock.execute(sa.text("SELECT pg_advisory_lock(hashtext('dbinit'))"))
        config = Config()
        config.set_main_option("script_location", str(HERE))
        config.set_main_option("version_locations", str(HERE / line))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def set_passwords(address: sa.URL, passwords: dict[str, str]) -> None:
    """Set the password of each role; only SCRAM verifiers are sent, so no log can show a password."""
    connection: Any = psycopg2.connect(address.set(drivername="postgresql").render_as_string(hide_password=False))
    with connection, connection.cursor() as cursor:
        for role, password in passwords.items():
            verifier = encrypt_password(password, role, cursor, "scram-sha-256")
            cursor.execute(SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(role), Literal(verifier)))
    connection.close()


if __name__ == "__main__":
    main()
