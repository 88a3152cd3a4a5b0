"""Adminer: a page to look into the database, where PHP and Adminer are installed."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from stack.config import HOST, ROOT, Config, hosts
from stack.servers import probes
from stack.servers.node import Node, Server, base_environment, find_program

PAGE = Path("/usr/share/adminer/adminer.php")
HOST_CHECK = ROOT / "stack" / "screens" / "adminer_hosts.php"
REMEDY = "install PHP with its pgsql extension and Adminer (Debian: apt-get install adminer php-cli php-pgsql)"


def nodes(config: Config) -> Iterator[Node]:
    """Describe the server; none where it cannot run."""
    if not is_installed(config):
        return
    yield Server(
        name="adminer",
        command=("php", "-S", f"{HOST}:{config.adminer_port}", "-t", str(PAGE.parent), str(HOST_CHECK)),
        environment=base_environment(config) | {"ADMINER_HOSTS": hosts(config.adminer_port), "ADMINER_PAGE": str(PAGE)},
        probe=probes.http(f"http://{HOST}:{config.adminer_port}/"),
        version="of the system",
        needs=("postgres",),
        ports={"ADMINER_PORT": config.adminer_port},
        directory=config.state_dir,
    )


def is_installed(config: Config) -> bool:
    """Return whether this machine can run Adminer."""
    php = find_program(config, "php")
    if not php or not PAGE.exists():
        return False
    modules = subprocess.run([php, "-m"], capture_output=True, text=True, check=False).stdout.split()
    return "pgsql" in modules
