"""Backups that failed, or are too old."""

from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.doctor import backups
from stack.backup.manifest import MANIFEST
from stack.servers.backup_schedule import State, write_state


@pytest.fixture
def scheduled(config, tmp_path):
    """Return a function that makes a backup of this age; backups are made each day."""
    (tmp_path / "platform.yaml").write_text(f"backup: {{every: 1d, to: {tmp_path}}}\n")

    def make(age=None):
        if age:
            folder = tmp_path / f"scheduled-{datetime.now(UTC) - age:%Y-%m-%dT%H%M%SZ}"
            folder.mkdir()
            (folder / MANIFEST).touch()
        return config.model_copy(update={"datasets_dir": tmp_path})

    return make


def test_without_a_schedule_there_is_nothing_to_say(config):
    assert list(backups.late_backups(config)) == []


def test_a_young_backup_is_fine_and_an_old_one_is_not(scheduled):
    (problem,) = backups.late_backups(scheduled(timedelta(hours=49)))
    assert problem.startswith("the newest backup in ")
    assert list(backups.late_backups(scheduled(timedelta(hours=47)))) == []


def test_the_first_backup_is_missed_unless_it_is_being_made(scheduled):
    assert [text.endswith(" yet") for text in backups.late_backups(scheduled())] == [True]
    write_state(scheduled(), State(is_running=True))
    assert list(backups.late_backups(scheduled())) == []


def test_a_failure_is_named(scheduled):
    config = scheduled(timedelta(hours=1))
    write_state(config, State(problem="no space"))
    assert list(backups.late_backups(config)) == ["the last backup failed: no space"]
