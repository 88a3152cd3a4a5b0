"""An examination: all servers and checks side by side, so that slow ones do not delay quick ones."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from ml_platform.doctor.check import Check
from ml_platform.doctor.servers import ServerLook
from stack.config import Config

WORKERS = 8
LATE = 10.0  # seconds; what looks longer is said to be late

State = Literal["looking", "late", "good", "problem", "unchecked"]


@dataclass(frozen=True)
class Result:
    """What is known of a server or a check.

    Attributes:
        state: whether it is still looked at; what came of it; `unchecked`: a server that it needs is not healthy.
        texts: the problems, or why it is unchecked.
        fix: what to do about them.
    """

    state: State
    texts: tuple[str, ...] = ()
    fix: str = ""


class Examination:
    """Servers and checks that are looked at, from the moment it is made."""

    def __init__(self, servers: Sequence[ServerLook], checks: Iterable[Check], config: Config | None) -> None:
        """Begin to look. Without settings there are no checks."""
        self.servers = tuple(servers)
        self.checks = tuple(checks) if config else ()
        self.begun = time.monotonic()
        pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="doctor")
        # the servers come first: a check waits only for what is before it in the queue
        self._servers = {server.name: pool.submit(_look(server)) for server in self.servers}
        self._checks = {
            check.name: pool.submit(self._check, check, config) for check in self.checks if config is not None
        }
        pool.shutdown(wait=False)

    @property
    def is_done(self) -> bool:
        """Whether everything was looked at."""
        return all(future.done() for future in (*self._servers.values(), *self._checks.values()))

    def of_server(self, server: ServerLook) -> Result:
        """Return what is known of a server."""
        return self._result(self._servers[server.name], server.fix)

    def of_check(self, check: Check) -> Result:
        """Return what is known of a check."""
        return self._result(self._checks[check.name], check.fix)

    def _result(self, future: "Future[Result]", fix: str) -> Result:
        if not future.done():
            seconds = time.monotonic() - self.begun
            late = Result("late", (f"no answer for {seconds:.0f} seconds",), fix)
            return late if seconds > LATE else Result("looking")
        if (error := future.exception()) is not None:
            return Result("problem", (f"this could not be looked at: {type(error).__name__}: {error}",), fix)
        return future.result()

    def _check(self, check: Check, config: Config) -> Result:
        away = [name for name in check.needs if name in self._servers and not _is_good(self._servers[name])]
        if away:
            return Result("unchecked", (f"needs {', '.join(away)}",))
        problems = check.problems(config)
        return Result("problem", problems, check.fix) if problems else Result("good")


def _look(server: ServerLook) -> Callable[[], Result]:
    def look() -> Result:
        problem = server.problem()
        return Result("problem", (problem,), server.fix) if problem else Result("good")

    return look


def _is_good(future: "Future[Result]") -> bool:
    return future.exception() is None and future.result().state == "good"
