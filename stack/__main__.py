"""`python -m stack COMMAND`: start, stop and look at the platform's servers on this machine."""

import argparse
import os
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from rich.console import Console

from stack.config import Config, load
from stack.errors import StackError
from stack.logs import containers, reading
from stack.logs import times as log_times
from stack.logs.entry import Entry
from stack.runners import compose, embedded
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
    problems = embedded.look(servers, states)
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
    """Show the logs of servers and tasks by time: the end of each, or all since a moment or with a text."""
    since = log_times.since(options.since, datetime.now(UTC)) if options.since else None
    choice = reading.Choice(options.server, since, options.grep)
    try:
        for entry in _entries(config, choice, options):
            print(entry.json() if options.json else entry.line(), flush=options.follow)
    except BrokenPipeError:  # as after `make logs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _entries(config: Config, choice: reading.Choice, options: argparse.Namespace) -> Iterable[Entry]:
    if config.target == "compose":
        return _of_containers(config, choice, options)
    if options.follow:
        return reading.follow(config, choice, options.lines)
    if choice.since or choice.grep:
        return reading.read(config, choice, warn)
    return reading.last(config, choice, options.lines, warn)


def _of_containers(config: Config, choice: reading.Choice, options: argparse.Namespace) -> Iterable[Entry]:
    start = ["--since", choice.since.isoformat()] if choice.since else []
    end = [] if choice.since or choice.grep else ["--tail", str(options.lines)]
    lines = compose.log_lines(config, *start, *end, *(["--follow"] if options.follow else []))
    entries = filter(choice.holds, containers.entries(lines))
    return entries if options.follow else sorted(entries, key=lambda entry: entry.time)


def warn(text: str) -> None:
    """Tell people something beside what programs read."""
    print(text, file=sys.stderr)


def reset(config: Config, options: argparse.Namespace) -> int:
    """Stop everything and remove all data, after a question."""
    if not options.yes and input(f"Remove all data in {config.state_dir}? Type yes: ") != "yes":
        console.print("Nothing was removed.")
        return 1
    embedded.wipe(config)
    console.print("Removed", str(config.state_dir))
    return 0


FOR_CONTAINERS = "For the containers: `docker compose up -d --wait`, `down`, `ps`, and `down --volumes` for a reset."
COMMANDS = {"up": up, "down": down, "status": status, "logs": logs, "reset": reset}


def _settings(options: argparse.Namespace) -> Config:
    config = load(options.env_file)
    if config.target == "compose" and options.command != "logs":
        raise StackError(f"`{options.command}` is for the servers of this machine. {FOR_CONTAINERS}")
    return config


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stack", description=__doc__)
    parser.add_argument("--env-file", help="settings; by default ENV_FILE or .env")
    commands = parser.add_subparsers(dest="command", required=True)
    parsers = {name: commands.add_parser(name, help=function.__doc__) for name, function in COMMANDS.items()}
    parsers["up"].add_argument("--only", help="start these and all that they need: postgres,objects,dbinit,mlflow,...")
    parsers["logs"].add_argument("server", nargs="?", help="the server, or `tasks`; by default all")
    parsers["logs"].add_argument("-n", "--lines", type=int, default=20, help="lines of each log; by default 20")
    parsers["logs"].add_argument(
        "--since", help="all since then: 30m, 1h, 2d, or a time such as 2026-11-30T06:15 (UTC)"
    )
    parsers["logs"].add_argument("--grep", default="", help="all with this text: an id, a file, a word")
    parsers["logs"].add_argument("--json", action="store_true", help="a line of JSON for each entry")
    parsers["logs"].add_argument("-f", "--follow", action="store_true", help="show new lines as they come")
    parsers["reset"].add_argument("--yes", action="store_true", help="do not ask")
    return parser


if __name__ == "__main__":
    sys.exit(main())
