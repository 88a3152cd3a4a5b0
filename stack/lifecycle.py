"""Up and down: start in the order of needs, each server healthy before those that need it."""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path

from stack import ports, postgres
from stack.config import HOST, ROOT, Config
from stack.errors import NotHealthyError
from stack.servers import Server, Step, all_nodes, base_environment, with_needs
from stack.supervisor import LIVE, Supervisor

Report = Callable[[str, str], None]  # name, what happened
Nodes = Mapping[str, Server | Step]


def up(config: Config, only: list[str], report: Report = lambda name, event: None) -> bool:
    """Start what does not run yet, and wait until all of it is healthy.

    Args:
        config: the stack.
        only: names of servers; what they need comes along; empty for all.
        report: told of every server that became healthy.

    Returns:
        Whether anything had to be started.

    Raises:
        PortTakenError: before anything starts.
        NotHealthyError: a server or a step failed; the others are left running.
    """
    nodes = all_nodes(config)
    wanted = with_needs(nodes, only)
    supervisor = Supervisor(config)
    _check_ports(supervisor, wanted)
    servers = [node for node in nodes.values() if isinstance(node, Server)]
    with _undone_if_interrupted(supervisor, nodes):
        started = supervisor.ensure(servers)
        if not started and _all_healthy(wanted, running(config)):
            return False
        _run_graph(wanted, lambda node: _bring_up(node, supervisor, report))
    return True


def up_stores(config: Config) -> None:
    """Start what holds data, and make its roles, databases and buckets."""
    up(config, ["postgres", "objects", "dbinit"])


def down(config: Config) -> None:
    """Stop everything that belongs to this stack; data stays."""
    _stop_all(Supervisor(config), all_nodes(config))


def running(config: Config) -> set[str]:
    """Return the names of the servers that run, or are about to."""
    return {name for name, state in Supervisor(config).states().items() if state in LIVE}


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
    for name in names:
        if isinstance(server := nodes[name], Server):
            _wait_until_healthy(server, supervisor)


def wipe(config: Config) -> None:
    """Stop everything and remove all data."""
    down(config)
    if config.state_dir.exists():
        shutil.rmtree(config.state_dir)


def postgres_program(config: Config, name: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Return the command line and the environment of a client such as pg_dump, logged in as the superuser."""
    login = {"PGUSER": "postgres", "PGPASSWORD": config.postgres_superuser_password.get_secret_value()}
    where = {"PGHOST": HOST, "PGPORT": str(config.postgres_port)}
    return [str(postgres.binaries() / name), *arguments], base_environment(config) | login | where


def _stop_all(supervisor: Supervisor, nodes: Nodes) -> None:
    """Stop first what needs others, side by side, then the rest."""
    supervisor.stop(name for name, node in nodes.items() if node.needs)
    supervisor.stop(nodes)
    supervisor.shutdown()


def tail(path: Path, lines: int = 20) -> str:
    """Return the last lines of a log."""
    if not path.exists():
        return "(no log yet)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def _all_healthy(wanted: Nodes, running: set[str]) -> bool:
    servers = [node for node in wanted.values() if isinstance(node, Server)]
    return all(server.name in running and server.probe() is None for server in servers)


def _check_ports(supervisor: Supervisor, wanted: Nodes) -> None:
    needed = {name: port for node in wanted.values() if isinstance(node, Server) for name, port in node.ports.items()}
    ports.check(needed, {process.pid for process in supervisor.processes()})


@contextmanager
def _undone_if_interrupted(supervisor: Supervisor, nodes: Nodes) -> Iterator[None]:
    """On Ctrl-C leave nothing running, if nothing ran before."""
    ran_before = supervisor.pid() is not None
    try:
        yield
    except KeyboardInterrupt:
        if not ran_before:
            _stop_all(supervisor, nodes)
        raise


def _run_graph(nodes: Nodes, bring_up: Callable[[Server | Step], None]) -> None:
    """Run independent nodes side by side; the first failure stops what has not begun."""
    order = TopologicalSorter({name: node.needs for name, node in nodes.items()})
    order.prepare()
    pool = ThreadPoolExecutor(max_workers=len(nodes))
    running: dict[Future[None], str] = {}
    try:
        while order.is_active():
            running |= {pool.submit(bring_up, nodes[name]): name for name in order.get_ready()}
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                name = running.pop(future)
                future.result()
                order.done(name)
    finally:
        GIVE_UP.set()
        pool.shutdown(wait=True, cancel_futures=True)
        GIVE_UP.clear()


GIVE_UP = threading.Event()  # set when one server failed or Ctrl-C came: nobody waits any longer


def _bring_up(node: Server | Step, supervisor: Supervisor, report: Report) -> None:
    began = time.monotonic()
    if isinstance(node, Step):
        _run_step(node, supervisor.logs / f"{node.name}.log")
    else:
        node.prepare()
        supervisor.start(node.name)
        if node.setup:
            _run_step(node.setup, supervisor.logs / f"{node.setup.name}.log")
        _wait_until_healthy(node, supervisor)
    report(node.name, f"{time.monotonic() - began:.1f} s")


def _run_step(step: Step, log: Path) -> None:
    if step.is_done():
        return
    with log.open("w") as output:
        process = subprocess.Popen(
            step.command, env=step.environment, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, umask=0o077
        )
        code = _wait_for_end(process, step.patience)
    log.chmod(0o600)
    if code:
        raise NotHealthyError(f"The step {step.name} failed ({code}). The end of {log}:\n{tail(log)}")
    step.after()


def _wait_for_end(process: "subprocess.Popen[bytes]", patience: int) -> int | str:
    deadline = time.monotonic() + patience
    while process.poll() is None:
        if GIVE_UP.wait(0.05) or time.monotonic() > deadline:
            process.kill()
            process.wait()
            return f"stopped after at most {patience} s"
    return process.returncode


def _wait_until_healthy(server: Server, supervisor: Supervisor) -> None:
    deadline = time.monotonic() + server.patience
    problem = server.probe()
    while problem is not None:
        state = supervisor.states().get(server.name, "gone")
        if state in ("FATAL", "gone") or time.monotonic() > deadline:
            log = supervisor.logs / f"{server.name}.log"
            raise NotHealthyError(
                f"{server.name} is not healthy ({state}: {problem}).\nThe end of {log}:\n{tail(log)}\n"
                f"What did start goes on running; `make status` shows it, `make down` stops it."
            )
        if GIVE_UP.wait(0.2):
            return
        problem = server.probe()
