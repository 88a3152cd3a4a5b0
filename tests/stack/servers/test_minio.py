"""MinIO: its programs, its settings, and the secrets of its two processes."""

import shutil
import stat

import pytest

from stack.errors import StackError
from stack.servers import minio


@pytest.mark.parametrize("missing", ["minio", "mc"])
def test_without_its_programs_the_error_names_what_to_install(with_minio, missing, monkeypatch):
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == missing else which(name))
    with pytest.raises(StackError, match=r"minio and mc on the PATH.*go install github.com/minio/minio@latest"):
        minio.server(with_minio).prepare()


def test_minio_and_its_setup_have_only_the_secrets_that_they_need(with_minio):
    server = minio.server(with_minio)
    secrets = {name: value.get_secret_value() for name, value in with_minio if hasattr(value, "get_secret_value")}

    def secrets_in(words):
        return {name for name, secret in secrets.items() if secret in " ".join(words)}

    users = {"s3_secret_key", "mlflow_s3_secret_key", "logs_s3_secret_key", "console_password"}
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


def test_a_machine_without_minio_has_no_version(monkeypatch, with_minio):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert minio.server(with_minio).version == "MinIO (not installed)"
