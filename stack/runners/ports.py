"""A check of all ports before anything starts: each must be free, or used by this stack."""

import socket
from collections import Counter
from collections.abc import Callable, Mapping

import psutil

from stack.config import HOST
from stack.errors import PortTakenError


def check(ports: Mapping[str, int], ours: Callable[[], set[int]]) -> None:
    """Refuse to start where another program listens.

    Args:
        ports: by the variable that sets it (the name of an inner listener shows the sum).
        ours: returns the ids of the processes that belong to this stack. It is called after a listener was found, so a
            server that starts meanwhile is among them.

    Raises:
        PortTakenError: names every taken port, the process that uses it and the variable to change.
    """
    counts = Counter(ports.values())
    duplicates = [f"{variable}={port} is given twice" for variable, port in ports.items() if counts[port] > 1]
    taken = [
        f"port {port} is taken by {user}; set {variable.split()[0]} to a free one"
        for variable, port in ports.items()
        if (user := _user_of(port, ours))
    ]
    if duplicates or taken:
        raise PortTakenError("A port is not free.\n  " + "\n  ".join(duplicates + taken))


def _user_of(port: int, ours: Callable[[], set[int]]) -> str | None:
    """Return the process that listens on a port, in words; None if the port is free or used by this stack."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            pid = _listener(port)
            if pid in ours():
                return None
            return _describe(pid) if pid else f"a process of another user ({error.strerror})"
    return None


def _listener(port: int) -> int | None:
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return None
    listening = (c for c in connections if c.status == psutil.CONN_LISTEN and c.laddr.port == port and c.pid)
    return next((connection.pid for connection in listening), None)


def _describe(pid: int) -> str:
    try:
        return f"process {pid} ({' '.join(psutil.Process(pid).cmdline())[:120]})"
    except psutil.Error:
        return f"process {pid}"
