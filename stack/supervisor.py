"""Supervisord: its configuration, its one process, and the calls that start and stop servers."""

import hashlib
import os
import pwd
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
from supervisor.states import RUNNING_STATES, getProcessStateDescription
from supervisor.xmlrpc import Faults, SupervisorTransport

from stack.config import ROOT, Config
from stack.errors import StackError
from stack.servers import MARKER, Server, base_environment

LONGEST_SOCKET = 100  # the kernel's limit is 108, and supervisord appends its pid while it binds
STOP_SECONDS = 20
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
        self.socket = _socket_path(self.state)

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of supervisord's remote interface."""
        transport = SupervisorTransport(None, None, f"unix://{self.socket}")
        try:
            return getattr(xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor, method)(
                *arguments
            )
        finally:
            transport.close()

    def pid(self) -> int | None:
        """Return supervisord's process id if it runs for this very state folder."""
        try:
            pid = int(self.pid_file.read_text())
            alive = psutil.Process(pid).environ().get(MARKER) == str(self.state)
        except (OSError, ValueError, psutil.Error):
            return None
        return pid if alive else None

    def processes(self) -> list[psutil.Process]:
        """Return every process of this stack, orphans too: they carry the stack's mark in their environment."""
        return [process for process in psutil.process_iter() if _mark(process) == str(self.state)]

    def write(self, servers: Iterable[Server]) -> None:
        """Write the configuration; it holds secrets, so only its owner may read it."""
        servers = list(servers)
        for user in {server.user for server in servers if server.user}:
            _ensure_os_user(user)
        self.state.mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o711 if os.geteuid() == 0 else 0o700)  # root's Postgres user passes through
        for folder in (self.logs, self.socket.parent):
            folder.mkdir(exist_ok=True, parents=True)
        self.logs.chmod(0o700)
        text = "\n".join([self._daemon_section(), *(_program_section(server, self.logs) for server in servers)])
        with os.fdopen(os.open(self.conf, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)

    def ensure(self, servers: Iterable[Server]) -> bool:
        """Run supervisord with this configuration; returns whether this call started it.

        Where it runs already, servers whose configuration changed are taken out, to be started anew.
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
            self._ask_to_stop(name)
        deadline = time.monotonic() + STOP_SECONDS + 5
        while time.monotonic() < deadline and any(state not in DEAD for state in map(self.states().get, live)):
            time.sleep(0.1)

    def shutdown(self) -> None:
        """Stop supervisord and its servers, then whatever they left behind."""
        if self.pid():
            self.call("shutdown")
            deadline = time.monotonic() + 3 * STOP_SECONDS
            while self.pid() and time.monotonic() < deadline:
                time.sleep(0.1)
        self.kill_leftovers()
        self.socket.unlink(missing_ok=True)

    def kill_leftovers(self) -> None:
        """End processes that carry this stack's mark."""
        _end(self.processes())

    def kill_orphans(self) -> None:
        """End what outlived the server that ran it: a task of Airflow has a process group of its own."""
        while orphans := self._orphans():
            _end(orphans)

    def _orphans(self) -> list[psutil.Process]:
        family = self.processes()
        parents, supervisor = {process.pid for process in family}, self.pid()
        return [process for process in family if process.pid != supervisor and _parent(process) not in parents]

    def _ask_to_stop(self, name: str) -> None:
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
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self._answers():
                return
            time.sleep(0.05)
        raise StackError(f"supervisord does not answer on {self.socket}; see {self.logs / 'supervisord.log'}")

    def _answers(self) -> bool:
        try:
            self.call("getState")
        except OSError:
            return False
        return True

    def _daemon_section(self) -> str:
        return (
            f"[unix_http_server]\nfile={self.socket}\nchmod=0700\n"
            f"[supervisord]\nlogfile={self.logs / 'supervisord.log'}\nlogfile_maxbytes=5MB\nlogfile_backups=1\n"
            f"pidfile={self.pid_file}\nchildlogdir={self.logs}\numask=077\n{'user=root' if os.geteuid() == 0 else ''}\n"
            "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
        )


def _program_section(server: Server, logs: Path) -> str:
    options = {
        "command": " ".join(_quoted(word) for word in server.command),
        "directory": server.directory,
        "environment": ",".join(f"{key}={_quoted(value)}" for key, value in server.environment.items()),
        "user": server.user,
        "autostart": "false",
        "autorestart": "true",
        "startsecs": 1,
        "startretries": 5,
        "stopsignal": server.stop_signal,
        "stopwaitsecs": STOP_SECONDS,
        "stopasgroup": "true",  # MLflow and uvicorn leave children behind
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": logs / f"{server.name}.log",
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": 3,
    }
    lines = [f"{key}={value!s}" for key, value in options.items() if value is not None]
    return "\n".join([f"[program:{server.name}]", *lines, ""])


def _quoted(value: str) -> str:
    """Quote for supervisord's file: `%` starts an expansion, and its splitter knows no escapes inside quotes."""
    quote = "'" if '"' in value else '"'
    if quote in value or "\n" in value:
        raise StackError("a setting holds both kinds of quotes or a line break, which supervisord cannot read")
    return quote + value.replace("%", "%%") + quote


def _socket_path(state: Path) -> Path:
    """Return where the socket lies: in the state folder, or in a private short folder where that path is too long."""
    path = state / "supervisor.sock"
    if len(str(path)) <= LONGEST_SOCKET:
        return path
    digest = hashlib.sha256(str(state).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"ml-platform-{os.geteuid()}" / f"{digest}.sock"


def _mark(process: psutil.Process) -> str | None:
    try:
        environment: dict[str, str] = process.environ()
    except (psutil.Error, OSError):
        return None
    return environment.get(MARKER)


def _ensure_os_user(name: str) -> None:
    """Make the system user under which a server runs that refuses to be root."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        options = ["--system", "--user-group", "--no-create-home", "--shell=/usr/sbin/nologin"]
        done = subprocess.run(["useradd", *options, name], check=False)
        if done.returncode != NAME_IN_USE:  # else another stack that starts at the same time has made it
            done.check_returncode()


def _parent(process: psutil.Process) -> int | None:
    try:
        parent: int = process.ppid()
    except psutil.NoSuchProcess:
        return None
    return parent


def _end(processes: list[psutil.Process]) -> None:
    """End processes, first politely."""
    for process in processes:
        _signal(process.terminate)
    _, alive = psutil.wait_procs(processes, timeout=5)
    for process in alive:
        _signal(process.kill)
    psutil.wait_procs(alive, timeout=5)


def _signal(send: Any) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return
