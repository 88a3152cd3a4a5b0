"""The S3 server: SeaweedFS from a wheel, or MinIO where it is installed; `minio/` has the buckets and the rights."""

import hmac
from collections.abc import Callable
from dataclasses import replace

from stack.access import FOLDER
from stack.config import Config
from stack.servers import minio, seaweedfs
from stack.servers.node import Server

SERVERS: dict[str, Callable[[Config], Server]] = {"seaweedfs": seaweedfs.server, "minio": minio.server}


def server(config: Config) -> Server:
    """Describe the server that S3_SERVER names; it starts again after a change of buckets, rights or keys."""
    base = SERVERS[config.s3_server](config)
    return replace(base, environment={**base.environment, "ML_PLATFORM_ACCESS": _digest(config)})


def _digest(config: Config) -> str:
    """Return a digest of the settings that the server reads at its start and that its options do not show."""
    files = [FOLDER / "buckets", FOLDER / "setup.sh", *sorted((FOLDER / "policies").glob("*.json"))]
    logins = (
        (config.s3_admin_access_key, config.s3_admin_secret_key),
        (config.s3_access_key, config.s3_secret_key),
        (config.mlflow_s3_access_key, config.mlflow_s3_secret_key),
        (config.logs_s3_access_key, config.logs_s3_secret_key),
        (config.files_s3_access_key, config.files_s3_secret_key),
        (config.console_user, config.console_password),
    )
    settings = [*(file.read_text() for file in files), *((name, key.get_secret_value()) for name, key in logins)]
    return hmac.digest(config.objects_signing_key.get_secret_value().encode(), repr(settings).encode(), "sha256").hex()
