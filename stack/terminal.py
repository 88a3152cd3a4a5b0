"""Output of the commands for people: tables of servers and screens; and SIGTERM treated like Ctrl-C."""

import signal
from types import FrameType

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from stack.config import HOST, Config
from stack.servers.node import Server

ANY_WIDTH = 10_000  # columns
# The ports that clients use; the object store has more, for its own parts.
CLIENT_PORTS = {
    f"{name}_PORT"
    for name in ("POSTGRES", "S3", "CONSOLE", "KAFKA", "MLFLOW", "AIRFLOW", "FEAST", "SERVING", "ADMINER")
}


def show_servers(
    console: Console, servers: list[Server], states: dict[str, str], problems: dict[str, str | None]
) -> None:
    """Print each server's health, version and addresses."""
    table = Table("server", "health", "version", "address", box=None, header_style="bold")
    for server in servers:
        health = "[green]healthy[/]" if problems[server.name] is None else f"[red]{_state(server, states)}[/]"
        addresses = ", ".join(f"{HOST}:{port}" for name, port in server.ports.items() if name in CLIENT_PORTS)
        table.add_row(server.name, health, server.version, addresses)
    _print_whole(console, table)


def show_screens(console: Console, config: Config) -> None:
    """Print the pages that people open, with their logins; the passwords stay in the env file."""
    table = Table("screen", "login", "address", box=None, header_style="bold")
    for screen in config.screens():
        table.add_row(screen.name, screen.login, screen.url)
    console.print()
    _print_whole(console, table)
    console.print(f"Passwords are in {config.env_file}\n", markup=False, soft_wrap=True)


def _print_whole(console: Console, table: Table) -> None:
    """Print each row on one line, also where that is wider than the terminal: people copy it, and programs read it."""
    table.width = Measurement.get(console, console.options.update(max_width=ANY_WIDTH), table).maximum
    console.print(table, crop=False)


def interrupt_on_terminate() -> None:
    """Treat SIGTERM like Ctrl-C, so that a command stops what it has begun to start."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _state(server: Server, states: dict[str, str]) -> str:
    state = states.get(server.name, "not running").lower()
    return "not healthy" if state == "running" else state
