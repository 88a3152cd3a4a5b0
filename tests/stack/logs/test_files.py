"""The files of a server: rotated ones first, and lines without a time."""

import os
from datetime import UTC, datetime, timedelta

from stack.logs import files

LAST = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)


def test_rotated_files_come_first_the_oldest_before_the_others(tmp_path):
    for name in ("a.log", "a.log.1", "a.log.2", "a.log.10", "a.log.gz", "ab.log"):
        (tmp_path / name).write_text(f"{name}\n\n")
    assert [entry.text for entry in files.entries(tmp_path, "a")] == ["a.log.10", "a.log.2", "a.log.1", "a.log"]
    assert files.names(tmp_path) == ["a", "ab"]


def test_a_file_that_was_not_written_to_since_is_not_read(tmp_path):
    (tmp_path / "a.log").write_text("new\n")
    (tmp_path / "a.log.1").write_text("old\n")
    os.utime(tmp_path / "a.log.1", (0, 0))
    since = datetime.now(UTC) - timedelta(hours=1)
    assert [entry.text for entry in files.entries(tmp_path, "a", since)] == ["new"]


def test_a_line_without_a_time_has_that_of_the_line_before_it():
    lines = ["banner\n", "2026-11-30T05:00:00Z one\n", "more\n", "2026-11-30T05:01:00Z two\n"]
    times = [(entry.text, entry.time.minute) for entry in files.dated("a", lines, LAST)]
    assert times == [("banner", 0), ("one", 0), ("more", 0), ("two", 1)]
    assert [entry.time for entry in files.dated("a", ["banner\n"], LAST)] == [LAST]


def test_files_are_removed_that_nothing_was_written_to_for_long(tmp_path):
    now = datetime.now(UTC)
    for name, days in (("a.log", 0), ("a.log.1", 89), ("a.log.2", 91), ("kafka.log", 91), ("other", 91)):
        (tmp_path / name).touch()
        time = (now - timedelta(days=days)).timestamp()
        os.utime(tmp_path / name, (time, time))
    assert files.remove_old(tmp_path, timedelta(days=90), now) == ["a.log.2", "kafka.log"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log", "a.log.1", "other"]


def test_the_last_lines_of_the_current_file(tmp_path):
    (tmp_path / "a.log.1").write_text("old\n")
    (tmp_path / "a.log").write_text("one\ntwo\nthree\n")
    assert [entry.text for entry in files.last_entries(tmp_path, "a", 2)] == ["two", "three"]
