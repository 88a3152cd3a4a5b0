"""`python -m stack COMMAND`: start, stop and look at the platform's servers on this machine."""

import argparse
import subprocess
import sys
import time

from rich.console import Console

from stack.config import Config, load
from stack.errors import StackError
from stack.runners import embedded
from stack.runners.supervisor import Supervisor
from stack.servers.inventory import absent, all_nodes
from stack.servers.node import servers_of
from stack.terminal import interrupt_on_terminate, show_screens, show_servers

OUTAGE, NOT_STARTED = 1, 3  # exit codes of `status`, as those of LSB init scripts
console = Console(highlight=False)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit code."""
    options = _parser().parse_args(arguments)
    interrupt_on_terminate()
    try:
        return COMMANDS[options.command](_settings(options), options)
    except StackError as error:
        console.print(str(error), markup=False, style="red")
        return 1
    except KeyboardInterrupt:
        console.print("\nInterrupted.")
        return 130


def up(config: Config, options: argparse.Namespace) -> int:
    """Start everything, wait until it is healthy, and show the addresses."""
    began = time.monotonic()
    only = [name for name in (options.only or "").split(",") if name]
    started = embedded.up(config, only, lambda name, event: console.print(f"  {name:<22} {event}"))
    console.print(f"Up after {time.monotonic() - began:.0f} s." if started else "Already up.")
    return 0 if only else status(config, options)


def down(config: Config, options: argparse.Namespace) -> int:
    """Stop everything; data stays."""
    embedded.down(config)
    console.print("Down. The data stays in", str(config.state_dir))
    return 0


def status(config: Config, options: argparse.Namespace) -> int:
    """Show each server's health, address, version and login.

    Exit codes: 0 all healthy; 1 a server that was started is not healthy; 3 a server was not started.
    """
    states = Supervisor(config).states()
    servers = servers_of(all_nodes(config))
    problems = {server.name: embedded.problem_of(server, states) for server in servers}
    show_servers(console, servers, states, problems)
    show_screens(console, config)
    for name, remedy in absent(config).items():
        console.print(f"{name}: not installed; {remedy}")
    for name, problem in problems.items():
        if problem and name in states:
            console.print(f"{name}: {problem}", markup=False)
    if any(problem and states.get(name, "STOPPED") != "STOPPED" for name, problem in problems.items()):
        return OUTAGE
    return NOT_STARTED if any(problems.values()) else 0


def logs(config: Config, options: argparse.Namespace) -> int:
    """Show the end of one log, or of all; --follow shows new lines as they come."""
    folder = Supervisor(config).logs
    files = sorted(folder.glob(f"{options.server or '*'}.log"))
    if not files:
        names = ", ".join(sorted(path.stem for path in folder.glob("*.log"))) or "none yet"
        raise StackError(f"There is no log of {options.server!r}. Logs: {names}")
    command = ["tail", "-n", str(options.lines), *(["-F"] if options.follow else []), *map(str, files)]
    return subprocess.run(command, check=False).returncode


def reset(config: Config, options: argparse.Namespace) -> int:
    """Stop everything and remove all data, after a question."""
    if not options.yes and input(f"Remove all data in {config.state_dir}? Type yes: ") != "yes":
        console.print("Nothing was removed.")
        return 1
    embedded.wipe(config)
    console.print("Removed", str(config.state_dir))
    return 0


FOR_CONTAINERS = (
    "For the containers: `docker compose up -d --wait`, `down`, `ps`, `logs`, and `down --volumes` for a reset."
)
COMMANDS = {"up": up, "down": down, "status": status, "logs": logs, "reset": reset}


def _settings(options: argparse.Namespace) -> Config:
    config = load(options.env_file)
    if config.target == "compose":
        raise StackError(f"`{options.command}` is for the servers of this machine. {FOR_CONTAINERS}")
    return config


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stack", description=__doc__)
    parser.add_argument("--env-file", help="settings; by default ENV_FILE or .env")
    commands = parser.add_subparsers(dest="command", required=True)
    parsers = {name: commands.add_parser(name, help=function.__doc__) for name, function in COMMANDS.items()}
    parsers["up"].add_argument("--only", help="start these and all that they need: postgres,objects,dbinit,mlflow,...")
    parsers["logs"].add_argument("server", nargs="?", help="the server; by default all servers")
    parsers["logs"].add_argument("-n", "--lines", type=int, default=20, help="lines of each log; by default 20")
    parsers["logs"].add_argument("-f", "--follow", action="store_true", help="show new lines as they come")
    parsers["reset"].add_argument("--yes", action="store_true", help="do not ask")
    return parser


if __name__ == "__main__":
    sys.exit(main())
