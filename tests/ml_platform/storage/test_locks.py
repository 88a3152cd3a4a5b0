"""The lock of a model's aliases, on a real Postgres: one holder at a time, released whatever happens."""

import psycopg2
import pytest

from ml_platform.storage import locks
from ml_platform.storage.database import fetch
from ml_platform.storage.locks import promotion_lock
from tests.ml_platform.ingestion.upload_cases import new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


@pytest.fixture
def name() -> str:
    return new_name()


def end_connections_of(name: str) -> int:
    """End the connections that hold the lock, as a crash of their process does; return their number."""
    statement = (
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks"
        " WHERE locktype = 'advisory' AND granted AND objid::bigint = hashtext($1)::bigint & 4294967295"
    )
    return len(fetch(statement, f"promote:{name}"))


def test_a_lock_has_one_holder(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "TIMEOUT", "1ms")
    with promotion_lock(name), pytest.raises(psycopg2.errors.LockNotAvailable), promotion_lock(name):
        pass


def test_locks_of_other_models_are_free(name: str) -> None:
    with promotion_lock(name), promotion_lock(new_name()) as check:
        check()


def test_a_lock_is_free_again_after_the_block_and_after_an_error(name: str) -> None:
    with promotion_lock(name) as check:
        check()
    with pytest.raises(ZeroDivisionError), promotion_lock(name):
        raise ZeroDivisionError
    with promotion_lock(name) as check:
        check()


def test_a_lost_connection_is_noticed_and_frees_the_lock(name: str) -> None:
    with promotion_lock(name) as check:
        check()
        assert end_connections_of(name) == 1
        with pytest.raises(psycopg2.OperationalError):
            check()
        with promotion_lock(name) as second_check:
            second_check()
