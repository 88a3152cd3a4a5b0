"""Faults that are made for real."""

import psycopg2
import pytest

from tests.stack.conftest import config  # noqa: F401 – a fixture


@pytest.fixture
def superuser(servers):
    """Return a function that runs a statement in `platform` as the superuser."""

    def run(sql):
        connection = psycopg2.connect(servers.database_uri("postgres", "platform"))
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
        connection.close()

    return run
