"""The configuration file of supervisord, as text; and which settings differ between two of them."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from stack import marks
from stack.errors import StackError
from stack.servers.node import Server, program

STOP_SECONDS = 20
LOG_MEGABYTES = 10  # a log that is larger becomes name.log.1
LOG_BACKUPS = 3  # of these
LAUNCH = (program("python"), "-m", "stack.runners.launch")


def config_text(servers: Iterable[Server], *, socket: Path, pid_file: Path, logs: Path) -> str:
    """Return the file; it contains secrets, the environments of the servers.

    Raises:
        StackError: a value cannot be quoted.
    """
    daemon = _daemon_section(socket, pid_file, logs)
    return "\n".join([daemon, *(_program_section(server, logs) for server in servers)])


def changed_settings(old: str, new: str) -> dict[str, list[str]]:
    """Return the names of the settings, without values, that differ for each server that is in both files."""
    before, after = _programs(old), _programs(new)
    changed = {
        name: sorted(key for key in {**before[name], **after[name]} if before[name].get(key) != after[name].get(key))
        for name in after
        if name in before
    }
    return {name: keys for name, keys in changed.items() if keys}


def _programs(text: str) -> dict[str, dict[str, str]]:
    """Return the settings of each program; those in its environment stand for themselves."""
    programs = {}
    for name, body in re.findall(r"^\[program:(.+?)\]\n(.*?)(?=^\[|\Z)", text, re.DOTALL | re.MULTILINE):
        options = dict(line.partition("=")[::2] for line in body.splitlines() if line)
        variables = re.findall(r"""(\w+)=("[^"]*"|'[^']*')""", options.pop("environment", ""))
        programs[name] = options | dict(variables)
    return programs


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
    environment = {**server.environment, marks.SERVER: server.name}
    if server.user:  # whom our program becomes; that user may not read our files
        environment[marks.USER] = server.user
    options = {
        "command": " ".join(quoted(word) for word in (*LAUNCH, *server.command)),
        "directory": server.directory,
        "environment": ",".join(f"{key}={quoted(value)}" for key, value in environment.items()),
        "autostart": "false",
        "autorestart": "true",
        "startsecs": 1,
        "stopsignal": server.stop_signal,
        "stopwaitsecs": STOP_SECONDS,
        "stopasgroup": "true",  # MLflow and uvicorn leave children behind
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": logs / f"{server.name}.log",
        "stdout_logfile_maxbytes": f"{LOG_MEGABYTES}MB",
        "stdout_logfile_backups": LOG_BACKUPS,
    }
    lines = [f"{key}={value!s}" for key, value in options.items() if value is not None]
    return "\n".join([f"[program:{server.name}]", *lines, ""])
