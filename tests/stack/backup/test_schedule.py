"""Backups by schedule: when one is due, which are removed, and what a failed or killed one leaves."""

from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest

from stack.backup import schedule
from stack.backup.manifest import MANIFEST
from stack.errors import BackupError
from stack.servers.backup_schedule import PIPELINES, Schedule, State, read_state, write_state

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def plan(tmp_path):
    """A backup each day, of which two are kept; it comes with one that a person has made."""
    (tmp_path / "b" / "by-hand").mkdir(parents=True)
    return Schedule(timedelta(days=1), 2, tmp_path / "b")


@pytest.fixture
def backups(monkeypatch):
    """Let a backup be a folder with an empty manifest; `backups.error` is raised instead."""
    made = Mock(error=None)

    def make(config, folder, log):
        if made.error:
            raise made.error
        folder.mkdir()
        (folder / MANIFEST).touch()

    monkeypatch.setattr(schedule, "make_backup", make)
    return made


def names(plan):
    return sorted(path.name for path in plan.folder.iterdir())


def test_the_oldest_are_removed_after_a_new_one_and_others_stay(config, plan, backups):
    for day in range(3):
        assert schedule.is_due(plan, read_state(config), NOW + timedelta(days=day))
        schedule.back_up(config, plan, NOW + timedelta(days=day))
        assert not schedule.is_due(plan, read_state(config), NOW + timedelta(days=day, hours=23))
    assert names(plan) == ["by-hand", "scheduled-2026-12-01T120000Z", "scheduled-2026-12-02T120000Z"]
    assert schedule.made_at(schedule.complete(plan.folder)[-1]) == NOW + timedelta(days=2)


def test_a_failed_one_removes_nothing_and_is_tried_again_an_hour_later(config, plan, backups):
    for day in range(2):
        schedule.back_up(config, plan, NOW + timedelta(days=day))
    before, later = names(plan), NOW + timedelta(days=2)
    backups.error = BackupError("no space")
    with pytest.raises(BackupError):
        schedule.back_up(config, plan, later)
    assert names(plan) == before
    assert read_state(config) == State(began=later.timestamp(), problem="no space")
    assert not schedule.is_due(plan, read_state(config), later + timedelta(minutes=59))
    assert schedule.is_due(plan, read_state(config), later + timedelta(minutes=60))


def test_what_a_killed_one_left_is_put_right(config, plan, monkeypatch):
    target = Mock(running=Mock(return_value={PIPELINES[0]}))
    monkeypatch.setattr(schedule, "runner", lambda config: target)
    schedule.recover(config, plan)
    assert not target.resume.called
    (plan.folder / ".scheduled-2026-11-30T120000Z.x1").mkdir()
    write_state(config, State(began=NOW.timestamp(), is_running=True))
    schedule.recover(config, plan)
    target.resume.assert_called_once_with(config, list(PIPELINES[1:]))
    assert names(plan) == ["by-hand"]
    assert read_state(config) == State(problem="it was interrupted")
    assert schedule.is_due(plan, read_state(config), NOW)


def test_cron_gets_an_exit_code(config, plan, backups, monkeypatch, capsys):
    target = Mock(is_in_use=Mock(return_value=True))
    monkeypatch.setattr(schedule, "runner", lambda config: target)
    monkeypatch.setattr(schedule, "load", lambda: config)
    monkeypatch.setattr(schedule, "read", lambda config: None)
    assert schedule.main(["--once"]) == 0
    monkeypatch.setattr(schedule, "read", lambda config: plan)
    assert schedule.main(["--once"]) == 0
    assert schedule.complete(plan.folder) == []  # `make up` runs
    target.is_in_use.return_value = False
    assert (schedule.main(["--once"]), schedule.main(["--once"])) == (0, 0)
    assert len(schedule.complete(plan.folder)) == 1
    backups.error = BackupError("no space")
    monkeypatch.setattr(schedule, "complete", lambda folder: [])
    assert schedule.main(["--once"]) == 1
    assert "the backup failed: no space" in capsys.readouterr().out
