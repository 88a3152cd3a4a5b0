"""One start of servers and steps: in the order of their needs, each healthy before those that need it."""

import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path

from stack.config import ROOT
from stack.errors import NotHealthyError
from stack.logs.entry import parse
from stack.runners import ports
from stack.runners.supervisor import Supervisor
from stack.servers.node import Node, Nodes, Server, Step, servers_of

Report = Callable[[str, str], None]  # the name of a server or step, and the event
LOG_LINES = 20
LOOK_AT_PORTS = 2.0  # seconds between two looks who listens


class Startup:
    """A start that one failure, or Ctrl-C, cancels as a whole."""

    def __init__(self, supervisor: Supervisor, report: Report = lambda name, event: None) -> None:
        """Start nothing yet; `report` is called with the name and the duration of all that became healthy."""
        self.supervisor = supervisor
        self.report = report
        self.cancelled = threading.Event()  # no thread waits any longer

    def run(self, nodes: Nodes) -> None:
        """Start independent nodes side by side; after the first failure no other one is started.

        Raises:
            NotHealthyError: a server or a step failed; what has started keeps running.
        """
        order = TopologicalSorter({name: node.needs for name, node in nodes.items()})
        order.prepare()
        pool = ThreadPoolExecutor(max_workers=len(nodes))
        pending: dict[Future[None], str] = {}
        try:
            while order.is_active():
                pending |= {pool.submit(self._start, nodes[name]): name for name in order.get_ready()}
                done, _ = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    name = pending.pop(future)
                    future.result()
                    order.done(name)
            # All at last together: one may have become slow while the others started.
            for future in [pool.submit(self.wait_until_healthy, server) for server in servers_of(nodes)]:
                future.result()
        finally:
            self.cancelled.set()
            pool.shutdown(wait=True, cancel_futures=True)

    def wait_until_healthy(self, server: Server) -> None:
        """Wait for a server that has been started.

        Raises:
            NotHealthyError: it failed or exceeded its timeout; the text has the end of its log.
            PortTakenError: another program took one of its ports.
        """
        deadline, look = time.monotonic() + server.timeout, 0.0
        while True:
            state = self.supervisor.states().get(server.name, "gone")
            problem = server.probe()
            if problem is None and state == "RUNNING":  # not yet in its first second
                break
            if time.monotonic() > look:
                self._check_ports(server)
                look = time.monotonic() + LOOK_AT_PORTS
            if state in ("FATAL", "gone") or time.monotonic() > deadline:
                raise self._not_healthy(server, f"{state}: {problem}")
            if self.cancelled.wait(0.2):
                return
        self._check_ports(server)

    def _check_ports(self, server: Server) -> None:
        """Check that no stranger took a port after the check of all ports: it could even answer the probe."""
        ports.check(server.ports, self.supervisor.process_ids)

    def _start(self, node: Node) -> None:
        began = time.monotonic()
        if isinstance(node, Step):
            self._run_step(node)
        else:
            node.prepare()
            self.supervisor.start(node.name)
            if node.setup:
                self._run_step(node.setup)
            self.wait_until_healthy(node)
        self.report(node.name, f"{time.monotonic() - began:.1f} s")

    def _run_step(self, step: Step) -> None:
        if step.is_done():
            return
        log = self.supervisor.logs / f"{step.name}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                step.command, env=step.environment, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, umask=0o077
            )
            result = self._wait_for_end(process, step.timeout)
        log.chmod(0o600)
        if result:
            raise NotHealthyError(f"The step {step.name} failed ({result}). The end of {log}:\n{tail(log)}")
        step.after()

    def _wait_for_end(self, process: "subprocess.Popen[bytes]", timeout: int) -> int | str:
        """Return the exit code, or in words that the process was stopped."""
        deadline = time.monotonic() + timeout
        while process.poll() is None:
            if self.cancelled.wait(0.05) or time.monotonic() > deadline:
                process.kill()
                process.wait()
                return f"stopped after at most {timeout} s"
        return process.returncode

    def _not_healthy(self, server: Server, reason: str) -> NotHealthyError:
        log = self.supervisor.logs / f"{server.name}.log"
        return NotHealthyError(
            f"{server.name} is not healthy ({reason}).\nThe end of {log}:\n{tail(log)}\n"
            "The servers that did start keep running: `make status` shows them, `make down` stops them."
        )


def tail(path: Path, lines: int = LOG_LINES) -> str:
    """Return the last lines of a log, those of JSON as text."""
    if not path.exists():
        return "(no log yet)"
    return "\n".join(_readable(path.stem, line) for line in path.read_text(errors="replace").splitlines()[-lines:])


def _readable(server: str, line: str) -> str:
    return parse(server, line, datetime.now(UTC)).line() if line.startswith("{") else line
