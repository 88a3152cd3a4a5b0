"""The platform as processes of this machine: up and down, pause and resume, and the removal of all data."""

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from stack.config import HOST, Config
from stack.errors import StackError
from stack.runners import ports, processes
from stack.runners.startup import Report, Startup
from stack.runners.supervisor import LIVE, Supervisor
from stack.servers import postgres
from stack.servers.inventory import absent, all_nodes, optional, with_needs
from stack.servers.node import Nodes, Server, Step, base_environment, servers_of

RUNNING = "RUNNING"  # supervisord's word
SECOND_LOOK = 2.0  # seconds until it
WAIT_FOR_WORK = 600  # seconds; longer work is interrupted, and continues by itself


def up(config: Config, only: list[str], report: Report = lambda name, event: None) -> bool:
    """Start what does not run yet, and wait until all of it is healthy.

    Args:
        config: the stack.
        only: names of servers, which are started with all that they need; empty for all servers.
        report: called with the name and the duration of every server that became healthy.

    Returns:
        Whether anything had to be started.

    Raises:
        PortTakenError: before anything starts.
        StackError: a server cannot run here, or there is none of that name; nothing was started or stopped.
        NotHealthyError: a server or a step failed; the others are left running.
    """
    supervisor = Supervisor(config)
    nodes = all_nodes(config)
    _check_names(config, nodes, only)
    wanted = with_needs(nodes, only)
    ran_before = supervisor.states()
    for server in servers_of(nodes):
        if server.name in wanted or server.name in ran_before:
            server.check()
    _check_ports(supervisor, wanted)
    with _stopped_if_interrupted(supervisor, nodes):
        _report_removals(supervisor, nodes, _reasons(config), report)
        _prepare_restarts(supervisor, nodes, report)
        started = supervisor.ensure(servers_of(nodes))
        if not started and _all_healthy(wanted, running(config)) and _all_done(wanted):
            return False
        Startup(supervisor, report).run(wanted)
    return True


def _check_names(config: Config, nodes: Nodes, names: list[str]) -> None:
    """Raise StackError for a name of no server, or of one that is not among the nodes; the text says why."""
    reasons = _reasons(config)
    for name in names:
        if name in reasons and name not in nodes:
            raise StackError(f"{name} cannot be started: {reasons[name]}")
        if name not in nodes:
            raise StackError(f"there is no server {name!r}; there are: {', '.join(nodes)}")


def _prepare_restarts(supervisor: Supervisor, nodes: Nodes, report: Report) -> None:
    """Say which servers are restarted, and why; wait before for the work that this would interrupt."""
    live = {name for name, state in supervisor.states().items() if state in LIVE}
    changed = {
        name: settings
        for name, settings in supervisor.changed_settings(servers_of(nodes)).items()
        if name in live
    }  # fmt: skip
    for name, settings in changed.items():
        report(name, f"is restarted, because settings have changed: {', '.join(settings)}")
    interrupted = [server for server in servers_of(nodes) if changed.keys() & with_needs(nodes, [server.name]).keys()]
    deadline = time.monotonic() + WAIT_FOR_WORK
    last: list[str] = []
    while (work := [text for server in interrupted for text in server.in_flight()]) and time.monotonic() < deadline:
        if work != last:
            report("waiting", f"for work in flight: {', '.join(work)}")
        last = work
        time.sleep(1)


def _reasons(config: Config) -> dict[str, str]:
    """Return why servers are not among the nodes."""
    return optional(config) | {name: f"it cannot run here; {remedy}" for name, remedy in absent(config).items()}


def _report_removals(supervisor: Supervisor, nodes: Nodes, reasons: dict[str, str], report: Report) -> None:
    """Say which running servers are stopped for good, and why."""
    for name, state in supervisor.states().items():
        if name not in nodes and state in LIVE:
            report(name, f"is stopped, because {reasons.get(name, 'this version does not have it')}")


def up_stores(config: Config) -> None:
    """Start the stores, and create their roles, databases and buckets."""
    up(config, ["postgres", "objects", "dbinit"])


