"""The processes of a stack: the marks in their environment find them, also after their parent has died."""

import os
from collections.abc import Callable
from pathlib import Path

import psutil

from stack import marks

TERMINATE_SECONDS = 5


def stack_processes(state_dir: Path) -> list[psutil.Process]:
    """Return every process of the stack with this state folder, orphans too."""
    return [process for process in psutil.process_iter() if marker(process) == str(state_dir)]


def marker(process: psutil.Process) -> str | None:
    """Return the state folder that a process belongs to; None for a process of no stack, or of another user."""
    return _environment(process).get(marks.STATE)


def leftovers(state_dir: str, server: str) -> list[psutil.Process]:
    """Return every process that earlier starts of a server have left, without this process."""
    own = {marks.STATE: state_dir, marks.SERVER: server}.items()
    return [
        process
        for process in psutil.process_iter()
        if process.pid != os.getpid() and own <= _environment(process).items()
    ]


def working_in(folder: Path, program: Path) -> list[psutil.Process]:
    """Return every process of a program that works in a folder."""
    return [process for process in psutil.process_iter() if _place(process) == (str(folder), str(program))]


def kill(processes: list[psutil.Process]) -> None:
    """Kill processes, and wait for their end."""
    for process in processes:
        _send(process.kill)
    psutil.wait_procs(processes, timeout=TERMINATE_SECONDS)


def orphans(state_dir: Path, supervisor_pid: int | None) -> list[psutil.Process]:
    """Return the stack's processes whose parent has ended, without supervisord itself."""
    family = stack_processes(state_dir)
    pids = {process.pid for process in family}
    return [process for process in family if process.pid != supervisor_pid and _parent(process) not in pids]


def of_people(state_dir: Path, supervisor_pid: int | None) -> list[psutil.Process]:
    """Return the orphans that no server has started: a step of `make up`, or a task that a person debugs."""
    return [process for process in orphans(state_dir, supervisor_pid) if marks.SERVER not in _environment(process)]


def end(processes: list[psutil.Process]) -> None:
    """Terminate processes, and kill those that remain."""
    for process in processes:
        _send(process.terminate)
    _, alive = psutil.wait_procs(processes, timeout=TERMINATE_SECONDS)
    for process in alive:
        _send(process.kill)
    psutil.wait_procs(alive, timeout=TERMINATE_SECONDS)


def _environment(process: psutil.Process) -> dict[str, str]:
    """Return the environment of a process; empty for one that has ended, or of another user."""
    try:
        environment: dict[str, str] = process.environ()
    except (psutil.Error, OSError):
        return {}
    return environment


def _place(process: psutil.Process) -> tuple[str, str] | None:
    """Return the folder and the program of a process; None for one that has ended, or of another user."""
    try:
        place: tuple[str, str] = process.cwd(), process.exe()
    except (psutil.Error, OSError):
        return None
    return place


def _parent(process: psutil.Process) -> int | None:
    try:
        parent: int = process.ppid()
    except psutil.NoSuchProcess:
        return None
    return parent


def _send(signal: Callable[[], None]) -> None:
    try:
        signal()
    except psutil.NoSuchProcess:
        return
