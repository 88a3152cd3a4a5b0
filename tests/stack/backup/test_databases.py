"""Dumps and queries, by programs of Postgres that are scripts here."""

import tempfile

import pytest

from stack.backup import databases
from stack.errors import BackupError

ENDS_AT_ONCE = "echo 'FATAL: no such database' >&2; exit 2"


def test_rows_are_json_values(config, platform):
    platform(script="cat; echo; echo '[\"features.auto\", 3]'; echo; echo null")
    assert databases.query(config, "platform", '"the script"') == ["the script", ["features.auto", 3], None]


def test_the_rows_of_the_tables_are_counted(config, platform):
    platform()
    assert databases.count_rows(config) == {"features.auto": 8161}


def test_a_program_that_fails_is_named_with_its_error_output(config, platform):
    platform(script=ENDS_AT_ONCE)
    with pytest.raises(BackupError, match=r"`psql .* platform` failed:\nFATAL: no such database$"):
        databases.count_rows(config)


def test_a_dump_comes_with_the_rows_of_its_snapshot(config, platform):
    platform()
    with tempfile.TemporaryFile() as file:
        assert databases.dump(config, "platform", file) == {"features.auto": 8161}
        file.seek(0)
        assert file.read() == b"dump of platform\n"


def test_pg_dump_reads_the_snapshot_in_which_the_rows_were_counted(config, platform):
    platform(script='if [ "$1" = pg_dump ]; then echo "$*"; else echo \'"snap-1"\'; echo null; cat; fi')
    with tempfile.TemporaryFile() as file:
        databases.dump(config, "feast", file)
        file.seek(0)
        assert file.read().decode().split() == ["pg_dump", "--format=custom", "--snapshot=snap-1", "feast"]


def test_a_session_that_ends_before_its_snapshot_is_an_error(config, platform):
    platform(script=ENDS_AT_ONCE)
    with tempfile.TemporaryFile() as file, pytest.raises(BackupError, match="FATAL: no such database"):
        databases.dump(config, "platform", file)


def test_a_restore_reads_the_dump(config, platform, tmp_path):
    made = platform()
    (tmp_path / "dump").write_bytes(b"dump of feast\n")
    with (tmp_path / "dump").open("rb") as file:
        databases.restore(config, "feast", file)
    assert (made.restored / "feast").read_bytes() == b"dump of feast\n"


def test_a_restore_that_fails_is_an_error(config, platform, tmp_path):
    platform(script='[ "$1" = psql ] || { echo "input file is too short" >&2; exit 1; }')
    (tmp_path / "dump").write_bytes(b"")
    with (tmp_path / "dump").open("rb") as file, pytest.raises(BackupError, match=r"pg_restore .*\n.*too short"):
        databases.restore(config, "feast", file)


@pytest.mark.parametrize(("dumped_by", "accepted"), [("17.2", True), ("18.9", True), ("19.0", False), ("", True)])
def test_a_dump_of_a_newer_major_version_is_refused(config, platform, dumped_by, accepted):
    platform()
    if accepted:
        databases.check_version(config, dumped_by)
        return
    with pytest.raises(BackupError, match=r"comes from Postgres 19\.0, which Postgres 18\.6 cannot read"):
        databases.check_version(config, dumped_by)


def test_error_output_that_is_no_utf_8_is_shown(config, platform):
    platform(script="printf 'caf\\351' >&2; exit 1")
    with pytest.raises(BackupError, match="caf�"):
        databases.query(config, "platform", "")


def test_a_query_needs_no_file_from_its_caller(config, platform):
    platform(script="cat >/dev/null")
    assert databases.query(config, "platform", "SELECT 1 WHERE false") == []
