"""The servers behind the other screens: MLflow, Feast's UI, Adminer."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import psycopg2

from stack import health
from stack.config import HOST, ROOT, Config
from stack.servers import Server, Step, base_environment, program

ADMINER = Path("/usr/share/adminer/adminer.php")
NO_ADMINER = "install PHP with its pgsql extension and Adminer (Debian: apt-get install adminer php-cli php-pgsql)"


def mlflow(config: Config) -> Server:
    """Describe MLflow's server: runs and models in Postgres, artifacts in its own bucket."""
    hosts = ",".join(f"{host}:{config.mlflow_port}" for host in (HOST, "localhost"))
    secrets = {
        "MLFLOW_BACKEND_STORE_URI": config.database_uri("mlflow", driver="postgresql+psycopg2"),
        "MLFLOW_S3_ENDPOINT_URL": config.s3_url,
        "AWS_ACCESS_KEY_ID": config.mlflow_s3_access_key,
        "AWS_SECRET_ACCESS_KEY": config.mlflow_s3_secret_key.get_secret_value(),
        "AWS_DEFAULT_REGION": "us-east-1",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    where = ("--host", HOST, "--port", str(config.mlflow_port), "--allowed-hosts", hosts, "--workers", "1")
    return Server(
        name="mlflow",
        command=(program("mlflow"), "server", *where, "--serve-artifacts", "--artifacts-destination", "s3://mlflow"),
        environment=base_environment(config) | secrets,
        probe=health.http(f"{config.mlflow_url}/health"),
        version=version("mlflow"),
        needs=("dbinit", "objects"),
        ports={"MLFLOW_PORT": config.mlflow_port},
        directory=config.state_dir,
    )


def feast(config: Config) -> Iterator[Server | Step]:
    """Describe Feast's UI, and the step that registers what `datasets/` declares."""
    if not (ROOT / "feast_repo" / "feature_store.yaml").exists():
        return
    environment = base_environment(config) | config.feast_environment()
    yield Step(
        name="feast-apply",
        command=(program("python"), "-m", "ml_platform.feature_store.features"),
        environment=base_environment(config) | config.environment(),
        needs=("dbinit",),
        is_done=lambda: _is_applied(config),
        after=lambda: _write_stamp(config),
    )
    yield Server(
        name="feast",
        command=(
            program("feast"),
            "-c",
            str(ROOT / "feast_repo"),
            "ui",
            "--host",
            HOST,
            "--port",
            str(config.feast_port),
        ),
        environment=environment,
        probe=health.http(f"http://{HOST}:{config.feast_port}/health"),
        version=version("feast"),
        needs=("feast-apply",),
        ports={"FEAST_PORT": config.feast_port},
    )


def _is_applied(config: Config) -> bool:
    """Return whether Feast's registry holds what `datasets/` declares now; asking Feast itself costs 5 s."""
    if not _stamp(config).exists() or _stamp(config).read_text() != _definitions(config):
        return False
    try:
        return bool(health.query(config.database_uri("feast"), "SELECT 1 FROM feature_views LIMIT 1"))
    except psycopg2.Error:  # another database than the one that the stamp speaks of
        return False


def _write_stamp(config: Config) -> None:
    _stamp(config).write_text(_definitions(config))


def _stamp(config: Config) -> Path:
    return config.state_dir / "feast-applied"


def _definitions(config: Config) -> str:
    """Return a hash of all that the registry is made from."""
    library = ROOT / "plugins" / "ml_platform"
    code = (path for room in ("feature_store", "specs") for path in sorted((library / room).glob("*.py")))
    files = [*sorted(config.datasets_dir.glob("[!.]*.yaml")), *sorted((ROOT / "feast_repo").glob("*.*")), *code]
    contents = b"".join(path.name.encode() + path.read_bytes() for path in files)
    return f"{version('feast')} {hashlib.sha256(contents).hexdigest()}"


def adminer(config: Config) -> Iterator[Server]:
    """Describe Adminer, where PHP and Adminer are installed."""
    if not adminer_installed():
        return
    yield Server(
        name="adminer",
        command=("php", "-S", f"{HOST}:{config.adminer_port}", "-t", str(ADMINER.parent), str(ADMINER)),
        environment=base_environment(config),
        probe=health.http(f"http://{HOST}:{config.adminer_port}/"),
        version="of the system",
        needs=("postgres",),
        ports={"ADMINER_PORT": config.adminer_port},
        directory=config.state_dir,
    )


def adminer_installed() -> bool:
    """Return whether this machine can run Adminer."""
    if not shutil.which("php") or not ADMINER.exists():
        return False
    modules = subprocess.run(["php", "-m"], capture_output=True, text=True, check=False).stdout.split()
    return "pgsql" in modules