def down(config: Config) -> None:
    """Stop everything that belongs to this stack; data stays."""
    _stop_all(Supervisor(config), all_nodes(config))


def running(config: Config) -> set[str]:
    """Return the names of the servers that run or are about to run."""
    return {name for name, state in Supervisor(config).states().items() if state in LIVE}


def problems(config: Config) -> dict[str, str]:
    """Return why servers are not healthy, by name; one that runs and only lacks another that is away is left out."""
    nodes, states = all_nodes(config), Supervisor(config).states()
    found = {name: problem for name, problem in look(servers_of(nodes), states).items() if problem}
    return {
        name: problem
        for name, problem in found.items()
        if states.get(name) != RUNNING or found.keys().isdisjoint(with_needs(nodes, [name]).keys() - {name})
    }


def look(servers: Sequence[Server], states: dict[str, str]) -> dict[str, str | None]:
    """Return why each server is not healthy, None if it is; one that runs must fail at two looks in a row."""
    found = {server.name: problem_of(server, states) for server in servers}
    again = [server for server in servers if found[server.name] and states.get(server.name) == RUNNING]
    if again:
        time.sleep(SECOND_LOOK)
    return found | {server.name: problem_of(server, states) for server in again}


def problem_of(server: Server, states: dict[str, str]) -> str | None:
    """Return why a server is not healthy; None if it is."""
    state = states.get(server.name, "not running")
    return server.probe() if state == RUNNING else state


def is_in_use(config: Config) -> bool:
    """Return whether a person is starting it, or debugs a task: a pause would end that."""
    return bool(processes.of_people(config.state_dir, Supervisor(config).pid()))


def pause(config: Config, names: list[str]) -> None:
    """Stop servers, and the tasks that they run."""
    if names:
        supervisor = Supervisor(config)
        supervisor.stop(names)
        supervisor.kill_orphans()


def resume(config: Config, names: list[str]) -> None:
    """Start servers again as they were, side by side, and wait until they are healthy."""
    supervisor, nodes = Supervisor(config), all_nodes(config)
    for name in names:
        supervisor.start(name)
    startup = Startup(supervisor)
    for name in names:
        if isinstance(server := nodes[name], Server):
            startup.wait_until_healthy(server)


def wipe(config: Config) -> None:
    """Kill everything and remove all data: what is removed need not be saved."""
    Supervisor(config).kill()
    if config.state_dir.exists():
        shutil.rmtree(config.state_dir)


def postgres_program(config: Config, name: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Return the command line and the environment of a client such as pg_dump, logged in as the superuser."""
    login = {"PGUSER": "postgres", "PGPASSWORD": config.postgres_superuser_password.get_secret_value()}
    address = {"PGHOST": HOST, "PGPORT": str(config.postgres_port)}
    return [str(postgres.binaries() / name), *arguments], base_environment(config) | login | address


def _stop_all(supervisor: Supervisor, nodes: Nodes) -> None:
    """Stop first the servers that need others, side by side, then the rest."""
    supervisor.stop(name for name, node in nodes.items() if node.needs)
    supervisor.stop(nodes)
    supervisor.shutdown()


def _all_done(nodes: Nodes) -> bool:
    steps = [node if isinstance(node, Step) else node.setup for node in nodes.values()]
    return all(step.is_done() for step in steps if step)


def _all_healthy(nodes: Nodes, running: set[str]) -> bool:
    return all(server.name in running and server.probe() is None for server in servers_of(nodes))


def _check_ports(supervisor: Supervisor, nodes: Nodes) -> None:
    needed = {name: port for server in servers_of(nodes) for name, port in server.ports.items()}
    ports.check(needed, supervisor.process_ids)


@contextmanager
def _stopped_if_interrupted(supervisor: Supervisor, nodes: Nodes) -> Iterator[None]:
    """On Ctrl-C stop everything again, if nothing ran before."""
    ran_before = supervisor.pid() is not None
    try:
        yield
    except KeyboardInterrupt:
        if not ran_before:
            _stop_all(supervisor, nodes)
        raise
