"""Supervisord: its one process, and the calls that start and stop servers."""

import hashlib
import os
import pwd
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil
from supervisor.states import RUNNING_STATES, getProcessStateDescription
from supervisor.xmlrpc import Faults, SupervisorTransport

from stack.config import ROOT, Config
from stack.errors import StackError
from stack.runners import processes
from stack.runners.supervisor_config import STOP_SECONDS, changed_settings, config_text
from stack.servers.node import Server, base_environment, decide_environment, forget_environment

LONGEST_SOCKET = 100  # the kernel's limit is 108, and supervisord appends its pid while it binds
START_SECONDS = 20
NAME_IN_USE = 9  # what useradd answers
DEAD = ("STOPPED", "EXITED", "FATAL", None)
LIVE = tuple(getProcessStateDescription(state) for state in RUNNING_STATES)  # also in its first second or between tries


class Supervisor:
    """The supervisord of one stack; it may or may not be running."""

    def __init__(self, config: Config) -> None:
        """Name the files; touches nothing."""
        self.config = config
        self.state = config.state_dir
        self.logs = self.state / "logs"
        self.conf = self.state / "supervisor.conf"
        self.pid_file = self.state / "supervisor.pid"
        self.socket = socket_path(self.state)

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of supervisord's remote interface."""
        transport = SupervisorTransport(None, None, f"unix://{self.socket}")
        try:
            proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
            return getattr(proxy.supervisor, method)(*arguments)
        finally:
            transport.close()

    def pid(self) -> int | None:
        """Return supervisord's process id if it runs for this very state folder."""
        try:
            process = psutil.Process(int(self.pid_file.read_text()))
        except (OSError, ValueError, psutil.Error):
            return None
        return process.pid if processes.marker(process) == str(self.state) else None

    def processes(self) -> list[psutil.Process]:
        """Return every process of this stack, orphans too."""
        return processes.stack_processes(self.state)

    def process_ids(self) -> set[int]:
        """Return the id of every process of this stack, orphans too."""
        return {process.pid for process in self.processes()}

    def write(self, servers: Iterable[Server]) -> None:
        """Write the configuration; it contains secrets, so only its owner can read it."""
        servers = list(servers)
        for user in {server.user for server in servers if server.user}:
            _ensure_os_user(user)
        self.state.mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o711 if os.geteuid() == 0 else 0o700)  # root's Postgres user passes through
        for folder in (self.logs, self.socket.parent):
            folder.mkdir(exist_ok=True, parents=True)
        self.logs.chmod(0o700)
        decide_environment(self.config)
        text = self._text(servers)
        with os.fdopen(os.open(self.conf, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)

    def changed_settings(self, servers: Iterable[Server]) -> dict[str, list[str]]:
        """Return the names of the settings that differ from those that each server was started with, by server."""
        if not self.pid() or not self.conf.exists():
            return {}
        return changed_settings(self.conf.read_text(), self._text(servers))

    def _text(self, servers: Iterable[Server]) -> str:
        return config_text(servers, socket=self.socket, pid_file=self.pid_file, logs=self.logs)

    def ensure(self, servers: Iterable[Server]) -> bool:
        """Run supervisord with this configuration; return whether this call started it.

        Where it runs already, servers whose configuration changed are removed, to be started again.
        """
        self.write(servers)
        if self.pid():
            self._reload()
            return False
        self.kill_leftovers()
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self.conf)]
        done = subprocess.run(
            command, env=base_environment(self.config), cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise StackError(f"supervisord did not start:\n{done.stdout}{done.stderr}")
        self._wait_for_socket()
        return True

    def states(self) -> dict[str, str]:
        """Return the state of each program (RUNNING, STOPPED, FATAL, ...); empty where supervisord is down."""
        if not self.pid():
            return {}
        try:
            return {info["name"]: info["statename"] for info in self.call("getAllProcessInfo")}
        except (OSError, xmlrpc.client.Fault):
            return {}

    def start(self, name: str) -> None:
        """Start a program; one that runs already is left alone."""
        try:
            self.call("startProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != Faults.ALREADY_STARTED:
                raise StackError(f"{name} cannot be started: {fault.faultString}") from fault

    def stop(self, names: Iterable[str]) -> None:
        """Stop programs side by side, and wait for their end."""
        states = self.states()
        live = [name for name in names if states.get(name, "STOPPED") not in DEAD]
        for name in live:
            self._request_stop(name)
        _wait_until(lambda: all(state in DEAD for state in map(self.states().get, live)), STOP_SECONDS + 5)

    def shutdown(self) -> None:
        """Stop supervisord and its servers, then their leftovers."""
        if self.pid():
            self.call("shutdown")
            _wait_until(lambda: not self.pid(), 3 * STOP_SECONDS)
        self.kill_leftovers()
        self.socket.unlink(missing_ok=True)
        forget_environment(self.config)

    def kill(self) -> None:
        """Kill supervisord and its servers without time to save anything, but let Postgres remove its shared memory."""
        self.stop(["postgres"])
        first = self.pid()  # it would start servers again
        processes.kill(sorted(self.processes(), key=lambda process: process.pid != first))
        self.shutdown()

    def kill_leftovers(self) -> None:
        """End every process of this stack."""
        processes.end(self.processes())

    def kill_orphans(self) -> None:
        """End processes that outlived their server: a task of Airflow has a process group of its own."""
        while orphans := processes.orphans(self.state, self.pid()):
            processes.end(orphans)

    def _request_stop(self, name: str) -> None:
        try:
            self.call("stopProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != Faults.NOT_RUNNING:
                raise

    def _reload(self) -> None:
        [[added, changed, removed]] = self.call("reloadConfig")
        for name in [*changed, *removed]:
            self.call("stopProcessGroup", name)
            self.call("removeProcessGroup", name)
        for name in [*changed, *added]:
            self.call("addProcessGroup", name)

    def _wait_for_socket(self) -> None:
        if not _wait_until(self._answers, START_SECONDS):
            raise StackError(f"supervisord does not answer on {self.socket}; see {self.logs / 'supervisord.log'}")

    def _answers(self) -> bool:
        try:
            self.call("getState")
        except OSError:
            return False
        return True


def socket_path(state: Path) -> Path:
    """Return the path of the socket: in the state folder, or in a private short folder where that path is too long."""
    path = state / "supervisor.sock"
    if len(str(path)) <= LONGEST_SOCKET:
        return path
    digest = hashlib.sha256(str(state).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"ml-platform-{os.geteuid()}" / f"{digest}.sock"


def _wait_until(condition: Callable[[], bool], timeout: float) -> bool:
    """Return whether the condition became true within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _ensure_os_user(name: str) -> None:
    """Create the system user of a server that refuses to run as root."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        options = ["--system", "--user-group", "--no-create-home", "--shell=/usr/sbin/nologin"]
        done = subprocess.run(["useradd", *options, name], check=False)
        if done.returncode != NAME_IN_USE:  # else another stack that starts at the same time has made it
            done.check_returncode()
