"""What the types of MySQL's columns say."""

from datetime import UTC, datetime
from types import SimpleNamespace

from ml_platform.sources.sql_mysql import Columns, release_result


def test_instants_get_the_offset_of_the_session() -> None:
    naive = datetime(2026, 1, 2)
    values = [naive, naive, None, "0000-00-00 00:00:00"]
    Columns(instants=(1, 2, 3)).complete(values)
    assert values == [naive, datetime(2026, 1, 2, tzinfo=UTC), None, "0000-00-00 00:00:00"]


def test_people_are_told_of_floats() -> None:
    assert Columns().notes(["a"]) == []
    assert Columns(floats=(0, 2)).notes(["a", "b", "c"]) == [
        "the server writes six digits of a, c; for all digits cast FLOAT to DOUBLE in a `query`"
    ]


def test_a_lost_connection_reads_no_further() -> None:
    connection = SimpleNamespace(_result=SimpleNamespace(unbuffered_active=True))
    release_result(connection, None, None)
    assert not connection._result.unbuffered_active
    release_result(SimpleNamespace(_result=None))
