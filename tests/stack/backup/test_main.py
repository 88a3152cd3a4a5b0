"""The commands `make` and `restore`: folders, settings, exit codes."""

import re
import signal

import pytest

from stack.backup import __main__ as main
from stack.backup import restore
from stack.errors import BackupError


@pytest.fixture(autouse=True)
def _signals():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def run(config, platform, buckets, capsys, monkeypatch):
    """Run a command on a platform without servers; return its exit code and its output."""
    monkeypatch.setenv("ENV_FILE", str(config.env_file))
    monkeypatch.setattr(restore, "_check_models", lambda config, log_progress: None)
    platform("postgres", "objects")

    def command(*arguments):
        return main.main([str(argument) for argument in arguments]), capsys.readouterr().out

    return command


def test_a_backup_goes_to_the_named_folder(run, tmp_path):
    code, output = run("make", "--to", tmp_path / "b")
    assert code == 0
    assert (tmp_path / "b" / "manifest.json").exists()
    assert re.search(rf"Backup {tmp_path}/b: 0\.\d MB, \d+ s\. It contains all secrets", output)


def test_by_default_the_folder_has_the_time_as_its_name(run, tmp_path, monkeypatch):
    monkeypatch.setattr(main, "ROOT", tmp_path)
    assert run("make")[0] == 0
    (folder,) = (tmp_path / "backups").iterdir()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d{6}Z", folder.name)


def test_an_existing_folder_is_refused(run, tmp_path):
    (tmp_path / "b").mkdir()
    code, output = run("make", "--to", tmp_path / "b")
    assert code == 1
    assert output == f"{tmp_path / 'b'} exists already, and a backup is never overwritten.\n"


def test_a_restore_names_the_backup_and_its_time(run, tmp_path):
    run("make", "--to", tmp_path / "b")
    code, output = run("restore", tmp_path / "b", "--replace")
    assert code == 0
    assert re.search(rf"Restored {tmp_path}/b, made \d{{4}}-\d\d-\d\d \d\d:\d\d UTC, \d+ s\.", output)
    assert "settings:" not in output


def test_a_new_machine_gets_the_settings_of_the_backup(run, config, tmp_path):
    run("make", "--to", tmp_path / "b")
    settings = config.env_file.read_bytes()
    config.env_file.unlink()
    code, output = run("restore", tmp_path / "b")
    assert code == 0
    assert f"settings: {config.env_file}, from the backup" in output
    assert config.env_file.read_bytes() == settings
    assert config.env_file.stat().st_mode & 0o777 == 0o600


def test_a_damaged_backup_is_refused_before_settings_are_written(run, config, tmp_path):
    run("make", "--to", tmp_path / "b")
    (tmp_path / "b" / "feast.dump").write_text("changed")
    config.env_file.unlink()
    code, output = run("restore", tmp_path / "b")
    assert code == 1
    assert "missing or changed: feast.dump" in output
    assert not config.env_file.exists()


@pytest.mark.parametrize(
    ("error", "code"), [(BackupError("no [room]"), 1), (OSError("no disk"), 1), (KeyboardInterrupt, 130)]
)
def test_each_end_has_its_exit_code(run, tmp_path, monkeypatch, error, code):
    def fail(*_):
        raise error

    monkeypatch.setattr(main, "make_backup", fail)
    ended, output = run("make", "--to", tmp_path / "b")
    assert ended == code
    assert ("Interrupted." if code == 130 else str(error)) in output
