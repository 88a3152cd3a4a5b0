"""A machine that has MinIO's programs, and one on which Kafka is asked for."""

import pytest


@pytest.fixture
def with_minio(tmp_path, monkeypatch, config):
    """Settings that choose MinIO, on a machine that has its programs."""
    from stack.config import load
    from stack.servers import minio

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


@pytest.fixture
def with_kafka(config, monkeypatch):
    """Settings that ask for the broker."""
    from stack.config import load

    monkeypatch.setenv("KAFKA", "1")
    return load(config.env_file)
