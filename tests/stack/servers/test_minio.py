"""MinIO: its programs, its settings, and the secrets of its two processes."""

import stat
from pathlib import Path

import pytest

from stack.errors import StackError
from stack.servers import minio
from stack.servers.node import decide_environment, find_program


@pytest.mark.parametrize("missing", ["minio", "mc"])
def test_without_its_programs_the_error_names_what_to_install(with_minio, missing):
    Path(find_program(with_minio, missing)).unlink()
    with pytest.raises(StackError, match=r"minio and mc on the PATH.*go install github.com/minio/minio@latest"):
        minio.server(with_minio).check()


def test_another_shell_with_a_shorter_path_changes_nothing(with_minio, monkeypatch):
    with_minio.state_dir.mkdir()
    decide_environment(with_minio)
    before = minio.server(with_minio)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    after = minio.server(with_minio)
    after.check()
    assert (after.command, after.environment, after.version) == (before.command, before.environment, before.version)


def test_minio_and_its_setup_have_only_the_secrets_that_they_need(with_minio):
    server = minio.server(with_minio)
    secrets = {name: value.get_secret_value() for name, value in with_minio if hasattr(value, "get_secret_value")}

    def secrets_in(words):
        return {name for name, secret in secrets.items() if secret in " ".join(words)}

    users = {"s3_secret_key", "mlflow_s3_secret_key", "logs_s3_secret_key", "files_s3_secret_key", "console_password"}
    assert secrets_in(server.environment.values()) == {"s3_admin_secret_key"}
    assert secrets_in(server.setup.environment.values()) == {"s3_admin_secret_key"} | users
    assert secrets_in(server.command) == secrets_in(server.setup.command) == set()


def test_minio_listens_on_this_machine_only(with_minio):
    command = minio.server(with_minio).command
    assert f"127.0.0.1:{with_minio.s3_port}" in command
    assert f"127.0.0.1:{with_minio.console_port}" in command


def test_the_data_folder_is_closed_to_other_users(with_minio):
    server = minio.server(with_minio)
    server.prepare()
    assert server.directory == with_minio.state_dir / "minio"
    assert stat.S_IMODE(server.directory.stat().st_mode) == 0o700


def test_buckets_and_users_are_made_at_each_start(with_minio):
    setup = minio.server(with_minio).setup
    assert setup.command == ("sh", str(minio.FOLDER / "setup.sh"))
    assert not setup.is_done()


def test_a_machine_without_minio_has_no_version(with_minio):
    Path(find_program(with_minio, "minio")).unlink()
    assert minio.server(with_minio).version == "MinIO (not installed)"
