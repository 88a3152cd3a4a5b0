"""The configuration file of supervisord, as text."""

import os
from collections.abc import Iterable
from pathlib import Path

from stack.errors import StackError
from stack.servers.node import Server

STOP_SECONDS = 20


def config_text(servers: Iterable[Server], *, socket: Path, pid_file: Path, logs: Path) -> str:
    """Return the file; it contains secrets, the environments of the servers.

    Raises:
        StackError: a value cannot be quoted.
    """
    daemon = _daemon_section(socket, pid_file, logs)
    return "\n".join([daemon, *(_program_section(server, logs) for server in servers)])


def quoted(value: str) -> str:
    """Quote for supervisord's file: `%` starts an expansion, its splitter knows no escapes inside quotes.

    Raises:
        StackError: supervisord cannot read the value, or would read another one, without the quotes at its ends.
    """
    quote = "'" if '"' in value else '"'
    if quote in value or "\n" in value or value.strip("'\"") != value:
        raise StackError(
            "A setting has both kinds of quotes, a line break, or a quote as its first or last character, which "
            "supervisord cannot read."
        )
    return quote + value.replace("%", "%%") + quote


def _daemon_section(socket: Path, pid_file: Path, logs: Path) -> str:
    return (
        f"[unix_http_server]\nfile={socket}\nchmod=0700\n"
        f"[supervisord]\nlogfile={logs / 'supervisord.log'}\nlogfile_maxbytes=5MB\nlogfile_backups=1\n"
        f"pidfile={pid_file}\nchildlogdir={logs}\numask=077\n{'user=root' if os.geteuid() == 0 else ''}\n"
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
    )


def _program_section(server: Server, logs: Path) -> str:
    options = {
        "command": " ".join(quoted(word) for word in server.command),
        "directory": server.directory,
        "environment": ",".join(f"{key}={quoted(value)}" for key, value in server.environment.items()),
        "user": server.user,
        "autostart": "false",
        "autorestart": "true",
        "startsecs": 1,
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
