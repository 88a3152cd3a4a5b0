"""This machine: free disk and memory, files with secrets, listeners, packages, and the code that runs."""

import ipaddress
import shutil
import stat
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import psutil
from packaging.requirements import Requirement

from stack.config import ROOT, Config
from stack.revision import revision
from stack.runners import compose, processes
from stack.runners.supervisor import Supervisor
from stack.servers.inventory import all_nodes
from stack.servers.node import servers_of
from stack.watchdog import main_process

FREE_DISK = 2e9  # bytes
FREE_MEMORY = 0.5e9  # bytes: less than one training needs
OTHERS = stat.S_IRWXG | stat.S_IRWXO
SECRETS = ("supervisor.conf", "environment.json")  # in the state folder
LOCK = "requirements-embedded.lock"
NOT_OURS = ("postgres", "objects", "kafka", "mlflow", "feast", "adminer")  # servers that do not import ml_platform


def little_space(config: Config) -> Iterator[str]:
    """Yield a disk or a memory that is nearly full."""
    folder = config.state_dir if config.state_dir.exists() else ROOT
    if (free := shutil.disk_usage(folder).free) < FREE_DISK:
        yield f"the disk of {folder} has {free / 1e9:.1f} GB left"
    if (free := psutil.virtual_memory().available) < FREE_MEMORY:
        yield f"the machine has {free / 1e9:.1f} GB of memory left"


def open_secrets(config: Config) -> Iterator[str]:
    """Yield the files with secrets that other users of this machine can read."""
    settings = sorted((ROOT / "backups").glob("*/.env"))
    for path in (config.env_file, *(config.state_dir / name for name in SECRETS), *settings):
        if path.exists() and (mode := stat.S_IMODE(path.stat().st_mode)) & OTHERS:
            yield f"{path} has the mode {mode:04o}, so that others can read it: chmod 600 {path}"


def open_ports(config: Config) -> Iterator[str]:
    """Yield the listeners of the platform that other machines can reach."""
    listeners = _published(config) if config.target == "compose" else _listeners(config)
    for name, address, port in listeners:
        if not ipaddress.ip_address(address or "0.0.0.0").is_loopback:  # noqa: S104 – what Compose means by none
            yield f"{name} listens on {address or 'all addresses'}, port {port}"


def _listeners(config: Config) -> Iterator[tuple[str, str, int]]:
    for process in processes.stack_processes(config.state_dir):
        for connection in process.net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN:
                yield f"process {process.pid} ({process.name()})", connection.laddr.ip, connection.laddr.port


def _published(config: Config) -> Iterator[tuple[str, str, int]]:
    for container in compose.containers(config):
        for port in container.get("Publishers") or []:
            if port["PublishedPort"]:
                yield container["Service"], port["URL"], port["PublishedPort"]


def other_packages(config: Config) -> Iterator[str]:
    """Yield the packages whose version is not that of the lock file; an image is made from a lock file."""
    if config.target == "compose":
        return
    for line in (ROOT / LOCK).read_text().splitlines():
        if not line[:1].isalnum():
            continue
        wanted = Requirement(line.rstrip(" \\"))
        if wanted.marker and not wanted.marker.evaluate():
            continue
        if not wanted.specifier.contains(there := _version(wanted.name), prereleases=True):
            yield f"{wanted.name} is {there or 'not installed'}; the lock file says {wanted.specifier}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def old_code(config: Config) -> Iterator[str]:
    """Yield the servers that started before the newest change of the code that they import."""
    if config.target == "compose":
        yield from _old_image(config)
        return
    changed = max(path.stat().st_mtime for path in (ROOT / "plugins").rglob("*.py"))
    for server in servers_of(all_nodes(config)):
        if server.name in NOT_OURS or not Supervisor(config).pid():
            continue
        process = main_process(str(config.state_dir), server.name)
        if process and process.create_time() < changed:
            yield f"{server.name} runs older code: it started before the last change in plugins/"


def _old_image(config: Config) -> Iterator[str]:
    running = compose.output(config, "exec", "-T", "airflow-scheduler", "cat", "REVISION")
    if running != (here := revision(ROOT / ".git")):
        yield f"the image is of the commit {running}, this folder has {here}"
