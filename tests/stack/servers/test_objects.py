"""The choice of the S3 server, and its restart after a change of access; nothing is started here."""

import shutil

import pytest

from stack import access
from stack.config import load
from stack.errors import ConfigError
from stack.servers import objects


def test_a_first_start_runs_seaweedfs(config):
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


@pytest.mark.parametrize("variable", ["CONSOLE_PASSWORD", "LOGS_S3_SECRET_KEY", "S3_ACCESS_KEY"])
def test_a_changed_key_starts_the_server_again(config, variable):
    before = objects.server(config).environment
    config.env_file.write_text(f"{config.env_file.read_text()}\n{variable}=another-one\n")
    assert objects.server(load(config.env_file)).environment != before


def test_a_changed_policy_starts_the_server_again(config, tmp_path, monkeypatch):
    before = objects.server(config).environment
    assert objects.server(config).environment == before
    monkeypatch.setattr(objects, "FOLDER", shutil.copytree(access.FOLDER, tmp_path / "minio"))
    assert objects.server(config).environment == before
    (tmp_path / "minio" / "policies" / "mlflow.json").write_text("{}")
    assert objects.server(config).environment != before
