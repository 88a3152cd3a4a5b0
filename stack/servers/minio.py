"""MinIO as the S3 server: its programs are installed by the user; `minio/setup.sh` makes buckets and users."""

import subprocess
from functools import lru_cache
from pathlib import Path

from stack.access import FOLDER, buckets_of
from stack.config import HOST, Config
from stack.errors import StackError
from stack.servers import probes
from stack.servers.node import Server, Step, base_environment, find_program

NO_MINIO = (
    "S3_SERVER=minio needs the programs minio and mc on the PATH. Go builds them: `go install "
    "github.com/minio/minio@latest` and `go install github.com/minio/mc@latest`; S3_SERVER=seaweedfs needs neither."
)


def server(config: Config) -> Server:
    """Describe the object store."""
    home, program = config.state_dir / "minio", find_program(config, "minio")
    listen = ("--address", f"{HOST}:{config.s3_port}", "--console-address", f"{HOST}:{config.console_port}")
    return Server(
        name="objects",
        command=(program or "minio", "server", str(home / "data"), *listen),
        environment=base_environment(config)
        | {
            "HOME": str(home),
            "MINIO_ROOT_USER": config.s3_admin_access_key,
            "MINIO_ROOT_PASSWORD": config.s3_admin_secret_key.get_secret_value(),
            "MINIO_BROWSER": "on",
            "MINIO_BROWSER_LOGIN_ANIMATION": "off",
            "MINIO_UPDATE": "off",
            "MINIO_CALLHOME_ENABLE": "off",
        },
        probe=probes.every(
            probes.buckets(config.s3_url, config.s3_access_key, config.s3_secret_key, buckets_of("platform")),
            probes.http(f"http://{HOST}:{config.console_port}/login"),
        ),
        version=f"MinIO {_version(program)}",
        ports={"S3_PORT": config.s3_port, "CONSOLE_PORT": config.console_port},
        directory=home,
        timeout=60,
        check=lambda: _check(config),
        prepare=lambda: _prepare(home),
        setup=_setup(config),
    )


def _setup(config: Config) -> Step:
    root = f"{config.s3_admin_access_key}:{config.s3_admin_secret_key.get_secret_value()}"
    return Step(
        name="objects-setup",
        command=("sh", str(FOLDER / "setup.sh")),
        environment=base_environment(config)
        | {
            "MC_HOST_store": f"http://{root}@{HOST}:{config.s3_port}",
            "S3_ACCESS_KEY": config.s3_access_key,
            "S3_SECRET_KEY": config.s3_secret_key.get_secret_value(),
            "MLFLOW_S3_ACCESS_KEY": config.mlflow_s3_access_key,
            "MLFLOW_S3_SECRET_KEY": config.mlflow_s3_secret_key.get_secret_value(),
            "LOGS_S3_ACCESS_KEY": config.logs_s3_access_key,
            "LOGS_S3_SECRET_KEY": config.logs_s3_secret_key.get_secret_value(),
            "FILES_S3_ACCESS_KEY": config.files_s3_access_key,
            "FILES_S3_SECRET_KEY": config.files_s3_secret_key.get_secret_value(),
            "CONSOLE_USER": config.console_user,
            "CONSOLE_PASSWORD": config.console_password.get_secret_value(),
        },
        timeout=120,
    )


def _check(config: Config) -> None:
    if not all(find_program(config, name) for name in ("minio", "mc")):
        raise StackError(NO_MINIO)


def _prepare(home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)


@lru_cache(maxsize=1)
def _version(program: str | None) -> str:
    """Return the version that the program reports; the call costs about 0.1 s."""
    if program is None:
        return "(not installed)"
    words = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()
    return words[2]  # minio version RELEASE.2025-09-07T16-13-09Z (commit-id=...)
