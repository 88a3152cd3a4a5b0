"""Which S3 server runs, and what it is told; nothing is started here."""

import shutil

import pytest

from stack import access
from stack.config import load
from stack.errors import ConfigError, StackError
from stack.servers import minio, objects


@pytest.fixture
def with_minio(tmp_path, monkeypatch, config):
    """Settings that choose MinIO, on a machine that has its programs."""
    for name in ("minio", "mc"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text("#!/bin/sh\necho minio version RELEASE.2025-09-07T16-13-09Z '(commit-id=07c3a429)'\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("S3_SERVER", "minio")
    minio._version.cache_clear()
    yield load(config.env_file)
    minio._version.cache_clear()


def test_seaweedfs_is_what_a_first_start_runs(config):
    assert objects.server(config).version.startswith("SeaweedFS ")


def test_the_environment_chooses_minio(with_minio, tmp_path):
    server = objects.server(with_minio)
    assert server.version == "MinIO RELEASE.2025-09-07T16-13-09Z"
    assert server.command[:2] == (str(tmp_path / "bin" / "minio"), "server")
    assert server.ports == {"S3_PORT": 9000, "CONSOLE_PORT": 9001}


def test_another_server_is_refused(config, monkeypatch):
    monkeypatch.setenv("S3_SERVER", "garage")
    with pytest.raises(ConfigError, match="S3_SERVER: Input should be 'seaweedfs' or 'minio'"):
        load(config.env_file)


@pytest.mark.parametrize("missing", ["minio", "mc"])
def test_minio_without_its_programs_says_what_to_install(with_minio, missing, monkeypatch):
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == missing else which(name))
    with pytest.raises(StackError, match=r"minio and mc on the PATH.*go install github.com/minio/minio@latest"):
        objects.server(with_minio).prepare()


def test_minio_and_its_setup_know_only_what_they_need(with_minio):
    server = objects.server(with_minio)
    secrets = {name: value.get_secret_value() for name, value in with_minio if hasattr(value, "get_secret_value")}

    def told(words):
        return {name for name, secret in secrets.items() if secret in " ".join(words)}

    users = {"s3_secret_key", "mlflow_s3_secret_key", "console_password"}
    assert told(server.environment.values()) == {"s3_admin_secret_key"}
    assert told(server.setup.environment.values()) == {"s3_admin_secret_key"} | users
    assert told(server.command) == told(server.setup.command) == set()


@pytest.mark.parametrize("variable", ["CONSOLE_PASSWORD", "MLFLOW_S3_SECRET_KEY", "S3_ACCESS_KEY"])
def test_a_changed_key_starts_the_server_anew(config, variable):
    before = objects.server(config).environment
    config.env_file.write_text(f"{config.env_file.read_text()}\n{variable}=another-one\n")
    assert objects.server(load(config.env_file)).environment != before


def test_a_changed_policy_starts_the_server_anew(config, tmp_path, monkeypatch):
    before = objects.server(config).environment
    assert objects.server(config).environment == before
    monkeypatch.setattr(objects, "FOLDER", shutil.copytree(access.FOLDER, tmp_path / "minio"))
    assert objects.server(config).environment == before
    (tmp_path / "minio" / "policies" / "mlflow.json").write_text("{}")
    assert objects.server(config).environment != before
