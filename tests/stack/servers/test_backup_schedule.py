"""The schedule of backups, as `stack` reads it; and the server, which runs only where there is one."""

from datetime import timedelta
from pathlib import Path

import pytest

from stack.config import ROOT
from stack.servers import backup_schedule
from stack.servers.backup_schedule import Schedule, State, read, read_state, write_state
from stack.servers.inventory import all_nodes, optional


@pytest.fixture
def with_options(config, tmp_path):
    """Return a function that writes `datasets/platform.yaml`, and returns the settings."""

    def write(text):
        (tmp_path / "platform.yaml").write_text(text)
        return config.model_copy(update={"datasets_dir": tmp_path})

    return write


def test_without_a_schedule_there_is_no_server(config, with_options):
    for settings in (config, with_options("kind: platform\n"), with_options("kind: platform\nbackup: null\n")):
        assert read(settings) is None
        assert backup_schedule.NAME not in all_nodes(settings)
        assert optional(settings)[backup_schedule.NAME] == backup_schedule.NOT_WANTED


def test_the_defaults_are_those_of_the_spec(with_options):
    assert read(with_options("backup: {}")) == Schedule(timedelta(days=1), 7, ROOT / "backups")
    given = read(with_options("backup: {every: 6h, keep: 2, to: /mnt/b}"))
    assert given == Schedule(timedelta(hours=6), 2, Path("/mnt/b"))


@pytest.mark.parametrize("text", ["[", "- backup", "backup: daily", "backup: {every: often}", "backup: {keep: 0}"])
def test_what_is_not_valid_is_no_schedule(with_options, text):
    assert read(with_options(text)) is None


def test_the_server_has_the_settings_and_no_secret(with_options):
    config = with_options("backup: {every: 1d}")
    server = all_nodes(config)[backup_schedule.NAME]
    text = " ".join([*server.environment.values(), *server.command])
    fields = (value for _, value in config if hasattr(value, "get_secret_value"))
    assert not [value for value in fields if value.get_secret_value() in text]
    assert server.environment["ENV_FILE"] == str(config.env_file)
    assert server.environment["S3_PORT"] == str(config.s3_port)
    assert (server.probe(), server.version) == (None, "")


def test_a_failure_is_shown_and_does_not_keep_the_platform_from_starting(with_options):
    config = with_options("backup: {}")
    write_state(config, State(began=1.0, problem="the disk is full"))
    assert read_state(config) == State(began=1.0, problem="the disk is full")
    server = backup_schedule.server(config)
    assert (server.probe(), server.version) == (None, "the last one failed")
