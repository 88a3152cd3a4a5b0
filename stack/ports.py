"""Whose is this port? Asked for all ports before anything starts."""

import socket
from collections.abc import Mapping

import psutil

from stack.config import HOST
from stack.errors import PortTakenError


def check(ports: Mapping[str, int], ours: set[int]) -> None:
    """Refuse to start where somebody else listens.

    Args:
        ports: by the variable that moves it (an inner listener's name shows the sum).
        ours: ids of processes that belong to this stack.

    Raises:
        PortTakenError: names every taken port, its holder and the variable to change.
    """
    twice = [
        f"{variable}={port} is given twice" for variable, port in ports.items() if list(ports.values()).count(port) > 1
    ]
    taken = [
        f"port {port} is taken by {holder}; set {variable.split()[0]} to a free one"
        for variable, port in ports.items()
        if (holder := _holder(port, ours))
    ]
    if twice or taken:
        raise PortTakenError("Nothing was started.\n  " + "\n  ".join(twice + taken))


def _holder(port: int, ours: set[int]) -> str | None:
    """Return who listens on a port, or None if it is free or held by ourselves."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            pid = _listener(port)
            if pid in ours:
                return None
            return _describe(pid) if pid else f"a process of another user ({error.strerror})"
    return None


def _listener(port: int) -> int | None:
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return None
    found = [c.pid for c in connections if c.status == psutil.CONN_LISTEN and c.laddr.port == port and c.pid]
    return found[0] if found else None


def _describe(pid: int) -> str:
    try:
        return f"process {pid} ({' '.join(psutil.Process(pid).cmdline())[:120]})"
    except psutil.Error:
        return f"process {pid}"
